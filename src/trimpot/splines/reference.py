"""The specification: every term as readable NumPy, one central atom at a time.

Each function takes the displacements d_jc = r_j - r_i of all neighbours j of one atom i
and returns the energy of atom i and its gradient with respect to the displacements.
Where neighbours may have weights w_j, these come in too, and dE_i/dw_j goes out. The
native kernels are held against these functions; nothing here is meant to be fast.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np

from trimpot.contract import Evaluation
from trimpot.envelopes.reference import screening
from trimpot.splines.density import bounded
from trimpot.splines.harmonics import FIRST, N_HARMONICS, harmonics
from trimpot.units import COULOMB_EV_A

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.contract import FloatArray, IntArray, Neighborhood
    from trimpot.splines.core import ZblTerm
    from trimpot.splines.density import DensityTerm
    from trimpot.splines.one_body import OneBody
    from trimpot.splines.pair import PairTerm
    from trimpot.splines.potential import SplinePotential
    from trimpot.splines.screened import ScreenedTerm
    from trimpot.splines.triplet import TripletGrid, TripletTerm


Weighted = tuple[float, "FloatArray", "FloatArray"]
"""Energy, its gradient by the displacements, its derivatives by the weights."""


def bspline_basis(knots: FloatArray, r: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return all cubic B-splines and their derivatives at r, each (points, n_basis).

    Zero outside the knots; the upper end itself counts as outside.

    References
    ----------
    de Boor, A Practical Guide to Splines, recursion X (4)-(5) and derivative X (8).
    """
    t, x = knots, np.atleast_1d(r)[:, None]
    basis = np.where((t[:-1] <= x) & (x < t[1:]), 1.0, 0.0)
    lower = basis
    for degree in (1, 2, 3):
        lower = basis
        left = _ratio(x - t[: -degree - 1], t[degree:-1] - t[: -degree - 1])
        right = _ratio(t[degree + 1 :] - x, t[degree + 1 :] - t[1:-degree])
        basis = left * lower[:, :-1] + right * lower[:, 1:]
    n = basis.shape[1]
    slope = 3.0 * (
        _ratio(lower[:, :-1], t[3 : 3 + n] - t[:n])
        - _ratio(lower[:, 1:], t[4 : 4 + n] - t[1 : 1 + n])
    )
    return basis, slope


def _ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Return the quotient, 0 where knots coincide (0 / 0 = 0 in the recursion)."""
    safe = np.where(denominator == 0.0, 1.0, denominator)
    return np.where(denominator == 0.0, 0.0, numerator / safe)


def one_body(
    term: OneBody, c: FloatArray, z_i: int, d_jc: FloatArray, z_j: IntArray
) -> tuple[float, FloatArray]:
    """E_i = E0 of the species of i."""
    del z_j
    return float(c[term.species.index(z_i)]), np.zeros_like(d_jc)


def pair(
    term: PairTerm,
    c: FloatArray,
    z_i: int,
    d_jc: FloatArray,
    z_j: IntArray,
    w_j: FloatArray,
) -> Weighted:
    """E_i = sum_j w_j V2(r_ij), V2 = sum_n c_n B_n(r)."""
    energy, gradient, by_w = 0.0, np.zeros_like(d_jc), np.zeros(len(d_jc))
    for j, d_c in enumerate(d_jc):
        curve = term.curve_of(z_i, int(z_j[j]))
        r = float(np.linalg.norm(d_c))
        if curve is None:
            continue
        value, slope = curve.values(c, np.array([r]))
        energy += w_j[j] * float(value[0])
        gradient[j] = w_j[j] * slope[0] * d_c / r
        by_w[j] = value[0]
    return energy, gradient, by_w


def triplet(
    term: TripletTerm,
    c: FloatArray,
    z_i: int,
    d_jc: FloatArray,
    z_j: IntArray,
    w_j: FloatArray,
) -> Weighted:
    """E_i = sum_{j<k} w_j w_k V3(r_ij, r_ik, r_jk), j of the first neighbour species."""
    grids = {trio: grid for grid in term.grids for trio in grid.trios}
    energy, gradient, by_w = 0.0, np.zeros_like(d_jc), np.zeros(len(d_jc))
    for a in range(len(d_jc)):
        for b in range(a + 1, len(d_jc)):
            j, k = (a, b) if z_j[a] <= z_j[b] else (b, a)
            grid = grids.get((z_i, int(z_j[j]), int(z_j[k])))
            if grid is None:
                continue
            value, (g_j, g_k) = _one_triplet(grid, c, d_jc[j], d_jc[k])
            energy += w_j[j] * w_j[k] * value
            gradient[j] += w_j[j] * w_j[k] * g_j
            gradient[k] += w_j[j] * w_j[k] * g_k
            by_w[j] += w_j[k] * value
            by_w[k] += w_j[j] * value
    return energy, gradient, by_w


def _one_triplet(
    grid: TripletGrid, c: FloatArray, d_j: FloatArray, d_k: FloatArray
) -> tuple[float, tuple[FloatArray, FloatArray]]:
    w = d_k - d_j
    r_ij, r_ik, r_jk = (float(np.linalg.norm(v)) for v in (d_j, d_k, w))
    c_lmn = grid.coefficients(c)
    (b_l,), (s_l,) = bspline_basis(grid.knots_ij, np.array([r_ij]))
    (b_m,), (s_m,) = bspline_basis(grid.knots_ik, np.array([r_ik]))
    (b_n,), (s_n,) = bspline_basis(grid.knots_jk, np.array([r_jk]))

    def contract(l: FloatArray, m: FloatArray, n: FloatArray) -> float:  # noqa: E741
        return float(np.einsum("lmn,l,m,n->", c_lmn, l, m, n))

    u_j, u_k, u_w = d_j / r_ij, d_k / r_ik, w / r_jk
    along_j, along_k = contract(s_l, b_m, b_n), contract(b_l, s_m, b_n)
    along_w = contract(b_l, b_m, s_n)
    return contract(b_l, b_m, b_n), (
        along_j * u_j - along_w * u_w,
        along_k * u_k + along_w * u_w,
    )


def zbl(
    term: ZblTerm, c: FloatArray, z_i: int, d_jc: FloatArray, z_j: IntArray
) -> tuple[float, FloatArray]:
    """E_i = 1/2 sum_j Z_i Z_j e^2 / r phi(r / a) s(r); see core.py."""
    del c
    energy, gradient = 0.0, np.zeros_like(d_jc)
    i = term.species.index(z_i)
    for n, d_c in enumerate(d_jc):
        j = term.species.index(int(z_j[n]))
        r = float(np.linalg.norm(d_c))
        value, slope = _zbl_curve(z_i, int(z_j[n]), r, term.inner[i, j], term.outer[i, j])
        energy += 0.5 * value
        gradient[n] = 0.5 * slope * d_c / r
    return energy, gradient


def _zbl_curve(
    z_i: int, z_j: int, r: float, inner: float, outer: float
) -> tuple[float, float]:
    if r >= outer:
        return 0.0, 0.0
    a = 0.46848 / (z_i**0.23 + z_j**0.23)
    weight = np.array([0.18175, 0.50986, 0.28022, 0.02817])
    decay = np.array([3.19980, 0.94229, 0.40290, 0.20162]) / a
    phi = float(weight @ np.exp(-decay * r))
    phi_slope = float(-(weight * decay) @ np.exp(-decay * r))
    front = COULOMB_EV_A * z_i * z_j / r
    value, slope = front * phi, front * (phi_slope - phi / r)
    x = max(0.0, (r - inner) / (outer - inner))
    s = 1.0 - 10.0 * x**3 + 15.0 * x**4 - 6.0 * x**5
    s_slope = -30.0 * x**2 * (1.0 - x) ** 2 / (outer - inner)
    return value * s, slope * s + value * s_slope


def density(
    term: DensityTerm,
    c: FloatArray,
    z_i: int,
    d_jc: FloatArray,
    z_j: IntArray,
    w_j: FloatArray,
) -> Weighted:
    """E_i = a polynomial of the bounded densities rho and A around i, linear in c."""
    i, n, n_rho = term.species.index(z_i), len(d_jc), term.n_densities
    size = n_rho + term.n_components * N_HARMONICS
    part, by_d = np.zeros((n, size)), np.zeros((n, size, 3))  # of each neighbour
    for j, d_c in enumerate(d_jc):
        part[j], by_d[j] = _density_parts(term, i, d_c, int(z_j[j]))
    raw = w_j @ part
    rho, slope = bounded(raw[:n_rho], term.limits[i, :n_rho])
    components, jacobian = _bounded_components(
        term, raw[n_rho:].reshape(-1, N_HARMONICS), term.limits[i, n_rho:]
    )
    energy, by_rho, by_component = _polynomial(
        term, c.reshape(len(term.species), -1)[i], rho, components
    )
    by_raw = np.concatenate(
        [by_rho * slope, np.einsum("ad,adc->ac", by_component, jacobian).ravel()]
    )
    return energy, w_j[:, None] * np.einsum("q,jqa->ja", by_raw, by_d), part @ by_raw


def _bounded_components(
    term: DensityTerm, raw: FloatArray, limits: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return A~, (functions, 15): each A_l with a bounded length; dA~/dA."""
    value, jacobian = raw.copy(), np.tile(np.eye(N_HARMONICS), (len(raw), 1, 1))
    for a, by_degree in enumerate(limits.reshape(len(raw), term.l_max)):
        for l_, limit in enumerate(by_degree, start=1):
            m = slice(FIRST[l_], FIRST[l_] + 2 * l_ + 1)
            length = float(np.linalg.norm(raw[a, m]))
            if length <= limit:
                continue
            f, slope = (float(x) for x in bounded(np.array(length), np.array(limit)))
            unit = raw[a, m] / length
            value[a, m] = f * unit
            across = np.eye(2 * l_ + 1) - np.outer(unit, unit)
            jacobian[a, m, m] = f / length * across + slope * np.outer(unit, unit)
    return value, jacobian


def _density_parts(
    term: DensityTerm, i: int, d_c: FloatArray, z: int
) -> tuple[FloatArray, FloatArray]:
    """Return what a neighbour adds to the densities rho and A, and the gradients."""
    b, r = term.species.index(z), np.array([np.linalg.norm(d_c)])
    u = d_c / r
    rho = np.zeros((len(term.species), term.radial.n, 4))  # value, gradient
    (value,), (slope,) = term.radial.values(i, b, r)
    rho[b] = np.column_stack([value, np.outer(slope, u)])
    components = np.zeros((len(term.species), term.angular.n, N_HARMONICS, 4))
    if term.angular.n:
        (value,), (slope,) = term.angular.values(i, b, r)
        (y,), (y_gradient,) = harmonics(u[None])
        components[b, :, :, 0] = np.outer(value, y)
        components[b, :, :, 1:] = (
            np.einsum("a,c,x->acx", slope, y, u)
            + np.einsum("a,cx->acx", value, y_gradient) / r
        )
    together = np.concatenate([rho.reshape(-1, 4), components.reshape(-1, 4)])
    return together[:, 0], together[:, 1:]


def _polynomial(
    term: DensityTerm, c: FloatArray, rho: FloatArray, components: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    """Return the energy and its derivatives by rho and by the components A."""
    by_rho, by_component = np.zeros_like(rho), np.zeros(components.size)
    energy, column = 0.0, iter(c)

    def add(factor: float, numbers: Sequence[int], scale: float = 1.0) -> float:
        """Derive factor * scale * product of components; return scale * product."""
        chosen = components.ravel()[list(numbers)]
        for q, number in enumerate(numbers):
            by_component[number] += factor * scale * float(np.delete(chosen, q).prod())
        return scale * float(chosen.prod())

    for densities in term.products:
        c_m, chosen = next(column), rho[list(densities)]
        energy += c_m * float(chosen.prod())
        for q, a in enumerate(densities):
            by_rho[a] += c_m * float(np.delete(chosen, q).prod())
    squares = [
        [(a * N_HARMONICS + m, b * N_HARMONICS + m) for m in _degree(l_)]
        for l_, a, b in term.squares
    ]
    for terms in squares:
        c_m = next(column)
        energy += c_m * sum(add(c_m, numbers) for numbers in terms)
    for triple in term.invariants_of_three:
        c_m = next(column)
        for factor, numbers in zip(triple.factors, triple.components, strict=True):
            energy += c_m * add(c_m, numbers.tolist(), float(factor))
    for a, terms in product(range(len(rho)), squares) if term.mixed else ():
        c_m = next(column)
        p = sum(add(c_m * float(rho[a]), numbers) for numbers in terms)
        by_rho[a] += c_m * p
        energy += c_m * float(rho[a]) * p
    return energy, by_rho, by_component.reshape(components.shape)


def _degree(l_: int) -> range:
    return range(FIRST[l_], FIRST[l_] + 2 * l_ + 1)


def screened(
    term: ScreenedTerm[Any], c: FloatArray, z_i: int, d_jc: FloatArray, z_j: IntArray
) -> tuple[float, FloatArray]:
    """E_i of the inner term with the weights S_ij of the envelope."""
    w_j, jacobian = screening(term.envelope, z_i, d_jc, z_j)
    energy, gradient, by_w = WEIGHTED[term.inner.kind](term.inner, c, z_i, d_jc, z_j, w_j)
    return energy, gradient + np.einsum("j,jka->ka", by_w, jacobian)


class _WeightedSpecification(Protocol):
    def __call__(
        self,
        term: object,
        c: FloatArray,
        z_i: int,
        d_jc: FloatArray,
        z_j: IntArray,
        w_j: FloatArray,
        /,
    ) -> Weighted: ...


class _Specification(Protocol):
    def __call__(
        self, term: object, c: FloatArray, z_i: int, d_jc: FloatArray, z_j: IntArray, /
    ) -> tuple[float, FloatArray]: ...


def _plain(weighted: _WeightedSpecification) -> _Specification:
    """Return the specification where all weights are 1."""

    def specification(
        term: object, c: FloatArray, z_i: int, d_jc: FloatArray, z_j: IntArray, /
    ) -> tuple[float, FloatArray]:
        return weighted(term, c, z_i, d_jc, z_j, np.ones(len(d_jc)))[:2]

    return specification


WEIGHTED: dict[str, _WeightedSpecification] = {
    "pair": pair,  # type: ignore[dict-item]  # each takes its own kind of term
    "triplet": triplet,  # type: ignore[dict-item]
    "density": density,  # type: ignore[dict-item]
}
"""Terms whose neighbours may have weights."""

SPECIFICATIONS: dict[str, _Specification] = {
    "one_body": one_body,  # type: ignore[dict-item]
    "zbl": zbl,  # type: ignore[dict-item]
    **{kind: _plain(weighted) for kind, weighted in WEIGHTED.items()},
    **dict.fromkeys([f"screened_{kind}" for kind in WEIGHTED], cast("Any", screened)),
}


def evaluate(potential: SplinePotential, hood: Neighborhood) -> Evaluation:
    """Return what the native evaluation must return, from the functions above.

    f_j = -sum_i g_ij, f_i = +sum_j g_ij, dE/d(strain) = sum_ij d_ij (x) g_ij.
    """
    n = hood.n_local
    energies, forces, strain = np.zeros(n), np.zeros((n, 3)), np.zeros((3, 3))
    for i in range(n):
        z_i = int(hood.numbers[i])
        j = hood.neighbors[hood.first[i] : hood.first[i + 1]]
        d_jc = hood.positions[j] - hood.positions[i]
        for term, c in zip(potential.terms, potential.coefficients, strict=True):
            energy, g_jc = SPECIFICATIONS[term.kind](term, c, z_i, d_jc, hood.numbers[j])
            energies[i] += energy
            np.subtract.at(forces, hood.owners[j], g_jc)
            forces[i] += g_jc.sum(axis=0)
            strain += d_jc.T @ g_jc
    return Evaluation(energies, forces, -strain)
