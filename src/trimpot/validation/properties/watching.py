"""Dynamics that is watched: it ends where no material would go, and says why.

Every subject moves in the embedded engine: ours as they are, others through their ASE
calculator.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from ase import units
from ase.calculators.calculator import CalculatorError

from trimpot.engines.ase import structure_from_atoms
from trimpot.engines.following import fastest_precision, follow
from trimpot.engines.grading import own_grader
from trimpot.engines.md import run as run_md
from trimpot.engines.md_settings import MdSettings
from trimpot.errors import EngineError, NonFiniteResultError, StoppedRunError
from trimpot.validation.properties.outcome import NOT_MEASURED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ase import Atoms

    from trimpot.contract import Grader, Potential
    from trimpot.engines.md import Output
    from trimpot.engines.md_samples import Sample
    from trimpot.validation.properties.judges import Limits

    Judge = Callable[[Atoms, Sample], str | None]
    """Returns why a run has to end, or None."""

TIMED_CALLS = 4
"""Force calls by which a model is timed; the fastest counts."""

LOOK = 10
"""Steps between two looks."""

GRADE_LOOK = 50
"""Steps between two looks at grades, which cost several steps each."""

EDGE = 1.0
"""Grade above which a model extrapolates (``contract.Grader``)."""

FARTHEST_STEP_A = 0.02
"""Thermal way of the lightest atom in one step."""

LONGEST_FS, LONGEST_WITH_H_FS = 1.0, 0.5
"""Longest time steps, without and with hydrogen."""

HYDROGEN_AMU = 2.5


@dataclass(frozen=True)
class Grades:
    """Extrapolation of a run: looks, how many were above 1, the first and the largest."""

    looks: int = 0
    above: int = 0
    first_ps: float | None = None
    largest: float = 0.0


@dataclass(frozen=True)
class WatchedRun:
    """What became of a run.

    Attributes
    ----------
    seed : int
        Of velocities and noise.
    samples : tuple of Sample
        One per look, the bad one at the end included.
    end : str or None
        Why it ended before its time.
    grades : Grades or None
        None for models without grades.
    last : ase.Atoms or None
        Where a run that came to its end left the atoms.
    """

    seed: int
    samples: tuple[Sample, ...]
    end: str | None
    grades: Grades | None
    last: Atoms | None

    @property
    def time_ps(self) -> float:
        """How long it lasted."""
        return 1e-3 * self.samples[-1].time_fs if self.samples else 0.0


class _Ended(Exception):
    """A judge ends a run."""


@dataclass
class Watch:
    """An output of dynamics: looks every ``LOOK`` steps and ends what went wrong.

    Attributes
    ----------
    judges
        Asked at each look, in this order.
    start_fs
        Time at which this part of a run starts.
    """

    judges: Sequence[Judge]
    interval: int = LOOK
    start_fs: float = 0.0
    samples: list[Sample] = field(default_factory=list)
    grader: Grader | None = None
    grades: Grades = field(default_factory=Grades)

    def record(self, atoms: Atoms, sample: Sample) -> None:
        """Keep a sample; end the run if a judge says so."""
        now = _completed(sample, atoms, self.start_fs)
        self.samples.append(now)
        if self.grader is not None and sample.step % GRADE_LOOK == 0:
            self.grades = _graded(self.grades, self.grader, atoms, now)
        for judge in self.judges:
            reason = judge(atoms, now)
            if reason is not None:
                raise _Ended(reason)

    def part(
        self,
        potential: Potential,
        atoms: Atoms,
        settings: MdSettings,
        outputs: Sequence[Output] = (),
    ) -> tuple[Atoms | None, str | None]:
        """Run on; return where atoms are at the end, or why there is none."""
        try:
            ended = run_md(potential, atoms, settings, outputs=(self, *outputs))
        except _Ended as end:
            return None, str(end)
        except (
            NonFiniteResultError,
            StoppedRunError,
            EngineError,
            CalculatorError,
            ArithmeticError,
            np.linalg.LinAlgError,
        ) as error:
            return None, " ".join(str(error).split())[:300] or type(error).__name__
        self.start_fs += settings.steps * settings.timestep_fs
        return ended.atoms, None

    def result(self, seed: int, last: Atoms | None, end: str | None) -> WatchedRun:
        """Return what became of the run."""
        grades = None if self.grader is None else self.grades
        return WatchedRun(seed, tuple(self.samples), end, grades, last)


def check_time(potential: Potential, start: Atoms, steps: int, limits: Limits) -> None:
    """Refuse what would take too long, before it runs.

    Raises
    ------
    EngineError
        If so many steps from this start take longer than ``limits.minutes``: a result of
        the protocol.
    """
    atoms = start.copy()
    follower = follow(
        potential, skin=1.0, threads=1, precision=fastest_precision(potential)
    )
    seconds = []
    for seed in range(TIMED_CALLS):
        atoms.rattle(0.01, seed=seed)
        began = time.perf_counter()
        follower.forces(structure_from_atoms(atoms))
        seconds.append(time.perf_counter() - began)
    minutes = min(seconds) * steps / 60.0
    if minutes > limits.minutes:
        raise EngineError(
            f"{NOT_MEASURED}{steps} steps of {1e3 * min(seconds):.3g} ms would take "
            f"{minutes:.0f} minutes, limit {limits.minutes:g} (limits.minutes)"
        )


def watch_of(potential: Potential, judges: Sequence[Judge]) -> Watch:
    """Return a watch that looks at grades, too, if there are any."""
    return Watch(judges, grader=own_grader(potential, threads=1))


def watched(
    potential: Potential,
    atoms: Atoms,
    settings: MdSettings,
    judges: Sequence[Judge],
    outputs: Sequence[Output] = (),
) -> WatchedRun:
    """Return what became of a run that judges may end.

    Parameters
    ----------
    potential
        See ``moving_potential``.
    atoms
        The start; not modified.
    settings
        See ``quiet_settings``.
    judges
        Asked at each look.
    outputs
        Further recorders; they see no moment that a judge refused.
    """
    watch = watch_of(potential, judges)
    last, end = watch.part(potential, atoms, settings, outputs)
    return watch.result(settings.seed, last, end)


def quiet_settings(**chosen: object) -> MdSettings:
    """Return settings of a run that writes nothing and that only judges may end.

    In the precision that ``trimpot md`` takes.
    """
    quiet = {
        "log_interval": LOOK,
        "trajectory_interval": 0,
        "checkpoint_interval": 0,
        "structure_interval": 0,
        "stop_grade": None,
        "threads": 1,
    }
    return MdSettings(**(quiet | chosen))  # type: ignore[arg-type]


def time_step_fs(atoms: Atoms, temperature_k: float) -> float:
    """Return a time step for a temperature.

    At most 1 fs, 0.5 fs with hydrogen, and so short that the lightest atom moves less than
    0.02 A in a step at its thermal velocity (3 kT / m)^(1/2).
    """
    mass = float(atoms.get_masses().min())
    velocity = np.sqrt(3.0 * units.kB * temperature_k / mass) * units.fs  # A/fs
    longest = LONGEST_WITH_H_FS if mass < HYDROGEN_AMU else LONGEST_FS
    return float(min(longest, FARTHEST_STEP_A / velocity)) if velocity > 0.0 else longest


def _completed(sample: Sample, atoms: Atoms, start_fs: float) -> Sample:
    """Return the sample with the time of the whole run, and the volume of any crystal."""
    volume = sample.volume_a3
    if volume is None and atoms.pbc.all():
        volume = float(atoms.get_volume()) / len(atoms)
    return replace(sample, time_fs=sample.time_fs + start_fs, volume_a3=volume)


def _graded(before: Grades, grader: Grader, atoms: Atoms, sample: Sample) -> Grades:
    grades = np.asarray(grader.grades(structure_from_atoms(atoms)))
    largest = float(np.where(np.isnan(grades), np.inf, grades).max(initial=0.0))
    above = largest > EDGE
    first = before.first_ps
    if above and first is None:
        first = 1e-3 * sample.time_fs
    return Grades(
        before.looks + 1, before.above + above, first, max(before.largest, largest)
    )
