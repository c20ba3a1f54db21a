"""Total charges: which field holds them, and what is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, SupportsFloat, SupportsIndex

import numpy as np

from trimpot.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimpot.data.records import RawFrame

CHARGE_KEYS = ("charge", "total_charge")
"""Fields that hold the total charge where nobody names another one, best first."""

LARGEST_CHARGE = 1000
"""In e; beyond it a field means something else."""


@dataclass(frozen=True)
class FoundCharge:
    """The total charge of a frame in e, the field that gave it, what is to be told."""

    value: int = 0
    key: str = ""
    note: str = ""


def total_charge(raw: RawFrame, key: str | None) -> FoundCharge:
    """Return the total charge of a frame; 0 where no field gives it.

    Parameters
    ----------
    raw : RawFrame
    key : str, optional
        The field that every frame must have; None: the first of ``CHARGE_KEYS``. A value
        there that is no whole number is taken for something else, and told.

    Raises
    ------
    DataError
        If the field that was named is missing or no whole number.
    """
    found = charge_key(raw.fields) if key is None else key
    if found is None:
        return FoundCharge()
    value = whole_number(raw.fields.get(found))
    if value is not None:
        return FoundCharge(value, found)
    if key is not None:
        has = f"no field {key} (but {', '.join(sorted(raw.fields)) or 'none at all'})"
        if key in raw.fields:
            has = f"{key} = {raw.fields[key]!s:.40}"
        raise DataError(
            f"{raw.place}: found {has}, expected the total charge as a whole number of e "
            "(keys.charge); correct it, or name another key"
        )
    note = f"{found} is no whole number of e and is not taken as the total charge"
    return FoundCharge(note=f"{note}; name the field that is with keys.charge")


def charge_key(fields: Mapping[str, object]) -> str | None:
    """Return the field that holds the total charge by its name; None without one."""
    return next((name for name in CHARGE_KEYS if name in fields), None)


def with_charge(fields: Mapping[str, object], charge: int) -> dict[str, object]:
    """Return fields in which those of the total charge say this one."""
    key = charge_key(fields)
    if key is None and charge == 0:
        return dict(fields)
    if key is not None and whole_number(fields[key]) == charge:
        return dict(fields)
    others = {name: value for name, value in fields.items() if name not in CHARGE_KEYS}
    return {**others, "charge": charge}


def whole_number(value: object) -> int | None:
    """Return a value as an integer if it is one, such as 1, 1.0 or -0.0; else None."""
    if isinstance(value, bool | np.bool_):
        return None
    if not isinstance(value, SupportsFloat | SupportsIndex):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    whole = number == int(number) if abs(number) <= LARGEST_CHARGE else False
    return int(number) if whole else None
