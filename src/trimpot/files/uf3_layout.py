"""How the uf3 package lays a three-body grid out as one vector.

A vector holds the products B_l(r_ij) B_m(r_ik) B_n(r_jk) in row-major order (l, m, n),
without those that symmetry repeats, that no triangle can touch, or that are trimmed: the
first ``leading`` and last ``trailing`` functions of every leg. Each number is the
coefficient of its product and of all products that symmetry makes equal to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot.splines.knots import DEGREE, n_basis

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trimpot.contract import BoolArray, FloatArray

Legs = tuple["FloatArray", "FloatArray", "FloatArray"]
"""Knots of r_ij, r_ik, r_jk."""

TRIMS = ((0, 3), (3, 3), (0, 0))
"""Leading and trailing trims that uf3 had as defaults, for files that do not say."""


@dataclass(frozen=True)
class Layout:
    """One way to lay a grid out.

    Attributes
    ----------
    symmetry : 1, 2 or 3
        Legs that may be exchanged: none, r_ij and r_ik, all three.
    leading, trailing : int
        Trimmed functions of every leg.
    """

    symmetry: int
    leading: int
    trailing: int

    def stored(self, legs: Legs) -> BoolArray:
        """Return which products have a number of their own, (n_l, n_m, n_n).

        The sums of knots are those of uf3: subtracting instead would round otherwise,
        and decide otherwise about triangles without an area.
        """
        shape = tuple(n_basis(knots) for knots in legs)
        index = np.indices(shape)
        low = [knots[i] for knots, i in zip(legs, index, strict=True)]
        high = [knots[i + DEGREE + 1] for knots, i in zip(legs, index, strict=True)]
        kept = (high[0] + high[1] > low[2]) & (high[0] + high[2] > low[1])
        kept &= high[1] + high[2] > low[0]
        if self.symmetry >= 2:
            kept &= index[0] <= index[1]
        if self.symmetry == 3:
            kept &= index[1] <= index[2]
        trimmed = np.ones(shape, dtype=bool)
        trimmed[tuple(slice(self.leading, n - self.trailing) for n in shape)] = False
        return np.asarray(kept & ~trimmed)

    def grid(self, vector: FloatArray, legs: Legs) -> FloatArray:
        """Return the full grid of a vector."""
        stored = self.stored(legs)
        full = np.zeros(stored.shape)
        full[stored] = vector
        index = np.indices(stored.shape)  # of the product whose number each one uses
        if self.symmetry > 1:
            index[: self.symmetry] = np.sort(index[: self.symmetry], axis=0)
        return np.asarray(full[index[0], index[1], index[2]])


def layouts(legs: Legs, trims: Sequence[tuple[int, int]]) -> Iterator[Layout]:
    """Yield the layouts that the knots allow."""
    knots_ij, knots_ik, knots_jk = legs
    symmetries = [1]
    if np.array_equal(knots_ij, knots_ik):
        symmetries.append(2)
        if np.array_equal(knots_ij, knots_jk):
            symmetries.append(3)
    for leading, trailing in trims:
        for symmetry in reversed(symmetries):
            yield Layout(symmetry, leading, trailing)
