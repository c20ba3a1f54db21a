"""Gram blocks: all that a linear fit needs to know about its data, per fold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg.blas import daxpy, dsymv

from trimpot.fitting.inequalities import Inequalities
from trimpot.fitting.settings import QUANTITIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimpot.contract import FloatArray


@dataclass
class Block:
    """Sums over the rows A and targets y of one quantity, weighted.

    Attributes
    ----------
    gram : (n, n) float64, Fortran order
        Lower triangle of A^T A.
    moment : (n,) float64
        A^T y.
    square : float
        y^T y.
    weight : float
        Sum of the rows' weights (their number where all weights are 1).
    """

    gram: FloatArray
    moment: FloatArray
    square: float
    weight: float

    @staticmethod
    def empty(n: int) -> Block:
        """Return a block of no rows."""
        return Block(np.zeros((n, n), order="F"), np.zeros(n), 0.0, 0.0)

    def squared_error(self, c: FloatArray) -> float:
        """Return |A c - y|^2 (never negative)."""
        product = dsymv(1.0, self.gram, c, lower=1)
        return max(0.0, float(c @ product - 2.0 * (c @ self.moment) + self.square))

    def plus(self, factor: float, other: Block) -> Block:
        """Return self + factor * other."""
        gram = self.gram.copy(order="F")
        add_scaled(gram, factor, other.gram)
        return Block(
            gram,
            self.moment + factor * other.moment,
            self.square + factor * other.square,
            self.weight + factor * other.weight,
        )


def add_scaled(target: FloatArray, factor: float, addend: FloatArray) -> None:
    """Add factor * addend to target in place, without temporary copies.

    Both are Fortran-ordered.
    """
    daxpy(addend.ravel(order="K"), target.reshape(-1, order="F"), a=factor)


@dataclass(frozen=True)
class Blocks:
    """Gram blocks of every fold and quantity of one data set and basis.

    Attributes
    ----------
    folds : tuple of dict
        ``folds[f][quantity]``; quantities without labels are absent.
    scales : dict
        Spread of each quantity's targets: standard deviation of energies per atom about
        the composition baseline, root mean square of forces and stresses.
    coverage : (n,) float64
        Sum of each basis function over all training frames' atoms: how much data touch it.
    anchors : Inequalities
        What the coefficients must obey outside the data; they rest on the frames too.
    """

    folds: tuple[dict[str, Block], ...]
    scales: dict[str, float]
    coverage: FloatArray
    anchors: Inequalities

    @property
    def n_columns(self) -> int:
        """Number of coefficients."""
        return len(self.coverage)

    @property
    def quantities(self) -> tuple[str, ...]:
        """Quantities with labels."""
        return tuple(q for q in QUANTITIES if q in self.scales)

    def total(self) -> dict[str, Block]:
        """Return the sum over all folds, per quantity."""
        sums = {q: self.folds[0][q] for q in self.quantities}
        for fold in self.folds[1:]:
            sums = {q: s.plus(1.0, fold[q]) for q, s in sums.items()}
        return sums

    def arrays(self) -> dict[str, FloatArray]:
        """Return everything as named arrays, for storage."""
        out: dict[str, FloatArray] = {"coverage": self.coverage}
        for f, fold in enumerate(self.folds):
            for quantity, b in fold.items():
                out[f"{f}.{quantity}.gram"] = b.gram.T  # C order; upper triangle
                out[f"{f}.{quantity}.moment"] = b.moment
                out[f"{f}.{quantity}.sums"] = np.array([b.square, b.weight])
        for quantity, scale in self.scales.items():
            out[f"scale.{quantity}"] = np.array([scale])
        out["anchors.rows"], out["anchors.bounds"] = self.anchors.rows, self.anchors.bounds
        return out

    @staticmethod
    def from_arrays(arrays: Mapping[str, FloatArray]) -> Blocks:
        """Restore from :meth:`arrays`."""
        scales = {
            q: float(arrays[f"scale.{q}"][0]) for q in QUANTITIES if f"scale.{q}" in arrays
        }
        n_folds = 1 + max(int(k.split(".")[0]) for k in arrays if k[0].isdigit())
        folds = tuple(
            {
                q: Block(
                    arrays[f"{f}.{q}.gram"].T,
                    arrays[f"{f}.{q}.moment"],
                    *map(float, arrays[f"{f}.{q}.sums"]),
                )
                for q in QUANTITIES
                if f"{f}.{q}.gram" in arrays
            }
            for f in range(n_folds)
        )
        anchors = Inequalities(arrays["anchors.rows"], arrays["anchors.bounds"])
        return Blocks(folds, scales, arrays["coverage"], anchors)
