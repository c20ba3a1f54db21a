"""What the geometries of a data set say about distances; defaults of terms rest on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot import _native
from trimpot.elements import covalent_radius

if TYPE_CHECKING:
    from trimpot.contract import FloatArray
    from trimpot.splines.packing import PackedFrames

TYPICAL_SHORTEST = 0.8
"""Shortest distance of a pair that the data lack, over the sum of covalent radii."""

NEAR, FEW = 2.0, 0.005
"""Pairs begin where FEW of those up to NEAR times the shortest distance lie below."""


@dataclass(frozen=True)
class PairProfile:
    """Distances of every pair of species up to a cutoff.

    Attributes
    ----------
    species : tuple of int
        Atomic numbers, ascending.
    smallest : (s, s) float64
        Smallest distance in angstrom; infinity where a pair does not occur.
    counts : (s, s, bins) float64
        Ordered pairs per bin of r over [0, cutoff).
    cutoff : float
        Upper end of the bins in angstrom.
    """

    species: tuple[int, ...]
    smallest: FloatArray
    counts: FloatArray
    cutoff: float

    def has(self, a: int, b: int) -> bool:
        """Return whether the pair occurs in the data (below the cutoff)."""
        i, j = self.species.index(a), self.species.index(b)
        return bool(np.isfinite(self.smallest[i, j]))

    def shortest(self, a: int, b: int) -> float:
        """Return the smallest distance of the data, a typical one for an absent pair."""
        if self.has(a, b):
            return float(self.smallest[self.species.index(a), self.species.index(b)])
        return TYPICAL_SHORTEST * (covalent_radius(a) + covalent_radius(b))

    def beginning(self, a: int, b: int) -> float:
        """Return the distance below which few pairs of the data lie.

        Resolution below it is wasted. For an absent pair: the typical shortest distance.
        """
        i, j = self.species.index(a), self.species.index(b)
        shortest = self.shortest(a, b)
        counts = self.counts[i, j] + self.counts[j, i]
        edges = np.linspace(0.0, self.cutoff, len(counts) + 1)
        below = np.concatenate([[0.0], np.cumsum(counts)])
        near = float(np.interp(NEAR * shortest, edges, below))
        if not near > 0.0:
            return shortest
        return max(shortest, float(np.interp(FEW * near, below, edges)))


def pair_profile(
    frames: PackedFrames, cutoff: float, *, bins: int = 400, threads: int = 0
) -> PairProfile:
    """Return the pair distances of packed frames up to a cutoff (angstrom)."""
    n = len(frames.species_numbers)
    smallest = np.empty(n * n)
    counts = np.empty((n * n, bins))
    _native.pair_statistics(
        frames.offsets,
        frames.positions,
        frames.species,
        frames.cells,
        frames.pbc,
        n,
        cutoff,
        smallest,
        counts,
        threads,
    )
    square = smallest.reshape(n, n)
    either = np.minimum(square, square.T)  # the ends of a pair may differ by rounding
    return PairProfile(frames.species_numbers, either, counts.reshape(n, n, bins), cutoff)
