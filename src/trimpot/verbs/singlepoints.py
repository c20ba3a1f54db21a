"""The verb ``singlepoint``: energies, forces and stresses of many structures."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from trimpot.data import Frame, LabelKeys, ReadRules, read
from trimpot.engines.grading import own_grader
from trimpot.engines.structure_files import labelled_extxyz
from trimpot.errors import InputError
from trimpot.files import atomic_write, load
from trimpot.validation.predictions import BATCH, evaluate_batch
from trimpot.verbs.charges import ignored_charges
from trimpot.verbs.singlepoint_rows import SinglePoint, single_point
from trimpot.verbs.watching import Silent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.contract import Evaluation, FloatArray, Grader, Potential
    from trimpot.verbs.watching import Watcher

RULES = ReadRules(require_labels=False, left_handed="swap", min_distance=0.0)
"""Structures need no labels, and the potential itself refuses what it cannot evaluate."""


@dataclass(frozen=True)
class SinglePointResult:
    """What a potential says of structures.

    Attributes
    ----------
    points : tuple of SinglePoint
        In the order of the frames.
    output : Path or None
        File with energies, forces and stresses, if it was written.
    """

    points: tuple[SinglePoint, ...]
    output: Path | None

    def to_dict(self) -> dict[str, object]:
        """Return plain values."""
        output = None if self.output is None else str(self.output)
        return {"frames": [p.to_dict() for p in self.points], "output": output}


def singlepoint(
    model: str | Path | Potential,
    structures: str | Path | Sequence[str | Path] | Sequence[Frame],
    *,
    output: str | Path | None = None,
    keys: LabelKeys = LabelKeys(),  # noqa: B008 - frozen
    rules: ReadRules = RULES,
    grader: Grader | None = None,
    threads: int = 0,
    watcher: Watcher = Silent(),  # noqa: B008 - has no state
) -> SinglePointResult:
    """Return energy, largest force and stress of every structure, beside its labels.

    Parameters
    ----------
    model
        A potential or the path of its file.
    structures
        Files or patterns of any format that ``trimpot.read`` takes, with or without
        labels; or frames.
    output
        Extended XYZ to write: every frame with energy, energies per atom, forces and
        stress in ASE's names; an older file is replaced.
    keys, rules
        As ``trimpot.read``; by default labels are not required.
    grader
        Adds the largest extrapolation grade of each frame, and grades per atom to the
        output; None: the potential itself, if it can.
    threads
        Threads; 0 means all available cores.
    watcher
        Told how far the work is.

    Raises
    ------
    InputError, DataError, FileFormatError
        For files that cannot be used, or elements that the potential does not know,
        naming the frame.
    NonFiniteResultError
        NaN or infinity in a result, naming the frame; no output is left.
    WriteError
        If the output cannot be written.
    """
    potential = load(model) if isinstance(model, str | Path) else model
    grader = grader or own_grader(potential, threads=threads)
    frames = _frames(structures, keys, rules)
    for line in ignored_charges(potential, frames):
        watcher.note(line)
    points: list[SinglePoint] = []
    with ExitStack() as files:
        out = None if output is None else files.enter_context(atomic_write(output))
        for start in range(0, len(frames), BATCH):
            batch = frames[start : start + BATCH]
            found = evaluate_batch(potential, batch, start, threads)
            points += _recorded(batch, found, grader, out)
            watcher.progress("structures", len(points), len(frames))
    return SinglePointResult(tuple(points), None if output is None else Path(output))


def summary_lines(result: SinglePointResult, *, shown: int) -> list[str]:
    """Return what stands below a table of the first ``shown`` frames."""
    points = result.points
    energies = [p.energy_per_atom for p in points]
    lines = []
    if shown < len(points):
        lines.append(
            f"{len(points) - shown} more frames are not shown; --rows 0 shows all, --json "
            "and --output have them too"
        )
    lines.append(
        f"{len(points)} frames: {min(energies):.5f} to {max(energies):.5f} eV/atom, "
        f"largest force {max(p.fmax for p in points):.4g} eV/A"
    )
    errors = [p.energy_error for p in points if p.energy_error is not None]
    if errors:
        rmse = float(np.sqrt(np.mean(np.square(errors))))
        lines.append(
            f"labels of {len(errors)} frames: energy RMSE {1e3 * rmse:.4g} meV/atom; "
            "tables per group: trimpot evaluate"
        )
    return lines


def _recorded(
    batch: Sequence[Frame],
    found: Sequence[Evaluation],
    grader: Grader | None,
    out: IO[bytes] | None,
) -> list[SinglePoint]:
    points = []
    for frame, evaluation in zip(batch, found, strict=True):
        grades: FloatArray | None = None
        if grader is not None:
            grades = np.asarray(grader.grades(frame.structure))
        points.append(single_point(frame, evaluation, grades))
        if out is not None:
            info = {"config_type": frame.config_type, **frame.info}
            text = labelled_extxyz(frame.structure, evaluation, info=info, grades=grades)
            out.write(text.encode())
    return points


def _frames(
    structures: str | Path | Sequence[str | Path] | Sequence[Frame],
    keys: LabelKeys,
    rules: ReadRules,
) -> Sequence[Frame]:
    given = [structures] if isinstance(structures, str | Path) else list(structures)
    if not given:
        raise InputError("nothing to evaluate: give at least one structure")
    if isinstance(given[0], Frame):
        return given  # type: ignore[return-value]  # a sequence of frames
    return read(given, keys=keys, rules=rules)  # type: ignore[arg-type]
