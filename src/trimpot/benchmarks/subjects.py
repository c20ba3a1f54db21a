"""Whom a comparison times: Trimpot in this process, or in a fresh one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from trimpot.benchmarks.running import RunSettings, Timing, run_nve
from trimpot.benchmarks.spread import Spread
from trimpot.benchmarks.states import State, save_state
from trimpot.engines.following import follow
from trimpot.errors import InputError
from trimpot.instruction_sets import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trimpot.contract import Potential, Precision


class Subject(Protocol):
    """Something whose force calls can be timed."""

    @property
    def name(self) -> str:
        """Shown in tables."""
        ...

    @property
    def same_potential(self) -> bool:
        """Whether its energies should be those of the potential that is timed."""
        ...

    def run(self, state: State, settings: RunSettings) -> Timing:
        """Return the timing of one run from this state."""
        ...


@dataclass(frozen=True)
class Ours:
    """A potential in this process."""

    name: str
    potential: Potential
    precision: Precision = "double"
    threads: int = 1
    same_potential: ClassVar[bool] = True

    def run(self, state: State, settings: RunSettings) -> Timing:
        """Return the timing of one run; see ``run_nve``."""
        follower = follow(
            self.potential,
            skin=settings.skin,
            threads=self.threads,
            precision=self.precision,
        )
        _, timing = run_nve(
            follower,
            state,
            steps=settings.steps,
            warmup=settings.warmup,
            timestep_fs=settings.timestep_fs,
        )
        return timing


@dataclass(frozen=True)
class OursAfresh:
    """A potential file in a process of its own: its memory, any instruction set.

    Attributes
    ----------
    model : Path
        Potential file.
    instruction_set : str or None
        avx512, avx2, baseline; None for the best.
    """

    name: str
    model: Path
    precision: Precision = "double"
    threads: int = 1
    instruction_set: str | None = None
    same_potential: ClassVar[bool] = True

    def run(self, state: State, settings: RunSettings) -> Timing:
        """Return the timing of one run and the memory it took.

        Raises
        ------
        InputError
            If the process fails; with its last words.
        """
        environment = dict(os.environ)
        if self.instruction_set is not None:
            environment[VARIABLE] = self.instruction_set
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "state.npz"
            save_state(state, place)
            request = {
                "model": str(self.model),
                "state": str(place),
                "precision": self.precision,
                "threads": self.threads,
                "settings": asdict(settings),
            }
            done = subprocess.run(
                [sys.executable, "-m", "trimpot.benchmarks.worker"],
                input=json.dumps(request),
                capture_output=True,
                text=True,
                check=False,
                env=environment,
            )
        if done.returncode != 0:
            last = done.stderr.strip().splitlines()[-1:] or ["no message"]
            raise InputError(f"the process that runs {self.name} failed: {last[0]}")
        return Timing(**json.loads(done.stdout))


@dataclass(frozen=True)
class Measurement:
    """All runs of one subject.

    Attributes
    ----------
    name : str
        The subject.
    ours : bool
        Whether it is Trimpot.
    same_potential : bool
        Whether its energies should be those of the others of which this is true.
    runs : tuple of Timing
        In the order of the repeats.
    """

    name: str
    ours: bool
    same_potential: bool
    runs: tuple[Timing, ...]

    def microseconds(self, n_atoms: int) -> Spread:
        """Return us/atom/step of the force call with list upkeep."""
        return Spread.of([1e6 * run.seconds / n_atoms for run in self.runs])

    def ratio(self, reference: Measurement) -> Spread:
        """Return how many times longer this took, repeat by repeat."""
        pairs = zip(self.runs, reference.runs, strict=True)
        return Spread.of([mine.seconds / theirs.seconds for mine, theirs in pairs])


def interleaved(
    subjects: Sequence[Subject],
    state: State,
    settings: RunSettings,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Measurement, ...]:
    """Return the runs of all subjects, taken in turn; each round starts with another.

    Neighbouring runs see the same state of the machine, so ratios repeat better than
    times.
    """
    runs: dict[int, list[Timing]] = {k: [] for k in range(len(subjects))}
    total = settings.repeats * len(subjects)
    for repeat in range(settings.repeats):
        for turn in range(len(subjects)):
            k = (turn + repeat) % len(subjects)
            runs[k].append(subjects[k].run(state, settings))
            if progress is not None:
                progress(repeat * len(subjects) + turn + 1, total)
    return tuple(
        Measurement(
            subject.name,
            isinstance(subject, Ours | OursAfresh),
            subject.same_potential,
            tuple(runs[k]),
        )
        for k, subject in enumerate(subjects)
    )
