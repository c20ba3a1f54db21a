"""Cells as LAMMPS holds them: the first vector along x, the second in the plane of x and y.

A structure is turned into this frame, and what LAMMPS computes is turned back. A cell
whose vectors are left-handed is mirrored as well; energies and forces do not notice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trimpot.contract import BoolArray, FloatArray

TILT_SLACK = 1e-6
"""Share of a period by which an edge may be tilted by more than half."""

MARGIN_A = 1.0
"""Space around the atoms where there is no period."""


@dataclass(frozen=True)
class Box:
    """A box of LAMMPS and how a structure lies in it.

    Attributes
    ----------
    matrix : (3, 3) float64
        Edges as rows, lower triangular with a positive diagonal, angstrom; of the same
        lattice, tilted by at most half a period.
    origin : (3,) float64
        Lower corner, angstrom.
    turn : (3, 3) float64
        Orthogonal; rows of ours times its transpose are rows of LAMMPS.
    pbc : (3,) bool
        Periodic directions.
    combined : (3, 3) float64
        Whole numbers: the edges as sums of the vectors of the structure.
    """

    matrix: FloatArray
    origin: FloatArray
    turn: FloatArray
    pbc: BoolArray
    combined: FloatArray

    @classmethod
    def of(cls, cell: FloatArray, pbc: BoolArray, positions: FloatArray) -> Box:
        """Return the box of a structure.

        Along directions without a period the box is at right angles to the periodic ones
        and as long as the atoms need.

        Parameters
        ----------
        cell : (3, 3) float64
            Lattice vectors as rows; those of other directions do not matter.
        pbc : (3,) bool
            Periodic directions.
        positions : (n, 3) float64
            Angstrom.
        """
        whole = _completed(np.asarray(cell, dtype=np.float64), pbc)
        matrix, turn = _triangular(whole)
        matrix, combined = _upright(matrix)
        origin = np.zeros(3)
        if not pbc.all() and len(positions):
            along = (positions @ turn.T) @ np.linalg.inv(matrix)
            low, high = along.min(axis=0), along.max(axis=0)
            for k in np.flatnonzero(~pbc):  # here the vectors have the length 1
                origin += (low[k] - MARGIN_A) * matrix[k]
                matrix[k] *= high[k] - low[k] + 2.0 * MARGIN_A
        return cls(matrix, origin, turn, pbc, combined)

    @property
    def is_skewed(self) -> bool:
        """Whether edges are not at right angles."""
        return bool(np.any(self.matrix[[1, 2, 2], [0, 0, 1]]))

    @property
    def boundary(self) -> str:
        """Words of the command ``boundary``; without a period it grows with its atoms."""
        return " ".join("p" if periodic else "m" for periodic in self.pbc)

    def to_lammps(self, vectors: FloatArray) -> FloatArray:
        """Return vectors (n, 3) in LAMMPS' frame."""
        turned: FloatArray = vectors @ self.turn.T
        return turned

    def from_lammps(self, vectors: FloatArray) -> FloatArray:
        """Return vectors (n, 3) of LAMMPS in ours."""
        turned: FloatArray = vectors @ self.turn
        return turned

    def cell_from_lammps(self, matrix: FloatArray) -> FloatArray:
        """Return the vectors of the structure for edges that LAMMPS has changed."""
        return self.from_lammps(np.linalg.inv(self.combined) @ matrix)

    def tensor_from_lammps(self, tensor: FloatArray) -> FloatArray:
        """Return a tensor (3, 3) of LAMMPS, such as a stress, in our frame."""
        turned: FloatArray = self.turn.T @ tensor @ self.turn
        return turned


def _completed(cell: FloatArray, pbc: BoolArray) -> FloatArray:
    """Return a cell whose vectors without a period are unit vectors at right angles.

    These come from the singular vectors of the periodic ones, made right-handed.
    """
    if pbc.all():
        return cell
    whole = np.where(pbc[:, None], cell, 0.0)
    if not pbc.any():
        return np.eye(3)
    periodic = whole[pbc]
    axes = [k for k in range(3) if not pbc[k]]
    found: list[FloatArray] = list(periodic)
    for k in axes:  # the axis itself, if it fits: simple cells stay as they are
        candidates = [np.eye(3)[k], *np.eye(3)]
        rest = [_perpendicular(v, found) for v in candidates]
        whole[k] = next(v for v in rest if v is not None)
        found.append(whole[k])
    if np.linalg.det(whole) < 0.0:
        whole[axes[-1]] *= -1.0
    return whole


def _perpendicular(vector: FloatArray, others: list[FloatArray]) -> FloatArray | None:
    """Return the unit vector of what is perpendicular to others; None if that is little."""
    basis, _ = np.linalg.qr(np.array(others).T)
    rest = vector - basis @ (basis.T @ vector)
    length = float(np.linalg.norm(rest))
    if length < 0.3:  # one of three axes is always farther off
        return None
    unit: FloatArray = rest / length
    return np.where(np.abs(unit) < 1e-15, 0.0, unit)


def _triangular(cell: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return L lower triangular and Q orthogonal with ``cell = L Q``."""
    is_lower = not np.any(cell[[0, 0, 1], [1, 2, 2]])
    if is_lower and (np.diag(cell) > 0.0).all():
        return cell.copy(), np.eye(3)  # every bit stays
    q, r = np.linalg.qr(cell.T)
    signs = np.where(np.diag(r) < 0.0, -1.0, 1.0)
    lower = np.tril((signs[:, None] * r).T)
    return lower, (q * signs).T


def _upright(matrix: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return edges of the same lattice with small tilts, and which sums they are.

    LAMMPS is slow, or refuses to run, where an edge is tilted by more than half a period.
    """
    edges, combined = matrix.copy(), np.eye(3)
    for i, j in ((1, 0), (2, 1), (2, 0)):
        times = np.round(edges[i, j] / edges[j, j])
        if times and abs(edges[i, j]) > (0.5 + TILT_SLACK) * edges[j, j]:
            edges[i] -= times * edges[j]
            combined[i] -= times * combined[j]
    return edges, combined
