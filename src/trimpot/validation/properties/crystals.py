"""Starts of dynamics: supercells of a phase, and random gases of its elements."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms

from trimpot.elements import covalent_radius
from trimpot.errors import InputError

if TYPE_CHECKING:
    from trimpot.contract import FloatArray
    from trimpot.validation.properties.case import Case, Phase

TRIES = 20_000
"""Random places for one atom."""


def supercell(case: Case, atoms: int) -> Atoms:
    """Return the phase, repeated to about equal edges and at least so many atoms.

    At the lattice constant of the need ``lattice``. A molecule is returned as it is.
    """
    cell = case.phase.conventional(case.a0)
    if case.phase.is_molecule:
        return cell
    lengths, times = cell.cell.lengths(), np.ones(3, dtype=np.int64)
    while len(cell) * times.prod() < atoms:
        times[int(np.argmin(lengths * times))] += 1
    repeated: Atoms = cell * tuple(int(n) for n in times)
    return repeated


def random_gas(
    phase: Phase, atoms: int, spacing: float, nearest: float, seed: int
) -> Atoms:
    """Return atoms at random places of a cube, in the proportions of the phase.

    Parameters
    ----------
    phase
        Gives the elements.
    atoms
        How many; at least one of each atom of the phase's cell.
    spacing
        Edge of the cube over the edge that one atom would have if each took a cube as wide
        as its covalent diameter.
    nearest
        No two are nearer than this share of the sum of their covalent radii.
    seed
        Of the places.

    Raises
    ------
    InputError
        If no place is left.
    """
    unit = phase.primitive().numbers
    numbers = np.tile(unit, max(1, round(atoms / len(unit))))
    radii = np.array([covalent_radius(int(z)) for z in numbers])
    edge = spacing * float(((2.0 * radii) ** 3).sum()) ** (1.0 / 3.0)
    rng = np.random.default_rng(seed)
    places = np.empty((0, 3))
    for k, radius in enumerate(radii):
        free = _free_place(rng, places, nearest * (radii[:k] + radius), edge)
        if free is None:
            raise InputError(
                f"a random gas of {len(numbers)} atoms with spacing {spacing:g} has no "
                f"place at {nearest:g} of the sum of covalent radii; raise spacing or "
                "lower nearest"
            )
        places = np.concatenate([places, free[None]])
    return Atoms(numbers, positions=places, cell=np.eye(3) * edge, pbc=True)


def _free_place(
    rng: np.random.Generator, places: FloatArray, least: FloatArray, edge: float
) -> FloatArray | None:
    for _ in range(TRIES):
        trial: FloatArray = rng.uniform(0.0, edge, 3)
        apart = places - trial
        apart -= edge * np.round(apart / edge)
        if (np.linalg.norm(apart, axis=1) >= least).all():
            return trial
    return None
