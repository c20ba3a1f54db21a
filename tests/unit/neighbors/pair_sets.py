"""Random structures, and pairs in a form that can be compared."""

import numpy as np

from trimpot.contract import Structure
from trimpot.neighbors.arrays import native_structure
from trimpot.neighbors.lists import image_list
from trimpot.neighbors.reference import Pairs


def sorted_rows(first, second, shifts):
    """Pairs with shifts as a sorted (p, 5) array; equal arrays are equal sets."""
    rows = np.column_stack([first, second, shifts]).astype(np.int64)
    return rows[np.lexsort(rows.T[::-1])]


def listed(structure, cutoff, threads=1):
    """Pairs of the native list."""
    images = image_list(native_structure(structure), cutoff, threads=threads)
    around, shifts = images.neighborhood, images.shifts
    first = np.repeat(np.arange(around.n_local), np.diff(around.first))
    second = around.neighbors
    return Pairs(
        first=first,
        second=around.owners[second],
        shifts=shifts[second].astype(np.int64) - shifts[first],
        vectors=around.positions[second] - around.positions[first],
    )


def differing_rows(found, expected):
    """Rows that are not in both; a row listed twice counts as differing."""
    rows, counts = np.unique(np.vstack([found, expected]), axis=0, return_counts=True)
    return rows[counts != 2]


def random_structure(rng, pbc, volume=None):
    """1-50 atoms, 1-1e4 A^3, skew up to 5; some atoms outside the cell or on its faces."""
    n = int(rng.integers(1, 51))
    volume = 10.0 ** rng.uniform(0.0, 4.0) if volume is None else volume
    cell = np.diag(np.exp(rng.normal(0.0, 0.4, 3)))
    cell[np.tril_indices(3, -1)] = rng.uniform(-5.0, 5.0, 3) * np.diag(cell)[[0, 0, 1]]
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]  # left-handed cells included
    cell = cell @ rotation * (volume / np.prod(np.diag(cell))) ** (1.0 / 3.0)
    outside = rng.random() < 0.5
    fractional = rng.uniform(-2.0 * outside, 1.0 + 2.0 * outside, (n, 3))
    if rng.random() < 0.3:  # on faces, and some on top of each other
        fractional = np.round(4.0 * fractional) / 4.0
    positions = fractional @ cell
    cell[~pbc & (rng.random(3) < 0.5)] = 0.0
    return Structure(rng.integers(1, 90, n, dtype=np.int32), positions, cell, pbc)


def affordable_cutoff(rng, structure, volume):
    """A cutoff with 1 to 50,000 expected pairs, at most 20 A."""
    n_pairs = 10.0 ** rng.uniform(0.0, 4.7)
    cutoff = (0.75 / np.pi * n_pairs / len(structure) ** 2 * volume) ** (1.0 / 3.0)
    return float(np.clip(cutoff, 0.1, 20.0))
