"""How well the data determine a fit: rank, condition, effective degrees of freedom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg

if TYPE_CHECKING:
    from trimpot.contract import FloatArray
    from trimpot.fitting.settings import Strengths
    from trimpot.fitting.solving import NormalEquations, Penalty

from trimpot.fitting.solving import factorize

RANK_TOLERANCE = 1e-12
"""Pivots of the scaled Gram matrix below this count as zero."""


@dataclass(frozen=True)
class Conditions:
    """Numerical facts about a fit.

    Attributes
    ----------
    n_coefficients : int
        Free coefficients.
    rank : int
        Combinations of them that the data determine without any penalty.
    condition : float
        Estimated condition number of the regularised, diagonally scaled equations.
    degrees_of_freedom : float
        tr(H^-1 G): coefficients that the data, not the penalties, decide.
    untouched : int
        Coefficients that no training frame touches.
    """

    n_coefficients: int
    rank: int
    condition: float
    degrees_of_freedom: float
    untouched: int


def conditions_of(
    equations: NormalEquations, penalty: Penalty, strengths: Strengths, coverage: FloatArray
) -> Conditions:
    """Return the conditions of the solve at these strengths."""
    factor, _ = factorize(equations, penalty, strengths)
    lower = np.tril(factor)
    diagonal = np.sqrt(np.sum(lower**2, axis=1))
    return Conditions(
        n_coefficients=len(coverage),
        rank=_rank(equations.matrix),
        condition=_condition(lower / diagonal[:, None]),
        degrees_of_freedom=_degrees_of_freedom(factor, equations.matrix),
        untouched=int((coverage == 0.0).sum()),
    )


def _rank(gram: FloatArray) -> int:
    """Return the numerical rank of the lower-stored, diagonally scaled Gram matrix."""
    diagonal = np.sqrt(np.diag(gram))
    touched = diagonal > 0.0
    scaled = gram[np.ix_(touched, touched)] / np.outer(diagonal[touched], diagonal[touched])
    if len(scaled) == 0:
        return 0
    return int(linalg.lapack.dpstrf(scaled, tol=RANK_TOLERANCE, lower=1)[2])


def _condition(lower: FloatArray) -> float:
    """Return the 1-norm condition number of L L^T, L with rows of unit length."""
    norm = float(np.abs(lower @ lower.T).sum(axis=0).max())
    reciprocal, _ = linalg.lapack.dpocon(np.asfortranarray(lower), norm, uplo="L")
    return float(1.0 / reciprocal) if reciprocal > 0.0 else float("inf")


def _degrees_of_freedom(factor: FloatArray, gram: FloatArray) -> float:
    inverse, _ = linalg.lapack.dpotri(factor, lower=1)
    product = np.tril(inverse) * np.tril(gram)
    return float(2.0 * product.sum() - np.trace(product))
