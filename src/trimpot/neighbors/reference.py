"""Neighbour pairs by brute force: the readable specification of the native list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trimpot.contract import FloatArray, IntArray, Structure


@dataclass(frozen=True)
class Pairs:
    """All ordered pairs of a structure within a cutoff.

    Attributes
    ----------
    first, second : (p,) int32
        Atoms i and j of each pair.
    shifts : (p, 3) int64
        S of ``r_ij = x_j - x_i + S @ cell``.
    vectors : (p, 3) float64
        r_ij in angstrom.
    """

    first: IntArray
    second: IntArray
    shifts: NDArray[np.int64]
    vectors: FloatArray


def pairs(structure: Structure, cutoff: float) -> Pairs:
    """Return all pairs with r < cutoff, images included, by comparing all with all.

    Coincident atoms (r = 0) are pairs; an atom with itself in the same image is not.

    Parameters
    ----------
    structure : Structure
        Atoms anywhere, any cell, any mix of periodic directions.
    cutoff : float
        Cutoff in angstrom, > 0.

    Raises
    ------
    InputError
        If the periodic cell vectors are linearly dependent.
    """
    x_nc = structure.positions
    n = len(x_nc)
    first, second = (index.ravel() for index in np.indices((n, n)))
    lattice = _triangular(structure.cell[structure.pbc])
    near_pc, nearest_pd = _nearest(x_nc[second] - x_nc[first], lattice)
    found = []
    for vector, shift_d in _lattice_vectors(lattice, cutoff):
        r_pc = near_pc + vector
        shifts = nearest_pd + shift_d
        itself = (first == second) & (shifts == 0).all(axis=1)
        near = ((r_pc**2).sum(axis=1) < cutoff**2) & ~itself
        found.append((first[near], second[near], shifts[near], r_pc[near]))
    return _joined(found, structure.pbc)


_Found = tuple["NDArray[np.intp]", "NDArray[np.intp]", "NDArray[np.int64]", "FloatArray"]


def _joined(found: list[_Found], pbc: NDArray[np.bool_]) -> Pairs:
    first, second, shifts_pd, vectors = (
        np.concatenate(column) for column in zip(*found, strict=True)
    )
    shifts = np.zeros((len(first), 3), np.int64)
    shifts[:, pbc] = shifts_pd
    return Pairs(first.astype(np.int32), second.astype(np.int32), shifts, vectors)


@dataclass(frozen=True)
class _Lattice:
    """Periodic rows = lower @ axes, with orthonormal axes and a positive diagonal."""

    rows: FloatArray
    lower: FloatArray
    axes: FloatArray


def _triangular(rows: FloatArray) -> _Lattice:
    axes, upper = np.linalg.qr(rows.T)
    sign = np.where(np.diag(upper) < 0.0, -1.0, 1.0)
    lattice = _Lattice(rows, upper.T * sign, (axes * sign).T)
    lengths = np.linalg.norm(rows, axis=1)
    if not (np.diag(lattice.lower) > 1e-12 * lengths.max(initial=0.0)).all():
        raise InputError(
            f"the periodic cell vectors {rows.tolist()} are linearly dependent; give "
            "independent vectors or switch off pbc along one direction"
        )
    return lattice


def _nearest(
    difference_pc: FloatArray, lattice: _Lattice
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Move each difference by a lattice vector to within half a period along each axis.

    Row d of the lattice has no part along the axes after d: the last one goes first.
    """
    near_pc = difference_pc.copy()
    shifts = np.zeros((len(near_pc), len(lattice.rows)), np.int64)
    for d in reversed(range(len(lattice.rows))):
        whole = np.rint(near_pc @ lattice.axes[d] / lattice.lower[d, d])
        near_pc -= whole[:, None] * lattice.rows[d]
        shifts[:, d] = -whole
    return near_pc, shifts


def _lattice_vectors(
    lattice: _Lattice, cutoff: float
) -> Iterator[tuple[FloatArray, NDArray[np.int64]]]:
    """Yield the lattice vectors that can bring a pair within the cutoff, and multiples.

    Along each axis a pair is within half a period of the origin, so that a lattice vector
    must be within half a period and the cutoff.
    """

    def extend(
        d: int, vector: FloatArray, shift: list[int]
    ) -> Iterator[tuple[FloatArray, list[int]]]:
        if d < 0:
            yield vector, shift
            return
        along, period = float(vector @ lattice.axes[d]), lattice.lower[d, d]
        reach = cutoff + 0.5 * period
        low = int(np.ceil((-reach - along) / period - 1e-9))
        high = int(np.floor((reach - along) / period + 1e-9))
        for s in range(low, high + 1):
            yield from extend(d - 1, vector + s * lattice.rows[d], [s, *shift])

    for vector, shift in extend(len(lattice.rows) - 1, np.zeros(3), []):
        yield vector, np.array(shift, np.int64)
