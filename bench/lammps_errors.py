"""What ``lmp`` computes for labelled frames, in the conventions of Trimpot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.lammps import Prism
from ase.io import write

from trimpot.benchmarks.lammps import run_input
from trimpot.validation.predictions import Predictions

BAR = 1.6021765e6
"""What LAMMPS takes for one eV/A^3 in bar in metal units."""

FRAME = """clear
units metal
atom_style atomic
boundary p p p
box tilt large
read_data {k}.data
{commands}
neighbor 1.0 bin
compute w all pressure NULL virial
thermo_style custom step pe c_w[1] c_w[2] c_w[3] c_w[4] c_w[5] c_w[6]
thermo_modify format float %22.17g
dump 1 all custom 1 {k}.forces id fx fy fz
dump_modify 1 sort id format float %22.17g
run 0
"""


def predict(lmp: str, folder: Path, frames, symbols, commands) -> Predictions:
    """Return energies, forces and stresses of periodic frames, one run for all.

    Parameters
    ----------
    lmp
        The executable.
    folder
        Empty folder for its files.
    frames
        Labelled frames, periodic along all axes.
    symbols
        Elements, in the order of the LAMMPS types.
    commands
        Lines with ``pair_style`` and ``pair_coeff``; paths relative to ``folder``.
    """
    prisms, script = [], []
    for k, frame in enumerate(frames):
        s = frame.structure
        atoms = Atoms(s.numbers, s.positions, cell=s.cell, pbc=s.pbc)
        prisms.append(Prism(atoms.cell.array, pbc=atoms.pbc))
        write(
            folder / f"{k}.data",
            atoms,
            format="lammps-data",
            specorder=list(symbols),
            masses=True,
            prismobj=prisms[-1],
            force_skew=True,
        )
        script.append(FRAME.format(k=k, commands="\n".join(commands)))
    (folder / "in.lmp").write_text("".join(script))
    rows = _thermo(run_input(lmp, folder))
    if len(rows) != len(prisms):
        raise RuntimeError(f"lmp printed {len(rows)} energies for {len(prisms)} frames")
    return Predictions(
        rows[:, 0],
        tuple(_forces(folder / f"{k}.forces", p) for k, p in enumerate(prisms)),
        tuple(_stress(row[1:], p) for row, p in zip(rows, prisms, strict=True)),
    )


def _thermo(output: str):
    """Return the numbers after each header, (frames, 7)."""
    lines = [line.split() for line in output.splitlines()]
    found = [lines[k + 1][1:] for k, w in enumerate(lines) if w[:2] == ["Step", "PotEng"]]
    return np.array(found, dtype=float)


def _forces(path: Path, prism: Prism):
    return prism.vector_to_ase(np.loadtxt(path, skiprows=9, ndmin=2)[:, 1:])


def _stress(pressure, prism: Prism):
    """Return the stress in eV/A^3, tension positive, along the axes of the frame."""
    xx, yy, zz, xy, xz, yz = -pressure / BAR
    rotation = prism.vector_to_ase(np.eye(3))
    return rotation.T @ np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]) @ rotation
