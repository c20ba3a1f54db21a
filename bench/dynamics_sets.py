"""Systems of long dynamics: frames to start from, bounds of a run, what to compare with."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pages
from ase.data import covalent_radii

from trimpot.config import load_config
from trimpot.contract import Structure
from trimpot.elements import SYMBOLS
from trimpot.verbs.preparing import prepare_data
from trimpot.verbs.watching import Silent

RECIPES = pages.ROOT / "examples" / "networks"
HYDROGEN = 1
BOND = 1.25
"""Two atoms, neither of them hydrogen, are bonded below so many sums of covalent radii."""

WIDTH_A = 0.05
"""Of an interval of distances."""


@dataclass(frozen=True)
class System:
    """What is run, and the distances whose distribution is looked at.

    Attributes
    ----------
    name : str
        Also that of the recipe in examples/networks.
    temperature_k : float
    between : int or None
        Atomic number of both atoms of a distance; None: all pairs.
    range_a : float
        Largest distance that is counted, at most half a period.
    """

    name: str
    temperature_k: float
    between: int | None
    range_a: float

    @property
    def edges(self) -> np.ndarray:
        """Ends of the intervals of distances, angstrom."""
        return np.linspace(0.0, self.range_a, round(self.range_a / WIDTH_A) + 1)


SYSTEMS = {
    "ethanol": System("ethanol", 500.0, None, 8.0),
    "water": System("water", 330.0, 8, 6.0),
}


@dataclass(frozen=True)
class Facts:
    """Frames of a set and what they say; pairs i < j in the order of ``triu_indices``.

    Attributes
    ----------
    numbers : (n,) int32
        Atomic numbers, the same in all frames.
    cell : (3, 3) float64
        Rows are lattice vectors, along the axes; zeros: not periodic.
    starts : (k, n, 3) float64
        Positions of the test frames, in the order in which seeds take them.
    shortest : (p,) float64
        Shortest distance in the data between atoms of the pair's elements.
    longest : (p,) float64
        Longest bond in the data between them; 0 where none are bonded.
    curve : (b,) float64
        Distribution of distances over all frames.
    floor : float
        Difference between the distributions of every second frame and the others.
    """

    numbers: np.ndarray
    cell: np.ndarray
    starts: np.ndarray
    shortest: np.ndarray
    longest: np.ndarray
    curve: np.ndarray
    floor: float

    def start(self, seed: int) -> Structure:
        """Return the frame from which a seed starts."""
        periodic = np.full(3, bool(self.cell.any()))
        positions = self.starts[seed % len(self.starts)]
        return Structure(self.numbers, positions, self.cell, periodic)


def distances(positions: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Return the distances of all pairs i < j, of nearest images in a right-angled cell."""
    first, second = np.triu_indices(len(positions), 1)
    apart = positions[second] - positions[first]
    if cell.any():
        periods = np.diag(cell)
        apart -= periods * np.round(apart / periods)
    return np.sqrt(np.einsum("ij,ij->i", apart, apart))


def bonded(numbers: np.ndarray, r: np.ndarray) -> np.ndarray:
    """Return which pairs are bonds: H with the nearest other atom, others by radii."""
    first, second = np.triu_indices(len(numbers), 1)
    radii, light = covalent_radii[numbers], numbers == HYDROGEN
    found = r < BOND * (radii[first] + radii[second])
    found &= ~(light[first] | light[second])
    square = np.full((len(numbers),) * 2, np.inf)
    square[first, second] = square[second, first] = r
    square[:, light] = np.inf
    for atom in np.flatnonzero(light):
        other = int(square[atom].argmin())
        found |= (first == min(atom, other)) & (second == max(atom, other))
    return found


def kinds(numbers: np.ndarray) -> list[str]:
    """Return the elements of every pair i < j, such as ``H-O``."""
    first, second = np.triu_indices(len(numbers), 1)
    symbols = [SYMBOLS[z] for z in numbers]
    pairs = zip(first, second, strict=True)
    return ["-".join(sorted((symbols[i], symbols[j]))) for i, j in pairs]


def counted(system: System, numbers: np.ndarray) -> np.ndarray:
    """Return which pairs enter the distribution of distances."""
    first, second = np.triu_indices(len(numbers), 1)
    if system.between is None:
        return np.ones(len(first), dtype=bool)
    return (numbers[first] == system.between) & (numbers[second] == system.between)


def distribution(system: System, cell: np.ndarray, counts: np.ndarray, pairs: int):
    """Return h(r) in 1/angstrom, or g(r) in a periodic cell.

    ``counts`` are those of the intervals, ``pairs`` all that were looked at.
    """
    edges = system.edges
    if cell.any():
        shells = 4.0 / 3.0 * np.pi * np.diff(edges**3) / abs(np.linalg.det(cell))
        return counts / (pairs * shells)
    return counts / (pairs * np.diff(edges))


def difference(curve: np.ndarray, other: np.ndarray, cell: np.ndarray) -> float:
    """Return the mean of ``|g - g'|``; of h(r) the integral, 2 for disjoint ones."""
    apart = np.abs(curve - other)
    return float(apart.mean() if cell.any() else apart.sum() * WIDTH_A)


def facts_of(system: System) -> Facts:
    """Return what the frames of a recipe say."""
    recipe = load_config(RECIPES / f"{system.name}.yaml")
    data = prepare_data(recipe, Silent())
    structures = [f.structure for f in (*data.train, *data.test)]
    numbers, cell = structures[0].numbers, structures[0].cell
    if np.count_nonzero(cell - np.diag(np.diag(cell))):
        raise ValueError(f"{system.name}: found cell {cell}, expected one along the axes")
    r_of = np.array([distances(s.positions, cell) for s in structures])
    bonds_of = np.array([bonded(numbers, r) for r in r_of])
    shortest, longest = np.empty(r_of.shape[1]), np.zeros(r_of.shape[1])
    names = np.array(kinds(numbers))
    for name in np.unique(names):
        own = names == name
        shortest[own] = r_of[:, own].min()
        longest[own] = np.max(r_of[:, own], where=bonds_of[:, own], initial=0.0)
    chosen = r_of[:, counted(system, numbers)]
    curves = []
    for some in (chosen, chosen[::2], chosen[1::2]):
        counts = np.histogram(some, system.edges)[0]
        curves.append(distribution(system, cell, counts, some.size))
    order = np.random.default_rng(0).permutation(len(data.test))
    return Facts(
        numbers,
        cell,
        np.array([data.test[i].structure.positions for i in order]),
        shortest,
        longest,
        curves[0],
        difference(curves[1], curves[2], cell),
    )


def pack(facts: dict[str, Facts], path: Path) -> None:
    """Write what is needed of the data to one file, for machines without data."""
    arrays = {
        f"{name}.{field.name}": getattr(one, field.name)
        for name, one in facts.items()
        for field in fields(Facts)
    }
    np.savez_compressed(path, **arrays)


def unpacked(path: Path, names) -> dict[str, Facts]:
    """Return the sets of a packed file."""
    with np.load(path) as held:
        return {
            name: Facts(
                **{field.name: held[f"{name}.{field.name}"] for field in fields(Facts)}
            )
            for name in names
        }
