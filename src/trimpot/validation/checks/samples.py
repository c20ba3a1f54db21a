"""Structures to check a potential on, made from its species."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot.contract import Structure
from trimpot.elements import covalent_radius
from trimpot.engines.singlepoint import evaluate
from trimpot.validation.transform import free_cluster

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from trimpot.contract import FloatArray, Potential

RATTLE = 0.03
"""Standard deviation of displacements, over the nearest distance."""

STRETCHES = np.linspace(0.7, 1.4, 29)
"""Nearest distances that are tried, over the mean sum of covalent radii."""

NEAREST_BCC = 0.5 * 3.0**0.5
"""Nearest distance over the lattice constant."""

CALM, PRESSED = 20.0, 0.5
"""Largest force, eV/A, and stress, eV/A^3 (80 GPa), in a sample. Crystals of H and O have
up to 1e5 eV/A where distances are those of H-O bonds: no place to look at rounding."""

WIDER, WIDENINGS = 1.1, 15
"""Factor by which a sample is widened until it is calm, and how often at most."""


@dataclass(frozen=True)
class Samples:
    """Structures that contain, together, every species (up to 16 of them).

    Attributes
    ----------
    nearest : float
        Nearest distance of atoms in the crystal before it was rattled, angstrom.
    crystal : Structure
        16 atoms on bcc sites, rattled; species in turn.
    triclinic : Structure
        4 atoms in a skewed cell smaller than most cutoffs.
    cluster : Structure
        7 atoms in empty space.
    given : tuple of Structure
        Those of the user.
    """

    nearest: float
    crystal: Structure
    triclinic: Structure
    cluster: Structure
    given: tuple[Structure, ...] = ()

    @property
    def all(self) -> tuple[tuple[str, Structure], ...]:
        """Every structure with its name."""
        own = (
            ("crystal", self.crystal),
            ("triclinic cell", self.triclinic),
            ("cluster", self.cluster),
        )
        return (*own, *((f"structure {k}", s) for k, s in enumerate(self.given)))


def make_samples(
    potential: Potential,
    given: Sequence[Structure],
    rng: np.random.Generator,
    shortest: Mapping[tuple[int, int], float] | None = None,
) -> Samples:
    """Return structures with distances near those at which a crystal is at rest.

    No distance of the crystal is below the shortest of the data, by pairs, where those are
    known. Where a force or the stress is large, a structure is widened until it is calm.
    """
    known = (shortest or {}).values()
    nearest = max(resting_distance(potential), *known, 0.0)
    species = potential.species
    made = {
        "crystal": lambda r: rattled(crystal_of(species, r), r, rng),
        "triclinic": lambda r: rattled(_triclinic(species, r), r, rng),
        "cluster": lambda r: _cluster(species, r, rng),
    }
    calm = {name: _calm(potential, make, nearest) for name, make in made.items()}
    return Samples(
        nearest=calm["crystal"][1],
        given=tuple(given),
        **{name: structure for name, (structure, _) in calm.items()},
    )


def _calm(
    potential: Potential, make: Callable[[float], Structure], nearest: float
) -> tuple[Structure, float]:
    """Return the first structure without large forces and stress; its nearest distance."""
    first = make(nearest)
    structure, wider = first, nearest
    for _ in range(WIDENINGS):
        if _is_calm(potential, structure):
            return structure, wider
        wider *= WIDER
        structure = make(wider)
    return first, nearest


def resting_distance(potential: Potential) -> float:
    """Return the nearest distance of the bcc crystal with the lowest energy.

    Distances where the potential fails, and minima at either end, do not count; if none
    is left, the mean sum of covalent radii.
    """
    species = potential.species
    typical = 2.0 * float(np.mean([covalent_radius(z) for z in species]))
    energies = np.array([_energy(potential, s * typical) for s in STRETCHES])
    inner = energies[1:-1]
    minima = np.flatnonzero((inner < energies[:-2]) & (inner < energies[2:])) + 1
    if len(minima) == 0:
        return typical
    return float(STRETCHES[minima[energies[minima].argmin()]] * typical)


def crystal_of(species: tuple[int, ...], nearest: float, repeat: int = 2) -> Structure:
    """Return a bcc crystal of repeat^3 cubic cells with species in turn."""
    constant = nearest / NEAREST_BCC
    corners = np.stack(np.meshgrid(*[np.arange(repeat)] * 3, indexing="ij"), axis=-1)
    sites = np.concatenate([corners.reshape(-1, 3), corners.reshape(-1, 3) + 0.5])
    return Structure(
        numbers=np.resize(np.array(species, dtype=np.int32), len(sites)),
        positions=sites * constant,
        cell=np.eye(3) * constant * repeat,
        pbc=np.ones(3, dtype=np.bool_),
    )


def rattled(structure: Structure, nearest: float, rng: np.random.Generator) -> Structure:
    """Return the structure with every atom displaced at random."""
    moved = structure.positions + RATTLE * nearest * rng.normal(size=(len(structure), 3))
    return Structure(structure.numbers, moved, structure.cell, structure.pbc)


def _energy(potential: Potential, nearest: float) -> float:
    try:
        crystal = crystal_of(potential.species, nearest)
        return evaluate(potential, crystal, threads=1).energy
    except Exception:  # noqa: BLE001 - what it raises is judged later, check by check
        return float("inf")


def _is_calm(potential: Potential, structure: Structure) -> bool:
    """Return whether forces and stress are moderate; what fails is judged later."""
    try:
        found = evaluate(potential, structure, threads=1)
        largest = float(np.abs(found.forces).max(initial=0.0)) / CALM
        if found.conservative and structure.volume > 0.0:
            stress = np.abs(found.stress(structure.volume)).max()
            largest = max(largest, float(stress) / PRESSED)
    except Exception:  # noqa: BLE001 - what it raises is judged check by check
        return True
    return not largest > 1.0


def _triclinic(species: tuple[int, ...], nearest: float) -> Structure:
    """Four atoms on fcc-like sites of a cell that is skewed and strained."""
    cubic = np.eye(3) * nearest * 2.0**0.5
    gradient = np.array([[1.02, 0.0, 0.0], [0.24, 0.97, 0.0], [-0.13, 0.2, 1.05]])
    sites = np.array([[0.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.5]])
    cell = cubic @ gradient
    return Structure(
        numbers=np.resize(np.array(species, dtype=np.int32)[::-1], 4),
        positions=sites @ cell,
        cell=cell,
        pbc=np.ones(3, dtype=np.bool_),
    )


def _cluster(
    species: tuple[int, ...], nearest: float, rng: np.random.Generator
) -> Structure:
    """Return a centre with six neighbours, rattled."""
    shell: FloatArray = np.concatenate([np.eye(3), -np.eye(3)]) * nearest
    positions = np.concatenate([np.zeros((1, 3)), shell])
    numbers = np.resize(np.array(species, dtype=np.int32), 7).tolist()
    return rattled(free_cluster(numbers, positions), nearest, rng)
