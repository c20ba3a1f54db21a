"""One evaluation of any potential, with the checks that every engine shares."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from trimpot.elements import SYMBOLS
from trimpot.errors import InputError, NonFiniteResultError
from trimpot.neighbors import neighborhood

if TYPE_CHECKING:
    from trimpot.contract import Evaluation, FloatArray, IntArray, Potential, Structure


LIKELY_CAUSES = "look for overlapping atoms, a too long time step, or a damaged potential"


def symbol(number: int) -> str:
    """Return the chemical symbol of an atomic number (``element -3`` if there is none)."""
    return SYMBOLS[number] if 0 <= number < len(SYMBOLS) else f"element {number}"


def check_structure(structure: Structure, species: tuple[int, ...]) -> None:
    """Refuse elements that a potential does not know and positions that are not numbers.

    Raises
    ------
    InputError
        Naming the elements found and those supported, or the atom that is not placed.
    """
    check_species(structure.numbers, species)
    check_placement(structure)


def check_placement(structure: Structure) -> None:
    """Raise ``InputError`` for positions or a cell that are not finite."""
    if _all_finite(structure.positions) and _all_finite(structure.cell):
        return
    if not np.isfinite(structure.positions).all():
        atom = int(np.flatnonzero(~np.isfinite(structure.positions).all(axis=1))[0])
        raise InputError(
            f"position of atom {atom} is {structure.positions[atom].tolist()} A, expected "
            "finite numbers; the step or file that made these positions went wrong"
        )
    if not np.isfinite(structure.cell).all():
        raise InputError(
            f"cell is {structure.cell.tolist()} A, expected finite numbers; "
            "the step or file that made this cell went wrong"
        )


def _all_finite(values: FloatArray) -> bool:
    """Whether the sum is finite, which NaN and infinity spoil; False if it overflows."""
    with np.errstate(over="ignore", invalid="ignore"):
        return isfinite(float(values.sum()))


def check_species(numbers: IntArray, species: tuple[int, ...]) -> None:
    """Raise ``InputError`` naming each element outside ``species``."""
    unknown = np.setdiff1d(numbers, np.asarray(species, dtype=np.int32))
    if unknown.size:
        found = ", ".join(symbol(int(number)) for number in unknown)
        known = ", ".join(symbol(number) for number in species)
        raise InputError(
            f"structure contains {found}, but the potential describes only {known}; "
            "use a potential that was trained on these elements"
        )


def check_evaluation(evaluation: Evaluation, numbers: IntArray) -> None:
    """Raise ``NonFiniteResultError`` naming the first atom with NaN or infinity."""
    virial = evaluation.virial if evaluation.conservative else np.zeros((3, 3))
    arrays = (evaluation.energies, evaluation.forces, virial)
    if all(_all_finite(a) for a in arrays):
        return
    per_atom = evaluation.energies + evaluation.forces.sum(axis=1)
    if np.isfinite(per_atom).all() and np.isfinite(virial).all():
        return
    if np.isfinite(per_atom).all():
        raise NonFiniteResultError(
            f"virial is {virial.tolist()} eV, expected finite numbers; "
            "check the potential and the structure for atoms on top of each other"
        )
    atom = int(np.flatnonzero(~np.isfinite(per_atom))[0])
    raise NonFiniteResultError(
        f"atom {atom} ({symbol(int(numbers[atom]))}) has energy "
        f"{evaluation.energies[atom]} eV and force {evaluation.forces[atom].tolist()} "
        f"eV/A, expected finite numbers; {LIKELY_CAUSES}"
    )


def check_forces(forces: FloatArray, numbers: IntArray) -> None:
    """Raise ``NonFiniteResultError`` naming the first atom with NaN or infinity."""
    if _all_finite(forces) or np.isfinite(forces).all():
        return
    atom = int(np.flatnonzero(~np.isfinite(forces).all(axis=1))[0])
    raise NonFiniteResultError(
        f"atom {atom} ({symbol(int(numbers[atom]))}) has force {forces[atom].tolist()} "
        f"eV/A, expected finite numbers; {LIKELY_CAUSES}"
    )


def evaluate(potential: Potential, structure: Structure, *, threads: int = 0) -> Evaluation:
    """Return energies, forces and virial of one structure (docs/conventions.md).

    Parameters
    ----------
    potential
        Any potential.
    structure
        Atoms, cell and periodic directions; not modified.
    threads
        Threads of the kernel; 0 means all available cores.

    Raises
    ------
    InputError
        Unknown element, or positions or cell that are not finite.
    NonFiniteResultError
        NaN or infinity in the result.
    """
    check_structure(structure, potential.species)
    around = neighborhood(structure, potential.cutoff)
    evaluation = potential.evaluate(around, threads=threads)
    check_evaluation(evaluation, structure.numbers)
    return evaluation
