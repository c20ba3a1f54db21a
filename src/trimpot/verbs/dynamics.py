"""The verb ``md``: molecular dynamics of a structure, recorded in a folder."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from trimpot.contract import is_conservative
from trimpot.engines.md import precision_of
from trimpot.engines.md_outputs import extxyz
from trimpot.engines.md_settings import MdSettings
from trimpot.engines.md_start import check_atoms, check_forces_of
from trimpot.files import load, run_folder, write_text
from trimpot.verbs.charges import charge_notes
from trimpot.verbs.md_engines import prepared, steps_of
from trimpot.verbs.md_folder import (
    CHECKPOINT,
    FINAL,
    SUMMARY,
    RunFolder,
    digest,
    refuse_used,
)
from trimpot.verbs.md_grading import grader_of, with_interval
from trimpot.verbs.md_results import MdRun, draw, md_document, md_lines, write_functions
from trimpot.verbs.plain import finite_plain
from trimpot.verbs.structures import read_structure, repeated
from trimpot.verbs.watching import Silent

if TYPE_CHECKING:
    from ase import Atoms

    from trimpot.contract import Grader, Potential
    from trimpot.engines.lammps.settings import LammpsSettings, Ready
    from trimpot.verbs.watching import Watcher

__all__ = ["MdRun", "md", "md_document", "md_lines"]


def md(
    model: str | Path | Potential,
    structure: str | Path | Atoms,
    settings: MdSettings = MdSettings(),  # noqa: B008 - frozen
    *,
    output: str | Path = "md",
    index: int = -1,
    supercell: tuple[int, int, int] = (1, 1, 1),
    grader: Grader | None = None,
    lammps: LammpsSettings | None = None,
    figures: bool = True,
    watcher: Watcher = Silent(),  # noqa: B008 - has no state
) -> MdRun:
    """Run molecular dynamics and record it.

    Parameters
    ----------
    model
        A potential or the path of its file.
    structure
        Atoms, or a file of any format that ASE reads. Its velocities are kept, unless the
        cell is repeated.
    settings
        Ensemble, temperature, time step, number of steps.
    output
        Folder, made if missing, for log.csv, trajectory.extxyz, checkpoint.trimpot-md,
        final.extxyz, rdf.csv, msd.csv, summary.json and figures. It may not hold a run.
    index
        Which structure of the file; the last by default.
    supercell
        Copies of the cell along its three vectors.
    grader
        Says how far atoms are from the training data; None: the potential itself, if it
        knows. ``grade_interval`` 0: nobody looks.
    lammps
        How LAMMPS takes the steps; None: the embedded engine takes them.
    figures
        Whether to draw figures at the end.
    watcher
        Told what is run and how far it is.

    Raises
    ------
    InputError, DataError, FileFormatError
        For files, structures or settings that cannot be used.
    NonFiniteResultError
        NaN or infinity on the way, naming step and atom; the files up to then stay.
    StoppedRunError
        Extrapolation above ``stop_grade``, or a cell that ran away; the files stay.
    WriteError
        If a file cannot be written; what was complete stays.
    MissingPartError, EngineError
        With ``lammps``: it or its plugin cannot be had, or it failed.
    """
    potential = load(model) if isinstance(model, str | Path) else model
    if isinstance(structure, str | Path):
        atoms = read_structure(structure, index=index)
    else:
        atoms = structure
    whole = repeated(atoms, supercell)
    if settings.ramped and settings.ramp_steps is None:
        settings = replace(settings, ramp_steps=settings.steps)
    facts = {
        "model": _place(model),
        "digest": digest(potential),
        "structure": _name(structure),
        "precision": precision_of(potential, settings),
        "engine": None if lammps is None else lammps.facts(),
    }
    refuse_used(Path(output))
    check_forces_of(potential, settings)
    engine = None
    if lammps is not None:
        settings, engine = prepared(potential, whole, settings, lammps, watcher)
    for line in charge_notes(potential, [atoms]):
        watcher.note(line)
    if not is_conservative(potential):
        watcher.note(
            "warning: forces are predicted directly, not as the gradient of the energy: "
            "the thermostat takes up what they gain or lose, and averages are not those of "
            "an ensemble"
        )
    if engine is None or settings.grade_interval:
        grader = grader_of(potential, settings, grader, watcher)
    with run_folder(output) as folder:
        refuse_used(folder)
        watcher.note(opening(whole, settings, str(facts["precision"])))
        if "momenta" in atoms.arrays and "momenta" not in whole.arrays:
            watcher.note("velocities of the structure not used: copies would move as one")
        check_atoms(whole, settings, potential)
        settings = with_interval(settings, potential, grader, whole, watcher)
        with RunFolder(folder, settings, facts=facts) as place:
            return recorded(
                potential,
                whole,
                place,
                grader=grader,
                engine=engine,
                figures=figures,
                watcher=watcher,
            )


def recorded(
    potential: Potential,
    atoms: Atoms,
    place: RunFolder,
    *,
    grader: Grader | None,
    engine: Ready | None,
    figures: bool,
    watcher: Watcher,
) -> MdRun:
    """Run in a folder and write the results; if it ends early, say how to go on."""
    settings = place.settings
    try:
        result = steps_of(engine, place.folder)(
            potential,
            atoms,
            settings,
            outputs=place.outputs,
            watcher=watcher,
            grader=grader,
            keeper=place,
        )
        done = MdRun(result, settings, place.folder)
        write_text(place.folder / FINAL, extxyz(result.atoms))
        write_functions(done)
        if figures:
            draw(done)
        known = ("model", "structure", "engine")
        facts = {k: place.facts[k] for k in known} | md_document(done)
        text = json.dumps(finite_plain(facts), indent=1)
        write_text(place.folder / SUMMARY, text + "\n")
    except BaseException:
        if (place.folder / CHECKPOINT).exists():
            watcher.note(
                f"the run ended early; its files up to then: {place.folder}; go on from "
                f"its last checkpoint: {resume_command(place.folder)}"
            )
        raise
    return done


def resume_command(folder: Path) -> str:
    """Return the command that lets a run go on."""
    return f"trimpot md --resume {shlex.quote(str(folder))}"


def opening(atoms: Atoms, settings: MdSettings, precision: str) -> str:
    """Return a line that says what is run."""
    formula = atoms.get_chemical_formula()  # type: ignore[no-untyped-call]
    time_ps = settings.steps * settings.timestep_fs / 1000.0
    return (
        f"{formula}: {settings.ensemble}, {settings.steps} steps of "
        f"{settings.timestep_fs:g} fs ({time_ps:g} ps), {precision} precision"
    )


def _place(model: object) -> str | None:
    """Return the absolute path of a file, None of anything else."""
    return str(Path(model).resolve()) if isinstance(model, str | Path) else None


def _name(thing: object) -> str:
    """Return a path as text, the type of anything else."""
    return str(thing) if isinstance(thing, str | Path) else type(thing).__name__
