"""A neighbour list with a skin, rebuilt only when atoms have moved far enough."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from trimpot import _native
from trimpot.contract import Neighborhood, Structure
from trimpot.errors import InputError
from trimpot.neighbors.arrays import native_structure, same_numbers
from trimpot.neighbors.lists import ImageList, image_list

if TYPE_CHECKING:
    from trimpot.contract import FloatArray


class VerletList:
    """Neighbourhoods of a moving structure that share one list while that is safe.

    The list holds all pairs closer than ``cutoff + skin`` at its build. When the cell rows
    become ``cell @ F`` and atoms move by u beyond that, the vector r between two images
    becomes ``r @ F + u_j - u_i``. No pair can come within the cutoff unseen as long as

        smin(F) (cutoff + skin) - 2 max|u - mean(u)| >= cutoff

    with the smallest singular value smin of F; with a fixed cell this is the usual rule
    that no atom has moved by more than skin / 2. Unlike a check of the ghosts in the list,
    it also covers images beyond it, which a changing cell moves further.

    Parameters
    ----------
    cutoff : float
        All pairs with r < cutoff are in every neighbourhood, in angstrom.
    skin : float
        Extra distance in angstrom, >= 0; only speed depends on it.
    threads : int
        Threads of a build, 0 for all cores.

    Attributes
    ----------
    builds : int
        Number of builds so far.
    """

    def __init__(self, cutoff: float, skin: float = 1.0, *, threads: int = 1) -> None:
        if not (np.isfinite(skin) and skin >= 0.0):
            raise InputError(f"skin is {skin} A, expected a finite number >= 0")
        if not (np.isfinite(cutoff) and cutoff > 0.0):
            raise InputError(f"cutoff is {cutoff} A, expected a positive finite number")
        self.cutoff = float(cutoff)
        self.skin = float(skin)
        self.threads = threads
        self.builds = 0
        self._last: _Build | None = None

    def update(self, structure: Structure) -> Neighborhood:
        """Return the neighbourhood of a structure; earlier ones stay as they are.

        The list may hold pairs up to and beyond ``cutoff + skin``; ``cutoff`` of the result
        is the cutoff without the skin.

        Raises
        ------
        InputError
            As ``neighborhood``.
        """
        now = native_structure(structure)
        last = self._last
        if last is not None and last.holds(now, self.cutoff, self.skin):
            return last.images.moved_to(now)
        self._last = last = self._build(now)
        self.builds += 1
        return last.images.neighborhood

    def _build(self, structure: Structure) -> _Build:
        kept = Structure(
            numbers=structure.numbers.copy(),
            positions=structure.positions.copy(),
            cell=structure.cell.copy(),
            pbc=structure.pbc.copy(),
            charge=structure.charge,
        )
        images = image_list(kept, self.cutoff + self.skin, threads=self.threads)
        around = replace(images.neighborhood, cutoff=self.cutoff)
        return _Build(kept, ImageList(around, images.shifts))


@dataclass(frozen=True)
class _Build:
    """A structure and the list built for it."""

    structure: Structure
    images: ImageList

    def holds(self, now: Structure, cutoff: float, skin: float) -> bool:
        """Whether the list still has every pair within the cutoff."""
        then = self.structure
        if not (
            same_numbers(now.numbers, then.numbers) and same_numbers(now.pbc, then.pbc)
        ):
            return False
        deformation, smallest = cell_deformation(then, now)
        moved = _native.largest_displacement(now.positions, then.positions, deformation)
        if moved == 0.0 and smallest == 1.0:
            return True
        roundoff = 1e-9 * (cutoff + skin)
        return smallest * (cutoff + skin) - 2.0 * moved > cutoff + roundoff


UNDEFORMED = np.eye(3)
UNDEFORMED.flags.writeable = False


def cell_deformation(then: Structure, now: Structure) -> tuple[FloatArray, float]:
    """Return F and its least singular value: ``now.cell = then.cell @ F``, periodic rows.

    F keeps the normals of the periodic rows. Where there is no such F the value is 0: no
    list holds.
    """
    if same_numbers(now.cell, then.cell):
        return UNDEFORMED, 1.0
    pbc = now.pbc
    if (now.cell[pbc] == then.cell[pbc]).all():
        return UNDEFORMED, 1.0
    normals = np.linalg.svd(then.cell[pbc])[2][int(pbc.sum()) :]
    deformation = np.ascontiguousarray(
        np.linalg.solve(
            np.vstack([then.cell[pbc], normals]), np.vstack([now.cell[pbc], normals])
        )
    )
    if not np.isfinite(deformation).all():
        return UNDEFORMED, 0.0
    return deformation, float(np.linalg.svd(deformation, compute_uv=False)[-1])
