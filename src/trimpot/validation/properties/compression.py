"""A crystal that is compressed step by step, in motion.

The cell shrinks in small steps at constant temperature. A barostat would bring times of
its own, needs a stress, and its cell runs away where a potential is soft; shrinking visits
the same densities for every model, and pressure is what is found. MLIP Arena's ramp
(0 to 500 GPa) is passed on the way, and ends it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from itertools import count, pairwise
from typing import TYPE_CHECKING

import numpy as np

from trimpot.errors import InputError
from trimpot.validation.properties.case import silent
from trimpot.validation.properties.crystals import supercell
from trimpot.validation.properties.judges import Limits, Nearest, Temperature, Well
from trimpot.validation.properties.outcome import Curve, Outcome, Value, guarded
from trimpot.validation.properties.relaxing import energy_per_atom
from trimpot.validation.properties.several_runs import check_positive
from trimpot.validation.properties.stress_results import (
    closest,
    counted,
    curves_of,
    failure_of,
    notes_of,
)
from trimpot.validation.properties.watching import (
    check_time,
    quiet_settings,
    time_step_fs,
    watch_of,
)
from trimpot.validation.subjects import moving_potential

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ase import Atoms

    from trimpot.contract import Potential
    from trimpot.engines.md_samples import Sample
    from trimpot.engines.md_settings import MdSettings
    from trimpot.validation.properties.case import Case, Phase, Report
    from trimpot.validation.properties.watching import Watch, WatchedRun
    from trimpot.validation.subjects import Subject

VERSION = 1


@dataclass(frozen=True)
class Settings:
    """The way in, and what ends a run.

    Attributes
    ----------
    temperature : float
        Of the Langevin thermostat, K.
    pressure : float
        GPa at which a run has come to its end; 500 as in MLIP Arena.
    smallest : float
        Volume at which it ends at the latest, over that at the start.
    shrink : float
        Share of the volume that is taken away at each stage.
    stage_fs : float
        Length of a stage; pressures are means over its second half.
    runs : int
        Runs, with seeds from 0 on.
    atoms : int
        At least so many.
    timestep_fs : float or None
        None: at most 1 fs (0.5 fs with hydrogen), shorter for light atoms.
    friction_per_ps : float
        Of the thermostat.
    limits : Limits
        What ends a run.
    """

    temperature: float = 300.0
    pressure: float = 500.0
    smallest: float = 0.4
    shrink: float = 0.01
    stage_fs: float = 100.0
    runs: int = 2
    atoms: int = 96
    timestep_fs: float | None = None
    friction_per_ps: float = 10.0
    limits: Limits = field(default_factory=Limits)


def check(phase: Phase, settings: Settings) -> None:  # noqa: ARG001
    """Refuse settings that do not compress.

    Raises
    ------
    InputError
        If there are such.
    """
    check_positive(
        "compression",
        temperature=settings.temperature,
        pressure=settings.pressure,
        runs=settings.runs,
        stage_fs=settings.stage_fs,
    )
    if not (0.0 < settings.smallest < 1.0 and 0.0 < settings.shrink < 1.0):
        raise InputError(
            f"compression: smallest is {settings.smallest:g} and shrink "
            f"{settings.shrink:g}, expected shares of the volume between 0 and 1"
        )


@guarded
def measure(
    subject: Subject, case: Case, settings: Settings, report: Report = silent
) -> Outcome:
    """Shrink the cell step by step, several times.

    Values: ``runs``, ``stable_runs``, ``survived``, ``stable_ps``; ``pressure`` (GPa) and
    ``volume`` (share of that at the start) that all runs came to; ``pressure_fall``, by how
    much (GPa) the pressure of a stage lay at most below that of an earlier one: another
    crystal, or a hole of the potential; ``closest`` (A);
    ``extrapolated``, the share of looks at which an atom was beyond the training data.
    Curves: ``pressure`` and ``energy`` over the volume, one column per run. Models without
    stress have no pressure and go to the smallest volume.
    """
    check(case.phase, settings)
    start = supercell(case, settings.atoms)
    floor = energy_per_atom(start, subject.calculator())
    potential, runs, nearest = moving_potential(subject), [], []
    dynamics = [_dynamics(start, settings, seed) for seed in range(settings.runs)]
    stages = 1 + int(np.log(settings.smallest) / np.log(1.0 - settings.shrink))
    steps = stages * settings.runs * dynamics[0].steps
    check_time(potential, start, steps, settings.limits)
    for one in dynamics:
        nearest.append(Nearest(settings.limits))
        judges = (
            nearest[-1],
            Well(settings.limits, floor),
            Temperature(settings.limits, lambda _: settings.temperature),
        )
        watch = watch_of(potential, judges)
        runs.append(_compressed(potential, start, one, watch, settings))
        report(len(runs) / settings.runs)
    way = _Way(start, dynamics[0], settings)
    told = (f"{len(start)} atoms, {dynamics[0].timestep_fs:.3g} fs", *way.short(runs))
    return Outcome(
        counted(runs) | closest(nearest) | way.values(runs),
        _curves(runs),
        asdict(settings),
        (*told, *notes_of(runs, way.place)),
        failure_of(runs, way.place),
        (),
    )


def _dynamics(start: Atoms, settings: Settings, seed: int) -> MdSettings:
    timestep = settings.timestep_fs or time_step_fs(start, settings.temperature)
    return quiet_settings(
        ensemble="langevin",
        temperature_k=settings.temperature,
        timestep_fs=timestep,
        steps=max(1, round(settings.stage_fs / timestep)),
        friction_per_ps=settings.friction_per_ps,
        seed=seed,
    )


def _compressed(
    potential: Potential,
    start: Atoms,
    dynamics: MdSettings,
    watch: Watch,
    settings: Settings,
) -> WatchedRun:
    """Return a run of stages; each begins where the last one ended, and smaller."""
    atoms, end = start, None
    smallest = settings.smallest * start.get_volume()
    for stage in count():  # noise of its own in each
        first = len(watch.samples)
        seed = dynamics.seed + settings.runs * stage
        moved, end = watch.part(potential, atoms, replace(dynamics, seed=seed))
        if moved is None:
            break
        atoms = moved
        pressure = _pressure(watch.samples[first:])
        if pressure is not None and pressure >= settings.pressure:
            break
        if atoms.get_volume() * (1.0 - settings.shrink) < smallest:
            break
        atoms = _smaller(atoms, (1.0 - settings.shrink) ** (1.0 / 3.0))
    return watch.result(dynamics.seed, None if end else atoms, end)


def _smaller(atoms: Atoms, factor: float) -> Atoms:
    smaller: Atoms = atoms.copy()
    smaller.set_cell(atoms.cell.array * factor, scale_atoms=True)
    return smaller


def _pressure(stage: Sequence[Sample]) -> float | None:
    """Return the mean pressure of the second half of a stage, GPa."""
    known = [s.pressure_gpa for s in stage[len(stage) // 2 :] if s.pressure_gpa is not None]
    return float(np.mean(known)) if known else None


@dataclass(frozen=True)
class _Way:
    """How far runs came."""

    start: Atoms
    dynamics: MdSettings
    settings: Settings

    def stages(self, run: WatchedRun) -> list[Sequence[Sample]]:
        """Return the samples of each stage."""
        firsts = [k for k, s in enumerate(run.samples) if s.step == 0]
        bounds = [*firsts, len(run.samples)]
        return [run.samples[a:b] for a, b in pairwise(bounds)]

    def pressures(self, run: WatchedRun) -> list[float]:
        """Return the pressure of each stage that came to its end, GPa."""
        stages = self.stages(run)
        whole = stages if run.end is None else stages[:-1]
        return [p for p in map(_pressure, whole) if p is not None]

    def pressure(self, run: WatchedRun) -> float | None:
        """Return the largest pressure of a stage, GPa."""
        return max(self.pressures(run), default=None)

    def fall(self, run: WatchedRun) -> float:
        """Return how far the pressure fell at most on the way in, GPa."""
        found = np.array(self.pressures(run))
        return float((np.maximum.accumulate(found) - found).max(initial=0.0))

    def volume(self, run: WatchedRun) -> float:
        """Return the volume of the last stage over that of the start."""
        stages = max(1, len(self.stages(run)))
        return (1.0 - self.settings.shrink) ** (stages - 1)

    def place(self, run: WatchedRun) -> str:
        """Return where a run ended, in words."""
        pressure = self.pressure(run)
        at = "" if pressure is None else f", {pressure:.0f} GPa before"
        return f"{self.volume(run):.2f} of the volume{at}"

    def values(self, runs: Sequence[WatchedRun]) -> dict[str, Value]:
        """Return how far all runs came."""
        values = {"volume": Value(max(self.volume(run) for run in runs), "")}
        known = [p for p in map(self.pressure, runs) if p is not None]
        if len(known) == len(runs):
            values["pressure"] = Value(min(known), "GPa")
            values["pressure_fall"] = Value(max(self.fall(run) for run in runs), "GPa")
        return values

    def short(self, runs: Sequence[WatchedRun]) -> tuple[str, ...]:
        """Return a note if the pressure was not reached although nothing went wrong."""
        pressures = [self.pressure(run) for run in runs if run.end is None]
        known = [p for p in pressures if p is not None]
        if len(known) < len(pressures):
            return ("the model has no stress: compressed without a pressure",)
        if known and min(known) < self.settings.pressure:
            return (
                f"at {self.settings.smallest:g} of the volume the pressure is only "
                f"{min(known):.3g} GPa",
            )
        return ()


def _curves(runs: Sequence[WatchedRun]) -> dict[str, Curve]:
    return curves_of(
        runs,
        ("volume (A^3/atom)", lambda s: s.volume_a3),
        {
            "pressure": ("pressure (GPa)", lambda s: s.pressure_gpa),
            "energy": ("potential energy (eV/atom)", lambda s: s.potential),
        },
    )
