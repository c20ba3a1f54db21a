"""Budgeted envelopes: weights of pairs whose sum around an atom stays below a target.

Where the sum would be larger, the atom has a pressure p_i > 0 that tightens its envelope:

    N_i(p) = sum_j f(lambda(p) r_ij) S_ij(sigma(p)),    N_i(p_i) = B(N_i(0)) <= target,
    w_ij = f(lambda(p_ij) r_ij) S_ij(sigma(p_ij)),      p_ij = (p_i^8 + p_j^8)^(1/8),

    sigma(p) = (tightest - C_max) (1 - e^-p)    added to C_min and C_max,
    lambda(p) = e^(shrink p)                    shortens the radial cutoff a little,
    B(n) = n up to (1 - margin) target, then bends over and never reaches the target.

N falls with p, without plateaus and to 0, so p_i exists and is smooth. An atom below
(1 - margin) target has p_i = 0, exactly. Because p_ij >= p_i, sum_j w_ij <= B(N_i(0)).
Why each of these: docs/theory/envelopes.md, section 7.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from trimpot.envelopes.reference import (
    Screeners,
    combined,
    jacobian,
    screeners,
    shares,
)
from trimpot.errors import InputError

if TYPE_CHECKING:
    from trimpot.contract import FloatArray, IntArray, Neighborhood
    from trimpot.envelopes.radial import RadialEnvelope
    from trimpot.envelopes.triplet import TripletEnvelope


@dataclass(frozen=True)
class BudgetedEnvelope:
    """Radial and triplet envelope under a budget.

    Attributes
    ----------
    radial : RadialEnvelope
        f.
    triplet : TripletEnvelope
        S, as it is without pressure.
    target : float
        No atom's weights add up to more; infinity: no budget.
    tightest : float
        Largest C_max that pressure leads to. Up to 2 nothing beyond the pair screens it.
    shrink : float
        How fast pressure shortens the radial cutoff, once screening is used up.
    margin : float
        Fraction of the target over which the budget sets in.

    Raises
    ------
    InputError
        For a target or shrink that is not positive, a margin outside 0 to 1, or a
        ``tightest`` below the C_max of the triplet envelope.
    """

    radial: RadialEnvelope
    triplet: TripletEnvelope
    target: float
    tightest: float = 2.0
    shrink: float = 0.05
    margin: float = 0.1

    def __post_init__(self) -> None:
        if not (self.target > 0.0 and 0.0 < self.shrink < np.inf and 0 < self.margin < 1):
            raise InputError(
                f"budget: found target {self.target:g}, shrink {self.shrink:g} and margin "
                f"{self.margin:g}, expected positive numbers and a margin below 1 "
                "(typical: 20, 0.05 and 0.1)"
            )
        if not self._largest <= self.tightest < np.inf:
            raise InputError(
                f"budget: found tightest {self.tightest:g}, expected at least the largest "
                f"C_max of the triplet envelope, {self._largest:g}"
            )

    @cached_property
    def _largest(self) -> float:
        return float(max(self.triplet.c_max[self.triplet.screens], default=0.0))

    @property
    def span(self) -> float:
        """How much pressure can add to C_min and C_max."""
        return self.tightest - self._largest

    @property
    def reach(self) -> float:
        """Cutoff in angstrom that a neighbourhood must have: of pairs and screeners."""
        tight = replace(self.triplet, c_max=self.triplet.c_max + self.span)
        return self.radial.cutoff * tight.stretch


def weights(envelope: BudgetedEnvelope, neighborhood: Neighborhood) -> FloatArray:
    """Return the weight w_ij of every listed pair, (n_pairs,).

    Raises
    ------
    InputError
        If the list is shorter than ``envelope.reach`` or holds a foreign element, or if
        an atom cannot come below the target because others sit at the same place.
    """
    views = _views(envelope, neighborhood)
    pressure_i = np.array([_pressure(envelope, view) for view in views])
    found = np.zeros(len(neighborhood.neighbors))
    for i, view in enumerate(views):
        p_j, _, _ = _joint(pressure_i[i], pressure_i[view.owners])
        found[view.rows] = _kept(envelope, view, p_j)[0]
    return found


def pullback(
    envelope: BudgetedEnvelope, neighborhood: Neighborhood, by_weight: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the forces (n, 3) and the virial (3, 3) of an energy that depends on weights.

    Parameters
    ----------
    envelope : BudgetedEnvelope
        What gave the weights.
    neighborhood : Neighborhood
        The same as for ``weights``.
    by_weight : (n_pairs,) float64
        dE/dw of every listed pair in eV.

    Raises
    ------
    InputError
        As ``weights``.
    """
    views = _views(envelope, neighborhood)
    pressure_i = np.array([_pressure(envelope, view) for view in views])
    by_pressure_i = np.zeros(len(views))
    for i, view in enumerate(views):
        p_j, by_own, by_other = _joint(pressure_i[i], pressure_i[view.owners])
        by_p = by_weight[view.rows] * _kept(envelope, view, p_j)[1]
        by_pressure_i[i] += by_p @ by_own
        np.add.at(by_pressure_i, view.owners, by_p * by_other)
    forces, virial = np.zeros((len(views), 3)), np.zeros((3, 3))
    for i, view in enumerate(views):
        p_j, _, _ = _joint(pressure_i[i], pressure_i[view.owners])
        gradient_jc = _gradient(envelope, view, p_j, by_weight[view.rows])
        gradient_jc += by_pressure_i[i] * _pressure_gradient(envelope, view, pressure_i[i])
        forces[i] += gradient_jc.sum(axis=0)
        np.subtract.at(forces, view.owners, gradient_jc)
        virial -= view.d_jc.T @ gradient_jc
    return forces, virial


@dataclass(frozen=True)
class _View:
    """One atom's neighbours: where they stand in the list, whose images they are."""

    rows: slice
    owners: IntArray
    d_jc: FloatArray
    r_j: FloatArray
    screeners: Screeners


def _views(envelope: BudgetedEnvelope, neighborhood: Neighborhood) -> list[_View]:
    if neighborhood.cutoff < envelope.reach:
        raise InputError(
            f"budget: the neighbour list reaches {neighborhood.cutoff:g} A, expected "
            f"{envelope.reach:g} A (cutoff and screening atoms); build a longer list"
        )
    return [_view(envelope, neighborhood, i) for i in range(neighborhood.n_local)]


def _view(envelope: BudgetedEnvelope, around: Neighborhood, i: int) -> _View:
    rows = slice(int(around.first[i]), int(around.first[i + 1]))
    j = around.neighbors[rows]
    d_jc = around.positions[j] - around.positions[i]
    seen = screeners(envelope.triplet, int(around.numbers[i]), d_jc, around.numbers[j])
    return _View(rows, around.owners[j], d_jc, np.sqrt(np.sum(d_jc**2, axis=1)), seen)


def _kept(
    envelope: BudgetedEnvelope, view: _View, p_j: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return w_j = f(lambda r) S(sigma) at the pressures of the pairs, and dw_j/dp_j."""
    stretched = np.exp(envelope.shrink * p_j)
    f, slope = envelope.radial.values(stretched * view.r_j)
    x, by_shift = shares(view.screeners, -envelope.span * np.expm1(-p_j))
    s, by_x = combined(envelope.triplet, x)
    s_by_p = np.sum(by_x * by_shift, axis=1) * envelope.span * np.exp(-p_j)
    return f * s, f * s_by_p + slope * envelope.shrink * stretched * view.r_j * s


def _gradient(
    envelope: BudgetedEnvelope, view: _View, p_j: FloatArray, by_weight: FloatArray
) -> FloatArray:
    """Return the gradient of sum_j by_weight_j w_j by displacements, pressures fixed."""
    stretched = np.exp(envelope.shrink * p_j)
    f, slope = envelope.radial.values(stretched * view.r_j)
    shift = -envelope.span * np.expm1(-p_j)
    s, by_x = combined(envelope.triplet, shares(view.screeners, shift)[0])
    by_d = jacobian(view.screeners, shift, by_x)
    gradient_jc: FloatArray = np.einsum("j,jka->ka", by_weight * f, by_d)
    radial = by_weight * s * slope * stretched / np.where(view.r_j > 0.0, view.r_j, 1.0)
    return gradient_jc + radial[:, None] * view.d_jc


def _joint(p_i: float, p_j: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return (p_i^8 + p_j^8)^(1/8), its derivatives by p_i and by p_j."""
    joint = np.hypot(p_i**4, p_j**4) ** 0.25
    safe = np.where(joint > 0.0, joint, 1.0)
    return joint, (p_i / safe) ** 7, (p_j / safe) ** 7


def allowance(envelope: BudgetedEnvelope, crowd: float) -> tuple[float, float]:
    """Return B(n), what may remain of a sum n of weights, and dB/dn.

    B = n up to (1 - margin) target; beyond, with z = (n / target - 1) / margin + 1,
    B = n - margin target z e^(-1/z): C-infinity, and below the target.
    """
    z = (crowd / envelope.target - 1.0) / envelope.margin + 1.0
    if z <= 0.0:
        return crowd, 1.0
    decay = float(np.exp(-1.0 / z))
    return crowd - envelope.margin * envelope.target * z * decay, 1.0 - decay - decay / z


MOST_PRESSURE = 40.0
"""In units of 1 / shrink: the radial cutoff is e^-40 of what it was."""

TOLERANCE = 1e-14
"""Of a pressure; Newton's last step squares an error that is smaller than its root."""


def _sum(envelope: BudgetedEnvelope, view: _View, p: float) -> tuple[float, float]:
    """Return N(p) and dN/dp of one atom."""
    w_j, slope_j = _kept(envelope, view, np.full(len(view.r_j), p))
    return float(w_j.sum()), float(slope_j.sum())


def _pressure(envelope: BudgetedEnvelope, view: _View) -> float:
    """Return the root p of N(p) = B(N(0)): Newton's method, held between bounds."""
    crowd, _ = _sum(envelope, view, 0.0)
    kept, _ = allowance(envelope, crowd)
    if kept >= crowd:
        return 0.0
    low, high = _bounds(envelope, view, kept)
    p = low
    while high - low > TOLERANCE * high:
        total, slope = _sum(envelope, view, p)
        low, high = (p, high) if total > kept else (low, p)
        step = (kept - total) / slope if slope < 0.0 else np.inf
        if abs(step) <= TOLERANCE * high:
            return p + step
        p = p + step if low < p + step < high else 0.5 * (low + high)
    return p


def _bounds(envelope: BudgetedEnvelope, view: _View, kept: float) -> tuple[float, float]:
    low, high = 0.0, 1.0
    while _sum(envelope, view, high)[0] > kept:
        low, high = high, 2.0 * high
        if envelope.shrink * high > MOST_PRESSURE:
            raise InputError(
                "budget: atoms at the same place weigh more than the target "
                f"{envelope.target:g} at any cutoff; move them apart"
            )
    return low, high


def _pressure_gradient(envelope: BudgetedEnvelope, view: _View, p: float) -> FloatArray:
    """Return dp/dd_j: (B'(N(0)) dN(0)/dd_j - dN(p)/dd_j) / N'(p)."""
    if p == 0.0:
        return np.zeros_like(view.d_jc)
    ones = np.ones(len(view.r_j))
    _, bend = allowance(envelope, _sum(envelope, view, 0.0)[0])
    change = _gradient(envelope, view, 0.0 * ones, bend * ones)
    change -= _gradient(envelope, view, p * ones, ones)
    return change / _sum(envelope, view, p)[1]
