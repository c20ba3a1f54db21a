"""The regularised normal equations and their solution.

    H = kappa G_E / (N_E s_E^2) + (1 - kappa) G_F / (N_F s_F^2)
        + stress_weight G_S / (N_S s_S^2) + ridge R + curvature D^T D

with N the summed weights and s the spread of each quantity; kappa and stress_weight
have no unit, ridge and curvature are in eV^-2. Linear inequalities A c <= b keep the
potential safe outside the data: the fit is a convex quadratic programme.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg, sparse

from trimpot.errors import FitError
from trimpot.fitting.blocks import add_scaled
from trimpot.fitting.inequalities import shortest_step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trimpot.contract import FloatArray
    from trimpot.fitting.blocks import Block
    from trimpot.fitting.inequalities import Inequalities
    from trimpot.fitting.settings import Strengths
    from trimpot.splines.term import Term


@dataclass(frozen=True)
class Penalty:
    """Ridge weights and D^T D of all terms side by side."""

    ridge: FloatArray
    curvature: sparse.csr_array


def penalty_of(terms: Sequence[Term]) -> Penalty:
    """Return the penalties of terms with free coefficients."""
    parts = [t.regularization() for t in terms]
    squares = [p.curvature.T @ p.curvature for p in parts]
    return Penalty(
        np.concatenate([p.ridge for p in parts]),
        sparse.csr_array(sparse.block_diag(squares)),
    )


@dataclass(frozen=True)
class NormalEquations:
    """Data part of H and the right-hand side at one kappa."""

    matrix: FloatArray
    moment: FloatArray


def data_equations(
    parts: Mapping[str, Block],
    scales: Mapping[str, float],
    kappa: float,
    stress_weight: float,
) -> NormalEquations:
    """Return the normalised sum over quantities of blocks (see ``Blocks.total``)."""
    n = len(next(iter(parts.values())).moment)
    shares = {"energy": kappa, "forces": 1.0 - kappa, "stress": stress_weight}
    matrix, moment = np.zeros((n, n), order="F"), np.zeros(n)
    for quantity, block in parts.items():
        if block.weight == 0.0 or shares[quantity] == 0.0:
            continue
        factor = shares[quantity] / (block.weight * scales[quantity] ** 2)
        add_scaled(matrix, factor, block.gram)
        moment += factor * block.moment
    return NormalEquations(matrix, moment)


def factorize(
    equations: NormalEquations, penalty: Penalty, strengths: Strengths
) -> tuple[FloatArray, bool]:
    """Return the Cholesky factor of H (lower).

    Raises
    ------
    FitError
        If H is not positive definite to rounding.
    """
    h = equations.matrix.copy(order="F")
    add_penalty(h, penalty, strengths)
    try:
        return linalg.cho_factor(h, lower=True, overwrite_a=True, check_finite=False)
    except linalg.LinAlgError as error:
        raise FitError(
            f"the normal equations are singular at ridge {strengths.ridge:g} and curvature "
            f"{strengths.curvature:g}; use larger strengths, fewer knots, or more data"
        ) from error


def add_penalty(h: FloatArray, penalty: Penalty, strengths: Strengths) -> None:
    """Add ridge and curvature to H in place."""
    n = len(h)
    h.ravel(order="F")[:: n + 1] += strengths.ridge * penalty.ridge
    entries = penalty.curvature.tocoo()
    row, column = entries.coords
    h[row, column] += strengths.curvature * entries.data


def solve(equations: NormalEquations, penalty: Penalty, strengths: Strengths) -> FloatArray:
    """Return the unconstrained coefficients."""
    factor = factorize(equations, penalty, strengths)
    return np.asarray(linalg.cho_solve(factor, equations.moment, check_finite=False))


def solve_constrained(
    equations: NormalEquations,
    penalty: Penalty,
    strengths: Strengths,
    inequalities: Inequalities,
) -> FloatArray:
    """Return the coefficients that minimise the loss under linear inequalities.

    Raises
    ------
    FitError
        If no coefficients satisfy them, or the equations are singular.

    Notes
    -----
    With u = L^T c, L L^T = H, the loss is |u - u0|^2 and the inequalities A c <= b are
    A L^-T u <= b: the solution is the point nearest to u0 that obeys them. Only those
    enter that have been violated on the way; the others hold at the end.
    """
    factor = factorize(equations, penalty, strengths)
    free = np.asarray(linalg.cho_solve(factor, equations.moment, check_finite=False))
    c, working = free, np.zeros(len(inequalities), dtype=np.bool_)
    while (violated := ~inequalities.held(c) & ~working).any():
        working |= violated
        c = free + _correction(factor[0], inequalities.only(working), free)
    return c


def _correction(
    lower: FloatArray, inequalities: Inequalities, free: FloatArray
) -> FloatArray:
    """Return the step from ``free`` that is shortest in the metric L L^T of the loss."""
    b_t = linalg.solve_triangular(
        lower, inequalities.rows.T, lower=True, check_finite=False
    )
    norms = np.linalg.norm(b_t, axis=0)
    if (norms == 0.0).any():
        raise FitError("an inequality of the fit has no coefficients and does not hold")
    length = float(np.linalg.norm(np.tril(lower).T @ free))
    step = shortest_step(b_t / norms, inequalities.room(free) / norms, length)
    return np.asarray(
        linalg.solve_triangular(lower, step, lower=True, trans="T", check_finite=False)
    )
