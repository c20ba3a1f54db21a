"""Shells of neighbours: the radial distribution of a data set and its gaps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

if TYPE_CHECKING:
    from trimpot.contract import FloatArray
    from trimpot.splines.profile import PairProfile

SMEARING = 0.06
"""Width in angstrom over which the distribution is smoothed before gaps are sought."""

DEPTH = 0.1
"""Smallest depth of a gap: fall of the distribution below the lower of its two sides."""


@dataclass(frozen=True)
class Shells:
    """Distances between atoms, all elements and frames together.

    Attributes
    ----------
    edges : (bins + 1,) float64
        Edges of the bins in angstrom, from 0.
    counts : (bins,) float64
        Neighbours per bin of an atom, the mean over all atoms.
    shortest : float
        Smallest distance in angstrom.
    """

    edges: FloatArray
    counts: FloatArray
    shortest: float

    @cached_property
    def distribution(self) -> FloatArray:
        """Neighbours per volume over their mean within the reach, smoothed: g(r)."""
        width = self.edges[1] - self.edges[0]
        volumes = 4.0 / 3.0 * np.pi * np.diff(self.edges**3)
        raw = self.counts / volumes
        mean = self.counts.sum() / volumes.sum()
        return gaussian_filter1d(raw / max(mean, 1e-300), SMEARING / width, mode="nearest")

    @property
    def middles(self) -> FloatArray:
        """Middles of the bins."""
        return 0.5 * (self.edges[1:] + self.edges[:-1])

    @property
    def reach(self) -> float:
        """Largest distance that was looked at."""
        return float(self.edges[-1])

    @cached_property
    def peaks(self) -> FloatArray:
        """Distances of the shells, ascending."""
        return self.middles[find_peaks(self.distribution, prominence=DEPTH)[0]]

    @cached_property
    def gaps(self) -> FloatArray:
        """Distances of the minima between shells, ascending."""
        found = self.middles[find_peaks(-self.distribution, prominence=DEPTH)[0]]
        return found[found > self.peaks[0]] if len(self.peaks) else found[:0]

    @property
    def nearest(self) -> float:
        """Distance of the first shell; the shortest distance where there is no shell."""
        return float(self.peaks[0]) if len(self.peaks) else self.shortest

    def within(self, distance: float) -> float:
        """Return the mean number of neighbours of an atom up to a distance."""
        return float(np.interp(distance, self.edges, self._cumulative))

    def holding(self, neighbours: float) -> float:
        """Return the distance that holds so many neighbours; infinity if beyond reach."""
        if self._cumulative[-1] < neighbours:
            return float("inf")
        return float(np.interp(neighbours, self._cumulative, self.edges))

    def gap_from(self, distance: float, tolerance: float) -> float | None:
        """Return the first gap from a distance on, at most a share ``tolerance`` beyond."""
        upper = distance * (1.0 + tolerance)
        beyond = self.gaps[(self.gaps >= distance) & (self.gaps <= upper)]
        return float(beyond[0]) if len(beyond) else None

    @cached_property
    def _cumulative(self) -> FloatArray:
        return np.concatenate([[0.0], np.cumsum(self.counts)])


def shells_of(profile: PairProfile, n_atoms: int) -> Shells:
    """Return the shells in the frames of a profile with so many atoms in all."""
    counts = profile.counts.sum(axis=(0, 1)) / n_atoms
    edges = np.linspace(0.0, profile.cutoff, len(counts) + 1)
    return Shells(edges, counts, float(profile.smallest.min()))
