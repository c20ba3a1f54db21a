"""Rows and published columns of the table of a suite."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trimpot.errors import InputError
from trimpot.validation.strict_yaml import (
    fraction_or_number,
    keys_of,
    number,
    number_or_none,
    one_of,
    text,
    true_or_false,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

ERRORS = ("energy", "force")
"""What errors of a published model there may be."""


@dataclass(frozen=True)
class Quantity:
    """A row of the table: a value of a property, and what is known of it.

    Attributes
    ----------
    name : str
        Of the row.
    property, value : str
        Which value of which property.
    unit : str
        Of value, reference and tolerance.
    reference : float or None
        What it should be.
    uncertainty : float or None
        Of the reference.
    tolerance : float or None
        Largest deviation that is accepted.
    source, theory : str
        Where the reference is from, and its level of theory.
    optional : bool
        Whether the protocol may find no such value, such as the first peak of a liquid
        that has become a gas.
    minus : str
        Property whose value of the same name is subtracted, such as the energy of the
        ground state; "" for none.
    """

    name: str
    property: str
    value: str
    unit: str
    reference: float | None = None
    uncertainty: float | None = None
    tolerance: float | None = None
    source: str = ""
    theory: str = ""
    optional: bool = False
    minus: str = ""


@dataclass(frozen=True)
class Published:
    """A column that was not measured here.

    Attributes
    ----------
    name : str
        Of the model.
    source : str
        Where the numbers are from.
    values : mapping of str to float
        By name of the quantity.
    errors : mapping of str to float
        RMSE on the data of its authors: "energy" in meV/atom, "force" in eV/A.
    cost : float or None
        In the suite's ``cost_unit``.
    """

    name: str
    source: str
    values: Mapping[str, float]
    errors: Mapping[str, float] = field(default_factory=dict)
    cost: float | None = None


def quantity_of(
    plain: object, name: str, where: str, properties: Mapping[str, object]
) -> Quantity:
    """Return a row from plain values.

    Raises
    ------
    InputError
        If it is not as it should be.
    """
    values = keys_of(
        plain,
        where,
        needed=("property", "value", "unit"),
        others=(
            *("reference", "uncertainty", "tolerance", "source", "theory"),
            *("optional", "minus"),
        ),
    )
    reference = number_or_none(values.get("reference"), f"{where}: reference")
    if reference is not None and "source" not in values:
        raise InputError(f"{where}: found a reference without a source; name it")
    measured = text(values["property"], f"{where}: property")
    one_of(measured, properties, f"{where}: property")
    minus = text(values.get("minus", ""), f"{where}: minus")
    if minus:
        one_of(minus, properties, f"{where}: minus")
    return Quantity(
        name,
        measured,
        text(values["value"], f"{where}: value"),
        text(values["unit"], f"{where}: unit"),
        reference,
        number_or_none(values.get("uncertainty"), f"{where}: uncertainty"),
        fraction_or_number(values.get("tolerance"), reference, f"{where}: tolerance"),
        text(values.get("source", ""), f"{where}: source"),
        text(values.get("theory", ""), f"{where}: theory"),
        true_or_false(values.get("optional", False), f"{where}: optional"),
        minus,
    )


def published_of(
    plain: object, name: str, where: str, quantities: Mapping[str, Quantity]
) -> Published:
    """Return a column from plain values.

    Raises
    ------
    InputError
        If it is not as it should be.
    """
    values = keys_of(plain, where, needed=("source", "values"), others=("errors", "cost"))
    found = {
        key: keys_of(values.get(key, {}), f"{where}: {key}", others=known)
        for key, known in (("values", tuple(quantities)), ("errors", ERRORS))
    }
    numbers = {
        key: {row: number(value, f"{where}: {row}") for row, value in rows.items()}
        for key, rows in found.items()
    }
    return Published(
        name,
        text(values["source"], f"{where}: source"),
        numbers["values"],
        numbers["errors"],
        number_or_none(values.get("cost"), f"{where}: cost"),
    )
