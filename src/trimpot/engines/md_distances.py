"""Distances between atoms during a run: the radial distribution function per pair."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement, pairwise
from typing import TYPE_CHECKING

import numpy as np

from trimpot.elements import SYMBOLS
from trimpot.engines.ase import structure_from_atoms
from trimpot.neighbors import neighborhood

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ase import Atoms

    from trimpot.contract import FloatArray, Neighborhood

RANGE_A, BINS = 8.0, 160
"""Largest distance in angstrom, and the number of intervals up to there."""

PAIRS_AT_ONCE = 500_000
"""About how many pairs are looked at together, which bounds memory."""

MOST_BLOCKS = 64
"""Blocks of frames that are kept; beyond it two become one."""

FEWEST_BLOCKS = 4
"""Blocks below which no error is given."""


@dataclass(frozen=True)
class RadialDistribution:
    """g(r) of every pair of elements, averaged over frames.

    Attributes
    ----------
    r_a : (k,) float64
        Middles of the intervals in angstrom.
    g : dict of str to (k,) float64
        By pair, such as "Ge-Te"; 1 in an ideal gas.
    error : dict of str to (k,) float64
        Standard errors, from blocks of frames; empty if there are too few.
    frames : int
        Number of frames.
    """

    r_a: FloatArray
    g: dict[str, FloatArray]
    error: dict[str, FloatArray]
    frames: int


class Distances:
    """Counts distances every ``interval`` steps, in blocks of frames.

    Frames come in equal blocks, so that those of the equilibration can be left out at the
    end, and memory is bounded: when there are too many, neighbouring blocks are added up.

    Parameters
    ----------
    atoms
        Periodic in three directions.
    interval : int
        Steps between two frames.
    threads : int
        Of the neighbour list; 0: all cores.
    """

    def __init__(self, atoms: Atoms, interval: int, threads: int = 0) -> None:
        self.interval = interval
        self.threads = threads
        numbers = np.asarray(atoms.numbers)
        self._numbers, self._kinds = np.unique(numbers, return_inverse=True)
        self._counts = np.bincount(self._kinds)
        self._pairs = list(combinations_with_replacement(range(len(self._numbers)), 2))
        self._pair_of = np.zeros((len(self._numbers),) * 2, dtype=np.int64)
        for place, (a, b) in enumerate(self._pairs):
            self._pair_of[a, b] = self._pair_of[b, a] = place
        self._blocks: list[FloatArray] = []
        self._size = 1
        self._frames = 0

    def record(self, atoms: Atoms) -> None:
        """Count the distances of a frame."""
        if self._frames == len(self._blocks) * self._size:
            if len(self._blocks) == MOST_BLOCKS:
                pairs = zip(self._blocks[::2], self._blocks[1::2], strict=True)
                self._blocks = [a + b for a, b in pairs]
                self._size *= 2
            self._blocks.append(np.zeros((len(self._pairs), BINS)))
        self._blocks[-1] = self._blocks[-1] + self._histogram(atoms)
        self._frames += 1

    def result(self, start_step: int) -> RadialDistribution | None:
        """Return g(r) over the blocks from a step on, the last block at least."""
        if self._frames == 0:
            return None
        span = self._size * self.interval
        first = min(-(-start_step // span), len(self._blocks) - 1)
        sizes = np.full(len(self._blocks), self._size)
        sizes[-1] = self._frames - (len(self._blocks) - 1) * self._size
        sums, counted = np.stack(self._blocks[first:]), sizes[first:]
        means = sums / counted[:, None, None]
        g = np.average(means, axis=0, weights=counted) / self._ideal()
        names = ["-".join(SYMBOLS[self._numbers[k]] for k in p) for p in self._pairs]
        error: dict[str, FloatArray] = {}
        if len(means) >= FEWEST_BLOCKS:
            spread = means.std(axis=0, ddof=1) / np.sqrt(len(means)) / self._ideal()
            error = dict(zip(names, spread, strict=True))
        edges = np.linspace(0.0, RANGE_A, BINS + 1)
        return RadialDistribution(
            r_a=0.5 * (edges[1:] + edges[:-1]),
            g=dict(zip(names, g, strict=True)),
            error=error,
            frames=int(counted.sum()),
        )

    def state(self) -> dict[str, object]:
        """Return what was counted so far."""
        blocks = np.array(self._blocks).reshape(-1, len(self._pairs), BINS)
        return {"blocks": blocks, "size": self._size, "frames": self._frames}

    def restore(self, state: Mapping[str, object]) -> None:
        """Go on from a state."""
        self._blocks = list(np.array(state["blocks"], dtype=np.float64))
        self._size = int(str(state["size"]))
        self._frames = int(str(state["frames"]))

    def _histogram(self, atoms: Atoms) -> FloatArray:
        """Return counts of ordered pairs times the volume, (pairs, bins)."""
        around = neighborhood(structure_from_atoms(atoms), RANGE_A, threads=self.threads)
        n = around.n_local
        pieces = max(1, len(around.neighbors) // PAIRS_AT_ONCE)
        ends = np.linspace(0, n, pieces + 1).astype(np.int64)
        found = np.zeros(len(self._pairs) * BINS)
        for start, stop in pairwise(ends):
            found += self._counted(around, start, stop)
        volume = float(atoms.get_volume())  # type: ignore[no-untyped-call]
        return found.reshape(-1, BINS) * volume

    def _counted(self, around: Neighborhood, start: int, stop: int) -> FloatArray:
        """Return counts of the neighbours of some atoms, (pairs * bins,)."""
        first = around.first[start : stop + 1]
        center = np.repeat(np.arange(start, stop), np.diff(first))
        neighbors = around.neighbors[first[0] : first[-1]]
        apart = around.positions[neighbors]
        apart -= around.positions[center]
        r = np.sqrt(np.einsum("ij,ij->i", apart, apart))
        pair = self._pair_of[self._kinds[center], self._kinds[around.owners[neighbors]]]
        place = np.minimum((r * (BINS / RANGE_A)).astype(np.int64), BINS - 1)
        counts = np.bincount(pair * BINS + place, minlength=len(self._pairs) * BINS)
        return counts.astype(np.float64)

    def _ideal(self) -> FloatArray:
        """Return what ``_histogram`` gives for an ideal gas."""
        edges = np.linspace(0.0, RANGE_A, BINS + 1)
        shells = 4.0 / 3.0 * np.pi * np.diff(edges**3)
        n = self._counts
        ordered = np.array([n[a] * n[b] * (1 if a == b else 2) for a, b in self._pairs])
        ideal: FloatArray = ordered[:, None] * shells
        return ideal
