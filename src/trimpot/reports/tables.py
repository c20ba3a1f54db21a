"""Error tables for people: terminal, Markdown, and JSON for scripts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table

from trimpot.reports.document import TextTable, markdown_table
from trimpot.reports.numbers import NEGLIGIBLE, with_error
from trimpot.validation.comparisons import QUANTITIES
from trimpot.validation.errors import UNITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimpot.validation.comparisons import Quantity
    from trimpot.validation.errors import ErrorRow, ErrorTables

HEADER = ("group", "frames", "RMSE", "MAE", "max", "bias")


def text_tables(tables: ErrorTables, *, name: str = "") -> tuple[TextTable, ...]:
    """Return one table per labelled quantity: all frames, groups, elements.

    Parameters
    ----------
    name
        Name of the set of frames, shown in the titles, for example ``test``.
    """
    return tuple(
        _text_table(tables, quantity, name)
        for quantity in QUANTITIES
        if tables.select(quantity, "all")
    )


def summary_table(tables: Mapping[str, ErrorTables]) -> TextTable:
    """Return errors of all frames, one row per named set of frames and quantity."""
    rows = tuple(
        (f"{name} {quantity} ({_unit(quantity)})", *_cells(row)[1:])
        for quantity in QUANTITIES
        for name, table in tables.items()
        for row in table.select(quantity, "all")
    )
    return TextTable("all frames", ("set", *HEADER[1:]), rows)


def rich_tables(tables: ErrorTables, *, name: str = "") -> tuple[Table, ...]:
    """Return the tables for a terminal."""
    return tuple(rich_table(table) for table in text_tables(tables, name=name))


def rich_table(table: TextTable) -> Table:
    """Return any text table for a terminal, numbers to the right."""
    shown = Table(
        title=table.title,
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    for column, head in enumerate(table.header):
        texts = [*head.split(), *(row[column] for row in table.rows)]
        shown.add_column(
            head,
            justify="right" if column else "left",
            # numbers stay whole; where there is no room, their headings take more lines
            min_width=max(map(len, texts)) if column else None,
            overflow="fold",
        )
    for row in table.rows:
        shown.add_row(*row)
    return shown


def markdown_tables(tables: ErrorTables, *, name: str = "") -> str:
    """Return the tables as Markdown."""
    found = text_tables(tables, name=name)
    return "\n\n".join(f"**{t.title}**\n\n{markdown_table(t)}" for t in found) + "\n"


def json_tables(tables: Mapping[str, ErrorTables]) -> str:
    """Return the tables of each named set of frames as JSON, full precision."""
    plain = {name: table.to_dict() for name, table in tables.items()}
    return json.dumps(plain, indent=1, allow_nan=False)


def _text_table(tables: ErrorTables, quantity: Quantity, name: str) -> TextTable:
    rows = (
        *tables.select(quantity, "all"),
        *tables.select(quantity, "config_type"),
        *tables.select(quantity, "element"),
    )
    missing = tables.missing[quantity]
    title = f"{name} {quantity} ({_unit(quantity)})".strip()
    if missing:
        title += f", {missing} of {tables.frames} frames without label"
    return TextTable(title, HEADER, tuple(_cells(row) for row in rows))


def _unit(quantity: Quantity) -> str:
    return UNITS[quantity].replace("/A", "/Å")


def _cells(row: ErrorRow) -> tuple[str, ...]:
    group = f"element {row.group}" if row.grouping == "element" else row.group
    return (
        group,
        str(row.frames),
        _shown(row.rmse, row.rmse_standard_error),
        _shown(row.mae, row.mae_standard_error),
        _shown(row.maximum),
        ("+" if row.bias >= NEGLIGIBLE else "") + _shown(row.bias),
    )


def _shown(value: float, standard_error: float | None = None) -> str:
    return "0.000" if abs(value) < NEGLIGIBLE else with_error(value, standard_error)
