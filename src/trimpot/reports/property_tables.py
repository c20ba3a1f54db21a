"""Properties of models beside references, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trimpot.reports.document import TextTable
from trimpot.reports.numbers import with_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.validation.suite_results import Entry, SuiteResult
    from trimpot.validation.suites import Quantity

MARKS = {"near": " ~", "off": " !", "failed": " failed"}
"""After a number, so that a verdict is seen without colours."""

LEGEND = (
    "no mark: within the tolerance; ~ up to twice it; ! farther off; failed: see below. "
    "Columns in brackets are published, not measured here."
)


def published_columns(result: SuiteResult) -> list[str]:
    """Return names of published columns that have a value in some row."""
    names = [column.name for column in result.suite.published]
    return [n for n in names if any(n in row.published for row in result.rows)]


def property_header(models: Sequence[str], published: Sequence[str]) -> tuple[str, ...]:
    """Return names of columns; published ones are in brackets."""
    return ("quantity", "unit", "reference", *models, *(f"[{p}]" for p in published))


def property_table(
    result: SuiteResult, models: Sequence[str], published: Sequence[str] = ()
) -> TextTable:
    """Return rows of quantities, with a column for each of the models named."""
    rows = tuple(
        (
            row.quantity.name,
            row.quantity.unit,
            reference_text(row.quantity),
            *(entry_text(row.entries.get(name)) for name in models),
            *(entry_text(row.published.get(name)) for name in published),
        )
        for row in result.rows
    )
    return TextTable(result.suite.name, property_header(models, published), rows)


def reference_text(quantity: Quantity) -> str:
    """Return the reference with its uncertainty; "" without one."""
    if quantity.reference is None:
        return ""
    return number_text(quantity.reference, quantity.uncertainty)


def entry_text(entry: Entry | None) -> str:
    """Return a number with its error and a mark of its verdict; "" where there is none."""
    if entry is None or entry.verdict == "missing":
        return ""
    mark = MARKS.get(entry.verdict, "")
    if entry.value is None:
        return mark.strip() or "-"
    return number_text(entry.value, entry.error) + mark


def number_text(value: float, error: float | None) -> str:
    """Return ``value ± error``; without an error four digits."""
    return with_error(value, error) if error else f"{value:.4g}"
