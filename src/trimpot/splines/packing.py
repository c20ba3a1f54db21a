"""Many structures as contiguous arrays, as the native core takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot.elements import SYMBOLS
from trimpot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.contract import BoolArray, FloatArray, IntArray, Structure


@dataclass(frozen=True)
class PackedFrames:
    """Structures one after the other.

    Attributes
    ----------
    species_numbers : tuple of int
        Atomic numbers that the species indices refer to.
    offsets : (n_frames + 1,) int64
        ``positions[offsets[f]:offsets[f + 1]]`` belong to frame f.
    positions : (atoms, 3) float64
    species : (atoms,) int32
    cells : (n_frames, 3, 3) float64
    pbc : (n_frames, 3) bool
    """

    species_numbers: tuple[int, ...]
    offsets: np.ndarray
    positions: FloatArray
    species: IntArray
    cells: FloatArray
    pbc: BoolArray


def species_lookup(species: tuple[int, ...]) -> IntArray:
    """Return an array that maps atomic numbers to species indices, -1 elsewhere."""
    table = np.full(len(SYMBOLS), -1, dtype=np.int32)
    table[list(species)] = np.arange(len(species), dtype=np.int32)
    return table


def species_indices(numbers: IntArray, species: tuple[int, ...]) -> IntArray:
    """Return the species index of each atom.

    Raises
    ------
    InputError
        Names the elements that are not among the species.
    """
    indices = species_lookup(species)[numbers]
    if indices.size and indices.min() < 0:
        unknown = sorted({SYMBOLS[z] for z in numbers[indices < 0]})
        known = ", ".join(SYMBOLS[z] for z in species)
        raise InputError(
            f"found {', '.join(unknown)}, but this potential describes only {known}; "
            "use a potential that was trained on these elements"
        )
    return indices


def pack(structures: Sequence[Structure], species: tuple[int, ...]) -> PackedFrames:
    """Return the structures packed, their elements as indices into ``species``."""
    sizes = [len(s) for s in structures]
    n = len(structures)
    return PackedFrames(
        species,
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        np.concatenate([s.positions for s in structures]).reshape(-1, 3)
        if n
        else np.zeros((0, 3)),
        species_indices(
            np.concatenate([s.numbers for s in structures])
            if n
            else np.zeros(0, dtype=np.int32),
            species,
        ),
        np.array([s.cell for s in structures], dtype=np.float64).reshape(n, 3, 3),
        np.array([s.pbc for s in structures], dtype=bool).reshape(n, 3),
    )
