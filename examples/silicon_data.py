"""Reference data of silicon: structures of five kinds, labelled by Stillinger-Weber.

Written as extended XYZ with energy, forces, stress and config_type, as a DFT code's output
would be after conversion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms, units
from ase.build import bulk, diamond100
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution
from labellers import StillingerWeber

import trimpot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LATTICE = 5.431
"""Lattice constant of Stillinger-Weber silicon, angstrom."""

COUNTS = {"bulk": 40, "strained": 40, "hot": 60, "vacancy": 30, "surface": 30}
"""Frames of each kind; one isolated atom is added."""

TEMPERATURES_K = (300.0, 900.0, 1800.0, 3000.0)
"""The last one melts the crystal."""


def reference_calculator() -> trimpot.Calculator:
    """Return an ASE calculator of the labelling potential."""
    return trimpot.Calculator(StillingerWeber())


def crystal(scale: float = 1.0, repeat: int = 2) -> Atoms:
    """Return a perfect cubic crystal of 8 repeat^3 atoms."""
    return bulk("Si", a=LATTICE * scale, cubic=True).repeat(repeat)


def rattled(atoms: Atoms, spread: float, rng: np.random.Generator) -> Atoms:
    """Return the atoms moved by normal random displacements (angstrom)."""
    moved = atoms.copy()
    moved.positions += rng.normal(scale=spread, size=moved.positions.shape)
    return moved


def compressed_or_stretched(count: int, rng: np.random.Generator) -> Iterator[Atoms]:
    """Yield rattled crystals from 5 % shorter to 6 % longer lattice constants."""
    for scale in np.linspace(0.95, 1.06, count):
        yield rattled(crystal(scale), rng.uniform(0.01, 0.12), rng)


def strained(count: int, rng: np.random.Generator) -> Iterator[Atoms]:
    """Yield crystals under random strains of up to 6 % in every component."""
    for _ in range(count):
        strain = rng.uniform(-0.06, 0.06, (3, 3))
        atoms = crystal()
        deformation = np.eye(3) + 0.5 * (strain + strain.T)
        atoms.set_cell(atoms.cell.array @ deformation, scale_atoms=True)
        yield rattled(atoms, rng.uniform(0.01, 0.08), rng)


def hot(count: int, rng: np.random.Generator) -> Iterator[Atoms]:
    """Yield snapshots of molecular dynamics at rising temperatures."""
    atoms = crystal()
    atoms.calc = reference_calculator()
    each = count // len(TEMPERATURES_K)
    for kelvin in TEMPERATURES_K:
        MaxwellBoltzmannDistribution(atoms, temperature_K=kelvin, rng=rng)
        dynamics = Langevin(
            atoms,
            2.0 * units.fs,
            temperature_K=kelvin,
            friction=0.02 / units.fs,
            fixcm=False,
            rng=rng,
        )
        dynamics.run(60)
        for _ in range(each):
            dynamics.run(15)
            yield atoms.copy()


def with_vacancy(count: int, rng: np.random.Generator) -> Iterator[Atoms]:
    """Yield rattled crystals that lack one atom."""
    for _ in range(count):
        atoms = crystal(rng.uniform(0.99, 1.02))
        del atoms[int(rng.integers(len(atoms)))]
        yield rattled(atoms, rng.uniform(0.01, 0.15), rng)


def with_surfaces(count: int, rng: np.random.Generator) -> Iterator[Atoms]:
    """Yield rattled (100) slabs with vacuum."""
    for _ in range(count):
        slab = diamond100("Si", (3, 3, 6), a=LATTICE * rng.uniform(0.99, 1.01), vacuum=6.0)
        slab.pbc = True
        yield rattled(slab, rng.uniform(0.01, 0.12), rng)


MAKERS: dict[str, Callable[[int, np.random.Generator], Iterator[Atoms]]] = {
    "bulk": compressed_or_stretched,
    "strained": strained,
    "hot": hot,
    "vacancy": with_vacancy,
    "surface": with_surfaces,
}


def labelled(atoms: Atoms, config_type: str) -> Atoms:
    """Return the bare atoms with reference energy, forces and stress stored on them."""
    atoms = Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
    atoms.calc = reference_calculator()
    found = {
        "energy": atoms.get_potential_energy(),
        "forces": atoms.get_forces(),
        "stress": atoms.get_stress(),
    }
    atoms.calc = SinglePointCalculator(atoms, **found)
    atoms.info["config_type"] = config_type
    return atoms


def write_frames(path: Path, *, seed: int, progress: Callable[[str], None]) -> int:
    """Write all frames to an extended XYZ file and return their number."""
    alone = labelled(Atoms("Si", cell=[15.0] * 3, pbc=True), "isolated_atom")
    frames = [alone]
    for kind, make in MAKERS.items():
        rng = np.random.default_rng([seed, len(frames)])
        frames += [labelled(atoms, kind) for atoms in make(COUNTS[kind], rng)]
        progress(f"{COUNTS[kind]} frames: {kind}")
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, frames, format="extxyz")
    return len(frames)
