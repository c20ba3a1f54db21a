"""Turn raw frames into structures, refusing impossible cells and overlapping atoms."""

from __future__ import annotations

from dataclasses import replace
from math import hypot, prod
from typing import TYPE_CHECKING

import numpy as np

from trimpot.contract import Structure
from trimpot.data.frames import read_only
from trimpot.errors import DataError

if TYPE_CHECKING:
    from trimpot.contract import BoolArray, FloatArray
    from trimpot.data.records import RawFrame
    from trimpot.data.rules import ReadRules

_SINGULAR = 1e-6  # volume over the product of the vector lengths


def structure_of(
    raw: RawFrame, rules: ReadRules, charge: int = 0
) -> tuple[Structure, bool]:
    """Return the structure of a frame and whether its lattice vectors were swapped.

    Raises
    ------
    DataError
        For NaN, a missing or singular cell in a periodic direction, and a left-handed
        cell (unless the rules swap it).
    """
    if not np.isfinite(raw.positions).all():
        atom = int(np.argmin(np.isfinite(raw.positions).all(axis=1)))
        raise DataError(
            f"{raw.place}: position of atom {atom} is {raw.positions[atom].tolist()}, "
            "expected finite numbers; correct it or delete the frame"
        )
    raw = _in_angstrom(raw, rules.length_factor)
    cell, pbc, swapped = _checked_cell(raw, rules)
    pbc = pbc.copy()
    pbc.flags.writeable = False
    x, rows = read_only(raw.positions), read_only(cell)
    return Structure(raw.numbers, x, rows, pbc, charge), swapped


def _in_angstrom(raw: RawFrame, factor: float) -> RawFrame:
    """Return the frame with positions and cell in angstrom."""
    if factor == 1.0:
        return raw
    cell = None if raw.cell is None else factor * raw.cell
    return replace(raw, positions=factor * raw.positions, cell=cell)


def _checked_cell(raw: RawFrame, rules: ReadRules) -> tuple[FloatArray, BoolArray, bool]:
    if raw.cell is None:
        if raw.pbc.any():
            raise DataError(
                f"{raw.place}: pbc={_directions(raw.pbc)} but there is no Lattice, "
                "expected the lattice vectors of a periodic frame; add Lattice, or set "
                "pbc to F F F"
            )
        return np.zeros((3, 3)), raw.pbc, False
    rows = raw.cell.tolist()
    determinant = _determinant(rows)
    if not np.isfinite(determinant):
        raise DataError(
            f"{raw.place}: the cell {rows} is not finite, expected nine numbers; correct "
            "the Lattice or delete the frame"
        )
    periodic = raw.pbc.tolist()
    well_shaped = abs(determinant) > _SINGULAR * prod(hypot(*row) for row in rows)
    if any(periodic) and not well_shaped and _is_singular(raw.cell[raw.pbc]):
        raise DataError(
            f"{raw.place}: the cell {rows} is singular in its periodic directions "
            f"{_directions(raw.pbc)}, expected independent lattice vectors there; correct "
            "the Lattice, or set pbc to F in directions without a lattice vector"
        )
    if determinant >= 0.0 or not any(periodic):
        return raw.cell, raw.pbc, False
    if rules.left_handed == "error":
        raise DataError(
            f"{raw.place}: the cell is left-handed (determinant {determinant:.6g} A^3), "
            "expected right-handed lattice vectors; swap two lattice vectors, or read with "
            "left_handed='swap', which does so and changes neither lattice nor atoms"
        )
    return raw.cell[[0, 2, 1]], raw.pbc[[0, 2, 1]], True


def _determinant(rows: list[list[float]]) -> float:
    """Return the determinant of a 3x3 matrix ; plain floats beat numpy here."""
    (ax, ay, az), (bx, by, bz), (cx, cy, cz) = rows
    return (
        ax * (by * cz - bz * cy) - ay * (bx * cz - bz * cx) + az * (bx * cy - by * cx)
    )  # fmt: skip


def _is_singular(vectors: FloatArray) -> bool:
    """Whether lattice vectors are zero or dependent."""
    lengths = np.sqrt((vectors * vectors).sum(axis=1))
    if not (lengths > 0.0).all():
        return True
    unit = vectors / lengths[:, None]
    return bool(np.linalg.det(unit @ unit.T) < _SINGULAR**2)


def _directions(pbc: BoolArray) -> str:
    return " ".join("T" if periodic else "F" for periodic in pbc)
