"""The least time a force call can take: operations and bytes beside the machine's peaks.

Operations are counted for the schedule of docs/benchmarks/kernels.md, bytes are those that
must pass through memory once. Peaks are measured: a matrix product of the BLAS of NumPy,
and a copy of an array larger than most caches.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trimpot.benchmarks.parts import Counts
    from trimpot.contract import Precision

FLOPS_PER_LISTED_PAIR = 10.0
"""Vector, squared distance and comparison with the cutoff (3 + 5 + 2)."""

FLOPS_PER_PAIR = 26.0
"""Inverse root and position in the interval (15), slope of a cubic (4), force (7)."""

FLOPS_PER_TRIPLET = 316.0
"""4 x 4 cubics and their slopes by Horner's scheme: 5 fused multiply-adds of 16 lanes
(160); products with the bases and sums along both legs (80) and along the opposite side
(31); that side's length, position in its interval, and force (45)."""

BYTES_PER_LISTED_PAIR = 2.0
"""The index of a neighbour in a patch; its position is in a cache."""

BYTES_PER_ATOM = 128.0
"""Positions read (24) and copied for kernels (32 + 8), written again (8 + 24) for images on
average, forces (24), energy (8)."""

MATRIX = 1024
COPIED_BYTES = 2**28
TRIALS = 5


@dataclass(frozen=True)
class Peaks:
    """What this machine reaches.

    Attributes
    ----------
    gflops : mapping
        1e9 operations per second of a matrix product by precision ("double", and "mixed"
        for single).
    copy_gb_per_s : float
        1e9 bytes per second read and written by a copy.
    threads : int
        Threads of the matrix product; the copy uses one.
    """

    gflops: Mapping[str, float]
    copy_gb_per_s: float
    threads: int


@dataclass(frozen=True)
class Floor:
    """The least time per atom and step.

    Attributes
    ----------
    flops, bytes : float
        Per atom and step.
    us_by_flops, us_by_bytes : float
        us/atom/step at the peaks of the machine.
    """

    flops: float
    bytes: float
    us_by_flops: float
    us_by_bytes: float

    @property
    def us(self) -> float:
        """The larger of the two."""
        return max(self.us_by_flops, self.us_by_bytes)


def measure_peaks(threads: int = 1) -> Peaks:
    """Return peaks of this machine; takes about a second."""
    with threadpool_limits(threads):
        gflops = {
            "double": _matrix_gflops(np.float64),
            "mixed": _matrix_gflops(np.float32),
        }
    source = np.ones(COPIED_BYTES // 8)
    target = np.empty_like(source)
    seconds = _fastest(lambda: np.copyto(target, source))
    return Peaks(gflops, 2e-9 * COPIED_BYTES / seconds, threads)


def floor(counts: Counts, peaks: Peaks, precision: Precision) -> Floor | None:
    """Return the floor of a potential of pairs and triplets; None for any other.

    Pairs of the parts named "pair" and "zbl" and triplets of the part "triplet" are
    counted.
    """
    if not counts.parts or set(counts.parts) - {"pair", "zbl", "triplet"}:
        return None
    flops = FLOPS_PER_LISTED_PAIR * counts.listed
    for name, part in counts.parts.items():
        if name == "triplet":
            flops += FLOPS_PER_TRIPLET * part.triplets
        else:
            flops += FLOPS_PER_PAIR * part.neighbors
    moved = BYTES_PER_LISTED_PAIR * counts.listed + BYTES_PER_ATOM
    return Floor(
        flops,
        moved,
        1e-3 * flops / peaks.gflops[precision],
        1e-3 * moved / peaks.copy_gb_per_s,
    )


def _matrix_gflops(kind: type[np.floating]) -> float:
    a = np.ones((MATRIX, MATRIX), dtype=kind)
    out = np.empty_like(a)
    return 2e-9 * MATRIX**3 / _fastest(lambda: np.matmul(a, a, out=out))


def _fastest(work: Callable[[], object]) -> float:
    """Return the seconds of the fastest of a few trials; the first is not counted."""
    work()
    seconds = []
    for _ in range(TRIALS):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)
