"""Read whatever can be read: bad frames are listed, not raised."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from trimpot.data.checks.refusals import Refusal
from trimpot.data.labels import LabelKeys
from trimpot.data.reading import checked_frame, files_of, format_of, raw_frames, rules_for
from trimpot.data.rules import ReadRules
from trimpot.data.selection import Selection
from trimpot.data.tally import Tally
from trimpot.data.truncation import unfinished
from trimpot.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from trimpot.data.frames import Frame, Scalar
    from trimpot.data.records import Place, RawFrame, Value

_FARTHEST = 1e6  # A
_LARGEST = 1e12  # eV/A and eV/A^3

Key = tuple[str, str, str]
"""Name, origin (results, fields, columns) and kind of what a frame holds under a key."""


@dataclass(frozen=True, eq=False)
class Salvage:
    """Frames that can be read, and what stands in the way of the others.

    Attributes
    ----------
    frames : tuple of Frame
        Frames in the order of the files.
    keys : tuple
        Per frame, its keys with origin and kind (number, tensor, vectors, other).
    tallies : tuple of Tally
        One per file.
    refusals : tuple of Refusal
        Frames and files that cannot be read, in order.
    """

    frames: tuple[Frame, ...]
    keys: tuple[tuple[Key, ...], ...]
    tallies: tuple[Tally, ...]
    refusals: tuple[Refusal, ...]


def salvage(
    paths: str | Path | Sequence[str | Path],
    *,
    keys: LabelKeys,
    rules: ReadRules,
    where: Mapping[str, Scalar | Sequence[Scalar]] | None = None,
    format: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Salvage:
    """Return what can be read of some files; arguments as ``trimpot.data.read``.

    Limits of the rules (distances, forces) are not applied, so that checks can say more
    about frames beyond them.

    Raises
    ------
    InputError
        If a path or pattern matches no file.
    DataError
        If ``where`` selects no frame.
    """
    reader = _Reader(keys, replace(rules, min_distance=0.0, max_force=np.inf))
    files = files_of(paths)
    selection = Selection.build(where, keys.config_type)
    for done, path in enumerate(files):
        reader.read(path, format, selection)
        if progress is not None:
            progress(done + 1, len(files))
    if not reader.refusals:
        selection.check(len(reader.frames))
    return Salvage(
        tuple(reader.frames),
        tuple(reader.keys_of),
        tuple(reader.tallies),
        tuple(reader.refusals),
    )


def without(found: Salvage, reasons: Mapping[int, str]) -> Salvage:
    """Return the same without some frames, given by index with the reason."""
    kept = [i for i in range(len(found.frames)) if i not in reasons]
    more = [Refusal(found.frames[i].source, text) for i, text in reasons.items()]
    return replace(
        found,
        frames=tuple(found.frames[i] for i in kept),
        keys=tuple(found.keys[i] for i in kept),
        refusals=(*found.refusals, *more),
    )


class _Reader:
    """Lists that grow while files are read."""

    def __init__(self, keys: LabelKeys, rules: ReadRules) -> None:
        self.keys, self.rules = keys, rules
        self.frames: list[Frame] = []
        self.keys_of: list[tuple[Key, ...]] = []
        self.tallies: list[Tally] = []
        self.refusals: list[Refusal] = []

    def read(self, path: Path, format: str | None, selection: Selection) -> None:
        """Read one file; what fails is noted."""
        try:
            tally = Tally(str(path), format or format_of(path))
            own = rules_for(tally.format, self.rules)
            raws = raw_frames(path, tally.format, selection, own, refuse=self.refuse)
            self.tallies.append(tally)
            before = len(self.refusals)
            for raw in raws:
                self.take(raw, tally, own)
            if tally.n_frames == tally.n_not_selected == len(self.refusals) - before == 0:
                self.refusals.append(Refusal(path.name, "the file has no frames"))
            if (remark := unfinished(path, tally.format)) is not None:
                tally.remarks.append(remark)
        except DataError as error:
            self.refusals.append(Refusal(path.name, str(error)))

    def refuse(self, place: Place, error: DataError) -> None:
        """Note a frame that cannot be used."""
        self.refusals.append(Refusal(f"{place.path.name}#{place.frame}", str(error)))

    def take(self, raw: RawFrame | None, tally: Tally, rules: ReadRules) -> None:
        """Turn what a file spells into a frame, or note why that is impossible."""
        if raw is None:
            tally.n_not_selected += 1
            return
        try:
            frame = checked_frame(raw, self.keys, rules, tally)
        except DataError as error:
            self.refuse(raw.place, error)
            if "left-handed" in str(error):  # the other checks can go on
                self.take(raw, tally, replace(rules, left_handed="swap"))
            return
        if (text := _absurd(frame)) is not None:
            self.refuse(raw.place, DataError(f"{raw.place}: {text}"))
            return
        self.frames.append(frame)
        self.keys_of.append(_keys_of(raw))


def _absurd(frame: Frame) -> str | None:
    """Return what is beyond any calculation, so that no arithmetic overflows on it."""
    parts = {
        "position": (frame.structure.positions, _FARTHEST),
        "lattice vector": (frame.structure.cell, _FARTHEST),
        "force": (frame.forces, _LARGEST),
        "stress": (frame.stress, _LARGEST),
    }
    for name, (array, limit) in parts.items():
        if array is not None and not float(np.abs(array).max()) < limit:
            return (
                f"a {name} reaches {float(np.abs(array).max()):.3g}, which no calculation "
                f"gives, expected less than {limit:g}; correct it or delete the frame"
            )
    return None


def _keys_of(raw: RawFrame) -> tuple[Key, ...]:
    found = [(name, "results", _kind(value)) for name, value in raw.results.items()]
    found += [(name, "fields", _kind(value)) for name, value in raw.fields.items()]
    found += [(name, "columns", _kind(value)) for name, value in raw.columns.items()]
    return tuple(found)


def _kind(value: Value) -> str:
    """Return what a value can be: number, tensor (6 or 9), vectors (n, 3) or other."""
    if isinstance(value, float) or (isinstance(value, int) and value is not True):
        return "number"
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        if value.ndim == 2 and value.shape[1] == 3 and value.shape[0] != 3:
            return "vectors"
        if value.size in (6, 9):
            return "tensor"
        return "vectors" if value.ndim == 2 and value.shape[1] == 3 else "other"
    return "other"
