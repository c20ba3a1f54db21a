"""Extrapolation during a run: noted, saved, and stopped where it goes too far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from trimpot.elements import SYMBOLS
from trimpot.engines.ase import structure_from_atoms
from trimpot.errors import InputError, StoppedRunError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ase import Atoms

    from trimpot.contract import FloatArray, Grader
    from trimpot.engines.md_settings import MdSettings

MOST_FRAMES = 100
"""Structures that are saved."""

BEFORE_WIDER = 10
"""Structures after which the least distance between two doubles."""


class Notes(Protocol):
    """Whoever is told."""

    def note(self, text: str) -> None:
        """Take one line of text."""
        ...


@dataclass(frozen=True)
class GradeSummary:
    """Extrapolation over a run.

    Attributes
    ----------
    largest : float
        Largest grade of an atom.
    largest_step : int
        When that was.
    looks, above : int
        How often grades were looked at, and how often one was above ``warn_grade``.
    saved : int
        Structures that were saved.
    """

    largest: float
    largest_step: int
    looks: int
    above: int
    saved: int


class GradeWatch:
    """Looks at the grades of all atoms every ``grade_interval`` steps.

    Structures with a grade above ``warn_grade`` are saved: the first, then at growing
    distances, at most ``MOST_FRAMES``, and the one that stops the run.

    Parameters
    ----------
    grader
        Gives the grades.
    settings
        When to look, warn and stop.
    save
        Takes a step and the grades where a structure is worth saving; may be None.
    notes
        Told of the first crossing; may be None.
    """

    def __init__(
        self,
        grader: Grader,
        settings: MdSettings,
        *,
        save: Callable[[Atoms, int, FloatArray], None] | None,
        notes: Notes | None,
    ) -> None:
        self.grader = grader
        self.settings = settings
        self._save = save
        self._notes = notes
        self._largest, self._largest_step = 0.0, 0
        self._since: float | None = None
        self._looks = self._above = self._saved = self._next = 0

    def look(self, atoms: Atoms, step: int) -> StoppedRunError | None:
        """Take the grades of this step; return why the run has to stop, if so.

        Raises
        ------
        InputError
            If the grader does not give one grade per atom.
        """
        grades = np.asarray(self.grader.grades(structure_from_atoms(atoms)))
        if grades.shape != (len(atoms),):
            raise InputError(
                f"grades have the shape {grades.shape}, expected ({len(atoms)},): one of "
                "each atom"
            )
        # NaN is no grade that one could go on with
        known = np.where(np.isnan(grades), np.inf, grades)
        atom = int(np.argmax(known))
        grade = float(known[atom])
        self._looks += 1
        self._since = grade if self._since is None else max(self._since, grade)
        if self._looks == 1 or grade > self._largest:
            self._largest, self._largest_step = grade, step
        stop = self.settings.stop_grade
        stopping = stop is not None and grade > stop
        if grade > self.settings.warn_grade:
            self._warn(atoms, step, grades, atom, always=stopping)
        return self._reason(atoms, step, atom, grade) if stopping else None

    def since_last(self) -> float | None:
        """Return the largest grade since the last call."""
        since, self._since = self._since, None
        return since

    def result(self) -> GradeSummary:
        """Return the summary so far."""
        return GradeSummary(
            largest=self._largest,
            largest_step=self._largest_step,
            looks=self._looks,
            above=self._above,
            saved=self._saved,
        )

    def state(self) -> dict[str, object]:
        """Return what was seen so far."""
        since = np.nan if self._since is None else self._since
        return {
            "values": np.array([self._largest, since]),
            "counts": np.array(
                [
                    self._largest_step,
                    self._looks,
                    self._above,
                    self._saved,
                    self._next,
                ],
                dtype=np.float64,
            ),
        }

    def restore(self, state: Mapping[str, object]) -> None:
        """Go on from a state."""
        largest, since = np.array(state["values"], dtype=np.float64).tolist()
        self._largest, self._since = largest, None if np.isnan(since) else since
        counts = [int(c) for c in np.array(state["counts"], dtype=np.float64)]
        self._largest_step, self._looks, self._above, self._saved, self._next = counts

    def _warn(
        self, atoms: Atoms, step: int, grades: FloatArray, atom: int, *, always: bool
    ) -> None:
        self._above += 1
        if self._above == 1 and self._notes is not None:
            grade = float(grades[atom])
            self._notes.note(
                f"warning: step {step}: grade {grade:.3g} of {_named(atoms, atom)} is "
                f"above {self.settings.warn_grade:g}; forces there are extrapolated"
            )
        due = self._above > self._next and self._saved < MOST_FRAMES
        if self._save is not None and (due or always):
            self._save(atoms, step, grades)
            self._saved += 1
            self._next = self._above - 1 + 2 ** (self._saved // BEFORE_WIDER)

    def _reason(self, atoms: Atoms, step: int, atom: int, grade: float) -> StoppedRunError:
        time_fs = step * self.settings.timestep_fs
        saved = "" if self._save is None else "label the saved structures and add them to "
        todo = f"{saved}the training data" if saved else "add such structures to the data"
        return StoppedRunError(
            f"step {step} ({time_fs:g} fs): the extrapolation grade of "
            f"{_named(atoms, atom)} is {grade:.3g}, above stop_grade "
            f"{self.settings.stop_grade:g}; {todo}, or go on at your risk with a higher "
            "stop_grade"
        )


def _named(atoms: Atoms, atom: int) -> str:
    return f"atom {atom} ({SYMBOLS[atoms.numbers[atom]]})"
