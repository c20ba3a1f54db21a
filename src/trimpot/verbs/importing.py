"""The verb ``import``: potentials of uf3 and LAMMPS as Trimpot files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trimpot.elements import SYMBOLS
from trimpot.errors import InputError
from trimpot.files import save
from trimpot.files.lammps_table import isolated_energies as energies_of
from trimpot.files.uf3 import read_uf3, read_uf3_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimpot.splines.potential import SplinePotential


@dataclass(frozen=True)
class ImportResult:
    """What was read and where it was saved.

    Attributes
    ----------
    source : str
        Kind of the file that was read.
    model : Path
        The Trimpot file.
    species : tuple of str
        Symbols, by ascending atomic number.
    coefficients : dict
        Number of coefficients per kind of term.
    cutoffs : dict
        Angstrom, per kind of term.
    isolated_energies : dict
        eV per element; empty if there are none.
    notes : tuple of str
        What to know before using it, in sentences.
    """

    source: str
    model: Path
    species: tuple[str, ...]
    coefficients: dict[str, int]
    cutoffs: dict[str, float]
    isolated_energies: dict[str, float]
    notes: tuple[str, ...]


def import_potential(
    file: str | Path,
    *,
    output: str | Path | None = None,
    isolated_energies: Mapping[str, float] | None = None,
) -> ImportResult:
    """Save the potential of a uf3 JSON file or a LAMMPS ``.uf3`` file as a Trimpot file.

    Parameters
    ----------
    file
        The content tells which of the two it is.
    output
        Name of the new file, ending in ``.trimpot``; default: name of the file, in the
        working directory, where nothing of this name may be yet.
    isolated_energies : mapping of symbol to eV, optional
        Energies of isolated atoms: ``.uf3`` files have none; they replace those of JSON.

    Raises
    ------
    InputError, FileFormatError, WriteError
        If a file cannot be read, is not one of the two, or cannot be written.
    """
    model = Path(f"{Path(file).stem}.trimpot") if output is None else Path(output)
    if output is None and model.exists():
        raise InputError(f"{model} exists already; give another name with --output")
    read = read_uf3_json if _is_json(Path(file)) else read_uf3
    potential = read(file, isolated_energies=isolated_energies)
    save(potential, model)
    reaching = [term for term in potential.terms if term.cutoff > 0.0]
    return ImportResult(
        source=str(potential.provenance["source"]),
        model=model,
        species=tuple(SYMBOLS[z] for z in potential.species),
        coefficients={term.kind: term.n_coefficients for term in reaching},
        cutoffs={term.kind: term.cutoff for term in reaching},
        isolated_energies=energies_of(potential),
        notes=_notes(potential),
    )


def _is_json(path: Path) -> bool:
    """Whether a file starts like a JSON document; what cannot be read is left to others."""
    try:
        with path.open("rb") as handle:
            return handle.read(1000).lstrip()[:1] in (b"{", b"[")
    except OSError:
        return False


def _notes(potential: SplinePotential) -> tuple[str, ...]:
    notes = [
        "There is no repulsive core, and below its knots the potential is zero: do not "
        "bring atoms closer than the data it was fitted to."
    ]
    if not energies_of(potential):
        notes.append(
            "Energies of isolated atoms are zero; give them with --isolated-energies to "
            "compare total energies with DFT."
        )
    return tuple(notes)


def import_document(result: ImportResult) -> dict[str, object]:
    """Return the result as JSON wants it."""
    return {**vars(result), "model": str(result.model)}


def import_lines(result: ImportResult) -> list[str]:
    """Return the result as lines of text."""
    terms = ", ".join(
        f"{kind} ({count} coefficients, cutoff {result.cutoffs[kind]:g} A)"
        for kind, count in result.coefficients.items()
    )
    energies = ", ".join(f"{s} {e:.6f} eV" for s, e in result.isolated_energies.items())
    return [
        f"read: {result.source} of {' '.join(result.species)}: {terms}",
        *([f"isolated atoms: {energies}"] if energies else []),
        *(f"note: {note}" for note in result.notes),
        f"model: {result.model}",
    ]
