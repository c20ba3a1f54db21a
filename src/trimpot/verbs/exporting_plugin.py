"""The export ``lammps``: a folder that LAMMPS runs with the plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from ase.data import atomic_masses

from trimpot.benchmarks.crystals import default_crystal
from trimpot.elements import SYMBOLS
from trimpot.engines.ase import structure_from_atoms
from trimpot.engines.lammps.finding import INSTALL, find_program
from trimpot.engines.singlepoint import check_species
from trimpot.errors import InputError
from trimpot.files import save, write_text
from trimpot.files.lammps_box import Box
from trimpot.files.lammps_data import data_text
from trimpot.files.lammps_plugin_example import (
    DATA,
    INPUT,
    MODEL,
    README,
    input_text,
    pair_lines,
    readme_text,
    suitable_timestep_ps,
)
from trimpot.files.native_programs import refuse_uncompiled
from trimpot.networks.potential import NetworkPotential

if TYPE_CHECKING:
    from pathlib import Path

    from ase import Atoms

    from trimpot.contract import Potential, Structure

ATOMS = 432
"""Of the crystal that is run where no structure is given."""

START_K, START_ON_LATTICE_K = 300.0, 600.0


def write_plugin_folder(
    potential: Potential, folder: Path, atoms: Atoms | None
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Write model, input, data file and README; return files, commands and notes.

    Parameters
    ----------
    potential
        One that can be stored.
    folder
        Exists.
    atoms
        What the input runs; None: a crystal of the elements.

    Raises
    ------
    InputError
        If the potential cannot be stored or only this package computes it, or the
        structure has other elements, a charge, or no atoms.
    WriteError
        If a file cannot be written.
    """
    refuse_uncompiled(
        potential, "LAMMPS", "run it in Trimpot (trimpot md, or trimpot.Calculator in ASE)"
    )
    species = potential.species
    if atoms is None:
        crystal = default_crystal(potential, ATOMS, np.random.default_rng(0))
        structure, about = crystal.structure, crystal.description
    else:
        structure, about = structure_from_atoms(atoms), str(atoms.symbols)
        _check(structure, species)
    box = Box.of(structure.cell, structure.pbc, structure.positions)
    start = START_ON_LATTICE_K if atoms is None else START_K
    texts = {
        INPUT: input_text(
            species,
            box.boundary,
            timestep_ps=suitable_timestep_ps(np.unique(structure.numbers).tolist()),
            start_k=start,
        ),
        DATA: data_text(
            f"{about}, written by Trimpot",
            box,
            structure.positions,
            (1 + np.searchsorted(species, structure.numbers)).astype(np.int32),
            [(float(atomic_masses[z]), SYMBOLS[z]) for z in species],
        ),
    }
    notes = _notes(potential, made_up=atoms is None)
    texts[README] = readme_text(species, f"300 K of {about}", notes)
    save(potential, folder / MODEL)
    for name, text in texts.items():
        write_text(folder / name, text)
    lines = pair_lines([SYMBOLS[z] for z in species])
    return (MODEL, *texts), lines, (*notes, *_missing())


def _check(structure: Structure, species: tuple[int, ...]) -> None:
    if len(structure) == 0:
        raise InputError("the structure has no atoms, expected some to run")
    check_species(structure.numbers, species)
    if structure.charge:
        raise InputError(
            f"the structure has the total charge {structure.charge}, which LAMMPS is not "
            "told; export with a neutral one"
        )


def _notes(potential: Potential, *, made_up: bool) -> tuple[str, ...]:
    known = [
        "Energies are those that Trimpot prints: they include the energies of isolated "
        "atoms.",
        "Units are metal: eV, A, ps, bar. Newton on and off, any number of MPI processes.",
        "Forces are computed in mixed precision; `pair_style trimpot precision double` is "
        "the reference.",
        "LAMMPS does not look at extrapolation grades: whether the atoms stay within the "
        "training data, `trimpot md` tells.",
    ]
    if isinstance(potential, NetworkPotential):
        known.append(
            "A network has no heat flux there (compute centroid/stress/atom); stresses of "
            "atoms are shared out by edges."
        )
    if made_up:
        known.append(
            "The structure is made up from the elements, to have one that runs; give yours "
            "when you export (--structure FILE)."
        )
    return tuple(known)


def _missing() -> list[str]:
    """Say what is not installed on this machine."""
    programs = {"lmp": "LAMMPS", "mpicxx": "a compiler of MPI programs"}
    missing = [what for name, what in programs.items() if find_program(name) is None]
    if not missing:
        return []
    return [f"{' and '.join(missing)} not found on this machine: {INSTALL}"]
