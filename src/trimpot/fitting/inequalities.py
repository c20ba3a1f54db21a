"""Linear inequalities A c <= b on coefficients, and the nearest point that obeys them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg, optimize

from trimpot.errors import FitError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.contract import BoolArray, FloatArray
    from trimpot.splines.term import Term

FARTHEST = 1e7
"""Distance to the nearest point, in units of length, beyond which there is none."""

TOLERANCE = 1e-10
"""Violation, over the sizes of bound and products, that is rounding."""

ACCURACY = 1e-8
"""The same for the solution of a programme."""


@dataclass(frozen=True)
class Inequalities:
    """rows @ c <= bounds.

    Attributes
    ----------
    rows : (m, n) float64
    bounds : (m,) float64
    """

    rows: FloatArray
    bounds: FloatArray

    def __len__(self) -> int:
        return len(self.bounds)

    @staticmethod
    def none(n: int) -> Inequalities:
        """Return no inequality on n coefficients."""
        return Inequalities(np.zeros((0, n)), np.zeros(0))

    def joined(self, other: Inequalities) -> Inequalities:
        """Return both."""
        return Inequalities(
            np.concatenate([self.rows, other.rows]),
            np.concatenate([self.bounds, other.bounds]),
        )

    def room(self, c: FloatArray) -> FloatArray:
        """Return bounds - rows @ c: negative where an inequality is violated."""
        return np.asarray(self.bounds - self.rows @ c)

    def held(self, c: FloatArray) -> BoolArray:
        """Return which hold, up to rounding."""
        return np.asarray(self.room(c) >= -TOLERANCE * self._sizes(c))

    def binding(self, c: FloatArray) -> int:
        """Return how many hold with equality, up to the accuracy of a solution."""
        return int((self.room(c) <= ACCURACY * self._sizes(c)).sum())

    def only(self, chosen: BoolArray) -> Inequalities:
        """Return some of them."""
        return Inequalities(self.rows[chosen], self.bounds[chosen])

    def _sizes(self, c: FloatArray) -> FloatArray:
        return np.asarray(np.abs(self.bounds) + np.abs(self.rows) @ np.abs(c))


def monotone(terms: Sequence[Term]) -> Inequalities:
    """Return the inequalities that the terms themselves ask for, side by side."""
    rows = np.asarray(linalg.block_diag(*[t.monotone_rows() for t in terms]))
    return Inequalities(rows, np.zeros(len(rows)))


def shortest_step(b_t: FloatArray, room: FloatArray, length: float) -> FloatArray:
    """Return the shortest v with b_t.T @ v <= room.

    Parameters
    ----------
    b_t : (n, m) float64
        Columns of unit length.
    room : (m,) float64
        Negative where v = 0 does not do.
    length : float
        About how long v can be; it decides the accuracy, not the result.

    Raises
    ------
    FitError
        If no v does.

    Notes
    -----
    Least distance programming as in Lawson and Hanson, Solving Least Squares Problems
    (SIAM, 1995), chapter 23: a non-negative least-squares problem in the space that the
    columns span. It loses digits where v is longer than the unit of length.
    """
    q, r = np.linalg.qr(b_t)
    unit = max(length, float(-room.min()))
    w = unit * _least_distance(r, room / unit)
    if (longer := float(np.linalg.norm(w))) > unit:
        w = longer * _least_distance(r, room / longer)
    return np.asarray(q @ w)


def _least_distance(r: FloatArray, room: FloatArray) -> FloatArray:
    """Return the shortest w with r.T @ w <= room."""
    stacked = -np.concatenate([r, room[None, :]])
    target = np.zeros(len(stacked))
    target[-1] = 1.0
    try:
        multipliers, distance = optimize.nnls(stacked, target, maxiter=30 * len(room))
    except RuntimeError as error:
        raise FitError(
            f"the inequalities of the fit could not be solved: {error}"
        ) from error
    if distance < 1.0 / FARTHEST:
        raise FitError(
            "no coefficients satisfy all inequalities of the fit (repulsive pair curves, "
            "anchors); switch anchors off with fit.anchors: false, or add a pair term"
        )
    residual = stacked @ multipliers - target
    return np.asarray(-residual[:-1] / residual[-1])
