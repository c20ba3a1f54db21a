"""What the training data leave in a potential about how far it can be trusted.

Two triangular matrices over the fitted coefficients, and a few numbers:

- the extent of the data: |phi W| is how far the row phi of an atom (its energy by each
  coefficient) is from those of the training atoms (docs/theory/uncertainty.md, eq. 2);
- the posterior of the coefficients: |a W|^2 is the leverage of any row a, a derivative of
  an energy, a force or a stress by the coefficients (eq. 5).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg.blas import strmm

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from trimpot.contract import FloatArray

    SingleArray = NDArray[np.float32]

QUANTITIES = ("energy", "forces", "stress")
"""Order of the variances; energies are per atom."""


@dataclass(frozen=True)
class Trust:
    """How far a potential can be trusted.

    Attributes
    ----------
    extent : (k, k) float32
        Upper triangle of W for the rows of atoms.
    limits : (s,) float64
        |phi W| of the edge of the training data, per species of the atom: grade 1.
    shortest : (s, s) float64
        Shortest distances in the training data, angstrom; infinity: never met.
    posterior : (k, k) float32
        Upper triangle of W for the rows of energies per atom, forces and stresses.
    variances : (3, 2) float64
        Of the error of each quantity: a constant, and the factor of the leverage; both 0
        for a quantity without labels.
    """

    extent: SingleArray
    limits: FloatArray
    shortest: FloatArray
    posterior: SingleArray
    variances: FloatArray

    @property
    def n_columns(self) -> int:
        """Number of fitted coefficients."""
        return len(self.extent)

    def statistics(self) -> dict[str, np.ndarray]:
        """Return everything but ``shortest`` as named arrays, for storage."""
        return {
            "trust_extent": packed_upper(self.extent),
            "trust_limits": self.limits,
            "trust_posterior": packed_upper(self.posterior),
            "trust_variances": self.variances,
        }


def trust_of(statistics: Mapping[str, np.ndarray]) -> Trust | None:
    """Return what the statistics of a potential say; None if they say nothing."""
    if "trust_extent" not in statistics:
        return None
    return Trust(
        full_upper(statistics["trust_extent"]),
        statistics["trust_limits"],
        statistics["smallest"],
        full_upper(statistics["trust_posterior"]),
        statistics["trust_variances"],
    )


def squared_lengths(rows: FloatArray, factor: SingleArray) -> FloatArray:
    """Return |a W|^2 of each row a, in single precision."""
    if len(rows) == 0:
        return np.zeros(0)
    # Fortran order both: W^T a^T, from the transposed views of C arrays.
    image = strmm(1.0, factor.T, rows.T.astype(np.float32, order="F"), lower=1)
    return np.asarray(np.einsum("kr,kr->r", image, image, dtype=np.float64))


def packed_upper(matrix: SingleArray) -> SingleArray:
    """Return the upper triangle row by row."""
    return np.asarray(matrix[np.triu_indices(len(matrix))], dtype=np.float32)


def order_of(length: int) -> int:
    """Return k of a triangle with k (k + 1) / 2 entries, -1 if there is none."""
    k = int((np.sqrt(8.0 * length + 1.0) - 1.0) / 2.0 + 0.5)
    return k if k * (k + 1) // 2 == length else -1


def full_upper(packed: np.ndarray) -> SingleArray:
    """Return the triangle as a matrix with zeros below."""
    k = order_of(len(packed))
    matrix = np.zeros((k, k), dtype=np.float32)
    matrix[np.triu_indices(k)] = packed
    return matrix
