"""Structures whose edges are counted: crystals, a liquid, real frames, an interface."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase.build import bulk, fcc111
from ase.spacegroup import crystal

import trimpot
from trimpot.contract import Structure
from trimpot.engines.ase import structure_from_atoms

from . import water

DATA = Path(__file__).parents[3] / "shared" / "data"
NOISE = 0.08
"""Standard deviation in A of each coordinate of a crystal."""

LEAST_ATOMS = 200
FRAMES = 6
"""Of each real set, evenly spaced."""


@dataclass(frozen=True)
class Material:
    """One or several structures of a material.

    Attributes
    ----------
    name : str
    structures : tuple of Structure
    never_screen : tuple of str
        Elements that screen nothing.
    """

    name: str
    structures: tuple[Structure, ...]
    never_screen: tuple[str, ...] = ()


CRYSTALS = {
    "diamond": lambda: bulk("C", "diamond", a=3.567, cubic=True),
    "Si": lambda: bulk("Si", "diamond", a=5.431, cubic=True),
    "Cu fcc": lambda: bulk("Cu", "fcc", a=3.615, cubic=True),
    "Fe bcc": lambda: bulk("Fe", "bcc", a=2.866, cubic=True),
    "W bcc": lambda: bulk("W", "bcc", a=3.165, cubic=True),
    "Ba bcc": lambda: bulk("Ba", "bcc", a=5.02, cubic=True),
    "TiO2 rutile": lambda: crystal(
        ["Ti", "O"],
        [(0, 0, 0), (0.305, 0.305, 0)],
        spacegroup=136,
        cellpar=[4.594, 4.594, 2.959, 90, 90, 90],
    ),
}

REAL = {
    "liquid water, DFT": "water_deepmd/*",
    "GeTe": "gete_deepmd/*",
    "HfO2": "hfo2_cesmix/*",
    "MoSe2, one layer": "mose2_espinosa/*",
    "zeolites": "zeolite_sizeo22/*",
    "MIL-53": "mil53_psiflow/*",
}
"""Sets of ../shared/data: ordered and disordered, dense and open."""


def shaken(atoms, seed: int = 1, noise: float = NOISE) -> Structure:
    """Return the structure with every coordinate displaced at random."""
    moved = atoms.copy()
    rng = np.random.default_rng(seed)
    moved.positions += rng.normal(0.0, noise, moved.positions.shape)
    return structure_from_atoms(moved)


def made_here() -> list[Material]:
    """Return crystals of at least 200 atoms, and liquid water."""
    found = []
    for name, cell in CRYSTALS.items():
        atoms = cell()
        repeats = int(np.ceil((LEAST_ATOMS / len(atoms)) ** (1 / 3)))
        found.append(Material(name, (shaken(atoms.repeat(repeats)),)))
    liquid = (water.liquid_water(),)
    spared = Material("water, H never screens", liquid, ("H",))
    return [*found, Material("liquid water", liquid), spared]


def from_data() -> tuple[list[Material], list[str]]:
    """Return materials of ../shared/data, and why others are left out."""
    found, reasons = [], []
    for name, pattern in REAL.items():
        files = sorted(DATA.glob(pattern + ".extxyz.xz"))
        if not files:
            reasons.append(f"{name} left out: no ../shared/data/{pattern}.extxyz.xz")
            continue
        frames = trimpot.read(files[0]).frames
        chosen = np.linspace(0, len(frames) - 1, FRAMES).astype(int)
        structures = tuple(frames[k].structure for k in chosen)
        found.append(Material(name, structures))
    return found, reasons


def slabs(gap: float, seed: int = 1, noise: float = NOISE) -> tuple[Structure, np.ndarray]:
    """Return two Cu(111) slabs of five layers, and which atoms are in the upper one.

    ``gap`` is between the planes of the facing surface layers; the other sides are free.
    """
    lower = fcc111("Cu", (5, 6, 5), a=3.615, orthogonal=True)
    upper = lower.copy()
    upper.positions[:, 2] += lower.positions[:, 2].max() - lower.positions[:, 2].min() + gap
    both = lower + upper
    both.center(vacuum=10.0, axis=2)
    both.pbc = True, True, False
    return shaken(both, seed, noise), np.arange(len(both)) >= len(lower)


def facing(structure: Structure, upper: np.ndarray) -> np.ndarray:
    """Return which atoms are in the two surface layers that face each other."""
    z = structure.positions[:, 2]
    layer = 3.615 / np.sqrt(3)
    return np.where(upper, z < z[upper].min() + layer / 2, z > z[~upper].max() - layer / 2)
