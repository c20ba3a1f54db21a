"""Results of a suite: outcomes of every model, and rows beside what is known."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from trimpot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimpot.validation.properties.outcome import Outcome
    from trimpot.validation.suites import Quantity, Suite

Verdict = Literal["within", "near", "off", "measured", "failed", "missing"]

NEAR = 2.0
"""Tolerances up to which a deviation is near."""


@dataclass(frozen=True)
class Measured:
    """A property of a model.

    Attributes
    ----------
    outcome : Outcome
        What was found, or why not.
    seconds : float
        How long that took when it was measured.
    cached : bool
        Whether it had been measured before.
    """

    outcome: Outcome
    seconds: float = 0.0
    cached: bool = False


@dataclass(frozen=True)
class Entry:
    """A number of a table.

    Attributes
    ----------
    value, error : float or None
        None: there is none.
    deviation : float or None
        From the reference.
    verdict : str
        "within" the tolerance, "near" (up to twice it), "off"; "measured": there is nothing
        to compare with; "failed": the protocol failed; "missing": there is no value.
    """

    value: float | None
    error: float | None
    deviation: float | None
    verdict: Verdict


@dataclass(frozen=True)
class Row:
    """A quantity of all models.

    Attributes
    ----------
    quantity : Quantity
        With its reference.
    entries : mapping of str to Entry
        Measured, by model.
    published : mapping of str to Entry
        From the literature, by model.
    """

    quantity: Quantity
    entries: Mapping[str, Entry]
    published: Mapping[str, Entry]


@dataclass(frozen=True)
class SuiteResult:
    """All that a suite found.

    Attributes
    ----------
    suite : Suite
        What was asked.
    measured : mapping of str to mapping of str to Measured
        By name of the model, then of the property.
    keys : mapping of str to str
        Key of each model.
    """

    suite: Suite
    measured: Mapping[str, Mapping[str, Measured]]
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> tuple[Row, ...]:
        """The table.

        Raises
        ------
        InputError
            If a quantity names a value that its protocol does not have, or another unit.
        """
        return tuple(self._row(q) for q in self.suite.quantities.values())

    @property
    def failures(self) -> tuple[tuple[str, str, str], ...]:
        """Model, property and reason of all that failed."""
        return tuple(
            (model, name, found.outcome.failure)
            for model, by_name in self.measured.items()
            for name, found in by_name.items()
            if found.outcome.failure is not None
        )

    def _row(self, quantity: Quantity) -> Row:
        entries = {
            model: _entry(quantity, {n: m.outcome for n, m in by_name.items()})
            for model, by_name in self.measured.items()
        }
        published = {
            column.name: _judged(quantity, column.values[quantity.name], None)
            for column in self.suite.published
            if quantity.name in column.values
        }
        return Row(quantity, entries, published)

    def to_dict(self) -> dict[str, object]:
        """Return plain values: outcomes with all curves, and the table."""
        return {
            "suite": self.suite.name,
            "models": {
                model: {
                    "key": self.keys.get(model, ""),
                    "properties": {
                        name: {
                            "protocol": self.suite.properties[name].protocol.name,
                            "seconds": found.seconds,
                            **found.outcome.to_dict(),
                        }
                        for name, found in by_name.items()
                    },
                }
                for model, by_name in self.measured.items()
            },
            "rows": [_plain_row(row) for row in self.rows],
            "cost_unit": self.suite.cost_unit,
            "published": {
                column.name: {
                    "source": column.source,
                    "errors": dict(column.errors),
                    "cost": column.cost,
                }
                for column in self.suite.published
            },
        }


def _entry(quantity: Quantity, outcomes: Mapping[str, Outcome]) -> Entry:
    entry = _entry_of(quantity, outcomes[quantity.property])
    if not quantity.minus or entry.value is None:
        return entry
    other = _entry_of(quantity, outcomes[quantity.minus])
    if other.value is None:
        return other
    errors = [e for e in (entry.error, other.error) if e is not None]
    error = math.hypot(*errors) if errors else None
    found = _judged(quantity, entry.value - other.value, error)
    failed = "failed" in (entry.verdict, other.verdict)
    return replace(found, verdict="failed") if failed else found


def _entry_of(quantity: Quantity, outcome: Outcome) -> Entry:
    found = outcome.values.get(quantity.value)
    if found is None:
        if outcome.unmeasured:
            return Entry(None, None, None, "missing")
        if outcome.failure is not None:
            return Entry(None, None, None, "failed")
        if quantity.optional:
            return Entry(None, None, None, "missing")
        raise InputError(
            f"quantity {quantity.name}: {quantity.property} has no value "
            f"{quantity.value!r}, expected one of {', '.join(outcome.values)}; if it may "
            "be missing, add optional: true"
        )
    if found.unit != quantity.unit:
        raise InputError(
            f"quantity {quantity.name}: found the unit {quantity.unit!r}, "
            f"{quantity.property} gives {quantity.value} in {found.unit!r}; use that"
        )
    entry = _judged(quantity, found.value, found.error)
    if outcome.fails(quantity.value):
        return Entry(entry.value, entry.error, entry.deviation, "failed")
    return entry


def _judged(quantity: Quantity, value: float, error: float | None) -> Entry:
    if quantity.reference is None:
        return Entry(value, error, None, "measured")
    deviation = value - quantity.reference
    if quantity.tolerance is None:
        return Entry(value, error, deviation, "measured")
    size = abs(deviation)
    verdict: Verdict = "off"
    if size <= quantity.tolerance:
        verdict = "within"
    elif size <= NEAR * quantity.tolerance:
        verdict = "near"
    return Entry(value, error, deviation, verdict)


def _plain_row(row: Row) -> dict[str, object]:
    quantity = row.quantity
    return {
        "name": quantity.name,
        "unit": quantity.unit,
        "reference": quantity.reference,
        "uncertainty": quantity.uncertainty,
        "tolerance": quantity.tolerance,
        "source": quantity.source,
        "theory": quantity.theory,
        "measured": {model: vars(entry) for model, entry in row.entries.items()},
        "published": {model: vars(entry) for model, entry in row.published.items()},
    }
