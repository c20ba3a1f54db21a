"""How crystalline slabs of a box are: structure factors at vectors of the crystal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot.errors import InputError

if TYPE_CHECKING:
    from ase import Atoms

    from trimpot.contract import FloatArray, IntArray

LARGEST_INDEX = 4
"""Of the vectors that are tried."""

IN_PHASE = 0.9
"""Share of the atoms of a cell that scatter in phase, at the vectors that are taken."""

RANDOM = 0.5 * np.sqrt(np.pi)
"""Mean of |sum of n random phases| over the square root of n."""


@dataclass(frozen=True)
class SlabOrder:
    """Order of slabs along z, whose structure factor knows the crystal.

    The vectors lie in the plane of the slabs and are whole numbers in the box, so neither a
    drift along z nor a box that changes matters. |S| is 1 in the perfect crystal, falls
    with its vibrations (Debye-Waller), and is the noise of so many atoms in the liquid.
    In bcc these are {110}, in fcc {200}, in diamond {220}.

    Attributes
    ----------
    indices : (m, 2) int
        Of the vectors in the conventional cell.
    cells : (int, int)
        Conventional cells of the box along x and y.
    slabs : int
        How many along z.
    """

    indices: IntArray
    cells: tuple[int, int]
    slabs: int

    @classmethod
    def of(cls, cell: Atoms, repeat: tuple[int, int, int]) -> SlabOrder:
        """Return the order parameter of a repeated cell; one slab per cell along z.

        Raises
        ------
        InputError
            If there are no vectors at which all atoms scatter in phase.
        """
        return cls(_strong(cell), (repeat[0], repeat[1]), repeat[2])

    def __call__(self, atoms: Atoms) -> FloatArray:
        """Return |S| of each slab (slabs,), averaged over the vectors; 0 if it is empty."""
        scaled = np.linalg.solve(atoms.cell.array.T, atoms.positions.T).T
        vectors = self.indices * np.array(self.cells)
        waves = np.exp(2j * np.pi * (scaled[:, :2] @ vectors.T))
        slab = np.floor((scaled[:, 2] % 1.0) * self.slabs).astype(np.int64)
        slab = np.minimum(slab, self.slabs - 1)
        sums = np.zeros((self.slabs, len(self.indices)), dtype=np.complex128)
        np.add.at(sums, slab, waves)
        counts = np.maximum(1, np.bincount(slab, minlength=self.slabs))
        return np.asarray(np.abs(sums).mean(axis=1) / counts)

    def noise(self, n_atoms: int) -> float:
        """Return |S| of a slab of a structureless liquid."""
        return float(RANDOM / np.sqrt(n_atoms / self.slabs))

    def solid(self, atoms: Atoms, crystal: float) -> FloatArray:
        """Return how solid each slab is: 0 as noise, 1 as the crystal.

        Parameters
        ----------
        atoms
            The box.
        crystal
            |S| of the crystal at about this temperature.
        """
        low = self.noise(len(atoms))
        return np.asarray(np.clip((self(atoms) - low) / (crystal - low), 0.0, 1.0))


def _strong(cell: Atoms) -> IntArray:
    """Return the shortest in-plane vectors at which atoms of a cell are in phase."""
    scaled = cell.get_scaled_positions()[:, :2]
    span = range(-LARGEST_INDEX, LARGEST_INDEX + 1)
    half = [(h, k) for h in span for k in span if (h, k) > (0, 0)]
    factors = {v: abs(np.exp(2j * np.pi * (scaled @ np.array(v))).mean()) for v in half}
    strong = np.array([v for v in half if factors[v] > IN_PHASE])
    if not len(strong):
        raise InputError(
            "atoms of this cell never scatter in phase, so that solid and liquid cannot be "
            "told apart; give a simpler crystal"
        )
    whole = np.hstack([strong, np.zeros((len(strong), 1))])
    lengths = np.linalg.norm(whole @ np.linalg.inv(cell.cell.array).T, axis=1)
    chosen: IntArray = strong[lengths < lengths.min() * (1.0 + 1e-6)]
    return chosen
