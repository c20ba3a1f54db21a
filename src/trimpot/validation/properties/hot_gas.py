"""A hot gas of the phase's elements from random places: far from all data."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from trimpot.validation.properties.case import silent
from trimpot.validation.properties.crystals import random_gas
from trimpot.validation.properties.judges import Limits
from trimpot.validation.properties.outcome import Outcome, Value, guarded
from trimpot.validation.properties.relaxing import energy_per_atom
from trimpot.validation.properties.several_runs import (
    Plan,
    Thermostat,
    check_positive,
    several_runs,
    steps_of,
)
from trimpot.validation.properties.stress_results import (
    closest,
    counted,
    curves_of,
    failure_of,
    notes_of,
)
from trimpot.validation.properties.watching import quiet_settings, time_step_fs

if TYPE_CHECKING:
    from ase import Atoms

    from trimpot.engines.md_settings import MdSettings
    from trimpot.validation.properties.case import Case, Phase, Report
    from trimpot.validation.subjects import Subject

VERSION = 1

TAKES = ("crystal", "molecule")


@dataclass(frozen=True)
class Settings:
    """The gas, its temperature, and what ends a run.

    Attributes
    ----------
    temperature : float
        Of the Langevin thermostat, K.
    picoseconds : float
        Length of a run.
    runs : int
        Runs, each from other places, with seeds from 0 on.
    atoms : int
        About so many, in the proportions of the phase.
    spacing : float
        Edge of the cube over the edge that one atom would have if each took a cube as wide
        as its covalent diameter; 1.2 is about a quarter of the density of tungsten.
    nearest : float
        At the start no two atoms are nearer than this share of the sum of their covalent
        radii; 0.8 is 2.6 A in tungsten.
    settle_ps : float
        Time before temperatures are judged: random places are far from a minimum, and what
        they lose in energy heats.
    timestep_fs : float or None
        None: half of what the temperature allows, for hard collisions.
    friction_per_ps : float
        Strong, so that heat of condensation leaves.
    limits : Limits
        What ends a run.
    """

    temperature: float = 5000.0
    picoseconds: float = 5.0
    runs: int = 3
    atoms: int = 96
    spacing: float = 1.2
    nearest: float = 0.8
    settle_ps: float = 0.5
    timestep_fs: float | None = None
    friction_per_ps: float = 20.0
    limits: Limits = field(default_factory=Limits)


def check(phase: Phase, settings: Settings) -> None:  # noqa: ARG001
    """Refuse runs without length, temperature or room.

    Raises
    ------
    InputError
        If there are such.
    """
    check_positive(
        "hot_gas",
        runs=settings.runs,
        picoseconds=settings.picoseconds,
        temperature=settings.temperature,
        atoms=settings.atoms,
        spacing=settings.spacing,
    )


@guarded
def measure(
    subject: Subject, case: Case, settings: Settings, report: Report = silent
) -> Outcome:
    """Run a gas from random places at constant volume, several times.

    Values: ``runs``, ``stable_runs``, ``survived``, ``stable_ps``; ``closest`` (A);
    ``extrapolated``, the share of looks at which an atom was beyond the training data.
    Curves: ``energy`` and ``temperature`` over time, one column per run.

    Raises
    ------
    InputError
        If atoms find no place.
    """
    check(case.phase, settings)
    floor = energy_per_atom(case.phase.conventional(case.a0), subject.calculator())
    starts = [_gas(case.phase, settings, seed) for seed in range(settings.runs)]
    dynamics = [_dynamics(start, settings, seed) for seed, start in enumerate(starts)]
    plan = Plan(starts, dynamics, floor, settings.limits, 1e3 * settings.settle_ps)
    runs, nearest = several_runs(subject, plan, report)
    curves = curves_of(
        runs,
        ("time (ps)", lambda s: 1e-3 * s.time_fs),
        {
            "energy": ("potential energy (eV/atom)", lambda s: s.potential),
            "temperature": ("temperature of the atoms (K)", lambda s: s.temperature_k),
        },
    )
    place = Thermostat(dynamics[0]).place

    density = starts[0].get_volume() / len(starts[0])
    told = (
        f"{len(starts[0])} atoms, {density:.3g} A^3 each, {dynamics[0].timestep_fs:.3g} fs"
    )
    values: dict[str, Value] = counted(runs) | closest(nearest)
    notes = (told, *notes_of(runs, place))
    return Outcome(values, curves, asdict(settings), notes, failure_of(runs, place), ())


def _gas(phase: Phase, settings: Settings, seed: int) -> Atoms:
    return random_gas(phase, settings.atoms, settings.spacing, settings.nearest, seed)


def _dynamics(start: Atoms, settings: Settings, seed: int) -> MdSettings:
    timestep = settings.timestep_fs or 0.5 * time_step_fs(start, settings.temperature)
    return quiet_settings(
        ensemble="langevin",
        temperature_k=settings.temperature,
        timestep_fs=timestep,
        steps=steps_of(settings.picoseconds, timestep),
        friction_per_ps=settings.friction_per_ps,
        seed=seed,
    )
