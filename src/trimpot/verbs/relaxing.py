"""The verb ``relax``: the nearest minimum of each structure of a file, in a folder."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trimpot.contract import is_conservative
from trimpot.engines.grading import own_grader
from trimpot.engines.relaxation import relax as relax_one
from trimpot.engines.relaxation_settings import RelaxSettings
from trimpot.engines.structure_files import check_writable, file_content
from trimpot.errors import InputError, NonFiniteResultError, WriteError
from trimpot.files import load, run_folder, write_bytes, write_text
from trimpot.files.release import release
from trimpot.verbs.charges import charge_notes
from trimpot.verbs.plain import finite_plain
from trimpot.verbs.relaxation_record import LOG, TRAJECTORY, Record, formula
from trimpot.verbs.structures import read_structures
from trimpot.verbs.watching import Silent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ase import Atoms

    from trimpot.contract import Grader, Potential
    from trimpot.engines.relaxation_results import Relaxed
    from trimpot.verbs.watching import Watcher

FINAL, SUMMARY = "final.extxyz", "summary.json"


@dataclass(frozen=True)
class RelaxResult:
    """Relaxed structures and where they are recorded.

    Attributes
    ----------
    results : tuple of Relaxed
        One per structure, in order.
    output : Path
        Folder of log, path, final structures and summary.
    written : Path or None
        A further file of the final structures, if one was asked for.
    """

    results: tuple[Relaxed, ...]
    output: Path
    written: Path | None = None

    @property
    def converged(self) -> bool:
        """Whether all structures converged."""
        return all(r.converged for r in self.results)

    @property
    def atoms(self) -> list[Atoms]:
        """The final structures."""
        return [r.atoms for r in self.results]


def relax(
    model: str | Path | Potential,
    structures: str | Path | Atoms | Sequence[Atoms],
    settings: RelaxSettings = RelaxSettings(),  # noqa: B008 - frozen
    *,
    output: str | Path = "relaxed",
    index: int | None = None,
    write: str | Path | None = None,
    grader: Grader | None = None,
    watcher: Watcher = Silent(),  # noqa: B008 - has no state
) -> RelaxResult:
    """Relax structures and record the way.

    Parameters
    ----------
    model
        A potential or the path of its file.
    structures
        Atoms, several, or a file of any format that ASE reads.
    settings
        Limits, what of the cell moves, target pressure, steps, optimiser.
    output
        Folder, made if missing, for log.csv, trajectory.extxyz, final.extxyz and
        summary.json. None of these may exist.
    index
        Only this structure of a file, counted from 0, or from the end if negative.
    write
        A further file of the final structures; its suffix says the format, for example
        ``relaxed.cif``. An older one is replaced.
    grader
        Adds extrapolation grades to the log, every tenth step, and per atom to the final
        structures; None: the potential itself, if it can.
    watcher
        Told about every step.

    Raises
    ------
    InputError, DataError, FileFormatError
        For files, structures or settings that cannot be used.
    NonFiniteResultError
        NaN or infinity on the way, naming structure, step and atom; what was relaxed
        before stays.
    WriteError
        If a file cannot be written.
    """
    potential = load(model) if isinstance(model, str | Path) else model
    grader = grader or own_grader(potential, threads=settings.threads)
    starts = _starts(structures, index)
    for line in charge_notes(potential, starts):
        watcher.note(line)
    if not is_conservative(potential):
        watcher.note(
            "warning: forces are predicted directly, not as the gradient of the energy: "
            "where they vanish the energy need not be lowest, and may rise on the way"
        )
    if write is not None:
        check_writable(write, len(starts))
    with run_folder(output) as folder:
        _refuse_used(folder)
        results = _all_relaxed(potential, starts, settings, folder, grader, watcher)
        done = RelaxResult(tuple(results), folder, None if write is None else Path(write))
        facts = {"model": _name(model), "structures": _name(structures)}
        summary = json.dumps(finite_plain({**facts, **relax_document(done)}), indent=1)
        write_text(folder / SUMMARY, summary + "\n")
    if write is not None:
        write_bytes(write, file_content(write, done.atoms))
    return done


def relax_document(done: RelaxResult) -> dict[str, object]:
    """Return settings and results, JSON-compatible."""
    return {
        "output": str(done.output),
        "written": None if done.written is None else str(done.written),
        "trimpot": release(),
        "converged": done.converged,
        "settings": asdict(done.results[0].settings),
        "structures": [
            {
                "formula": formula(r.atoms),
                "atoms": len(r.atoms),
                "converged": r.converged,
                "stopped": r.stop_line,
                "first": asdict(r.first),
                "last": asdict(r.last),
                "cell": r.atoms.cell.array.tolist(),
            }
            for r in done.results
        ],
    }


def relax_lines(done: RelaxResult) -> list[str]:
    """Return the results as lines for a person."""
    lines = []
    for number, result in enumerate(done.results):
        name = f"structure {number}, " if len(done.results) > 1 else ""
        lines.append(f"{name}{formula(result.atoms)}: {result.stop_line}")
        lines += [f"  {line}" for line in _facts(result)]
    if (failed := sum(not r.converged for r in done.results)) and len(done.results) > 1:
        lines.append(f"{failed} of {len(done.results)} structures did not converge")
    if failed:
        lines.append(
            f"to go on: trimpot relax MODEL {done.output / FINAL} with another --output "
            "and more --steps; if the force does not fall, try --optimizer fire"
        )
    lines.append(f"log, path, final structures: {done.output}")
    if done.written is not None:
        lines.append(f"also written: {done.written}")
    return lines


def _facts(result: Relaxed) -> list[str]:
    first, last, n = result.first, result.last, len(result.atoms)
    change = 1e3 * (last.energy - first.energy) / n
    lines = [
        f"energy   {last.energy:.6f} eV, {last.energy / n:.6f} eV/atom "
        f"({change:+.4g} meV/atom)"
    ]
    if last.pressure_gpa is not None:
        lines.append(f"pressure {last.pressure_gpa:.4g} GPa")
    if last.stress_gpa is not None:
        lengths = " ".join(f"{x:.4f}" for x in result.atoms.cell.lengths())
        angles = " ".join(f"{x:.2f}" for x in result.atoms.cell.angles())
        factor = last.volume / first.volume - 1.0
        lines += [
            f"volume   {last.volume / n:.4f} A^3/atom ({factor:+.2%})",
            f"cell     {lengths} A, {angles} degrees",
        ]
    if last.grade is not None:
        lines.append(f"grade    {last.grade:.3g} (largest of an atom, at the end)")
    return lines


def _all_relaxed(
    potential: Potential,
    starts: Sequence[Atoms],
    settings: RelaxSettings,
    folder: Path,
    grader: Grader | None,
    watcher: Watcher,
) -> list[Relaxed]:
    """Relax one after the other; whatever happens, those that are done are written."""
    results: list[Relaxed] = []
    try:
        with ExitStack() as files:
            record = files.enter_context(Record(folder, settings, watcher))
            for number, atoms in enumerate(starts):
                record.begin(number, len(starts), atoms)
                results.append(_relaxed(potential, atoms, settings, grader, record))
    finally:
        if results:
            final = [r.atoms for r in results]
            write_bytes(folder / FINAL, file_content(FINAL, final))
    return results


def _relaxed(
    potential: Potential,
    atoms: Atoms,
    settings: RelaxSettings,
    grader: Grader | None,
    record: Record,
) -> Relaxed:
    try:
        result = relax_one(potential, atoms, settings, grader=grader, reached=record.step)
    except WriteError:
        raise
    except (InputError, NonFiniteResultError) as error:
        raise record.named(error) from error
    record.end(result)
    return result


def _starts(
    structures: str | Path | Atoms | Sequence[Atoms], index: int | None
) -> list[Atoms]:
    if isinstance(structures, str | Path):
        return read_structures(structures, index=index)
    from ase import Atoms

    given = [structures] if isinstance(structures, Atoms) else list(structures)
    if not given:
        raise InputError("nothing to relax: give at least one structure")
    return given if index is None else [given[index]]


def _refuse_used(folder: Path) -> None:
    found = [n for n in (LOG, TRAJECTORY, FINAL, SUMMARY) if (folder / n).exists()]
    if found:
        raise InputError(
            f"{folder} holds another run ({', '.join(found)}), expected a folder without; "
            "choose another output folder, or delete these files"
        )


def _name(thing: object) -> str:
    """Return a path as text, the type of anything else."""
    return str(thing) if isinstance(thing, str | Path) else type(thing).__name__
