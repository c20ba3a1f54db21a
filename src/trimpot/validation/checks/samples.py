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
    from collections.abc import Sequence

    from trimpot.contract import FloatArray, Potential

RATTLE = 0.03
"""Standard deviation of displacements, over the nearest distance."""

STRETCHES = np.linspace(0.7, 1.4, 29)
"""Nearest distances that are tried, over the mean sum of covalent radii."""

NEAREST_BCC = 0.5 * 3.0**0.5
"""Nearest distance over the lattice constant."""


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
    potential: Potential, given: Sequence[Structure], rng: np.random.Generator
) -> Samples:
    """Return structures with distances near those at which a crystal is at rest."""
    nearest = resting_distance(potential)
    return Samples(
        nearest=nearest,
        crystal=rattled(crystal_of(potential.species, nearest), nearest, rng),
        triclinic=rattled(_triclinic(potential.species, nearest), nearest, rng),
        cluster=_cluster(potential.species, nearest, rng),
        given=tuple(given),
    )


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
