"""Models as LAMMPS takes them: our potentials by the plugin, or a pair style of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from ase.data import atomic_masses

from trimpot.elements import SYMBOLS
from trimpot.engines.lammps.calculator import PairLines
from trimpot.engines.lammps.running import Launch, environment
from trimpot.engines.lammps.settings import LammpsSettings, made_ready
from trimpot.errors import InputError
from trimpot.files import save
from trimpot.files.lammps_data import data_text
from trimpot.files.lammps_plugin_example import MODEL, pair_lines

if TYPE_CHECKING:
    from pathlib import Path

    from ase import Atoms

    from trimpot.contract import Potential
    from trimpot.files.lammps_box import Box

WORDS = "precision mixed threads 1"
"""Options of our pair style; several measurements share the cores."""


@dataclass(frozen=True)
class LammpsModel:
    """A model, and the programs that run it.

    Attributes
    ----------
    pair : PairLines
        Its commands; LAMMPS runs in the folder of its files.
    launch : Launch
        How ``lmp`` is started.
    plugin : Path or None
        The plugin that the commands need.
    """

    pair: PairLines
    launch: Launch
    plugin: Path | None = None

    @property
    def environment(self) -> dict[str, str]:
        """Environment of ``lmp``."""
        return environment(self.plugin)

    def data(self, atoms: Atoms, box: Box) -> str:
        """Return a structure as a data file with the atom types of this model.

        Raises
        ------
        InputError
            If the model does not know an element.
        """
        species = self.pair.species
        unknown = {SYMBOLS[z] for z in set(atoms.numbers.tolist()) - set(species)}
        if unknown:
            raise InputError(
                f"the model knows {', '.join(self.pair.elements)}, found "
                f"{', '.join(sorted(unknown))}; use one that knows all elements"
            )
        kinds = np.array([species.index(int(z)) + 1 for z in atoms.numbers], dtype=np.int32)
        masses = [(float(atomic_masses[z]), SYMBOLS[z]) for z in species]
        return data_text("trimpot", box, atoms.positions, kinds, masses)


def model_of_lines(pair: PairLines, ranks: int = 1) -> LammpsModel:
    """Return a pair style of LAMMPS, ready to run.

    Raises
    ------
    InputError, MissingPartError
        As ``Launch.of``.
    """
    return LammpsModel(pair, Launch.of(ranks))


def model_of_potential(potential: Potential, folder: Path, ranks: int = 1) -> LammpsModel:
    """Return one of our potentials, stored in a folder and ready to run.

    Raises
    ------
    InputError
        If it cannot be stored; ``check_possible`` says what else LAMMPS cannot do.
    MissingPartError, EngineError
        If the plugin is missing and cannot be built.
    """
    ready = made_ready(LammpsSettings(ranks=ranks))
    save(potential, folder / MODEL)
    names = tuple(SYMBOLS[z] for z in potential.species)
    lines = pair_lines(names, words=WORDS)
    return LammpsModel(PairLines(lines, names, folder), ready.launch, ready.plugin.path)
