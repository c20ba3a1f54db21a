"""Density term: polynomials of the densities around an atom.

    rho_ba(i) = sum_j w_j B_a(r_ij),        A_ba,lm(i) = sum_j w_j R_a(r_ij) Y_lm(r_ij)

with j of species b, and cubic B-splines B and R. The energy of an atom is linear in
products of invariants: of two and more densities rho, of p = sum_m A_lm A'_lm, of three A
coupled to an invariant, and of a density with p. It costs a loop over neighbours, not over
pairs of them. Densities rho, and lengths of the vectors A_l, saturate beyond the range of
the training data.

References
----------
Drautz, Phys. Rev. B 99, 014104 (2019), doi:10.1103/PhysRevB.99.014104 (atomic cluster
expansion, of which this is a part with spline radial functions).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations_with_replacement, product
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np
from scipy import sparse

from trimpot import _native
from trimpot.splines.harmonics import FIRST, N_HARMONICS, coupling, couplings
from trimpot.splines.term import Regularization, State, Term

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimpot.contract import FloatArray, IntArray

UNLIMITED = 1e9
"""Limit of densities whose range is not known."""

HEADROOM = 0.25
"""How far beyond its limit a density can rise, in limits."""


@dataclass(frozen=True)
class Radial:
    """Equally spaced cubic B-splines that end at ``high`` and go on below ``low``.

    Attributes
    ----------
    n : int
        Functions, as many as intervals between low and high.
    low, high : (s, s) float64
        Per pair of species, angstrom.
    """

    n: int
    low: FloatArray
    high: FloatArray

    def values(self, a: int, b: int, r: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the functions of the pair of species indices (a, b), (points, n); slopes.

        With x = (r - low) / h and h = (high - low) / n, function k is the cardinal
        B-spline of support k - 3 < x < k + 1.
        """
        h = (self.high[a, b] - self.low[a, b]) / self.n
        x = np.abs((r[:, None] - self.low[a, b]) / h - (np.arange(self.n) - 1.0))
        side = np.sign((r[:, None] - self.low[a, b]) / h - (np.arange(self.n) - 1.0))
        far, near = np.maximum(2.0 - x, 0.0), np.maximum(1.0 - x, 0.0)
        value = far**3 / 6.0 - near**3 * (2.0 / 3.0)
        return value, side * (2.0 * near**2 - 0.5 * far**2) / h


@dataclass(frozen=True)
class Triple:
    """An invariant of three components A: sum of factor * product of components.

    Attributes
    ----------
    factors : (n,) float64
    components : (n, 3) int32
        Numbers (b * n_angular + a) * 15 + lm.
    """

    factors: FloatArray
    components: IntArray


@dataclass(frozen=True)
class DensityTerm(Term):
    """Polynomials of densities, one set of coefficients per central species.

    Attributes
    ----------
    species : tuple of int
        Atomic numbers, ascending.
    radial : Radial
        B of the densities rho.
    order : int
        Largest number of densities rho in a product, 2 to 4.
    angular : Radial
        R of the components A; n = 0 without them.
    l_max : int
        Largest degree of harmonics, 1 to 3; 0 without them.
    triples, mixed : bool
        Invariants of three components, and products rho p.
    limits : (s, n) float64
        Per central species, where each rho begins to saturate, then the length of each
        A_l (by function, then l).
    """

    species: tuple[int, ...]
    radial: Radial
    order: int
    angular: Radial
    l_max: int
    triples: bool
    mixed: bool
    limits: FloatArray
    kind: ClassVar[str] = "density"

    @property
    def cutoff(self) -> float:
        """Largest distance of a neighbour."""
        reach = [float(self.radial.high.max())]
        if self.angular.n:
            reach.append(float(self.angular.high.max()))
        return max(reach)

    @property
    def n_densities(self) -> int:
        """Densities rho around an atom."""
        return len(self.species) * self.radial.n

    @property
    def n_components(self) -> int:
        """Functions of components A around an atom, each with 15 harmonics."""
        return len(self.species) * self.angular.n

    @property
    def n_limits(self) -> int:
        """Numbers that are bounded, per central species."""
        return self.n_densities + self.n_components * self.l_max

    @cached_property
    def squares(self) -> tuple[tuple[int, int, int], ...]:
        """(l, a, a') of each invariant p."""
        pairs = list(combinations_with_replacement(range(self.n_components), 2))
        return tuple((l_, a, b) for l_ in range(1, self.l_max + 1) for a, b in pairs)

    @cached_property
    def invariants_of_three(self) -> tuple[Triple, ...]:
        """Invariants of three components, each set of functions once."""
        return _triples(self.l_max, self.n_components) if self.triples else ()

    @cached_property
    def products(self) -> tuple[tuple[int, ...], ...]:
        """Densities rho of each product, by order."""
        return tuple(
            c
            for order in range(2, self.order + 1)
            for c in combinations_with_replacement(range(self.n_densities), order)
        )

    @property
    def columns_of_species(self) -> int:
        """Coefficients of one central species: products, p, triples, rho p."""
        n_mixed = self.n_densities * len(self.squares) if self.mixed else 0
        alone = len(self.products) + len(self.squares) + len(self.invariants_of_three)
        return alone + n_mixed

    @property
    def n_coefficients(self) -> int:
        """Coefficients of all central species, one after the other."""
        return len(self.species) * self.columns_of_species

    def native(self, coefficients: FloatArray | None) -> _native.Term:
        """Return the kernel."""
        return _native.density(
            len(self.species),
            self.order,
            self.l_max,
            self.triples,
            self.mixed,
            self.radial.n,
            self.radial.low.ravel(),
            self.radial.high.ravel(),
            self.angular.n,
            self.angular.low.ravel(),
            self.angular.high.ravel(),
            self.limits.ravel(),
            self.n_coefficients,
            np.zeros(0) if coefficients is None else coefficients,
        )

    def with_limits(self, limits: FloatArray) -> DensityTerm:
        """Return the term with other limits of its invariants."""
        return replace(self, limits=limits)

    def regularization(self) -> Regularization:
        """Return a ridge on what each product can be at the limits."""
        n = self.n_coefficients
        scale = np.concatenate([self._largest(limits) for limits in self.limits])
        return Regularization(scale**2, sparse.csr_array((0, n)))

    def _largest(self, limits: FloatArray) -> FloatArray:
        """Return each product of one central species at its limits, 1 where unlimited."""
        known = np.where(limits == UNLIMITED, 1.0, limits)
        rho = known[: self.n_densities]
        lengths = known[self.n_densities :].reshape(self.n_components, self.l_max)
        products = [float(np.prod(rho[list(c)])) for c in self.products]
        squares = [lengths[a, l_ - 1] * lengths[b, l_ - 1] for l_, a, b in self.squares]
        triples = [_length_of(t, lengths) for t in self.invariants_of_three]
        mixed = np.outer(rho, squares).ravel()[: None if self.mixed else 0]
        return np.array([*products, *squares, *triples, *mixed])

    def state(self) -> State:
        """Return all fields but the species."""
        return {
            "radial": _radial_state(self.radial),
            "order": self.order,
            "angular": _radial_state(self.angular),
            "l_max": self.l_max,
            "triples": self.triples,
            "mixed": self.mixed,
            "limits": self.limits,
        }

    @classmethod
    def from_state(
        cls, species: tuple[int, ...], state: Mapping[str, object]
    ) -> DensityTerm:
        """Restore the term."""
        return cls(
            species,
            _radial_of(state["radial"]),
            cast("int", state["order"]),
            _radial_of(state["angular"]),
            cast("int", state["l_max"]),
            cast("bool", state["triples"]),
            cast("bool", state["mixed"]),
            cast("FloatArray", state["limits"]),
        )


def bounded(a: FloatArray, limit: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return numbers that saturate beyond their limits, and the slope.

    Beyond the limit L the excess e becomes h t / (1 + t^3)^(1/3) with t = e / h and
    h = 0.25 L: C3 at the limit, never above 1.25 L.
    """
    room = np.where(limit > 0.0, HEADROOM * limit, 1.0)
    t = np.maximum(np.abs(a) - limit, 0.0) / room
    root = np.cbrt(1.0 + t**3)
    excess = np.where(limit > 0.0, room * t / root, 0.0)
    value = np.where(t > 0.0, np.sign(a) * (limit + excess), a)
    return value, np.where((t > 0.0) & (limit == 0.0), 0.0, 1.0 / root**4)


def _triples(l_max: int, n: int) -> tuple[Triple, ...]:
    found = []
    for degrees in couplings(l_max):
        terms = coupling(*degrees)
        for abc in product(range(n), repeat=3):
            swapped = any(
                degrees[p] == degrees[p + 1] and abc[p] > abc[p + 1] for p in (0, 1)
            )
            if swapped:
                continue
            components = [
                [a * N_HARMONICS + c for a, c in zip(abc, numbers, strict=True)]
                for numbers, _ in terms
            ]
            factors = np.array([factor for _, factor in terms])
            found.append(Triple(factors, np.array(components, dtype=np.int32)))
    return tuple(found)


def _length_of(triple: Triple, lengths: FloatArray) -> float:
    """Return the product of the lengths of the three components of a triple."""
    functions, harmonics = np.divmod(triple.components[0], N_HARMONICS)
    degrees = np.searchsorted([FIRST[2], FIRST[3]], harmonics, side="right")
    return float(lengths[functions, degrees].prod())


def _radial_state(radial: Radial) -> State:
    return {"n": radial.n, "low": radial.low, "high": radial.high}


def _radial_of(state: object) -> Radial:
    fields = cast("Mapping[str, object]", state)
    low, high = (cast("FloatArray", fields[k]) for k in ("low", "high"))
    return Radial(cast("int", fields["n"]), low, high)
