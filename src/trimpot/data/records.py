"""What a reader hands over: a frame as the file spells it, before labels are chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from trimpot.elements import SYMBOLS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from trimpot.contract import BoolArray, FloatArray, IntArray

NumberArray = NDArray[np.float64] | NDArray[np.int64] | NDArray[np.bool_]
Value = str | int | float | bool | NumberArray


ATOMIC_NUMBERS = {symbol: number for number, symbol in enumerate(SYMBOLS) if number}


@dataclass(frozen=True)
class Place:
    """Where something was found: file, 0-based frame number, 1-based line."""

    path: Path
    frame: int
    line: int | None = None

    def __str__(self) -> str:
        line = "" if self.line is None else f" (line {self.line})"
        return f"{self.path.name} frame {self.frame}{line}"


@dataclass(frozen=True)
class RawFrame:
    """One frame with every key of the file under its own name.

    Attributes
    ----------
    place : Place
        Origin, for messages.
    numbers, positions, cell, pbc
        As in ``Structure``; ``cell`` is None where the file gives none.
    assumed_pbc : bool
        The file gives a cell but no periodic directions; all three are assumed.
    results, fields, columns : mapping
        Calculator results, per-frame fields and per-atom columns.
    code_output : bool
        The results come from the output of an electronic-structure code, converted to
        eV, A and tension positive; ``free_energy`` is the energy of the forces.
    """

    place: Place
    numbers: IntArray
    positions: FloatArray
    cell: FloatArray | None
    pbc: BoolArray
    assumed_pbc: bool
    results: Mapping[str, Value]
    fields: Mapping[str, Value]
    columns: Mapping[str, NumberArray]
    code_output: bool = False
