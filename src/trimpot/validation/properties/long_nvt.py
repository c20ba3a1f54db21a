"""A crystal that is kept at a temperature for long, with several seeds."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from trimpot.engines.md_statistics import FEWEST, drift
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
    from collections.abc import Sequence

    from ase import Atoms

    from trimpot.engines.md_settings import MdSettings
    from trimpot.validation.properties.case import Case, Phase, Report
    from trimpot.validation.properties.watching import WatchedRun
    from trimpot.validation.subjects import Subject

VERSION = 1

LOST = 0.25
"""Root mean square distance from the sites, over that of neighbours, at which a crystal
is lost; at melting temperatures it is 0.1 to 0.15 (Lindemann)."""

SETTLED = 0.2
"""Share of a run before its drift is looked at."""


@dataclass(frozen=True)
class Settings:
    """Temperature, length, and what ends a run.

    Attributes
    ----------
    temperature : float
        Of the Nose-Hoover chain, K; below the melting temperature, so that the crystal
        should stay.
    picoseconds : float
        Length of a run.
    runs : int
        Runs, with seeds from 0 on.
    atoms : int
        At least so many.
    timestep_fs : float or None
        None: at most 1 fs (0.5 fs with hydrogen), shorter for light atoms.
    limits : Limits
        What ends a run.
    """

    temperature: float = 600.0
    picoseconds: float = 15.0
    runs: int = 3
    atoms: int = 64
    timestep_fs: float | None = None
    limits: Limits = field(default_factory=Limits)


def check(phase: Phase, settings: Settings) -> None:  # noqa: ARG001
    """Refuse runs without length or temperature.

    Raises
    ------
    InputError
        If there are such.
    """
    check_positive(
        "long_nvt",
        runs=settings.runs,
        picoseconds=settings.picoseconds,
        temperature=settings.temperature,
    )


@guarded
def measure(
    subject: Subject, case: Case, settings: Settings, report: Report = silent
) -> Outcome:
    """Keep the crystal at a temperature and constant volume, several times.

    Values: ``runs``, ``stable_runs``, ``survived``, ``stable_ps``; ``closest`` (A);
    ``extrapolated``, the share of looks at which an atom was beyond the training data;
    ``displacement`` (A), the root mean square distance from the sites at the end: above a
    quarter of that of neighbours the crystal is lost, and the run unstable; ``drift``
    (meV/atom/ps) of the energy of atoms and thermostat, the largest of all runs. Curves:
    ``energy`` and ``temperature`` over time, one column per run.
    """
    check(case.phase, settings)
    start = supercell(case, settings.atoms)
    floor = energy_per_atom(start, subject.calculator())
    dynamics = [_dynamics(start, settings, seed) for seed in range(settings.runs)]
    plan = Plan([start] * settings.runs, dynamics, floor, settings.limits)
    runs, nearest = several_runs(subject, plan, report)
    if case.phase.lattice != "file":  # else it may be a liquid
        runs = [_kept_sites(run, start) for run in runs]
    values = counted(runs) | closest(nearest) | _displacement(start, runs) | _drift(runs)
    curves = curves_of(
        runs,
        ("time (ps)", lambda s: 1e-3 * s.time_fs),
        {
            "energy": ("potential energy (eV/atom)", lambda s: s.potential),
            "temperature": ("temperature of the atoms (K)", lambda s: s.temperature_k),
        },
    )
    told = (f"{len(start)} atoms, {dynamics[0].timestep_fs:.3g} fs",)
    place = Thermostat(dynamics[0]).place

    notes = (*told, *notes_of(runs, place))
    return Outcome(values, curves, asdict(settings), notes, failure_of(runs, place), ())


def _dynamics(start: Atoms, settings: Settings, seed: int) -> MdSettings:
    timestep = settings.timestep_fs or time_step_fs(start, settings.temperature)
    return quiet_settings(
        ensemble="nvt",
        temperature_k=settings.temperature,
        timestep_fs=timestep,
        steps=steps_of(settings.picoseconds, timestep),
        seed=seed,
    )


def _kept_sites(run: WatchedRun, start: Atoms) -> WatchedRun:
    """Return the run, ended if its crystal is lost: molten, or another one."""
    if run.last is None:
        return run
    distances = start.get_all_distances(mic=True)
    share = _away(start, run.last) / float(distances[distances > 0.0].min())
    if share <= LOST:
        return run
    why = f"the crystal is lost: atoms are {share:.2f} of a neighbour's distance from sites"
    return replace(run, end=why)


def _away(start: Atoms, last: Atoms) -> float:
    """Return the root mean square distance from the sites, A."""
    return float(np.sqrt(((last.positions - start.positions) ** 2).sum(axis=1).mean()))


def _displacement(start: Atoms, runs: Sequence[WatchedRun]) -> dict[str, Value]:
    away = [_away(start, run.last) for run in runs if run.last is not None]
    return {"displacement": Value(float(np.mean(away)), "A")} if away else {}


def _drift(runs: Sequence[WatchedRun]) -> dict[str, Value]:
    """Return the drift of runs that came to their end and keep an energy."""
    found = []
    for run in runs:
        kept = [s for s in run.samples if s.time_fs >= 1e3 * SETTLED * run.time_ps]
        energy = [s.conserved for s in kept if s.conserved is not None]
        if run.end is None and len(energy) == len(kept) >= FEWEST:
            times = np.array([s.time_fs for s in kept])
            line = drift(times, np.array(energy))
            found.append(abs(line.slope))
    return {"drift": Value(max(found), "meV/atom/ps")} if found else {}
