"""The table of properties: quantities by models, beside what is published."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from trimpot.reports.page_parts import Markup
from trimpot.reports.page_tables import Cell, CellTable, cell_table
from trimpot.reports.validation.values import (
    MEANING,
    SYMBOLS,
    TONES,
    deviation_text,
    number_text,
    reference_text,
    tolerance_text,
    unit_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from trimpot.validation.suite_results import Entry, Row, SuiteResult
    from trimpot.validation.suites import Quantity

MEASURED = "measured here"
PUBLISHED = "published, not measured here"

WIDE = 8
"""Columns from which the table needs more room than text."""


def property_table(result: SuiteResult) -> tuple[Markup, ...]:
    """Return the key of colours and symbols, the table, and its footnotes."""
    marks = footnotes(result)
    models = tuple(result.measured)
    columns = tuple(c for c in result.suite.published if c.values)
    header = (
        Cell("quantity"),
        Cell("reference", "tolerance"),
        *(Cell(name, apart=k == 0) for k, name in enumerate(models)),
        *(
            Cell(column.name, "published", "", marks.get(column.source, ""), apart=k == 0)
            for k, column in enumerate(columns)
        ),
    )
    over: tuple[tuple[str, int], ...] = (("", 2), (MEASURED, len(models)))
    over += ((PUBLISHED, len(columns)),) if columns else ()
    names = tuple(column.name for column in columns)
    rows = tuple(_row(row, models, names, marks) for row in result.rows)
    table = CellTable("", header, rows, over, wide=is_wide(result))
    return (verdict_key(), cell_table(table), _notes(marks))


def is_wide(result: SuiteResult) -> bool:
    """Return whether the table needs more room than text."""
    return 2 + len(result.measured) + len(result.suite.published) >= WIDE


def verdict_key() -> Markup:
    """Return what colours and symbols mean."""
    parts = "".join(
        f'<span class="{TONES[kind]}">{SYMBOLS[kind]} {meaning}</span>'
        for kind, meaning in MEANING.items()
    )
    return Markup(
        f'<p class="key">{parts}<small>Below a number: deviation from the reference. '
        "No colour: there is no reference or no tolerance.</small></p>"
    )


def footnotes(result: SuiteResult) -> dict[str, str]:
    """Return the letter of every source, in the order of the table."""
    texts = [source_text(row.quantity) for row in result.rows]
    texts += [column.source for column in result.suite.published if column.values]
    distinct = list(dict.fromkeys(filter(None, texts)))
    return {text: _letter(k) for k, text in enumerate(distinct)}


def source_text(quantity: Quantity) -> str:
    """Return level of theory and source of a reference."""
    if quantity.reference is None:
        return ""
    return ", ".join(filter(None, (quantity.theory, quantity.source)))


def entry_cell(entry: Entry | None, quantity: Quantity, *, apart: bool = False) -> Cell:
    """Return a number with symbol, tone and deviation."""
    if entry is None:
        return Cell(SYMBOLS["missing"], apart=apart)
    tone, symbol = TONES.get(entry.verdict, ""), SYMBOLS[entry.verdict]
    if entry.value is None:
        return Cell(symbol, tone=tone, apart=apart)
    number = number_text(entry.value, entry.error, quantity.tolerance)
    if entry.verdict == "failed":
        return Cell(symbol, number, tone, apart=apart)
    note = deviation_text(entry, quantity)
    return Cell(f"{number} {symbol}".strip(), note, tone, apart=apart)


def _row(
    row: Row, models: Iterable[str], published: Iterable[str], marks: Mapping[str, str]
) -> tuple[Cell, ...]:
    quantity = row.quantity
    mark = marks.get(source_text(quantity), "")
    measured = (
        entry_cell(row.entries.get(name), quantity, apart=k == 0)
        for k, name in enumerate(models)
    )
    known = (
        entry_cell(row.published.get(name), quantity, apart=k == 0)
        for k, name in enumerate(published)
    )
    return (
        Cell(quantity.name.replace("_", " "), unit_text(quantity)),
        Cell(reference_text(quantity), tolerance_text(quantity), mark=mark),
        *measured,
        *known,
    )


def _notes(marks: Mapping[str, str]) -> Markup:
    if not marks:
        return Markup("")
    items = "<br>".join(f"<sup>{m}</sup> {escape(text)}" for text, m in marks.items())
    return Markup(f'<p class="soft"><small>{items}</small></p>')


def _letter(index: int) -> str:
    letter = chr(ord("a") + index % 26)
    return letter * (index // 26 + 1)
