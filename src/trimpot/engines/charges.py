"""The total charge of ``ase.Atoms``: a field of ``atoms.info``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trimpot.data.charges import charge_key, whole_number
from trimpot.errors import InputError

if TYPE_CHECKING:
    from ase import Atoms


def total_charge(atoms: Atoms) -> int:
    """Return the total charge in e: info ``charge``, else ``total_charge``, else 0.

    Raises
    ------
    InputError
        If it is no whole number.
    """
    key = charge_key(atoms.info)
    if key is None:
        return 0
    value = whole_number(atoms.info[key])
    if value is None:
        raise InputError(
            f"found atoms.info['{key}'] = {atoms.info[key]!s:.40}, expected the total "
            "charge as a whole number of e; correct it, or remove it for charge 0"
        )
    return value


def charge_info(atoms: Atoms) -> dict[str, int]:
    """Return the field of the total charge as it stands in ``atoms.info``, if it does."""
    key = charge_key(atoms.info)
    return {} if key is None else {key: total_charge(atoms)}


def charge_copies(atoms: Atoms, copies: int) -> None:
    """Multiply the charge of a cell that was repeated: every copy has its own."""
    for key, value in charge_info(atoms).items():
        atoms.info[key] = copies * value
