"""A LAMMPS input that runs an exported potential as it is: include, input, structure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from ase.data import atomic_masses

from trimpot.elements import SYMBOLS, covalent_radius
from trimpot.files.lammps_box import Box
from trimpot.files.lammps_data import data_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trimpot.contract import FloatArray

INCLUDE, INPUT, DATA = "potential.in", "in.lammps", "example.data"

ATOMS_PER_EDGE = 4

SWING = 0.08
"""Displacements of the example's atoms from their lattice, over its spacing."""


def include_text(
    commands: Sequence[str], species: Sequence[int], isolated: Mapping[str, float]
) -> str:
    """Return the lines that define the potential and ``v_trimpot_energy``.

    The variable is the total energy with the energies of isolated atoms (eV), which no
    pair style of LAMMPS adds.
    """
    types = ", ".join(f"{i} = {SYMBOLS[z]}" for i, z in enumerate(species, start=1))
    lacking = "which pe does not have" if isolated else "as pe has it"
    lines = [
        f"# units metal, newton on, atom types {types}; after read_data",
        *commands,
        "",
        f"# energy (eV) with the energies of isolated atoms, {lacking}",
    ]
    summands = ["pe"]
    for number, z in enumerate(species, start=1):
        symbol = SYMBOLS[z]
        if symbol in isolated:
            lines.append(f"group trimpot_{symbol} type {number}")
            summands.append(f"count(trimpot_{symbol})*({isolated[symbol]!r})")
    return "\n".join([*lines, f'variable trimpot_energy equal "{"+".join(summands)}"', ""])


def input_text(species: Sequence[int], lmp: str = "lmp") -> str:
    """Return an input that computes energy and forces of a structure."""
    names = " ".join(SYMBOLS[z] for z in species)
    return f"""# Run: {lmp} -in {INPUT}
# Another structure: {lmp} -in {INPUT} -var data my.data  (atom types: {names})
variable data index {DATA}
units metal
atom_style atomic
newton on
boundary p p p
box tilt large
read_data ${{data}}

include {INCLUDE}

neighbor 1.0 bin
thermo_style custom step v_trimpot_energy pe press
thermo_modify format float %.10g
dump forces all custom 1 forces.dump id type x y z fx fy fz
dump_modify forces sort id format float %.10g
run 0
undump forces

# Molecular dynamics at 300 K and constant energy:
# velocity all create 300.0 1
# fix move all nve
# timestep 0.001
# thermo 100
# run 1000
"""


def example_structure(species: Sequence[int], shortest: float) -> tuple[FloatArray, float]:
    """Return positions (n, 3) and the edge of a cubic cell of a made-up crystal.

    Atoms of all species in turn on a simple cubic lattice, a little displaced, further
    apart than ``shortest``; angstrom. It is there to be run, not to be stable.
    """
    spacing = 2.0 * max(covalent_radius(z) for z in species)
    spacing = max(spacing, shortest / (1.0 - 2.0 * math.sqrt(3.0) * SWING))
    steps = np.arange(ATOMS_PER_EDGE)
    lattice = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1)
    places = lattice.reshape(-1, 3).astype(np.float64)
    places += SWING * np.sin(np.arange(places.size) ** 2).reshape(places.shape)
    return spacing * places, spacing * ATOMS_PER_EDGE


def example_data(species: Sequence[int], shortest: float) -> str:
    """Return the example structure as a LAMMPS data file."""
    positions, edge = example_structure(species, shortest)
    periodic = np.ones(3, dtype=np.bool_)
    return data_text(
        "Made-up structure to run the potential with",
        Box.of(edge * np.eye(3), periodic, positions),
        positions,
        (np.arange(len(positions)) % len(species) + 1).astype(np.int32),
        [(float(atomic_masses[z]), SYMBOLS[z]) for z in species],
    )
