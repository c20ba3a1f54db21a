"""Structures made from structures: moved, rotated, strained, repeated, rewritten."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from trimpot.contract import Structure
from trimpot.errors import InputError

if TYPE_CHECKING:
    from trimpot.contract import FloatArray, IntArray


def with_positions(structure: Structure, positions: FloatArray) -> Structure:
    """Return the structure with other positions, (n, 3) in angstrom."""
    return replace(structure, positions=positions)


def deformed(structure: Structure, gradient: FloatArray) -> Structure:
    """Return x' = F x for positions and lattice vectors, with F of shape (3, 3).

    A strain e is F = 1 + e; a rotation or reflection is an orthogonal F.
    """
    return replace(
        structure,
        positions=structure.positions @ gradient.T,
        cell=structure.cell @ gradient.T,
    )


def permuted(structure: Structure, order: IntArray) -> Structure:
    """Return the structure with atoms in another order, (n,)."""
    return replace(
        structure, numbers=structure.numbers[order], positions=structure.positions[order]
    )


def rewritten(structure: Structure, unimodular: IntArray) -> Structure:
    """Return the same crystal with lattice vectors U a, U (3, 3) integer, |det U| = 1.

    Raises
    ------
    InputError
        If U is not unimodular or mixes a non-periodic direction.
    """
    if abs(round(float(np.linalg.det(unimodular)))) != 1:
        raise InputError(f"matrix {unimodular.tolist()} has not determinant 1 or -1")
    fixed = ~structure.pbc
    mixing = unimodular - np.eye(3, dtype=np.int32)
    if np.any(mixing[fixed]) or np.any(mixing[:, fixed]):
        raise InputError(
            f"matrix {unimodular.tolist()} mixes non-periodic directions of pbc "
            f"{structure.pbc.tolist()}; leave their rows and columns as in the identity"
        )
    return replace(structure, cell=unimodular.astype(np.float64) @ structure.cell)


def shifted_images(structure: Structure, images: IntArray) -> Structure:
    """Return the same crystal with each atom moved by lattice vectors, images (n, 3).

    Images along non-periodic directions are ignored.
    """
    shift = (images * structure.pbc) @ structure.cell
    return replace(structure, positions=structure.positions + shift)


def repeated(structure: Structure, times: tuple[int, int, int]) -> Structure:
    """Return a supercell; copy c holds atoms c n to (c + 1) n - 1 in their order.

    Every copy has the charge of the cell.

    Raises
    ------
    InputError
        If a non-periodic direction is to be repeated.
    """
    if any(count != 1 and not p for count, p in zip(times, structure.pbc, strict=True)):
        raise InputError(
            f"cannot repeat {times} with pbc {structure.pbc.tolist()}; "
            "use 1 for non-periodic directions"
        )
    grid = np.meshgrid(*[np.arange(count) for count in times], indexing="ij")
    shifts = np.stack(grid, axis=-1).reshape(-1, 3) @ structure.cell
    positions = (shifts[:, None, :] + structure.positions[None]).reshape(-1, 3)
    return Structure(
        numbers=np.tile(structure.numbers, len(shifts)),
        positions=positions,
        cell=structure.cell * np.array(times)[:, None],
        pbc=structure.pbc,
        charge=structure.charge * len(shifts),
    )


def free_cluster(
    numbers: list[int], positions: FloatArray, *, charge: int = 0
) -> Structure:
    """Return atoms in empty space: no cell, no periodic direction."""
    return Structure(
        numbers=np.array(numbers, dtype=np.int32),
        positions=np.array(positions, dtype=np.float64).reshape(-1, 3),
        cell=np.zeros((3, 3)),
        pbc=np.zeros(3, dtype=np.bool_),
        charge=charge,
    )


def random_rotation(rng: np.random.Generator) -> FloatArray:
    """Return a proper rotation matrix, uniformly distributed, (3, 3)."""
    matrix, upper = np.linalg.qr(rng.normal(size=(3, 3)))
    matrix = matrix * np.sign(np.diag(upper))
    if np.linalg.det(matrix) < 0.0:
        matrix[:, 0] *= -1.0
    return np.ascontiguousarray(matrix)
