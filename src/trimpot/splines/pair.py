"""Pair term: E_i = sum_j V2(r_ij), V2 a cubic spline per pair of species."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np

from trimpot import _native
from trimpot.splines.reference import bspline_basis
from trimpot.splines.term import Regularization, State, Term, second_differences

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimpot.contract import FloatArray, IntArray


@dataclass(frozen=True)
class PairCurve:
    """V2 of one pair of species.

    Attributes
    ----------
    pair : (int, int)
        Atomic numbers, ascending.
    knots : (n + 4,) float64
        Clamped knots in angstrom.
    columns : (n,) int32
        Coefficient of each basis function within the term; -1: frozen at zero.
    wall : float
        Shortest distance of the data; below it V2 must fall with r.
    """

    pair: tuple[int, int]
    knots: FloatArray
    columns: IntArray
    wall: float

    @property
    def n_free(self) -> int:
        """Number of free coefficients."""
        return int((self.columns >= 0).sum())

    def values(
        self, coefficients: FloatArray, r: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return V2(r) and its derivative (eV, eV/A) for the term's coefficients."""
        full = np.where(self.columns >= 0, coefficients[self.columns], 0.0)
        value, slope = bspline_basis(self.knots, r)
        return value @ full, slope @ full


@dataclass(frozen=True)
class PairTerm(Term):
    """A spline per pair of species."""

    species: tuple[int, ...]
    curves: tuple[PairCurve, ...]
    kind: ClassVar[str] = "pair"

    @property
    def cutoff(self) -> float:
        """Largest cutoff of all pairs."""
        return max((float(c.knots[-1]) for c in self.curves), default=0.0)

    @property
    def n_coefficients(self) -> int:
        """Free coefficients of all pairs."""
        return sum(c.n_free for c in self.curves)

    def curve_of(self, a: int, b: int) -> PairCurve | None:
        """Return the curve of two atomic numbers, None if it was left out."""
        pair = (min(a, b), max(a, b))
        return next((c for c in self.curves if c.pair == pair), None)

    def native(self, coefficients: FloatArray | None) -> _native.Term:
        """Return the kernel."""
        n = len(self.species)
        table = np.full((n, n), -1, dtype=np.int32)
        for index, curve in enumerate(self.curves):
            a, b = (self.species.index(z) for z in curve.pair)
            table[a, b] = table[b, a] = index
        return _native.pair_spline(
            n,
            table.ravel(),
            [c.knots for c in self.curves],
            [c.columns for c in self.curves],
            self.n_coefficients,
            np.zeros(0) if coefficients is None else coefficients,
        )

    def regularization(self) -> Regularization:
        """Return ridge and second differences of every curve."""
        from scipy import sparse

        n = self.n_coefficients
        blocks = [second_differences(c.columns, n) for c in self.curves]
        curvature = sparse.csr_array(sparse.vstack(blocks)) if blocks else None
        return Regularization(
            np.ones(n), curvature if curvature is not None else sparse.csr_array((0, n))
        )

    def monotone_rows(self) -> FloatArray:
        """Return rows whose non-positive products make V2 fall up to each wall.

        On a knot interval [a, b] V2' is a quadratic; it is <= 0 throughout if its three
        Bernstein coefficients are: V2'(a), 2 V2'(m) - (V2'(a) + V2'(b)) / 2, V2'(b), with
        m the midpoint. The last interval ends at the wall.
        """
        rows = [np.zeros((0, self.n_coefficients))]
        for curve in self.curves:
            breaks = np.unique(curve.knots)
            ends = np.append(breaks[breaks < curve.wall], min(curve.wall, breaks[-1]))
            if len(ends) < 2:
                continue
            a, b = (self._slope_rows(curve, r) for r in (ends[:-1], ends[1:]))
            middle = self._slope_rows(curve, 0.5 * (ends[:-1] + ends[1:]))
            rows += [a, 2.0 * middle - 0.5 * (a + b), b[-1:]]
        return np.concatenate(rows)

    def _slope_rows(self, curve: PairCurve, r: FloatArray) -> FloatArray:
        """Return rows that give V2'(r) from the term's coefficients."""
        slopes = bspline_basis(curve.knots, r)[1]
        free = curve.columns >= 0
        rows = np.zeros((len(r), self.n_coefficients))
        rows[:, curve.columns[free]] = slopes[:, free]
        return rows

    def state(self) -> State:
        """Return pairs, knots, columns and walls."""
        return {
            "curves": [
                {
                    "pair": list(c.pair),
                    "knots": c.knots,
                    "columns": c.columns,
                    "wall": c.wall,
                }
                for c in self.curves
            ]
        }

    @classmethod
    def from_state(cls, species: tuple[int, ...], state: Mapping[str, object]) -> PairTerm:
        """Restore the term."""
        curves = cast("list[dict[str, object]]", state["curves"])
        return cls(
            species,
            tuple(
                PairCurve(
                    cast("tuple[int, int]", tuple(cast("list[int]", c["pair"]))),
                    cast("FloatArray", c["knots"]),
                    cast("IntArray", c["columns"]),
                    float(cast("float", c["wall"])),
                )
                for c in curves
            ),
        )
