"""Runs ``lmp`` on one structure and returns what it computes, in our conventions."""

from __future__ import annotations

import os
import subprocess

import numpy as np
from ase.calculators.lammps import Prism
from ase.io import write

from trimpot.contract import Evaluation
from trimpot.engines.lammps import finding

BAR = 1.6021765e6
"""What LAMMPS takes for one eV/A^3 in bar in metal units."""


def find_lmp(package="ML-UF3"):
    """Return the path of lmp; fail where there is none with a package."""
    lmp = finding.find_lmp()
    assert lmp is not None, f"needs lmp: {finding.INSTALL}"
    assert package in finding.lammps_facts(lmp).packages, f"{lmp} is without {package}"
    return lmp


def evaluate(lmp, folder, atoms, species, commands, *, launcher=(), newton="on"):
    """Return energy (in ``energies[0]``), forces and virial from LAMMPS for ASE atoms.

    ``launcher`` is what starts several processes, such as ("mpirun", "-n", "2").
    """
    prism = Prism(atoms.cell.array, pbc=atoms.pbc)
    symbols = [atoms.__class__([z]).get_chemical_symbols()[0] for z in species]
    write(
        folder / "x.data",
        atoms,
        format="lammps-data",
        specorder=symbols,
        masses=True,
        prismobj=prism,
        force_skew=True,
    )
    boundary = " ".join("p" if periodic else "f" for periodic in atoms.pbc)
    (folder / "in.lmp").write_text(
        f"""units metal
newton {newton}
atom_style atomic
boundary {boundary}
box tilt large
read_data x.data
{os.linesep.join(commands)}
neighbor 1.0 bin
compute w all pressure NULL virial
thermo_style custom step pe vol c_w[1] c_w[2] c_w[3] c_w[4] c_w[5] c_w[6]
thermo_modify format float %22.17g
dump 1 all custom 1 forces.dump id fx fy fz
dump_modify 1 sort id format float %22.17g
run 0
"""
    )
    done = subprocess.run(
        [*launcher, lmp, "-in", "in.lmp", "-log", "none"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    row = next(i for i, line in enumerate(lines) if line.split()[:2] == ["Step", "PotEng"])
    _, energy, volume, *pressure = map(float, lines[row + 1].split())
    xx, yy, zz, xy, xz, yz = pressure
    virial = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]) * volume / BAR
    table = np.loadtxt(folder / "forces.dump", skiprows=9, ndmin=2)
    forces = prism.vector_to_ase(table[:, 1:])
    rotation = prism.vector_to_ase(np.eye(3))
    return Evaluation(np.array([energy]), forces, rotation.T @ virial @ rotation)
