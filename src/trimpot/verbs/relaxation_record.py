"""Log, path and notes of a relaxation while it goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from trimpot.engines.md_outputs import AppendedFile
from trimpot.engines.relaxation import snapshot
from trimpot.engines.structure_files import file_content

if TYPE_CHECKING:
    from pathlib import Path

    from ase import Atoms

    from trimpot.engines.relaxation_results import Progress, Relaxed
    from trimpot.engines.relaxation_settings import RelaxSettings
    from trimpot.errors import TrimpotError
    from trimpot.verbs.watching import Watcher

LOG, TRAJECTORY = "log.csv", "trajectory.extxyz"
HEADER = "structure,step,energy_ev,fmax_ev_per_a,stress_gpa,pressure_gpa,volume_a3,grade\n"


class Record:
    """Log and path of a run, and notes of its steps."""

    def __init__(self, folder: Path, settings: RelaxSettings, watcher: Watcher) -> None:
        self.settings = settings
        self.watcher = watcher
        self.log = AppendedFile(folder / LOG)
        self.path = AppendedFile(folder / TRAJECTORY)
        self.header = HEADER
        self.number, self.total, self.kept = 0, 1, -1

    def __enter__(self) -> Self:
        """Return the record itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the files."""
        self.log.close()
        self.path.close()

    def begin(self, number: int, total: int, atoms: Atoms) -> None:
        """Start with another structure."""
        self.number, self.total, self.kept = number, total, -1
        of = f"structure {number} of {total}, " if total > 1 else ""
        cell = "" if self.settings.cell == "none" else f", cell {self.settings.cell}"
        kind = self.settings.optimizer
        self.watcher.note(
            f"{of}{formula(atoms)}: {kind}, fmax {self.settings.fmax:g}{cell}"
        )

    def step(self, here: Progress, atoms: Atoms) -> None:
        """Take a step."""
        numbers = (here.stress_gpa, here.pressure_gpa, here.volume, here.grade)
        cells = ["" if x is None else f"{x:.8g}" for x in numbers]
        line = [str(self.number), str(here.step), f"{here.energy:.12g}", f"{here.fmax:.6g}"]
        self.log.append(self.header + ",".join([*line, *cells]) + "\n")
        self.header = ""
        interval = self.settings.trajectory_interval
        if interval and here.step % interval == 0:
            self._keep(atoms, here.step)
        if self.total == 1:  # of several structures, the log has the steps
            self.watcher.note(f"  {_step_line(here)}")
            self.watcher.progress("relaxation", here.step, max(1, self.settings.steps))

    def end(self, result: Relaxed) -> None:
        """Take the end of a structure."""
        if self.settings.trajectory_interval and self.kept != result.last.step:
            self._keep(result.atoms, result.last.step)
        if self.total > 1:
            self.watcher.note(f"  {result.stop_line}")
            self.watcher.progress("structures", self.number + 1, self.total)

    def named(self, error: TrimpotError) -> TrimpotError:
        """Return an error that says which structure it met."""
        if self.total == 1:
            return error
        return type(error)(f"structure {self.number}: {error}")

    def _keep(self, atoms: Atoms, step: int) -> None:
        frame = snapshot(atoms)
        frame.info = {**frame.info, "structure": self.number, "step": step}
        self.path.append(file_content(TRAJECTORY, [frame]).decode())
        self.kept = step


def _step_line(here: Progress) -> str:
    line = f"step {here.step:4d}  energy {here.energy:.6f} eV  fmax {here.fmax:.4f} eV/A"
    if here.stress_gpa is not None:
        line += f"  stress {here.stress_gpa:.3f} GPa"
    return line if here.grade is None else f"{line}  grade {here.grade:.3g}"


def formula(atoms: Atoms) -> str:
    """Return the chemical formula."""
    return str(atoms.get_chemical_formula())  # type: ignore[no-untyped-call]
