"""A crystal to time a potential on, when the user names none."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from ase.data import covalent_radii, reference_states

from trimpot.contract import Structure
from trimpot.engines.singlepoint import evaluate, symbol
from trimpot.errors import NonFiniteResultError

if TYPE_CHECKING:
    from trimpot.contract import FloatArray, Potential

BASES: dict[str, FloatArray] = {
    "bcc": np.array([[0, 0, 0], [2, 2, 2]]) / 4,
    "fcc": np.array([[0, 0, 0], [0, 2, 2], [2, 0, 2], [2, 2, 0]]) / 4,
    "diamond": np.array(
        [
            *([0, 0, 0], [0, 2, 2], [2, 0, 2], [2, 2, 0]),
            *([1, 1, 1], [1, 3, 3], [3, 1, 3], [3, 3, 1]),
        ]
    )
    / 4,
}
"""Fractional positions in the cubic cell."""

ATOMS_OF_BLOCK = 2000
"""Larger crystals are copies of a block of about this many atoms."""

STRAINS = np.linspace(0.86, 1.16, 31)
"""Factors of the lattice constant that are tried."""


@dataclass(frozen=True)
class Crystal:
    """A perfect crystal and how it was chosen.

    Attributes
    ----------
    structure : Structure
        The block.
    copies : int
        Copies of the block along each edge that make the size asked for.
    description : str
        For people.
    """

    structure: Structure
    copies: int
    description: str


def default_crystal(
    potential: Potential, n_atoms: int, generator: np.random.Generator
) -> Crystal:
    """Return a crystal of about ``n_atoms`` atoms of the elements of a potential.

    The lattice is that of the element (bcc, fcc, diamond; fcc for any other); several
    elements are mixed at random on the most frequent of their lattices. The lattice
    constant is that of the lowest energy near the experimental one.
    """
    lattice = _lattice(potential.species)
    block, copies = block_and_copies(len(BASES[lattice]), n_atoms)
    structure = _block(potential.species, lattice, block, generator)
    strain, how = _relaxed_strain(potential, structure)
    relaxed = replace(
        structure, positions=structure.positions * strain, cell=structure.cell * strain
    )
    elements = "-".join(symbol(z) for z in potential.species)
    constant = relaxed.cell[0, 0] / block
    mixed = ", random mixture" if len(potential.species) > 1 else ""
    return Crystal(
        relaxed, copies, f"{lattice} {elements}{mixed}, a = {constant:.4f} A ({how})"
    )


def block_and_copies(atoms_per_cell: int, n_atoms: int) -> tuple[int, int]:
    """Return cells along the edge of a block, and blocks along the edge of the crystal."""
    cells = max(1, round((n_atoms / atoms_per_cell) ** (1 / 3)))
    largest = round((ATOMS_OF_BLOCK / atoms_per_cell) ** (1 / 3))
    if cells < 1.5 * largest:
        return cells, 1
    return largest, round(cells / largest)


def _lattice(species: tuple[int, ...]) -> str:
    found = Counter(_symmetry(z) for z in species)
    return found.most_common(1)[0][0]


def _reference(number: int) -> dict[str, object]:
    """Return the experimental state of an element; nothing where no table has it."""
    found = reference_states[number] if number < len(reference_states) else None
    return dict(found or {})


def _symmetry(number: int) -> str:
    name = str(_reference(number).get("symmetry"))
    return name if name in BASES else "fcc"


def _atomic_volume(number: int) -> float:
    """Return the experimental volume per atom where a table has it, else a guess, A^3."""
    reference = _reference(number)
    name = reference.get("symmetry")
    constant, ratio = (float(str(reference.get(key, 0.0))) for key in ("a", "c/a"))
    if name in BASES:
        return float(constant**3 / len(BASES[str(name)]))
    if name == "hcp":
        return float(0.25 * 3.0**0.5 * ratio * constant**3)
    # spheres of the covalent radius in touch, close packed
    return float(4.0 * 2.0**0.5 * covalent_radii[number] ** 3)


def _block(
    species: tuple[int, ...], lattice: str, cells: int, generator: np.random.Generator
) -> Structure:
    basis = BASES[lattice]
    volume = float(np.mean([_atomic_volume(z) for z in species]))
    constant = (volume * len(basis)) ** (1 / 3)
    corners = np.indices((cells,) * 3).reshape(3, -1).T
    sites = (corners[:, None] + basis).reshape(-1, 3) * constant
    numbers = np.resize(np.array(species, dtype=np.int32), len(sites))
    return Structure(
        generator.permutation(numbers),
        sites,
        cells * constant * np.eye(3),
        np.ones(3, dtype=np.bool_),
    )


def _relaxed_strain(potential: Potential, structure: Structure) -> tuple[float, str]:
    """Return the factor of the lowest energy nearest to 1, and how it was found."""
    energies = np.array([_energy(potential, structure, strain) for strain in STRAINS])
    lowest = [
        k + 1
        for k, (left, right) in enumerate(pairwise(np.diff(energies)))
        if left < 0.0 <= right
    ]
    if not lowest:
        return 1.0, "experimental: the potential has no minimum near it"
    k = min(lowest, key=lambda index: abs(STRAINS[index] - 1.0))
    before, here, after = energies[k - 1 : k + 2]
    offset = 0.5 * (before - after) / (before - 2.0 * here + after)
    width = STRAINS[1] - STRAINS[0]
    return float(STRAINS[k] + offset * width), "lowest energy of the potential"


def _energy(potential: Potential, structure: Structure, strain: float) -> float:
    scaled = replace(
        structure, positions=structure.positions * strain, cell=structure.cell * strain
    )
    try:
        return evaluate(potential, scaled).energy
    except NonFiniteResultError:
        return float("inf")
