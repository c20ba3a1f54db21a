"""The verb ``md``: molecular dynamics of a structure, recorded in a folder."""

from __future__ import annotations

import json
import math
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trimpot.engines.md import MdResult, Output, precision_of, run
from trimpot.engines.md_outputs import LogFile, TrajectoryFile, extxyz
from trimpot.engines.md_settings import MdSettings
from trimpot.errors import InputError, NonFiniteResultError, WriteError
from trimpot.files import load, write_text
from trimpot.files.release import release
from trimpot.reports.numbers import with_error
from trimpot.verbs.plain import finite_plain
from trimpot.verbs.structures import read_structure, repeated
from trimpot.verbs.watching import Silent

if TYPE_CHECKING:
    from ase import Atoms

    from trimpot.contract import Potential, Precision
    from trimpot.engines.md_statistics import Average
    from trimpot.verbs.watching import Watcher

LOG, TRAJECTORY, FINAL, SUMMARY = (
    "log.csv",
    "trajectory.extxyz",
    "final.extxyz",
    "summary.json",
)


@dataclass(frozen=True)
class MdRun:
    """A run and where it is recorded.

    Attributes
    ----------
    result : MdResult
        Last structure, samples, averages, drift, speed.
    settings : MdSettings
        What was asked for.
    output : Path
        Folder of log, trajectory, final structure and summary.
    """

    result: MdResult
    settings: MdSettings
    output: Path


def md(
    model: str | Path | Potential,
    structure: str | Path | Atoms,
    settings: MdSettings = MdSettings(),  # noqa: B008 - frozen
    *,
    output: str | Path = "md",
    index: int = -1,
    supercell: tuple[int, int, int] = (1, 1, 1),
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
        Folder, made if missing, for log.csv, trajectory.extxyz, final.extxyz and
        summary.json. None of these may exist.
    index
        Which structure of the file; the last by default.
    supercell
        Copies of the cell along its three vectors.
    watcher
        Told what is run and how far it is.

    Raises
    ------
    InputError, DataError, FileFormatError
        For files, structures or settings that cannot be used.
    NonFiniteResultError
        NaN or infinity on the way, naming step and atom; the files up to then stay.
    WriteError
        If a file cannot be written.
    """
    potential = load(model) if isinstance(model, str | Path) else model
    if isinstance(structure, str | Path):
        atoms = read_structure(structure, index=index)
    else:
        atoms = structure
    whole = repeated(atoms, supercell)
    folder = _new_output(Path(output))
    watcher.note(_opening(whole, settings, precision_of(potential, settings)))
    if "momenta" in atoms.arrays and "momenta" not in whole.arrays:
        watcher.note("velocities of the structure not used: copies would move as one")
    result = _recorded(potential, whole, settings, folder, watcher)
    done = MdRun(result, settings, folder)
    write_text(folder / FINAL, extxyz(result.atoms))
    facts = {"model": _name(model), "structure": _name(structure), **md_document(done)}
    write_text(folder / SUMMARY, json.dumps(finite_plain(facts), indent=1) + "\n")
    return done


def md_document(done: MdRun) -> dict[str, object]:
    """Return settings and results, JSON-compatible."""
    result = done.result
    return {
        "output": str(done.output),
        "trimpot": release(),
        "atoms": len(result.atoms),
        "settings": asdict(done.settings),
        "velocities": result.velocities,
        "precision": result.precision,
        "averages": asdict(result.averages),
        "drift": None if result.drift is None else asdict(result.drift),
        "speed": asdict(result.speed),
    }


def md_lines(done: MdRun) -> list[str]:
    """Return the results as lines for a person."""
    result, averages = done.result, done.result.averages
    share = done.settings.equilibration
    lines = [
        f"averages without the first {share:.0%} of the run",
        f"temperature      {_shown(averages.temperature_k)} K",
        f"potential energy {_shown(averages.potential)} eV/atom",
        f"total energy     {_shown(averages.total)} eV/atom",
    ]
    if averages.pressure_gpa is not None:
        lines.append(f"pressure         {_shown(averages.pressure_gpa)} GPa")
    if (drift := result.drift) is not None:
        lines.append(
            f"energy drift     {drift.slope:+.1e} ± {drift.error:.1e} meV/atom/ps, "
            f"fluctuation {drift.fluctuation:.1e} meV/atom"
        )
    speed = result.speed
    lines += [
        f"speed            {speed.us_per_atom_step:.3g} us/atom/step, "
        f"{speed.ns_per_day:.3g} ns/day",
        f"log, trajectory, final structure: {done.output}",
    ]
    return lines


def _recorded(
    potential: Potential, atoms: Atoms, settings: MdSettings, folder: Path, watcher: Watcher
) -> MdResult:
    with ExitStack() as files:
        outputs: list[Output] = [
            files.enter_context(LogFile(folder / LOG, settings.log_interval))
        ]
        if settings.trajectory_interval > 0:
            trajectory = TrajectoryFile(folder / TRAJECTORY, settings.trajectory_interval)
            outputs.append(files.enter_context(trajectory))
        try:
            return run(potential, atoms, settings, outputs=outputs, watcher=watcher)
        except (NonFiniteResultError, WriteError):
            if (folder / LOG).exists():
                watcher.note(f"the run ended early; its files up to then: {folder}")
            raise


def _new_output(folder: Path) -> Path:
    found = [n for n in (LOG, TRAJECTORY, FINAL, SUMMARY) if (folder / n).exists()]
    if found:
        raise InputError(
            f"{folder} holds another run ({', '.join(found)}), expected a folder without; "
            "choose another output folder, or delete these files"
        )
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _opening(atoms: Atoms, settings: MdSettings, precision: Precision) -> str:
    formula = atoms.get_chemical_formula()  # type: ignore[no-untyped-call]
    time_ps = settings.steps * settings.timestep_fs / 1000.0
    return (
        f"{formula}: {settings.ensemble}, {settings.steps} steps of "
        f"{settings.timestep_fs:g} fs ({time_ps:g} ps), {precision} precision"
    )


def _name(thing: object) -> str:
    """Return a path as text, the type of anything else."""
    return str(thing) if isinstance(thing, str | Path) else type(thing).__name__


def _shown(average: Average) -> str:
    if math.isnan(average.error):  # too few samples
        return with_error(average.mean, None)
    if average.error < 1e-6:  # a conserved energy: the drift says how well
        return f"{average.mean:.6f}"
    return with_error(average.mean, average.error)
