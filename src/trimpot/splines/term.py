"""What a term of a spline potential is.

A potential is a sum of terms. A kind of term is one module here (its settings and its
frozen description), one function in reference.py (the specification) and one header in
native/core/kernels (the fast path). Every term is linear in its coefficients.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimpot import _native
    from trimpot.contract import FloatArray

State = dict[str, object]
"""Nested dictionaries and lists with numbers, strings and NumPy arrays as leaves."""


@dataclass(frozen=True)
class Regularization:
    """Quadratic penalties on one term's coefficients c.

    Attributes
    ----------
    ridge : (n,) float64
        Weights of c_k^2.
    curvature : (rows, n) sparse
        D of the penalty |D c|^2: second differences along every spline axis.
    """

    ridge: FloatArray
    curvature: sparse.csr_array

    @staticmethod
    def none(n: int) -> Regularization:
        """Return no penalty on n coefficients."""
        return Regularization(np.zeros(n), sparse.csr_array((0, n)))


class Term(ABC):
    """One term: species, knots and which coefficients are free; not their values."""

    kind: ClassVar[str]

    @property
    @abstractmethod
    def cutoff(self) -> float:
        """Largest distance from the central atom that the term reaches, angstrom."""

    @property
    @abstractmethod
    def n_coefficients(self) -> int:
        """Number of linear coefficients (0 for a fixed term such as ZBL)."""

    @abstractmethod
    def native(self, coefficients: FloatArray | None) -> _native.Term:
        """Return the kernel; without coefficients it only makes design-matrix rows."""

    @abstractmethod
    def regularization(self) -> Regularization:
        """Return the penalties that keep the fit smooth."""

    @property
    def n_limits(self) -> int:
        """How many arguments are bounded, per central species (none by default)."""
        return 0

    def with_limits(self, limits: FloatArray) -> Term:  # noqa: ARG002
        """Return the term with arguments bounded by limits (s, n_limits)."""
        return self

    def monotone_rows(self) -> FloatArray:
        """Return A (rows, n) of the fit's constraints A c <= 0 (empty by default)."""
        return np.zeros((0, self.n_coefficients))

    @abstractmethod
    def state(self) -> State:
        """Return the description that ``from_state`` restores, without the kind."""

    @classmethod
    @abstractmethod
    def from_state(cls, species: tuple[int, ...], state: Mapping[str, object]) -> Term:
        """Restore a term from its state."""


def second_differences(columns: np.ndarray, n_coefficients: int) -> sparse.csr_array:
    """Return second differences along every axis of a grid of coefficients.

    Parameters
    ----------
    columns : int array of any dimension
        Coefficient of each grid point; -1: frozen at zero; -2: the point does not exist
        (no data can touch it), so that no difference involves it.
    n_coefficients : int
        Number of columns of the result.

    Notes
    -----
    Frozen points count as zeros: the penalty also bends the function smoothly to them.
    """
    rows: list[tuple[int, int, int]] = []
    for axis in range(columns.ndim):
        c = np.moveaxis(columns, axis, -1)
        triples = np.stack([c[..., :-2], c[..., 1:-1], c[..., 2:]], axis=-1).reshape(-1, 3)
        usable = (triples != -2).all(axis=1) & (triples >= 0).any(axis=1)
        rows.extend(map(tuple, triples[usable]))
    triples = np.array(rows, dtype=np.int64).reshape(-1, 3)
    row = np.repeat(np.arange(len(triples)), 3)
    value = np.tile([1.0, -2.0, 1.0], len(triples))
    column = triples.ravel()
    free = column >= 0
    matrix = sparse.coo_array(
        (value[free], (row[free], column[free])), shape=(len(triples), n_coefficients)
    )
    return sparse.csr_array(matrix)
