"""Rows of the fitted coefficients: of atoms, energies, forces and stresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot import _native
from trimpot.splines.one_body import OneBody
from trimpot.splines.packing import pack, species_indices

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trimpot.contract import FloatArray, Neighborhood, Structure
    from trimpot.splines.term import Term

BATCH_BYTES = 16 * 2**20
"""Memory of a batch of rows: small enough to stay near the processor."""


@dataclass(frozen=True)
class FrameRows:
    """Rows of some structures, one after the other.

    Attributes
    ----------
    energy : (frames, k) float64
        Energy per atom by each coefficient.
    forces : (3 atoms, k) float64
    stress : (6 frames, k) float64
        In the order xx yy zz yz xz xy; zero for a cell without a volume.
    """

    energy: FloatArray
    forces: FloatArray
    stress: FloatArray


def fitted_terms(terms: Sequence[Term], n_columns: int) -> tuple[Term, ...]:
    """Return the terms whose coefficients were fitted, by how many these are.

    Isolated-atom energies are a term too, and are fitted only where no data give them.
    """
    free = tuple(t for t in terms if t.n_coefficients)
    without = tuple(t for t in free if not isinstance(t, OneBody))
    return without if sum(t.n_coefficients for t in without) == n_columns else free


def atom_rows(
    native: Sequence[_native.Term],
    species: tuple[int, ...],
    around: Neighborhood,
    *,
    threads: int = 0,
) -> Iterator[tuple[int, FloatArray]]:
    """Yield (first atom, rows) of the local atoms, some at a time.

    A row holds the energy of an atom by each coefficient.
    """
    n = sum(t.n_columns for t in native)
    step = max(32, BATCH_BYTES // (8 * max(1, n)))
    indices = species_indices(around.numbers, species)
    for begin in range(0, around.n_local, step):
        rows = np.empty((min(step, around.n_local - begin), n))
        _native.atom_rows(
            native,
            around.positions,
            indices,
            around.first,
            around.neighbors,
            begin,
            rows,
            threads,
        )
        yield begin, rows


def frame_rows(
    native: Sequence[_native.Term],
    species: tuple[int, ...],
    structures: Sequence[Structure],
    *,
    forces: bool = True,
    threads: int = 0,
) -> FrameRows:
    """Return the rows of structures that fit into memory together.

    Without ``forces`` there are no rows of them, which is faster.
    """
    frames = pack(structures, species)
    n, k = len(structures), sum(t.n_columns for t in native)
    solid = np.array([s.volume > 0.0 for s in structures])
    places = np.arange(n, dtype=np.int64)
    rows = FrameRows(
        np.empty((n, k)),
        np.empty((3 * len(frames.positions) if forces else 0, k)),
        np.zeros((6 * n, k)),
    )
    starts = 3 * frames.offsets[:-1] if forces else np.full(n, -1, dtype=np.int64)
    ones = np.ones(n)
    _native.design_rows(
        native,
        frames.offsets,
        frames.positions,
        frames.species,
        frames.cells,
        frames.pbc,
        places,
        starts,
        np.where(solid, 6 * places, -1),
        1.0 / np.diff(frames.offsets),
        ones,
        ones,
        rows.energy,
        rows.forces,
        rows.stress,
        threads,
    )
    return rows


def batches(sizes: Sequence[int], n_columns: int) -> Iterator[slice]:
    """Yield runs of frames whose rows of all quantities fit into BATCH_BYTES."""
    most = max(1, BATCH_BYTES // (8 * max(1, n_columns)))
    start, total = 0, 0
    for stop, size in enumerate(sizes):
        rows = 3 * size + 7
        if stop > start and total + rows > most:
            yield slice(start, stop)
            start, total = stop, 0
        total += rows
    if start < len(sizes):
        yield slice(start, len(sizes))
