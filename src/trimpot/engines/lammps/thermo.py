"""What LAMMPS prints while it runs: rows of numbers, and everything else."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot.engines.lammps.metal import BAR_PER_EV_A3

if TYPE_CHECKING:
    from trimpot.contract import FloatArray

COLUMNS = (
    *("step", "pe", "ke", "econserve", "lx", "ly", "lz", "xy", "xz", "yz"),
    *(f"c_static[{k}]" for k in range(1, 7)),
)
"""Of ``thermo_style custom``; ``c_static`` is the stress without its kinetic part."""

KEPT_LINES = 400
"""Last words that are remembered."""

EXPECTED_WARNING = "Triclinic box skew is large"
"""Boxes have the least tilt that their lattice allows."""

LONGEST_LINE = 150
"""Characters of a line of the last words."""

GRID = re.compile(r"^\s*(\d+) by (\d+) by (\d+) MPI processor grid")


@dataclass(frozen=True)
class Row:
    """One moment, as LAMMPS prints it, in its frame.

    Attributes
    ----------
    step : int
        Steps done.
    potential, kinetic, conserved : float
        Energies of all atoms in eV; the conserved one with thermostat and barostat.
    matrix : (3, 3) float64
        Edges of the box, angstrom.
    stress : (3, 3) float64
        (1/V) dE/d(strain), eV/A^3, tension positive.
    """

    step: int
    potential: float
    kinetic: float
    conserved: float
    matrix: FloatArray
    stress: FloatArray

    @property
    def is_finite(self) -> bool:
        """Whether all numbers are."""
        scalars = (self.potential, self.kinetic, self.conserved)
        return bool(np.isfinite([*scalars, *self.matrix.flat, *self.stress.flat]).all())

    @property
    def volume_a3(self) -> float:
        """Volume of the box."""
        return float(np.prod(np.diag(self.matrix)))

    @classmethod
    def of(cls, line: str) -> Row | None:
        """Return the row that a line is, None if it is none."""
        words = line.split()
        if len(words) != len(COLUMNS) or not words[0].isdecimal():
            return None
        try:
            numbers = [float(word) for word in words[1:]]
        except ValueError:
            return None
        potential, kinetic, conserved, lx, ly, lz, xy, xz, yz, *pressure = numbers
        pxx, pyy, pzz, pxy, pxz, pyz = pressure
        static = np.array([[pxx, pxy, pxz], [pxy, pyy, pyz], [pxz, pyz, pzz]])
        return cls(
            step=int(words[0]),
            potential=potential,
            kinetic=kinetic,
            conserved=conserved,
            matrix=np.array([[lx, 0.0, 0.0], [xy, ly, 0.0], [xz, yz, lz]]),
            stress=-static / BAR_PER_EV_A3,
        )


class Listener:
    """Takes what LAMMPS prints, line by line; keeps its last words and errors.

    Attributes
    ----------
    ranks : int or None
        MPI processes that LAMMPS divides its box among, once it has said so.
    """

    def __init__(self) -> None:
        self.ranks: int | None = None
        self._last: deque[str] = deque(maxlen=KEPT_LINES)
        self._errors: list[str] = []
        self._warnings: set[str] = set()

    def hear(self, line: str) -> Row | str | None:
        """Take a line; return a row, a warning that is new, or None."""
        row = Row.of(line)
        if row is not None:
            return row
        text = line.rstrip()
        self._last.append(text)
        if text.startswith("ERROR"):
            self._errors.append(text)
        grid = GRID.match(text)
        if grid is not None:
            x, y, z = (int(n) for n in grid.groups())
            self.ranks = x * y * z
        if not text.startswith("WARNING") or text in self._warnings:
            return None
        self._warnings.add(text)
        warning = _without_place(text.partition(": ")[2])
        return None if warning.startswith(EXPECTED_WARNING) else warning

    @property
    def error(self) -> str:
        """What LAMMPS says was wrong, without its place in the sources; may be empty."""
        found = self._errors[0] if self._errors else ""
        return _without_place(re.sub(r"^ERROR(?: on proc \d+)?: ", "", found))

    def tail(self, lines: int) -> str:
        """Return the last words, indented."""
        said = [text for text in self._last if text.strip()][-lines:]
        return "\n".join(f"  {text[:LONGEST_LINE]}" for text in said)


def _without_place(text: str) -> str:
    """Return a message without the place in LAMMPS' sources that it came from."""
    return re.sub(r"\s*\(\S*src/[^)]*\)\s*$", "", text)
