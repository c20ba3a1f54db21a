"""A structure to run: read from any file that ASE knows, repeated."""

from __future__ import annotations

import warnings
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from trimpot.engines.charges import charge_copies
from trimpot.errors import DataError, InputError

if TYPE_CHECKING:
    from ase import Atoms


def read_structure(path: str | Path, *, index: int = -1) -> Atoms:
    """Return one structure of a file, with the momenta that the file may hold.

    Parameters
    ----------
    path
        Any format that ASE reads.
    index
        Which structure of the file, counted from 0, or from the end if negative.

    Raises
    ------
    InputError
        If there is no such file.
    DataError
        If ASE cannot read it, or it has no such structure.
    """
    atoms = _read(path, index)
    if isinstance(atoms, list):
        raise InputError(f"index is {index!r}, expected one whole number")
    return atoms


def read_structures(path: str | Path, *, index: int | None = None) -> list[Atoms]:
    """Return all structures of a file, or the one with this index; see ``read_structure``.

    Raises
    ------
    InputError, DataError
        As ``read_structure``, and for a file without structures.
    """
    if index is not None:
        return [read_structure(path, index=index)]
    found = _read(path, ":")
    frames = found if isinstance(found, list) else [found]
    if not frames:
        raise DataError(f"{path} has no structures, expected at least one")
    return frames


def _read(path: str | Path, index: int | str) -> Atoms | list[Atoms]:
    from ase.io import read

    if not Path(path).is_file():
        raise InputError(
            f"cannot read the structure {path}: there is no file; check the path, which is "
            "relative to the working directory"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # ASE's remarks on files are not errors
            return read(str(path), index=index, do_not_split_by_at_sign=True)
    except Exception as error:  # ASE's readers raise anything
        raise DataError(
            f"{path}: ASE cannot read structure {index} ({type(error).__name__}: {error}); "
            "expected a file of a format that ASE reads, and an index that it has"
        ) from error


def repeated(atoms: Atoms, supercell: tuple[int, int, int]) -> Atoms:
    """Return copies of a cell side by side, without velocities if there are several.

    Each has the total charge of the cell. Images with the same velocities would move as
    one, so none are handed on.

    Raises
    ------
    InputError
        For a count below 1, or above 1 along a direction that is not periodic.
    """
    if min(supercell) < 1:
        raise InputError(f"supercell is {supercell}, expected three counts >= 1")
    for axis, (count, periodic) in enumerate(zip(supercell, atoms.pbc, strict=True)):
        if count > 1 and not periodic:
            raise InputError(
                f"supercell is {supercell}, but the structure is not periodic along cell "
                f"vector {'abc'[axis]}; repeat it only along periodic ones"
            )
    whole = atoms.repeat(supercell)  # type: ignore[no-untyped-call]
    charge_copies(whole, prod(supercell))
    if max(supercell) > 1 and "momenta" in whole.arrays:
        del whole.arrays["momenta"]
    return whole  # type: ignore[no-any-return]
