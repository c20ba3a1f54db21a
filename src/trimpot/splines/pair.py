"""Pair term: E_i = sum_j V2(r_ij), V2 a cubic spline per pair of species."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, ClassVar, Literal, cast

import numpy as np

from trimpot import _native
from trimpot.elements import group_name, parse_group
from trimpot.errors import InputError
from trimpot.splines.knots import (
    FROZEN_AT_END,
    Spacing,
    clamped,
    n_basis,
    spaced_breaks,
)
from trimpot.splines.reference import bspline_basis
from trimpot.splines.term import Regularization, State, Term, second_differences

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimpot.contract import FloatArray, IntArray
    from trimpot.splines.profile import PairProfile


@dataclass(frozen=True)
class PairOverride:
    """Settings of one pair of species; None keeps the term's own."""

    cutoff: float | None = None
    intervals: int | None = None
    r_min: float | None = None
    spacing: Spacing | None = None
    breaks: tuple[float, ...] | None = None


@dataclass(frozen=True)
class PairSettings:
    """Settings of a pair term.

    Attributes
    ----------
    cutoff : float
        Upper end of the knots in angstrom.
    intervals : int
        Knot intervals between r_min and cutoff; with r_min 0 also the number of free
        coefficients of a curve.
    r_min : float
        Lower end of the spaced knots in angstrom. Below it the curve goes on to 0 with
        intervals as wide as the first, so that there is no lower edge to fall off.
    spacing : str
        How knots are spread: uniform, square, geometric, inverse.
    breaks : list of float, optional
        Explicit breakpoints instead.
    pairs : mapping
        Overrides per pair, e.g. ``{"Ge-Te": {"cutoff": 6.5}}``.
    leave_out : list of str
        Pairs without a curve.
    repulsive : bool
        Keep V2 falling with r below the shortest distance of the data.
    """

    kind: Literal["pair"] = "pair"
    cutoff: float = 6.0
    intervals: int = 30
    r_min: float = 0.0
    spacing: Spacing = "uniform"
    breaks: tuple[float, ...] | None = None
    pairs: Mapping[str, PairOverride] = field(default_factory=dict)
    leave_out: tuple[str, ...] = ()
    repulsive: bool = True

    def build(self, species: tuple[int, ...], profile: PairProfile) -> PairTerm:
        """Return the term for these species (atomic numbers, ascending)."""
        overrides = {unordered_pair(k, species): v for k, v in self.pairs.items()}
        omitted = {unordered_pair(k, species) for k in self.leave_out}
        curves: list[PairCurve] = []
        first = 0
        for pair in combinations_with_replacement(species, 2):
            if pair in omitted:
                continue
            wall = profile.shortest(*pair) if self.repulsive else 0.0
            curves.append(self._curve(pair, overrides.get(pair), wall, first))
            first += curves[-1].n_free
        return PairTerm(species, tuple(curves))

    def _curve(
        self, pair: tuple[int, int], override: PairOverride | None, wall: float, first: int
    ) -> PairCurve:
        own = {k: v for k, v in vars(override or PairOverride()).items() if v is not None}
        s = replace(self, **own)
        breaks = (
            np.asarray(s.breaks)
            if s.breaks is not None
            else spaced_breaks(s.r_min, s.cutoff, s.intervals, s.spacing)
        )
        knots = clamped(_down_to_zero(breaks))
        columns = np.full(n_basis(knots), -1, dtype=np.int32)
        n_free = len(columns) - FROZEN_AT_END
        columns[:n_free] = first + np.arange(n_free)
        return PairCurve(pair, knots, columns, wall)


def _down_to_zero(breaks: FloatArray) -> FloatArray:
    """Continue breakpoints to r = 0 with intervals as wide as the first one or less.

    A curve that ended above 0 would fall off its lower end.
    """
    if breaks[0] == 0.0:
        return breaks
    count = int(np.ceil(breaks[0] / (breaks[1] - breaks[0])))
    return np.concatenate([np.linspace(0.0, breaks[0], count + 1)[:-1], breaks])


def unordered_pair(text: str, species: tuple[int, ...]) -> tuple[int, int]:
    """Return the ascending pair that a name such as "Te-Ge" means.

    Raises
    ------
    InputError
        If an element is not among the species.
    """
    a, b = sorted(parse_group(text, 2))
    for z in (a, b):
        if z not in species:
            raise InputError(
                f"pair {text!r} names an element outside the model's species "
                f"{group_name(species)}"
            )
    return a, b


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
