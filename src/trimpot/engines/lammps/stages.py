"""Runs in LAMMPS made of stages, each from the end of another; what is done stays done."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from ase.units import bar

from trimpot.engines.lammps.dump_files import POSITIONS, read_frame
from trimpot.engines.lammps.running import started
from trimpot.engines.lammps.stage_output import (
    COLUMNS,
    LOOP,
    USED,
    check_finite,
    failure,
    row_of,
    step_seconds,
)
from trimpot.engines.lammps.thermo import Listener
from trimpot.errors import EngineError
from trimpot.files.lammps_box import Box
from trimpot.units import GPA_PER_EV_PER_A3
from trimpot.writing.atomic import write_text
from trimpot.writing.folders import make_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ase import Atoms

    from trimpot.contract import FloatArray
    from trimpot.engines.lammps.models import LammpsModel

GPA_PER_BAR = bar * GPA_PER_EV_PER_A3

WORK, DONE, ROWS, END = ".work-", "done.json", "rows.npy", "end.restart"


@dataclass(frozen=True)
class Stage:
    """Some steps under the same commands.

    Attributes
    ----------
    name : str
        Of its folder.
    steps : int
        How many.
    commands : tuple of str
        What moves the atoms, and what is done before (``velocity``, ``change_box``).
    after : str or None
        The stage at whose end it begins; None: the structure of the simulation.
    rows, frames : int
        Steps between rows, and between frames (a multiple of it); 0: no frames.
    """

    name: str
    steps: int
    commands: tuple[str, ...]
    after: str | None = None
    rows: int = 100
    frames: int = 0


@dataclass(frozen=True)
class Stretch:
    """What a stage left.

    Attributes
    ----------
    folder : Path
        Of its files.
    table : (k, columns) float64
        Rows of ``COLUMNS``; the first is the start.
    seconds : float
        Wall time of its process.
    step_seconds : float
        Time of its steps alone, without what other programs took of the cores.
    """

    folder: Path
    table: FloatArray
    seconds: float
    step_seconds: float

    def column(self, name: str) -> FloatArray:
        """Return a column of the rows, without the start."""
        values: FloatArray = self.table[1:, COLUMNS.index(name)]
        return values

    @property
    def temperature_k(self) -> FloatArray:
        """Temperature of each row."""
        return self.column("temp")

    @property
    def lengths_a(self) -> FloatArray:
        """Edges of the box (k, 3); of one with right angles."""
        return np.stack([self.column(name) for name in ("lx", "ly", "lz")], axis=1)

    @property
    def pressure_gpa(self) -> FloatArray:
        """Pressure along the axes (k, 3)."""
        columns = [self.column(name) for name in ("pxx", "pyy", "pzz")]
        return np.stack(columns, axis=1) * GPA_PER_BAR


@dataclass(frozen=True)
class Simulation:
    """A structure that stages move.

    Attributes
    ----------
    model : LammpsModel
        What moves it.
    atoms : ase.Atoms
        The start, periodic in three directions.
    folder : Path
        Stages that are there, from the same commands, are not run again.
    timestep_fs : float
        Time step.
    report : callable
        Gets the number of steps that a stage has done.
    """

    model: LammpsModel
    atoms: Atoms
    folder: Path
    timestep_fs: float
    report: Callable[[int], None] = lambda _: None

    @cached_property
    def box(self) -> Box:
        """How LAMMPS holds the structure."""
        cell = self.atoms.cell.array
        return Box.of(cell, np.ones(3, dtype=np.bool_), self.atoms.positions)

    def steps(self, picoseconds: float) -> int:
        """Return how many steps take this long, at least one."""
        return max(1, round(1000.0 * picoseconds / self.timestep_fs))

    def run(self, stage: Stage) -> Stretch:
        """Return what a stage leaves; run it, if it is not there.

        Raises
        ------
        EngineError, NonFiniteResultError
            If LAMMPS fails, or numbers become infinite.
        EndedRunError
            If it is ended from outside.
        """
        place = self.folder / stage.name
        kept = _kept(place, self._facts(stage))
        if kept is None:
            make_folder(self.folder)
            shutil.rmtree(place, ignore_errors=True)
            self._run(stage, place)
            kept = _kept(place, self._facts(stage))
        if kept is None:
            raise EngineError(f"{place} does not hold what was just written; see the disk")
        self.report(stage.steps)
        self.report(0)
        return kept

    def frames(self, stretch: Stretch) -> Iterator[Atoms]:
        """Yield the atoms of each frame but the first, in our frame, not wrapped."""
        for path in sorted(stretch.folder.glob("frame.*.bin"), key=_step_of)[1:]:
            frame = read_frame(path)
            (row,) = stretch.table[stretch.table[:, 0] == frame.step]
            lx, ly, lz, xy, xz, yz = row[-6:]
            atoms: Atoms = self.atoms.copy()  # type: ignore[no-untyped-call]
            edges = np.array([[lx, 0.0, 0.0], [xy, ly, 0.0], [xz, yz, lz]])
            atoms.cell[:] = self.box.cell_from_lammps(edges)
            atoms.positions = self.box.from_lammps(frame.vectors(POSITIONS))
            yield atoms

    def _facts(self, stage: Stage) -> dict[str, object]:
        """Return what a stage depends on."""
        before = None if stage.after is None else _digest(self.folder / stage.after / DONE)
        return {
            "before": before,
            "steps": stage.steps,
            "commands": list(stage.commands),
            "after": stage.after,
            "rows": stage.rows,
            "frames": stage.frames,
            "timestep_fs": self.timestep_fs,
        }

    def _run(self, stage: Stage, place: Path) -> None:
        """Let LAMMPS take the steps; the folder appears when all is there."""
        work = Path(tempfile.mkdtemp(prefix=WORK, dir=self.folder)).absolute()
        try:
            write_text(work / "in.lammps", self._input(stage, work))
            began = time.monotonic()
            table, steps = self._listen(stage, work)
            np.save(work / ROWS, table)
            seconds = {"seconds": time.monotonic() - began, "step_seconds": steps}
            write_text(work / DONE, json.dumps({"facts": self._facts(stage)} | seconds))
            work.rename(place)
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def _input(self, stage: Stage, work: Path) -> str:
        if stage.after is None:
            write_text(work / "start.data", self.model.data(self.atoms, self.box))
            read = f'read_data "{work / "start.data"}"'
        else:
            read = f'read_restart "{(self.folder / stage.after / END).absolute()}"'
        dump = (
            f'dump frames all custom {stage.frames} "{work / "frame.*.bin"}" '
            f"id {' '.join(POSITIONS)}"
        )
        lines = [
            *("units metal", "atom_style atomic", "atom_modify map array"),
            *("boundary p p p", "box tilt large", read, "reset_timestep 0"),
            *self.model.pair.lines,
            "neighbor 1.0 bin",
            "neigh_modify every 1 delay 0 check yes",
            f"timestep {self.timestep_fs / 1000.0:.10g}",
            *stage.commands,
            f"thermo_style custom {' '.join(COLUMNS)}",
            "thermo_modify format float %.12g flush yes",
            f"thermo {stage.rows}",
            *([dump] if stage.frames else ()),
            f"run {stage.steps}",
            f'write_restart "{work / END}"',
        ]
        return "\n".join([*lines, ""])

    def _listen(self, stage: Stage, work: Path) -> tuple[FloatArray, float]:
        """Return the rows that LAMMPS prints, and the seconds of its steps."""
        arguments = ["-in", str(work / "in.lammps"), "-nocite", "-log", "none"]
        command = self.model.launch.command(arguments)
        listener, rows, said = Listener(), [], ""
        with started(
            command,
            self.model.environment,
            stdout=subprocess.PIPE,
            cwd=self.model.pair.folder,
        ) as process:
            for line in process.stdout or ():
                listener.hear(line)
                row = row_of(line)
                if row is not None:
                    check_finite(row, self.timestep_fs)
                    rows.append(row)
                    self.report(int(row[0]))
                elif LOOP.match(line) or USED.match(line):
                    said += line
            code = process.wait()
        if code == 0 and rows and rows[-1][0] == stage.steps:
            return np.array(rows), step_seconds(said)
        raise failure(code, listener, rows[-1][0] * self.timestep_fs if rows else None)


def _kept(place: Path, facts: Mapping[str, object]) -> Stretch | None:
    """Return a stage that was done before by the same commands."""
    try:
        plain = json.loads((place / DONE).read_text(encoding="utf-8"))
        if plain["facts"] != facts or not (place / END).is_file():
            return None
        table = np.load(place / ROWS)
        return Stretch(place, table, float(plain["seconds"]), float(plain["step_seconds"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _digest(path: Path) -> str | None:
    """Return a digest that tells one run of a stage from another."""
    with suppress(OSError):
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return None


def _step_of(path: Path) -> int:
    return int(path.name.split(".")[1])
