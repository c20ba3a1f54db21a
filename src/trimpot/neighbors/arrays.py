"""The gatekeeper: structures as the native core wants them, converted only here."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from trimpot.contract import Structure
from trimpot.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Scalar = TypeVar("Scalar", bound=np.generic)


def native_structure(structure: Structure) -> Structure:
    """Return the structure with exact types, C-contiguous; arrays that fit are not copied.

    Raises
    ------
    InputError
        If an array has another shape, or values that its type cannot hold, or the charge
        is no integer.
    """
    n = len(structure.numbers)
    if not isinstance(structure.charge, int | np.integer):
        raise InputError(
            f"charge is {structure.charge!r}, expected the total charge as an integer, in e"
        )
    return Structure(
        numbers=_exact("numbers", structure.numbers, np.int32, (n,)),
        positions=_exact("positions", structure.positions, np.float64, (n, 3)),
        cell=_exact("cell", structure.cell, np.float64, (3, 3)),
        pbc=_exact("pbc", structure.pbc, np.bool_, (3,)),
        charge=int(structure.charge),
    )


def _exact(
    name: str, values: ArrayLike, kind: type[Scalar], shape: tuple[int, ...]
) -> NDArray[Scalar]:
    found = np.asarray(values)
    if found.dtype == kind and found.shape == shape and found.flags.c_contiguous:
        return found
    if found.shape != shape:
        raise InputError(
            f"{name} has shape {found.shape}, expected {shape}; "
            "give one row per atom, cell vectors as rows and one pbc flag per row"
        )
    if not np.can_cast(found.dtype, kind, casting="same_kind") and found.size:
        raise InputError(
            f"{name} has type {found.dtype}, expected {np.dtype(kind)}; convert it first"
        )
    exact = np.ascontiguousarray(found, dtype=kind)
    if found.dtype.kind in "iu" and not np.array_equal(exact, found):
        raise InputError(f"{name} holds values that {np.dtype(kind)} cannot; check them")
    return exact


def same_numbers(one: NDArray[np.generic], other: NDArray[np.generic]) -> bool:
    """Whether two arrays of one type hold the same bits; faster than ``array_equal``."""
    return one.tobytes() == other.tobytes()
