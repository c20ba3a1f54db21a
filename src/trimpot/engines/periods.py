"""The periods of a neighbourhood, which knows images of atoms but no cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trimpot.contract import BoolArray, FloatArray, Neighborhood

WHOLE = 1e-6
"""Farthest that a whole number may be from one."""


def cell_of(around: Neighborhood) -> tuple[FloatArray, BoolArray]:
    """Return a cell (3, 3) and periodic directions (3,) that give the same neighbours.

    The lattice is the one that the images span. It may be coarser than that of the
    structure, or have fewer directions: what it lacks are images beyond the cutoff of
    every atom. Other rows of the cell are unit vectors at right angles.
    """
    n = around.n_local
    shifts = around.positions[n:] - around.positions[around.owners[n:]]
    basis = lattice_basis(shifts)
    cell = np.concatenate([basis, _normals(basis)])
    if np.linalg.det(cell) < 0.0:
        cell[-1] *= -1.0
    return cell, np.arange(3) < len(basis)


def lattice_basis(vectors: FloatArray) -> FloatArray:
    """Return a basis (m, 3) of the lattice that vectors (k, 3) span; m is at most 3."""
    if len(vectors) == 0:
        return np.zeros((0, 3))
    order = np.argsort((vectors**2).sum(axis=1), kind="stable")
    vectors = vectors[order]
    basis = _independent(vectors)
    while True:
        coordinates = vectors @ np.linalg.pinv(basis)
        rest = coordinates - np.round(coordinates)
        row, column = np.unravel_index(np.abs(rest).argmax(), rest.shape)
        if abs(rest[row, column]) < WHOLE:
            return basis
        basis[column] = rest[row] @ basis  # at least halves the volume, so this ends


def _independent(vectors: FloatArray) -> FloatArray:
    """Return the first vectors that are linearly independent."""
    found: list[FloatArray] = []
    left = vectors.copy()
    while len(found) < 3:
        lengths = np.linalg.norm(left, axis=1)
        free = np.flatnonzero(lengths > WHOLE * np.linalg.norm(vectors, axis=1))
        if len(free) == 0:
            break
        direction = left[free[0]] / lengths[free[0]]
        found.append(vectors[free[0]])
        left = left - np.outer(left @ direction, direction)
    return np.array(found)


def _normals(basis: FloatArray) -> FloatArray:
    """Return unit vectors at right angles to a basis, as many as are missing."""
    if len(basis) == 0:
        return np.eye(3)
    _, _, axes = np.linalg.svd(basis)
    normals: FloatArray = axes[len(basis) :]
    return normals
