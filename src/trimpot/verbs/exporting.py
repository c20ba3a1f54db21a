"""The verb ``export``: a folder that LAMMPS, or any host of KIM, runs as it is."""

from __future__ import annotations

import re
import shlex
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from trimpot.errors import InputError
from trimpot.files import load, make_folder, write_text
from trimpot.files.lammps_example import (
    DATA,
    INCLUDE,
    INPUT,
    example_data,
    include_text,
    input_text,
)
from trimpot.files.lammps_table import write_table
from trimpot.files.uf3 import write_uf3
from trimpot.splines.potential import SplinePotential
from trimpot.verbs.exporting_kim import write_kim_folder
from trimpot.verbs.exporting_plugin import write_plugin_folder
from trimpot.verbs.structures import read_structure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ase import Atoms

    from trimpot.contract import Potential
    from trimpot.files.lammps_table import TableSettings, TabulatedPair
    from trimpot.files.uf3_export import CoreChoice

Target = Literal["lammps", "lammps-uf3", "lammps-table", "kim"]
"""What a potential can be exported to."""

README = "README.txt"


@dataclass(frozen=True)
class ExportResult:
    """What was written and what of the potential it holds.

    Attributes
    ----------
    target : str
        What it was exported to.
    output : Path
        The folder.
    files : tuple of str
        Names of the files in it.
    commands : tuple of str
        LAMMPS input lines of the potential, atom types in the order of species.
    exact_from : dict
        Distance in angstrom of each pair from which on LAMMPS gives the energies and
        forces of the potential.
    interpolation : dict
        Of each tabulated pair: ends of the table (angstrom) and the largest errors of
        its interpolation (eV, eV/A; relative where the exact value is larger than 1).
    isolated_energies : dict
        eV per element, which LAMMPS' potential energy does not have.
    notes : tuple of str
        What to know before using it, in sentences.
    steps : tuple of str
        Shell commands that run the example, from within the folder.
    """

    target: Target
    output: Path
    files: tuple[str, ...]
    commands: tuple[str, ...]
    exact_from: dict[str, float]
    interpolation: dict[str, TabulatedPair]
    isolated_energies: dict[str, float]
    notes: tuple[str, ...]
    steps: tuple[str, ...] = (f"lmp -in {INPUT}",)


@dataclass(frozen=True)
class _Written:
    """What one kind of export wrote."""

    files: tuple[str, ...]
    commands: tuple[str, ...]
    exact_from: dict[str, float]
    notes: tuple[str, ...]
    interpolation: dict[str, TabulatedPair] = field(default_factory=dict)
    isolated: dict[str, float] = field(default_factory=dict)


def export(
    model: str | Path | Potential,
    to: Target,
    *,
    output: str | Path | None = None,
    core: CoreChoice = "table",
    table: TableSettings | None = None,
    structure: str | Path | Atoms | None = None,
) -> ExportResult:
    """Write a potential for LAMMPS or KIM, with an input that runs it.

    Parameters
    ----------
    model
        A potential or the path of its file.
    to : "lammps", "lammps-uf3", "lammps-table" or "kim"
        Format: the potential as it is, for the plugin of Trimpot; pair and triplet splines
        for LAMMPS' own pair_style uf3; tables of two-body potentials; a portable model of
        KIM.
    output
        Folder to write into; default: name of the model and of the format.
    core : "table", "drop" or "refuse"
        What to do about a repulsive core with lammps-uf3; tables hold it.
    table : TableSettings, optional
        Range, points and error bounds of tables.
    structure
        What the input of lammps shall run: Atoms, or a file that ASE reads; default: a
        crystal of the elements.

    Raises
    ------
    InputError, FileFormatError, WriteError
        If the model cannot be used, does not fit into the format, or cannot be written.
    """
    if to not in get_args(Target):
        raise InputError(f"cannot export to {to!r}; known: {', '.join(get_args(Target))}")
    potential = load(model) if isinstance(model, str | Path) else model
    stem = Path(model).stem if isinstance(model, str | Path) else "potential"
    folder = Path(output) if output is not None else Path(f"{stem}-{to}")
    if to == "lammps":
        return _for_plugin(potential, folder, structure)
    if structure is not None:
        raise InputError(
            f"a structure is given, which {to} does not take; its example reads any data "
            "file: lmp -in in.lammps -var data my.data"
        )
    if to == "kim":
        return _for_kim(potential, folder, stem)
    if not isinstance(potential, SplinePotential):
        raise InputError(
            f"cannot export a potential of type {type(potential).__name__} to {to}: only "
            "spline potentials have that form; export to lammps or kim"
        )
    name = re.sub(r"[^\w.+-]", "_", stem)  # LAMMPS splits its input at blanks
    with _folder(folder):
        if to == "lammps-table":
            written = _table(potential, folder, name, table)
        else:
            written = _uf3(potential, folder, name, core, table)
        texts = _texts(potential, written)
        for file, text in texts.items():
            write_text(folder / file, text)
    return ExportResult(
        target=to,
        output=folder,
        files=(*written.files, *texts),
        commands=written.commands,
        exact_from=written.exact_from,
        interpolation=written.interpolation,
        isolated_energies=written.isolated,
        notes=written.notes,
    )


def _for_plugin(
    potential: Potential, folder: Path, structure: str | Path | Atoms | None
) -> ExportResult:
    atoms = read_structure(structure) if isinstance(structure, str | Path) else structure
    with _folder(folder):
        files, commands, notes = write_plugin_folder(potential, folder, atoms)
    steps = (f"trimpot lammps run {INPUT} -n 4",)
    return ExportResult("lammps", folder, files, commands, {}, {}, {}, notes, steps)


def _for_kim(potential: Potential, folder: Path, stem: str) -> ExportResult:
    with _folder(folder):
        done = write_kim_folder(potential, folder, stem)
    return ExportResult(
        "kim", folder, done.files, done.commands, {}, {}, {}, done.notes, done.steps
    )


@contextmanager
def _folder(path: Path) -> Iterator[None]:
    """Make a folder; a new one does not stay behind without content."""
    is_new = not path.exists()
    try:
        make_folder(path)
        yield
    except BaseException:
        if is_new:
            with suppress(OSError):
                path.rmdir()
        raise


def _table(
    potential: SplinePotential, folder: Path, name: str, settings: TableSettings | None
) -> _Written:
    done = write_table(potential, folder / f"{name}.table", settings=settings)
    ends = {pair: one.inner for pair, one in done.pairs.items()}
    notes = (
        *_about_isolated(done.isolated_energies),
        _about_errors(done.pairs),
        f"LAMMPS stops when two atoms come closer than {_listed(ends)}.",
        "LAMMPS may warn of a few force values that are inconsistent with -dE/dr: those "
        "at inflection points. Energies and forces are right.",
    )
    return _Written(
        (f"{name}.table",), done.commands, ends, notes, done.pairs, done.isolated_energies
    )


def _uf3(
    potential: SplinePotential,
    folder: Path,
    name: str,
    core: CoreChoice,
    settings: TableSettings | None,
) -> _Written:
    done = write_uf3(potential, folder / f"{name}.uf3", core=core, table=settings)
    notes = [
        "This is for a LAMMPS without the plugin of Trimpot: pairs and triplets only, in "
        "double precision, and many times slower than --to lammps.",
        *_about_isolated(done.isolated_energies),
    ]
    files, pairs = [f"{name}.uf3"], {}
    if done.core_table is not None:
        files.append(f"{name}.core.table")
        pairs = done.core_table.pairs
        notes.append(
            f"The repulsive core, which acts below {_listed(done.core_ends)}, is a table "
            f"that LAMMPS adds. {_about_errors(pairs)}"
        )
    elif done.core_ends:
        notes.append(f"The repulsive core below {_listed(done.core_ends)} is left out.")
    low = {pair: r for pair, r in done.exact_from.items() if r > 0.0}
    if low:
        notes.append(
            f"Do not bring two atoms closer than {_listed(low)}: there LAMMPS does not "
            "compute this potential."
        )
    if "uf3 3" in done.commands[0]:
        notes.append(
            "Energies per atom (compute pe/atom) share triangles out differently than "
            "Trimpot does; their sum is the same."
        )
    return _Written(
        tuple(files),
        done.commands,
        done.exact_from,
        tuple(notes),
        pairs,
        done.isolated_energies,
    )


def _about_isolated(energies: Mapping[str, float]) -> tuple[str, ...]:
    if not energies:
        return ()
    values = ", ".join(f"{symbol} {energy:.6f} eV" for symbol, energy in energies.items())
    return (
        f"LAMMPS' potential energy is without the energies of isolated atoms ({values}); "
        f"v_trimpot_energy of {INCLUDE} has them.",
    )


def _about_errors(pairs: Mapping[str, TabulatedPair]) -> str:
    energy = max(one.energy_error for one in pairs.values())
    force = max(one.force_error for one in pairs.values())
    return (
        f"The tables are off by at most {energy:.1e} eV per pair and {force:.1e} eV/A "
        "(relative where the value is above 1)."
    )


def _listed(distances: Mapping[str, float]) -> str:
    return ", ".join(f"{r:.3f} A ({pair})" for pair, r in distances.items())


def _texts(potential: SplinePotential, written: _Written) -> dict[str, str]:
    """Return the texts of the example by file name."""
    species = potential.species
    include = include_text(written.commands, species, written.isolated)
    return {
        INCLUDE: include,
        INPUT: input_text(species),
        DATA: example_data(species, max(written.exact_from.values())),
        README: _readme(written),
    }


def _readme(written: _Written) -> str:
    files = ", ".join(written.files)
    lines = [
        "Interatomic potential for LAMMPS, written by Trimpot",
        "",
        f"Run it:   lmp -in {INPUT}",
        f"Use it:   copy {files} and {INCLUDE} beside your input and write",
        f"          'include {INCLUDE}' after read_data or create_atoms",
        f"Example:  {DATA} is a made-up structure; only there to be run",
        "",
        "To know:",
        *(f"- {note}" for note in written.notes),
    ]
    return "\n".join([*lines, ""])


def export_document(result: ExportResult) -> dict[str, object]:
    """Return the result as JSON wants it."""
    document = asdict(result)
    document["output"] = str(result.output)
    return document


def export_lines(result: ExportResult) -> list[str]:
    """Return the result as lines of text."""
    lines = [f"{result.target}: {result.output}", f"files: {', '.join(result.files)}"]
    lines += [f"  {command}" for command in result.commands]
    lines += [f"note: {note}" for note in result.notes]
    steps = (f"cd {shlex.quote(str(result.output))}", *result.steps)
    return [*lines, f"next: {' && '.join(steps)}"]
