"""What is made of the moments that LAMMPS reports: samples, files, checkpoints."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trimpot.engines.lammps.dump_files import read_frame
from trimpot.engines.lammps.md_input import LAST, RESTART, dumps_of
from trimpot.engines.md_loop import check_volume, moment_of, tell
from trimpot.engines.md_samples import Sample, snapshot
from trimpot.engines.md_state import RunState
from trimpot.errors import EngineError, NonFiniteResultError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ase import Atoms

    from trimpot.engines.lammps.md_frames import Scene
    from trimpot.engines.lammps.thermo import Row
    from trimpot.engines.md_loop import Output, Watcher
    from trimpot.engines.md_result import Gathered
    from trimpot.engines.md_settings import MdSettings
    from trimpot.engines.md_speed import Pace
    from trimpot.engines.md_state import Keeper


@dataclass
class Recorder:
    """Takes moments in the order of steps, as the loop of the embedded engine does.

    Attributes
    ----------
    scene : Scene
        Where the run began or goes on.
    settings : MdSettings
        Of the run.
    folder : Path
        Where restarts of LAMMPS stay.
    pace : Pace
        Speed and remaining time.
    volume_a3 : float
        Of the cell at the start of the run.
    velocities : str
        Where they came from.
    done : int
        Last step that was recorded; -1 for none.
    collected : list of Sample
        Samples of the log so far.
    gathered, outputs, watcher, keeper
        As in the embedded engine.
    """

    scene: Scene
    settings: MdSettings
    folder: Path
    pace: Pace
    volume_a3: float
    velocities: str
    done: int
    gathered: Gathered
    outputs: Sequence[Output] = ()
    watcher: Watcher | None = None
    keeper: Keeper | None = None
    collected: list[Sample] = field(default_factory=list)

    def take(self, row: Row, work: Path, *, last: bool = False) -> Atoms | None:
        """Record a moment unless it is recorded; return its atoms, if there is a frame.

        Parameters
        ----------
        row
            What LAMMPS printed.
        work
            Folder of the frames and restarts that it wrote before.
        last
            Whether LAMMPS has ended with this moment and left its frame and restart.

        Raises
        ------
        NonFiniteResultError, StoppedRunError, WriteError
            As the embedded engine.
        EngineError
            If a frame is missing or damaged.
        """
        when = moment_of(self.settings, row.step)
        if not row.is_finite:
            raise NonFiniteResultError(
                f"{when}: an energy, a stress or the cell in LAMMPS is not a finite "
                "number; shorten the time step, or look at the start"
            )
        if self.settings.constant_pressure:
            check_volume(row.volume_a3, self.volume_a3, when)
        atoms = self._atoms(row, work, last=last)
        if row.step > self.done:
            self._look(row, atoms)
            self.done = row.step
            self._checkpoint(row.step, atoms, work, last=last)
        return atoms

    def keep(self, step: int, atoms: Atoms, restart: str | None) -> None:
        """Keep a state, if there is a keeper and it is told to."""
        if self.keeper is None or self.settings.checkpoint_interval == 0:
            return
        self.keeper.keep(
            RunState(
                step=step,
                atoms=atoms,
                integrator={"lammps": {} if restart is None else {"restart": restart}},
                analyses={k: part.state() for k, part in self.gathered.parts().items()},
                volume_a3=self.volume_a3,
                velocities=self.velocities,
            )
        )

    def last_moment(self, row: Row, atoms: Atoms) -> Atoms:
        """Return the last structure with its results, as a frame of the trajectory."""
        sample = self.scene.sample(row, self.settings, start_a3=self.volume_a3)
        return snapshot(atoms, sample)

    def _atoms(self, row: Row, work: Path, *, last: bool) -> Atoms | None:
        """Return what the frames of a step show; they are removed."""
        due = [d.file(row.step) for d in dumps_of(self.settings) if d.due(row.step)]
        name = f"{LAST}.bin" if last else next(iter(due), None)
        if name is None:
            return None
        frame = read_frame(work / name)
        for file in {name, *due}:
            with suppress(OSError):
                (work / file).unlink()
        if frame.step != row.step:
            raise EngineError(f"{name} is of step {frame.step}, expected {row.step}")
        moving = self.settings.constant_pressure
        return self.scene.moment(row, frame, moving_cell=moving)

    def _look(self, row: Row, atoms: Atoms | None) -> None:
        """Record whatever is due, in the order of the embedded engine."""
        settings, step, looking = self.settings, row.step, self.gathered.grades
        reason = None
        if looking is not None and atoms is not None and step % _every(settings) == 0:
            reason = looking.look(atoms, step)
        logged = step % settings.log_interval == 0
        grade = looking.since_last() if looking is not None and logged else None
        sample = self.scene.sample(row, settings, start_a3=self.volume_a3, grade=grade)
        if logged:
            self.collected.append(sample)
        for output in self.outputs:
            if step % output.interval == 0:
                output.record(self.scene.atoms if atoms is None else atoms, sample)
        tell(self.watcher, self.pace, step)
        if atoms is not None and step % (settings.structure_interval or step + 1) == 0:
            for analysis in (self.gathered.distances, self.gathered.snapshots):
                if analysis is not None:
                    analysis.record(atoms)
        if reason is not None:
            raise reason

    def _checkpoint(
        self, step: int, atoms: Atoms | None, work: Path, *, last: bool
    ) -> None:
        """Keep the restart of LAMMPS, then the state that names it; drop older ones."""
        interval = self.settings.checkpoint_interval
        due = interval > 0 and step > 0 and step % interval == 0
        if atoms is None or not (due or last):
            return
        name = f"{RESTART}.{step}"
        made = work / (f"{RESTART}.{LAST}" if last else name)
        with made.open("rb") as handle:
            os.fsync(handle.fileno())
        made.replace(self.folder / name)
        if not due and step < self.settings.steps:
            return  # only the next process needs it
        bare: Atoms = atoms.copy()  # type: ignore[no-untyped-call]
        self.keep(step, bare, name)
        for old in self.folder.glob(f"{RESTART}.*"):
            if old.name != name:
                old.unlink()


def _every(settings: MdSettings) -> int:
    return settings.grade_interval or 1
