"""The formulas of grades and leverages in plain NumPy: the specification.

Numbers of equations are those of docs/theory/uncertainty.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.contract import FloatArray, IndexArray


def second_moment(rows: FloatArray, weights: FloatArray, ridge: FloatArray) -> FloatArray:
    """Return M (eq. 1): the weighted mean of phi phi^T, plus the ridge.

    Parameters
    ----------
    rows : (n, k) float64
        phi of each atom, its energy by each coefficient.
    weights : (n,) float64
        Their sum is 1.
    ridge : (k,) float64
        Of each column.
    """
    return (rows * weights[:, None]).T @ rows + np.diag(ridge)


def ridges(rows: FloatArray, kinds: IndexArray, sizes: Sequence[int]) -> FloatArray:
    """Return the ridge of each column: 1e-5 of the largest mean square of its term."""
    squares = species_weights(kinds) @ rows**2
    parts = np.split(squares, np.cumsum(sizes)[:-1])
    return 1e-5 * np.concatenate([np.full(len(p), p.max()) for p in parts])


def species_weights(kinds: IndexArray) -> FloatArray:
    """Return weights of atoms that give each species the same sum; all together 1."""
    counts = np.bincount(kinds)[kinds]
    weights = 1.0 / counts
    return np.asarray(weights / weights.sum())


def optimal_weights(
    rows: FloatArray, kinds: IndexArray, ridge: FloatArray, *, steps: int = 2
) -> FloatArray:
    """Return weights of atoms after steps towards the D-optimal ones (eq. 3)."""
    weights = species_weights(kinds)
    for _ in range(steps):
        inverse = np.linalg.inv(second_moment(rows, weights, ridge))
        weights = weights * np.einsum("nk,kl,nl->n", rows, inverse, rows)
        weights = weights / weights.sum()
    return weights


def lengths(rows: FloatArray, moment: FloatArray) -> FloatArray:
    """Return how far atoms are: sqrt(phi^T M^-1 phi) (eq. 2)."""
    squares = np.einsum("nk,kl,nl->n", rows, np.linalg.inv(moment), rows)
    return np.asarray(np.sqrt(squares))


def leverages(rows: FloatArray, equations: FloatArray) -> FloatArray:
    """Return h = a^T H^-1 a of each row (eq. 5)."""
    return np.asarray(np.einsum("nk,kl,nl->n", rows, np.linalg.inv(equations), rows))


def edge(lengths_held_out: Sequence[FloatArray], *, inside: float = 0.98) -> float:
    """Return the length of grade 1 (eq. 4): so many held-out frames are inside.

    For one species; of each frame the farthest atom counts.
    """
    worst = np.sort([float(frame.max()) for frame in lengths_held_out])
    return float(worst[int(np.ceil(inside * (len(worst) - 1)))])
