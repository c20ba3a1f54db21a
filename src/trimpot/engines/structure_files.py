"""Structures into files of any format that ASE writes, by their suffix."""

from __future__ import annotations

import io
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write
from ase.io.formats import UnknownFileTypeError, filetype, ioformats

from trimpot.data.charges import with_charge
from trimpot.engines.ase import VOIGT_COLUMNS, VOIGT_ROWS
from trimpot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trimpot.contract import Evaluation, FloatArray, Structure


def check_writable(path: str | Path, n_frames: int) -> str:
    """Return the format that the name of a file means, before any work is done.

    Raises
    ------
    InputError
        If ASE does not know it, cannot write it, or holds fewer frames in a file.
    """
    name = Path(path).name
    if Path(name).suffix in {".xyz", ".extxyz"}:
        return "extxyz"
    kind = _format_of(name)
    if kind not in ioformats:
        raise InputError(
            f"cannot tell a format from the name {name!r}; expected one that ASE writes, "
            "such as relaxed.cif, relaxed.extxyz or POSCAR"
        )
    if not ioformats[kind].can_write:
        raise InputError(f"ASE does not write {kind} files ({name}); choose another suffix")
    if ioformats[kind].single and n_frames > 1:
        raise InputError(
            f"{name}: a file of format {kind} holds one structure, found {n_frames}; write "
            "extxyz, or choose one structure with an index"
        )
    return kind


def _format_of(name: str) -> str:
    """Return the name of a format, of one that does not exist where there is none."""
    try:
        return str(filetype(name, read=False))
    except UnknownFileTypeError:
        return ""


def file_content(path: str | Path, frames: Sequence[Atoms]) -> bytes:
    """Return what a file of this name shall hold.

    Raises
    ------
    InputError
        If ASE cannot write these structures so; with its reason.
    """
    kind = check_writable(path, len(frames))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / Path(path).name
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # ASE's remarks are not errors
                write(str(place), list(frames), format=kind)
        except Exception as error:  # ASE's writers raise anything
            raise InputError(
                f"ASE cannot write {path} ({type(error).__name__}: {error}); choose "
                "another format"
            ) from error
        if not place.is_file():
            raise InputError(f"{path}: the format {kind} is no single file; choose another")
        return place.read_bytes()


RESULTS = ("energy", "free_energy", "forces", "energies", "stress")
"""Names of results in a frame; those of an earlier potential do not stay."""


def labelled_extxyz(
    structure: Structure,
    evaluation: Evaluation,
    *,
    info: Mapping[str, object] | None = None,
    grades: FloatArray | None = None,
) -> str:
    """Return a structure with its evaluation as one frame of extended XYZ.

    Names and signs are ASE's: energy, free_energy, stress; columns forces and energies.
    Grades are a column ``grade``. Results replace entries of ``info`` of the same name,
    which an earlier potential has left.
    """
    atoms = Atoms(
        structure.numbers, structure.positions, cell=structure.cell, pbc=structure.pbc
    )
    results: dict[str, float | FloatArray] = {
        "energy": evaluation.energy,
        "free_energy": evaluation.energy,
        "forces": evaluation.forces,
        "energies": evaluation.energies,
    }
    if structure.volume > 0.0 and structure.pbc.any() and evaluation.conservative:
        stress = evaluation.stress(structure.volume)
        results["stress"] = stress[VOIGT_ROWS, VOIGT_COLUMNS]
    kept = {k: v for k, v in (info or {}).items() if k not in RESULTS}
    atoms.info.update(with_charge(kept, structure.charge))
    atoms.calc = SinglePointCalculator(atoms, **results)  # type: ignore[no-untyped-call]
    if grades is not None:
        atoms.arrays["grade"] = grades
    text = io.StringIO()
    write(text, atoms, format="extxyz")
    return text.getvalue()
