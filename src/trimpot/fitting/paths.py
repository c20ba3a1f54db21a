"""Paths of structures along which the energy must rise, and what exactly it must do.

Energies are those of binding: minus those of the isolated atoms. Each demand is a sum of
energies of a path that must not be negative.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from trimpot.contract import Structure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.contract import FloatArray

FIRM = 0.85
"""Scale, over the start of a path, down to which the pressure must rise."""

EASED = 0.5
"""Share of the pressure that must remain from step to step further on. If energies need
only rise they become flat, and wiggle between the points."""

_FACES = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
_CENTRES = np.array([[-1.0, 1.0, 1.0], [1.0, -1.0, 1.0], [1.0, 1.0, -1.0]])
_CUBE = np.eye(3)

LATTICES: dict[str, tuple[FloatArray, FloatArray]] = {
    "fcc": (_FACES / 2**0.5, np.zeros((1, 3))),
    "bcc": (_CENTRES / 3**0.5, np.zeros((1, 3))),
    "sc": (_CUBE, np.zeros((1, 3))),
    "diamond": (_FACES * 2 / 3**0.5, np.array([[0.0] * 3, [0.25] * 3])),
    "CsCl": (_CUBE * 2 / 3**0.5, np.array([[0.0] * 3, [0.5] * 3])),
    "NaCl": (_FACES, np.array([[0.0] * 3, [0.5] * 3])),
    "ZnS": (_FACES * 2 / 3**0.5, np.array([[0.0] * 3, [0.25] * 3])),
}
"""Cell and fractional positions at unit distance of nearest neighbours."""


@dataclass(frozen=True)
class Steps:
    """How a way is divided.

    Attributes
    ----------
    step : float
        Of the logarithm of lengths.
    most : int
        Steps; a longer way takes steps that grow.
    """

    step: float
    most: int


FINE = Steps(0.01, 64)
"""Between points 2.5 % apart energies of a flexible model wiggle by up to 0.5 eV/atom."""

COARSE = Steps(0.025, 24)
"""Where one atom moves: the others, which do not, cost as much."""


@dataclass(frozen=True)
class Path:
    """Structures and demands on their energies.

    Attributes
    ----------
    name : str
    structures : tuple of Structure
    demands : (rows, structures) float64
        demands @ energies >= 0.
    many_body : bool
        Pairs alone cannot meet them without losing accuracy.
    """

    name: str
    structures: tuple[Structure, ...]
    demands: FloatArray
    many_body: bool = False


def lattice(name: str, numbers: Sequence[int]) -> Structure:
    """Return a crystal with nearest neighbours at 1 A, elements in turn on its sites."""
    cell, sites = LATTICES[name]
    kinds = np.resize(np.array(numbers, dtype=np.int32), len(sites))
    return Structure(kinds, sites @ cell, cell, np.ones(3, dtype=np.bool_))


def cluster(numbers: Sequence[int], positions: FloatArray) -> Structure:
    """Return a molecule in empty space."""
    kinds = np.array(numbers, dtype=np.int32)
    return Structure(kinds, positions, np.zeros((3, 3)), np.zeros(3, dtype=np.bool_))


def scaled(structure: Structure, scale: float) -> Structure:
    """Return the structure with all lengths multiplied."""
    return replace(
        structure, positions=structure.positions * scale, cell=structure.cell * scale
    )


def scales(start: float, end: float, steps: Steps = FINE) -> FloatArray:
    """Return scales from start to end, at least three."""
    way = float(np.log(end / start))
    n = min(max(int(np.ceil(abs(way) / steps.step)), 2), steps.most)
    t = np.arange(n + 1) / n
    first = min(1.0, n * steps.step / abs(way))
    return np.asarray(start * np.exp(way * (first * t + (1.0 - first) * t**2)))


def repelling(name: str, structure: Structure, start: float, end: float) -> Path:
    """Return the path to smaller scales along which the energy rises."""
    way = scales(start, end)
    return Path(name, _along(structure, way), _rising(len(way)))


def compressed(name: str, structure: Structure, start: float, end: float) -> Path:
    """Return the path to smaller scales along which energy and, at first, pressure rise.

    As long as the pressure -dE/dV does not fall from step to step, the energy rises at
    least as steeply as where the path begins; then EASED of it remains at each step.
    """
    way = scales(start, end)
    pressure = _pressure(way)
    kept = np.where(way[2:] > FIRM * start, 1.0, EASED)[:, None]
    demands = np.concatenate([pressure[:1], pressure[1:] - kept * pressure[:-1]])
    return Path(name, _along(structure, way), demands)


def bending(name: str, structure: Structure, start: float, end: float) -> Path:
    """Return the path to smaller scales along which the pressure does not fall."""
    way = scales(start, end)
    demands = np.diff(_pressure(way), axis=0)
    return Path(name, _along(structure, way), demands, many_body=True)


def expanded(name: str, structure: Structure, start: float, end: float) -> Path:
    """Return the path to larger scales along which the energy rises to at most 0."""
    way = scales(start, end)
    last = np.zeros((1, len(way)))
    last[0, -1] = -1.0
    return Path(name, _along(structure, way), np.concatenate([_rising(len(way)), last]))


def approaching(
    name: str, structure: Structure, atom: int, bond: FloatArray, start: float, end: float
) -> Path:
    """Return the path of one atom along a bond, to shorter and shorter lengths (A).

    Parameters
    ----------
    bond : (3,) float64
        From the atom to its neighbour, angstrom.
    """
    way = scales(start, end, COARSE)
    length = float(np.linalg.norm(bond))
    moved = []
    for r in way:
        positions = structure.positions.copy()
        positions[atom] += bond * (1.0 - r / length)
        moved.append(replace(structure, positions=positions))
    return Path(name, tuple(moved), _rising(len(way)))


def repeated(structure: Structure, fewest: int) -> Structure:
    """Return the structure, repeated along its shortest periodic edges to enough atoms."""
    block = structure
    while len(block) < fewest and block.pbc.any():
        edges = np.where(block.pbc, np.linalg.norm(block.cell, axis=1), np.inf)
        axis = int(edges.argmin())
        cell = block.cell.copy()
        cell[axis] *= 2.0
        positions = np.concatenate([block.positions, block.positions + block.cell[axis]])
        numbers = np.concatenate([block.numbers] * 2)
        block = Structure(numbers, positions, cell, block.pbc)
    return block


def _along(structure: Structure, way: FloatArray) -> tuple[Structure, ...]:
    return tuple(scaled(structure, float(s)) for s in way)


def _rising(n: int) -> FloatArray:
    return np.diff(np.eye(n), axis=0)


def _pressure(way: FloatArray) -> FloatArray:
    """Return what gives the pressure of every step of a way, in units of its volumes."""
    return np.asarray(_rising(len(way)) / -np.diff(way**3)[:, None])
