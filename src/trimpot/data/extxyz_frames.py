"""Cut extended XYZ into frames: the comment lines are read, the atom lines are kept."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import IO, TYPE_CHECKING

from trimpot.data.comment import read_comment
from trimpot.data.records import Place, Value
from trimpot.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Refuse = Callable[[Place, DataError], None]


@dataclass(frozen=True)
class Header:
    """A frame whose atom lines wait in the block."""

    place: Place
    count: int
    fields: dict[str, Value]


def split_frames(
    file: IO[str], path: Path, refuse: Refuse | None
) -> Iterator[tuple[Header, list[str]]]:
    """Yield each header with its unparsed atom lines."""
    if refuse is not None:
        yield from _split_what_can_be(file, path, refuse)
        return
    line_number, index = 1, 0
    while line := file.readline():
        if not line.strip():  # blank lines between or after frames carry nothing
            line_number += 1
            continue
        place = Place(path, index, line_number)
        count = _atom_count(line, place)
        fields = read_comment(file.readline(), Place(path, index, line_number + 1))
        atom_lines = list(islice(file, count))
        _check_complete(len(atom_lines), count, place)
        yield Header(place, count, fields), atom_lines
        line_number += count + 2
        index += 1


def _split_what_can_be(
    file: IO[str], path: Path, refuse: Refuse
) -> Iterator[tuple[Header, list[str]]]:
    """Yield each header with its lines; a frame ends where the next number stands alone."""
    index = 0
    for start, chunk in _chunks(file):
        rest = chunk
        while rest:
            place = Place(path, index, start + len(chunk) - len(rest))
            try:
                header, rows, rest = _from_chunk(rest, place)
                yield header, rows
            except DataError as error:
                refuse(place, error)
                rest = []
            index += 1


def _chunks(file: IO[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield lines from one lone number to the next, with the number of the first line."""
    chunk: list[str] = []
    start = 1
    for number, line in enumerate(file, start=1):
        text = line.strip()
        if text.isdecimal() and len(chunk) > 1:  # the line after a number is a comment
            yield start, chunk
            chunk = []
        if not chunk:
            start = number
        if chunk or text:
            chunk.append(line)
    if chunk:
        yield start, chunk


def _from_chunk(chunk: list[str], place: Place) -> tuple[Header, list[str], list[str]]:
    """Return header and atom lines of the first frame, and lines of a broken next one."""
    count = _atom_count(chunk[0], place)
    following = Place(place.path, place.frame, (place.line or 0) + 1)
    fields = read_comment(chunk[1] if len(chunk) > 1 else "", following)
    rows = chunk[2:]
    while rows and not rows[-1].strip():
        rows.pop()
    rest = rows[count:]
    if len(rows) < count or (rest and not (len(rest) > 1 and "=" in rest[1])):
        raise DataError(
            f"{place}: found {len(rows)} atom lines, expected {count}; the frame is "
            "truncated or announces a wrong number of atoms: copy the file again, correct "
            "the number, or delete this frame"
        )
    return Header(place, count, fields), rows[:count], rest


def _check_complete(found: int, count: int, place: Place) -> None:
    if found < count:
        raise DataError(
            f"{place}: the file ends after {found} of {count} atom lines; "
            "the frame is truncated: copy the file again or delete this frame"
        )


def _atom_count(line: str, place: Place) -> int:
    text = line.strip()
    if not text.isdecimal():
        raise DataError(
            f"{place}: found {text[:40]!r}, expected the number of atoms of a new frame; "
            "the frame before it announces a wrong number of atoms, or this is not XYZ"
        )
    if int(text) == 0:
        raise DataError(
            f"{place}: the frame has 0 atoms, expected at least 1; delete the frame"
        )
    return int(text)
