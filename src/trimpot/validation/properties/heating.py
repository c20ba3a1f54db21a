"""A crystal that is heated to several times its melting temperature."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from trimpot.errors import InputError
from trimpot.validation.properties.case import silent
from trimpot.validation.properties.crystals import supercell
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


@dataclass(frozen=True)
class Settings:
    """The ramp, and what ends a run.

    Attributes
    ----------
    start, end : float
        Temperature in K at both ends. 10,000 K is more than twice the melting temperature
        of any element; MLIP Arena heats from 300 to 3,000 K.
    picoseconds : float
        Length of the ramp; 10 ps as in MLIP Arena.
    runs : int
        Runs, with seeds from 0 on.
    atoms : int
        At least so many.
    timestep_fs : float or None
        None: at most 1 fs (0.5 fs with hydrogen), shorter for light atoms at the end.
    friction_per_ps : float
        Of the Langevin thermostat.
    limits : Limits
        What ends a run.
    """

    start: float = 300.0
    end: float = 10_000.0
    picoseconds: float = 10.0
    runs: int = 3
    atoms: int = 96
    timestep_fs: float | None = None
    friction_per_ps: float = 10.0
    limits: Limits = field(default_factory=Limits)


def check(phase: Phase, settings: Settings) -> None:  # noqa: ARG001
    """Refuse settings that are no ramp.

    Raises
    ------
    InputError
        If they are not.
    """
    check_positive(
        "heating",
        runs=settings.runs,
        picoseconds=settings.picoseconds,
        start=settings.start,
    )
    if not settings.start < settings.end:
        raise InputError(
            f"heating from {settings.start:g} to {settings.end:g} K, expected a "
            "temperature that rises"
        )


@guarded
def measure(
    subject: Subject, case: Case, settings: Settings, report: Report = silent
) -> Outcome:
    """Heat the crystal at constant volume, several times.

    Values: ``runs``, ``stable_runs``, ``survived``, ``stable_ps``; ``temperature`` (K) that
    the thermostat reached in all runs; ``closest`` (A); ``extrapolated``, the share of
    looks at which an atom was beyond the training data. Curves: ``energy`` over the
    temperature of the thermostat and ``temperature`` of the atoms, one column per run.
    """
    check(case.phase, settings)
    start = supercell(case, settings.atoms)
    floor = energy_per_atom(start, subject.calculator())
    dynamics = [_dynamics(start, settings, seed) for seed in range(settings.runs)]
    plan = Plan([start] * settings.runs, dynamics, floor, settings.limits)
    runs, nearest = several_runs(subject, plan, report)
    ramp = Thermostat(dynamics[0])
    values = counted(runs) | closest(nearest)
    values["temperature"] = Value(min(ramp.reached(run) for run in runs), "K")
    curves = curves_of(
        runs,
        ("temperature of the thermostat (K)", lambda s: ramp.at(s.time_fs)),
        {
            "energy": ("potential energy (eV/atom)", lambda s: s.potential),
            "temperature": ("temperature of the atoms (K)", lambda s: s.temperature_k),
        },
    )
    told = (f"{len(start)} atoms, {dynamics[0].timestep_fs:.3g} fs",)
    notes = (*told, *notes_of(runs, ramp.place))
    failure = failure_of(runs, ramp.place)
    return Outcome(values, curves, asdict(settings), notes, failure, ())


def _dynamics(start: Atoms, settings: Settings, seed: int) -> MdSettings:
    timestep = settings.timestep_fs or time_step_fs(start, settings.end)
    return quiet_settings(
        ensemble="langevin",
        temperature_k=settings.start,
        temperature_end_k=settings.end,
        timestep_fs=timestep,
        steps=steps_of(settings.picoseconds, timestep),
        friction_per_ps=settings.friction_per_ps,
        seed=seed,
    )
