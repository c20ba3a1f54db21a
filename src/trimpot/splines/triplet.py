"""Triplet term: E_i = sum_{j<k} V3(r_ij, r_ik, r_jk), a tensor product of cubic splines.

Notes
-----
V3 of a trio (centre; b, c) is c_lmn B_l(r_ij) B_m(r_ik) B_n(r_jk) with j of species b and
k of species c. For b = c it is symmetric in (l, m). Products of basis functions whose
supports hold no triangle are dropped.

References
----------
Xie, Rupp, Hennig, npj Comput. Mater. 9, 162 (2023), doi:10.1038/s41524-023-01092-7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np
from scipy import sparse

from trimpot import _native
from trimpot.splines.knots import FROZEN_AT_END, n_basis, supports
from trimpot.splines.term import Regularization, State, Term, second_differences

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimpot.contract import BoolArray, FloatArray, IntArray

Trio = tuple[int, int, int]
"""Atomic numbers: centre, then the two neighbours, ascending."""

FROZEN, ABSENT = -1, -2
"""Grid points frozen at zero, and those that no triangle can touch."""


def triangle_mask(
    knots_ij: FloatArray, knots_ik: FloatArray, knots_jk: FloatArray
) -> BoolArray:
    """Return which products of basis functions can be touched by a triangle, (l, m, n)."""
    low_l, high_l = (a[:, None, None] for a in supports(knots_ij))
    low_m, high_m = (a[None, :, None] for a in supports(knots_ik))
    low_n, high_n = (a[None, None, :] for a in supports(knots_jk))
    longest = high_l + high_m
    shortest = np.maximum(np.maximum(low_l - high_m, low_m - high_l), 0.0)
    return np.asarray((low_n < longest) & (high_n > shortest))


def grid_columns(
    knots: tuple[FloatArray, FloatArray, FloatArray],
    *,
    symmetric: bool,
    leading: int,
    trailing: int = FROZEN_AT_END,
    first: int = 0,
) -> IntArray:
    """Return the coefficient of each grid point (l, m, n), as (n_l, n_m, n_n) int32.

    Parameters
    ----------
    knots
        Of r_ij, r_ik, r_jk.
    symmetric
        Points (l, m, n) and (m, l, n) share a coefficient.
    leading, trailing
        Basis functions frozen at zero at the lower and upper end of every leg.
    first
        Number of the first coefficient.
    """
    shape = tuple(n_basis(k) for k in knots)
    free = np.zeros(shape, dtype=bool)
    inner = tuple(slice(leading, n - trailing) for n in shape)
    free[inner] = True
    touched = triangle_mask(*knots)
    columns = np.where(touched, FROZEN, ABSENT).astype(np.int32)
    free &= touched
    if symmetric:
        l_index, m_index, _ = np.indices(shape, sparse=True)
        upper = free & (l_index <= m_index)
        columns[upper] = first + np.arange(int(upper.sum()))
        mirrored = columns.transpose(1, 0, 2)
        return np.where(l_index > m_index, mirrored, columns).astype(np.int32)
    columns[free] = first + np.arange(int(free.sum()))
    return columns


@dataclass(frozen=True)
class TripletGrid:
    """V3 shared by one or more trios.

    Attributes
    ----------
    trios : tuple of (int, int, int)
        Trios that use it.
    knots_ij, knots_ik, knots_jk : float64
        Clamped knots in angstrom; j belongs to the first neighbour species.
    columns : (n_l, n_m, n_n) int32
        Coefficient of each grid point within the term; FROZEN or ABSENT else.
    """

    trios: tuple[Trio, ...]
    knots_ij: FloatArray
    knots_ik: FloatArray
    knots_jk: FloatArray
    columns: IntArray

    @property
    def n_free(self) -> int:
        """Number of free coefficients."""
        free = self.columns[self.columns >= 0]
        return len(np.unique(free))

    def coefficients(self, coefficients: FloatArray) -> FloatArray:
        """Return the full grid for the term's coefficients."""
        return np.where(self.columns >= 0, coefficients[np.maximum(self.columns, 0)], 0.0)


@dataclass(frozen=True)
class TripletTerm(Term):
    """A three-body spline per trio of species, or per group of tied trios."""

    species: tuple[int, ...]
    grids: tuple[TripletGrid, ...]
    kind: ClassVar[str] = "triplet"

    @property
    def cutoff(self) -> float:
        """Largest leg r_ij of all trios."""
        ends = [float(max(g.knots_ij[-1], g.knots_ik[-1])) for g in self.grids]
        return max(ends, default=0.0)

    @property
    def n_coefficients(self) -> int:
        """Free coefficients of all grids."""
        return sum(g.n_free for g in self.grids)

    def native(self, coefficients: FloatArray | None) -> _native.Term:
        """Return the kernel."""
        n = len(self.species)
        table = np.full((n, n, n), -1, dtype=np.int32)
        for index, grid in enumerate(self.grids):
            for trio in grid.trios:
                table[tuple(self.species.index(z) for z in trio)] = index
        return _native.triplet_spline(
            n,
            table.ravel(),
            [g.knots_ij for g in self.grids],
            [g.knots_ik for g in self.grids],
            [g.knots_jk for g in self.grids],
            [np.maximum(g.columns, FROZEN).ravel() for g in self.grids],
            self.n_coefficients,
            np.zeros(0) if coefficients is None else coefficients,
        )

    def regularization(self) -> Regularization:
        """Return ridge and second differences along the three axes of every grid."""
        n = self.n_coefficients
        blocks = [second_differences(g.columns, n) for g in self.grids]
        stacked = sparse.vstack(blocks) if blocks else sparse.csr_array((0, n))
        return Regularization(np.ones(n), sparse.csr_array(stacked))

    def state(self) -> State:
        """Return trios, knots and columns."""
        return {
            "grids": [
                {
                    "trios": [list(t) for t in g.trios],
                    "knots_ij": g.knots_ij,
                    "knots_ik": g.knots_ik,
                    "knots_jk": g.knots_jk,
                    "columns": g.columns,
                }
                for g in self.grids
            ]
        }

    @classmethod
    def from_state(
        cls, species: tuple[int, ...], state: Mapping[str, object]
    ) -> TripletTerm:
        """Restore the term."""
        grids = cast("list[dict[str, object]]", state["grids"])
        return cls(
            species,
            tuple(
                TripletGrid(
                    tuple(
                        cast("Trio", tuple(t)) for t in cast("list[list[int]]", g["trios"])
                    ),
                    cast("FloatArray", g["knots_ij"]),
                    cast("FloatArray", g["knots_ik"]),
                    cast("FloatArray", g["knots_jk"]),
                    cast("IntArray", g["columns"]),
                )
                for g in grids
            ),
        )
