"""Neighbourhoods of structures, built by the native cell list."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from trimpot import _native
from trimpot.contract import Neighborhood
from trimpot.errors import InputError
from trimpot.neighbors.arrays import native_structure

if TYPE_CHECKING:
    from trimpot.contract import IntArray, Structure


@dataclass(frozen=True)
class ImageList:
    """A neighbourhood that knows which images its atoms are.

    Attributes
    ----------
    neighborhood : Neighborhood
        Atoms and their neighbours.
    shifts : (n_all, 3) int32
        ``neighborhood.positions = positions[owners] + shifts @ cell`` for the positions and
        cell of the structure; S of ``r_ij = x_j - x_i + S @ cell`` is
        ``shifts[neighbor] - shifts[i]``.
    """

    neighborhood: Neighborhood
    shifts: IntArray

    def moved_to(self, structure: Structure) -> Neighborhood:
        """Return the same list for other positions and another cell of the same atoms.

        The structure must have passed ``native_structure``.
        """
        old = self.neighborhood
        positions = np.empty_like(old.positions)
        _native.refresh_positions(
            positions, old.owners, self.shifts, structure.positions, structure.cell
        )
        return replace(old, positions=positions, charge=structure.charge)


def neighborhood(structure: Structure, cutoff: float, *, threads: int = 1) -> Neighborhood:
    """Return local and ghost atoms with all neighbours closer than the cutoff.

    Local atoms are moved into the cell by whole periods; ghosts are their periodic images.
    Coincident atoms (r = 0) are neighbours; so are an atom's own images, but not itself.

    Parameters
    ----------
    structure : Structure
        Atoms anywhere, any cell (smaller than the cutoff, triclinic), any periodic
        directions. Rows of the cell that are not periodic do not matter.
    cutoff : float
        Cutoff in angstrom, > 0.
    threads : int
        Threads to use, 0 for all cores. The result does not depend on it.

    Raises
    ------
    InputError
        For a cutoff that is not positive and finite, arrays of the wrong shape, NaN or
        infinity, linearly dependent periodic cell vectors, or a cell so small beside the
        cutoff that its images do not fit into memory.
    """
    return image_list(native_structure(structure), cutoff, threads=threads).neighborhood


def image_list(structure: Structure, cutoff: float, *, threads: int = 1) -> ImageList:
    """Return the list of a structure that has passed ``native_structure``."""
    try:
        positions, owners, shifts, first, neighbors = _native.build_neighbors(
            structure.positions, structure.cell, structure.pbc, cutoff, threads
        )
    except ValueError as error:
        raise InputError(str(error)) from error
    around = Neighborhood(
        positions=positions,
        numbers=structure.numbers[owners],
        owners=owners,
        first=first,
        neighbors=neighbors,
        cutoff=float(cutoff),
        charge=structure.charge,
    )
    return ImageList(around, shifts)
