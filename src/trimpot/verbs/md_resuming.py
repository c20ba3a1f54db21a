"""The verb ``md --resume``: let a run go on from its last checkpoint."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trimpot.engines.charges import total_charge
from trimpot.engines.lammps.settings import LammpsSettings
from trimpot.engines.md_checkpoint import Checkpoint, read_checkpoint
from trimpot.engines.md_settings import MdSettings
from trimpot.errors import FileFormatError, InputError
from trimpot.files import load, run_folder
from trimpot.verbs.dynamics import MdRun, opening, recorded
from trimpot.verbs.md_engines import prepared
from trimpot.verbs.md_folder import CHECKPOINT, SUMMARY, RunFolder, digest, environment
from trimpot.verbs.md_grading import grader_of
from trimpot.verbs.structures import read_structure, repeated
from trimpot.verbs.watching import Silent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ase import Atoms

    from trimpot.contract import Grader, Potential
    from trimpot.verbs.md_engines import EngineName
    from trimpot.verbs.watching import Watcher

MAY_CHANGE = ("steps", "stop_grade", "threads")
"""Settings that do not touch what was done already."""


def resume_md(
    folder: str | Path,
    *,
    model: str | Path | Potential | None = None,
    structure: str | Path | Atoms | None = None,
    supercell: tuple[int, int, int] = (1, 1, 1),
    changes: Mapping[str, object] = {},
    grader: Grader | None = None,
    engine: EngineName | None = None,
    programs: Mapping[str, object] = {},
    figures: bool = True,
    watcher: Watcher = Silent(),  # noqa: B008 - has no state
) -> MdRun:
    """Let a run go on from its last checkpoint, as if it had never been stopped.

    What was written after the checkpoint is cut off and computed again.

    Parameters
    ----------
    folder
        Of the run.
    model
        The same potential; None: the file that the run was begun with.
    structure, supercell
        Only compared with the atoms of the run.
    changes
        Settings by name. ``steps`` may be raised, ``stop_grade`` and ``threads`` may
        change; all others must be those of the run.
    engine
        The engine that the run was begun with, which it goes on with; None: whichever.
    programs
        Settings of ``LammpsSettings`` by name that may be others now, such as ``ranks``.
    grader, figures, watcher
        As ``md``.

    Raises
    ------
    InputError
        If there is nothing to go on from, the run is complete, or potential, atoms or
        settings are others, saying which.
    FileFormatError
        If the checkpoint is damaged.
    NonFiniteResultError, StoppedRunError, WriteError
        As ``md``.
    """
    if not Path(folder).is_dir():
        raise InputError(
            f"there is no folder {folder}; give the output folder of a run that was begun"
        )
    with run_folder(folder) as place:
        checkpoint = read_checkpoint(place / CHECKPOINT)
        settings = _settings(checkpoint, changes)
        _check_open(place, checkpoint, settings)
        potential = _potential(checkpoint, model)
        atoms = checkpoint.state.atoms
        if structure is not None:
            _check_atoms(atoms, structure, supercell)
        for line in _differences(checkpoint):
            watcher.note(line)
        watcher.note(opening(atoms, settings, str(checkpoint.facts["precision"])))
        kept = ("model", "digest", "structure", "precision")
        facts = {name: checkpoint.facts[name] for name in kept}
        lammps = _engine(checkpoint, engine, programs)
        facts["engine"] = None if lammps is None else lammps.facts()
        ready = None
        if lammps is not None:
            settings, ready = prepared(potential, atoms, settings, lammps, watcher)
        (place / SUMMARY).unlink(missing_ok=True)  # it belongs to an end that is none
        if ready is None or settings.grade_interval:
            grader = grader_of(potential, settings, grader, watcher)
        with RunFolder(place, settings, facts=facts, checkpoint=checkpoint) as going:
            return recorded(
                potential,
                atoms,
                going,
                grader=grader,
                engine=ready,
                figures=figures,
                watcher=watcher,
            )


def _engine(
    checkpoint: Checkpoint, asked: EngineName | None, programs: Mapping[str, object]
) -> LammpsSettings | None:
    """Return how LAMMPS goes on, with what is given now; None: the embedded engine does."""
    known = checkpoint.facts.get("engine")  # older checkpoints have none
    begun: EngineName = "lammps" if isinstance(known, dict) else "embedded"
    asked = asked or ("lammps" if programs else begun)
    if asked != begun:
        raise InputError(
            f"the run was begun with the engine {begun} and cannot go on with {asked}: "
            "thermostats and checkpoints differ; leave the engine and its options out, or "
            "start a new run from final.extxyz or the trajectory"
        )
    if not isinstance(known, dict):
        return None
    return LammpsSettings.of_facts({**known, **programs})


def _settings(checkpoint: Checkpoint, changes: Mapping[str, object]) -> MdSettings:
    """Return the settings of the run with what may change."""
    known = checkpoint.facts["settings"]
    try:
        before = MdSettings(**known)  # type: ignore[arg-type]  # it checks every value
    except TypeError as error:
        raise FileFormatError(
            f"the checkpoint has other settings than this release ({error}); go on with "
            f"the release that began the run: {checkpoint.facts.get('environment')}"
        ) from error
    values = asdict(before)
    others = [
        f"{name} {values.get(name)} (now {wished})"
        for name, wished in changes.items()
        if name not in MAY_CHANGE and values.get(name) != wished
    ]
    if others:
        raise InputError(
            f"the run has {', '.join(others)}; a run goes on with the settings it was "
            f"begun with, only {', '.join(MAY_CHANGE)} may change; leave these out, or "
            "start a new run from final.extxyz or the trajectory"
        )
    allowed = {name: changes[name] for name in MAY_CHANGE if name in changes}
    return replace(before, **allowed)  # type: ignore[arg-type]


def _check_open(place: Path, checkpoint: Checkpoint, settings: MdSettings) -> None:
    """Refuse a run that has nothing left to do."""
    done = checkpoint.state.step
    if settings.steps < done:
        raise InputError(
            f"steps is {settings.steps}, but {done} steps of {place} are done; give more"
        )
    if settings.steps == done and (place / SUMMARY).exists():
        raise InputError(
            f"the run in {place} is complete with {done} steps; to extend it, give more "
            f"steps: trimpot md --resume {place} --steps {2 * done}"
        )


def _potential(checkpoint: Checkpoint, model: str | Path | Potential | None) -> Potential:
    """Return the potential of the run."""
    place = checkpoint.facts["model"] if model is None else model
    if place is None:
        raise InputError(
            "the run was begun with a potential that came from no file; give the potential"
        )
    if isinstance(place, str) and model is None and not Path(place).is_file():
        raise InputError(
            f"the potential of the run, {place}, is gone; give its new place: "
            "trimpot md MODEL --resume DIR"
        )
    potential: Potential = load(place) if isinstance(place, str | Path) else place  # type: ignore[assignment]
    expected, found = checkpoint.facts["digest"], digest(potential)
    if expected != found:
        raise InputError(
            f"the potential {place} is not the one of the run (SHA-256 {found!s:.12}, "
            f"expected {expected!s:.12}); give the one that the run was begun with, or "
            "start a new run"
        )
    return potential


def _check_atoms(
    atoms: Atoms, structure: str | Path | Atoms, supercell: tuple[int, int, int]
) -> None:
    if isinstance(structure, str | Path):
        structure = read_structure(structure)
    given = repeated(structure, supercell)
    if len(given) != len(atoms):
        raise InputError(
            f"the structure has {len(given)} atoms, the run {len(atoms)}; leave the "
            "structure out: a run goes on with its own"
        )
    if not np.array_equal(given.numbers, atoms.numbers):
        place = int(np.argmax(given.numbers != atoms.numbers))
        raise InputError(
            f"atom {place} of the structure is {given[place].symbol}, in the run it is "
            f"{atoms[place].symbol}; leave the structure out: a run goes on with its own"
        )
    if (asked := total_charge(given)) != (own := total_charge(atoms)):
        raise InputError(
            f"the structure has total charge {asked}, the run {own}; leave the structure "
            "out: a run goes on with its own"
        )


def _differences(checkpoint: Checkpoint) -> list[str]:
    """Say what keeps the bits from being those of a run that never stopped."""
    then, now = checkpoint.facts.get("environment"), environment()
    if not isinstance(then, dict):
        return []
    return [
        f"warning: {name.replace('_', ' ')} was {then.get(name)}, now {value}: the run "
        "goes on, but last digits may differ from those of a run that never stopped"
        for name, value in now.items()
        if then.get(name) != value
    ]
