"""Checkpoints of a run: one file, written atomically, without pickle, every bit kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms

from trimpot.engines.charges import charge_info
from trimpot.engines.md_state import RunState
from trimpot.errors import FileFormatError, InputError
from trimpot.files.container import read, write
from trimpot.files.encoding import flatten, unflatten
from trimpot.writing.atomic import atomic_write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from trimpot.files.encoding import Tensors


FORMAT, VERSION = "trimpot-md", 1

COLUMNS = ("positions", "momenta", "masses")
"""Columns of the atoms that are kept, where there are any."""


@dataclass(frozen=True)
class Checkpoint:
    """A state, and facts about the run that the state belongs to.

    Attributes
    ----------
    state : RunState
        Where the run is.
    facts : mapping
        Settings, model, sizes of files; JSON-compatible.
    """

    state: RunState
    facts: Mapping[str, object]


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint over the one before, atomically.

    Raises
    ------
    WriteError
        If it cannot be written; the one before is then unchanged.
    """
    state = checkpoint.state
    tensors: Tensors = {}
    atoms = state.atoms
    content = {
        "step": state.step,
        "volume_a3": state.volume_a3,
        "velocities": state.velocities,
        "integrator": state.integrator,
        "analyses": state.analyses,
        "atoms": {
            "numbers": np.asarray(atoms.numbers, dtype=np.int32),
            "cell": np.array(atoms.cell.array),
            "pbc": [bool(periodic) for periodic in atoms.pbc],
            "info": charge_info(atoms),
            **{name: atoms.arrays[name] for name in COLUMNS if name in atoms.arrays},
        },
        "facts": checkpoint.facts,
    }
    document = flatten(content, "run", tensors)
    with atomic_write(path) as handle:
        write(handle, {"format": FORMAT, "version": VERSION, "run": document}, tensors)


def read_checkpoint(path: Path) -> Checkpoint:
    """Return the checkpoint of a file.

    Raises
    ------
    InputError
        If there is none.
    FileFormatError
        If it is damaged, or not a checkpoint of this release.
    """
    if not path.is_file():
        raise InputError(
            f"there is no checkpoint {path}: no run was begun there, or it was ended "
            "before its first; start a new run in another folder"
        )
    try:
        document, tensors = read(path)
        if (document.get("format"), document.get("version")) != (FORMAT, VERSION):
            raise FileFormatError(
                f"its format is {document.get('format')!s:.40} "
                f"{document.get('version')!s:.40}, expected {FORMAT} {VERSION}"
            )
        return _checkpoint(unflatten(document["run"], tensors, set()))
    except (FileFormatError, KeyError, TypeError, ValueError) as error:
        raise FileFormatError(
            f"cannot go on from {path}: {error!s:.200}; start a new run, from "
            "the last frame of the trajectory if you like"
        ) from error


def _checkpoint(content: object) -> Checkpoint:
    if not isinstance(content, dict):
        raise FileFormatError("it holds no run")
    kept = content["atoms"]
    atoms = Atoms(kept["numbers"], kept["positions"], cell=kept["cell"], pbc=kept["pbc"])
    atoms.info = dict(kept.get("info", {}))  # older ones have none
    for name in COLUMNS[1:]:
        if name in kept:
            atoms.set_array(name, kept[name])  # type: ignore[no-untyped-call]
    state = RunState(
        step=int(content["step"]),
        atoms=atoms,
        integrator=content["integrator"],
        analyses=content["analyses"],
        volume_a3=float(content["volume_a3"]),
        velocities=str(content["velocities"]),
    )
    return Checkpoint(state, content["facts"])
