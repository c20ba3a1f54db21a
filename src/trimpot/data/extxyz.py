"""Read extended XYZ strictly and in bulk: comment lines one by one, atom lines in blocks.

Blocks of atom lines go through one C-level parse, which is what makes this about ten
times faster than a line-by-line reader; only when a block fails are its lines looked at
one at a time, to say which is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trimpot.data.comment import DEFAULT_PROPERTIES, Column, read_properties
from trimpot.data.extxyz_frames import Header, split_frames
from trimpot.data.records import ATOMIC_NUMBERS, Place, RawFrame, Value
from trimpot.data.textfile import open_text
from trimpot.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from trimpot.contract import BoolArray, FloatArray, IntArray
    from trimpot.data.extxyz_frames import Refuse

    Wanted = Callable[[Mapping[str, Value]], bool]

_BLOCK_LINES = 30_000
_KINDS = {"S": "U8", "R": "f8", "I": "i8", "L": "U5"}


def read_extxyz(
    path: Path, wanted: Wanted, *, refuse: Refuse | None = None
) -> Iterator[RawFrame | None]:
    """Yield the frames of an extended XYZ file in order, and None for each not wanted.

    Parameters
    ----------
    path : Path
        Plain, gz, xz or bz2 file.
    wanted : callable
        Takes the fields of the comment line; the atom lines of a frame that is not
        wanted are skipped without being parsed.
    refuse : callable, optional
        Told the place and the error of each frame that cannot be read; reading goes on
        with the next frame that can. By default the first error is raised.

    Raises
    ------
    DataError
        With file, frame and line for anything that does not follow the format.
    """
    with open_text(path) as file:
        block: list[Header] = []
        lines: list[str] = []
        properties = ""
        for header, atom_lines in split_frames(file, path, refuse):
            if not wanted(header.fields):
                yield None
                continue
            own = str(header.fields.pop("Properties", DEFAULT_PROPERTIES))
            if own != properties or len(lines) > _BLOCK_LINES:
                yield from _parsed(block, lines, properties, refuse)
                block, lines, properties = [], [], own
            block.append(header)
            lines.extend(atom_lines)
        yield from _parsed(block, lines, properties, refuse)


def _parsed(
    block: list[Header], lines: list[str], properties: str, refuse: Refuse | None
) -> Iterator[RawFrame]:
    """Parse a block; where one frame is bad and refused, the others one by one."""
    if refuse is None or not block:
        yield from _parse_block(block, lines, properties)
        return
    try:
        yield from list(_parse_block(block, lines, properties))
    except DataError as error:
        if len(block) == 1:
            refuse(block[0].place, error)
            return
        half = len(block) // 2
        cut = sum(header.count for header in block[:half])
        yield from _parsed(block[:half], lines[:cut], properties, refuse)
        yield from _parsed(block[half:], lines[cut:], properties, refuse)


def _parse_block(
    block: list[Header], lines: list[str], properties: str
) -> Iterator[RawFrame]:
    """Parse the atom lines of several frames with the same columns at once."""
    if not block:
        return
    columns = read_properties(properties, block[0].place)
    table = _table(block, lines, columns)
    arrays: dict[str, NDArray[np.generic]] = {}
    for column in columns:
        values = np.ascontiguousarray(table[column.name])
        values = _logical(values, block, lines) if column.kind == "L" else values
        values.flags.writeable = False
        arrays[column.name] = values
    numbers = _numbers(arrays, block)
    numbers.flags.writeable = False
    positions = _positions(arrays, block)
    extra = {k: v for k, v in arrays.items() if v.dtype.kind in "fib"}
    start = 0
    for header in block:
        rows = slice(start, start + header.count)
        start += header.count
        fields = dict(header.fields)  # a block may be parsed again
        cell, pbc, assumed = _cell(header, fields)
        yield RawFrame(
            place=header.place,
            numbers=numbers[rows],
            positions=positions[rows],
            cell=cell,
            pbc=pbc,
            assumed_pbc=assumed,
            results={},
            fields=fields,
            columns={name: values[rows] for name, values in extra.items()},  # type: ignore[misc]
        )


def _table(
    block: list[Header], lines: list[str], columns: tuple[Column, ...]
) -> NDArray[np.void]:
    """Parse atom lines into a structured array, one row per line."""
    layout = np.dtype(
        [(c.name, _KINDS[c.kind], (c.width,) if c.width > 1 else ()) for c in columns]
    )
    try:
        table = np.loadtxt(lines, dtype=layout, comments=None, ndmin=1)
    except ValueError:
        raise _explain(block, lines, columns) from None
    if len(table) != len(lines):  # loadtxt skips blank lines
        raise _explain(block, lines, columns)
    return table


def _explain(
    block: list[Header], lines: list[str], columns: tuple[Column, ...]
) -> DataError:
    """Return the error for the first atom line that does not fit the columns."""
    kinds = [column.kind for column in columns for _ in range(column.width)]
    for row, line in enumerate(lines):
        words = line.split()
        if len(words) != len(kinds):
            return DataError(
                f"{_place_of(block, row)}: the atom line has {len(words)} columns, "
                f"expected {len(kinds)} as in Properties; the number of atoms or "
                "Properties is wrong, or the line is damaged"
            )
        for word, kind in zip(words, kinds, strict=True):
            if not _fits(word, kind):
                what = "an integer" if kind == "I" else "a number"
                return DataError(
                    f"{_place_of(block, row)}: found {word!r}, expected {what}; correct "
                    "the value or delete the frame"
                )
    return DataError(
        f"{block[0].place}: its atom lines or those of the {len(block) - 1} frames after "
        "it cannot be parsed; check them for unusual characters"
    )


def _fits(word: str, kind: str) -> bool:
    """Whether the bulk parser would take the word."""
    if kind in "SL":
        return True
    try:
        np.loadtxt([word], dtype=_KINDS[kind], comments=None)
    except ValueError:
        return False
    return True


def _place_of(block: list[Header], row: int) -> Place:
    """Return the place of an atom line from its row in the block."""
    for header in block:
        if row < header.count:
            place = header.place
            line = None if place.line is None else place.line + 2 + row
            return Place(place.path, place.frame, line)
        row -= header.count
    return block[-1].place


def _logical(
    words: NDArray[np.generic], block: list[Header], lines: list[str]
) -> NDArray[np.bool_]:
    """Turn T/F words into logicals."""
    true, false = np.isin(words, ["T", "True"]), np.isin(words, ["F", "False"])
    bad = ~(true | false).reshape(len(lines), -1).all(axis=1)
    if bad.any():
        raise DataError(
            f"{_place_of(block, int(np.argmax(bad)))}: a logical column holds neither T "
            "nor F; correct the value"
        )
    return true


def _numbers(arrays: dict[str, NDArray[np.generic]], block: list[Header]) -> IntArray:
    """Take the atomic numbers out of the columns ``species`` or ``Z``."""
    symbols = arrays.pop("species", None)
    if symbols is None or symbols.dtype.kind != "U" or symbols.ndim != 1:
        numbers = arrays.pop("Z", None)
        if numbers is None or numbers.dtype.kind != "i" or numbers.ndim != 1:
            raise DataError(
                f"{block[0].place}: Properties has no column species:S:1 (or Z:I:1); add "
                "the element of each atom"
            )
        table = numbers.astype(np.int32)
    else:
        arrays.pop("Z", None)
        table = np.array(
            [ATOMIC_NUMBERS.get(s.capitalize(), 0) for s in symbols.tolist()],
            dtype=np.int32,
        )
    bad = (table < 1) | (table > len(ATOMIC_NUMBERS))
    if bad.any():
        row = int(np.argmax(bad))
        found = table[row] if symbols is None else symbols[row]
        raise DataError(
            f"{_place_of(block, row)}: unknown element '{found}', expected a chemical "
            "symbol such as W; rename it or delete the frame"
        )
    return table


def _positions(arrays: dict[str, NDArray[np.generic]], block: list[Header]) -> FloatArray:
    """Take the positions out of the column ``pos``."""
    name = "pos" if "pos" in arrays else "positions"
    positions = arrays.pop(name, None)
    if positions is None or positions.dtype.kind != "f" or positions.shape[1:] != (3,):
        raise DataError(
            f"{block[0].place}: Properties has no column pos:R:3; add the positions"
        )
    return positions  # type: ignore[return-value]


def _cell(
    header: Header, fields: dict[str, Value]
) -> tuple[FloatArray | None, BoolArray, bool]:
    """Take cell and periodic directions out of the fields.

    A ``Lattice`` without ``pbc`` is periodic in all directions (the convention of the
    format); without ``Lattice`` nothing is periodic unless ``pbc`` says so.
    """
    lattice, pbc = fields.pop("Lattice", None), fields.pop("pbc", None)
    cell = None
    if lattice is not None:
        if not isinstance(lattice, np.ndarray) or lattice.size != 9:
            raise DataError(
                f"{header.place}: Lattice={lattice!s:.60}, expected nine numbers, the "
                "three "
                'lattice vectors one after the other: Lattice="ax ay az bx by bz cx cy cz"'
            )
        cell = np.array(lattice, dtype=np.float64).reshape(3, 3)
    if pbc is None:
        return cell, np.full(3, cell is not None), cell is not None
    values = pbc.tolist() if isinstance(pbc, np.ndarray) else [pbc]
    if len(values) != 3 or not all(value in (0, 1) for value in values):
        raise DataError(
            f"{header.place}: pbc={pbc!s:.40}, expected three logicals; write for example "
            'pbc="T T F"'
        )
    return cell, np.array(values, dtype=np.bool_), False
