"""Deviations from references as a map: quantities by models, with the numbers inside."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.colors import to_hex

from trimpot.reports.page_parts import Markup
from trimpot.reports.page_tables import NOTHING, Cell, CellTable, cell_table
from trimpot.reports.style import DIVERGING
from trimpot.reports.validation.values import MINUS, relative_deviation

if TYPE_CHECKING:
    from trimpot.validation.suite_results import Entry, Row, SuiteResult

FULL = 20.0
"""Percent at which the colour is full."""

FLAT = 0.05
"""Percent that is shown as 0.0."""


def heat_map(result: SuiteResult) -> Markup | None:
    """Return the map, published models to the right; None if there is no deviation."""
    rows = [row for row in result.rows if row.quantity.reference]
    measured = list(result.measured)
    published = [
        column.name
        for column in result.suite.published
        if any(_share(row, row.published.get(column.name)) is not None for row in rows)
    ]
    if all(_share(row, row.entries.get(m)) is None for row in rows for m in measured):
        return None
    header = (
        Cell("quantity"),
        *(Cell(name) for name in measured),
        *(Cell(name, "published", apart=k == 0) for k, name in enumerate(published)),
    )
    table = CellTable(
        "Deviation from the reference (%)",
        header,
        tuple(_line(row, measured, published) for row in rows),
        wide=len(header) > WIDE,
    )
    left_out = [row.quantity.name for row in result.rows if not row.quantity.reference]
    return Markup(cell_table(table).html + _caption(left_out))


WIDE = 10
"""Columns from which the map needs more room than text."""


def heat_color(share: float) -> str:
    """Return the colour of a deviation in percent, "#rrggbb"."""
    place = 0.5 + 0.5 * max(-1.0, min(1.0, share / FULL))
    return to_hex(mpl.colormaps[DIVERGING](place))


def _caption(left_out: list[str]) -> str:
    text = (
        f"The colour is full at {FULL:.0f} %: orange too low, purple too high. Numbers of "
        "protocols that failed are left out."
    )
    if left_out:
        names = ", ".join(name.replace("_", " ") for name in left_out)
        text += f" Without a reference other than 0: {names}."
    return f'<p class="soft"><small>{escape(text)}</small></p>'


def _line(row: Row, measured: list[str], published: list[str]) -> tuple[Cell, ...]:
    return (
        Cell(row.quantity.name.replace("_", " ")),
        *(_field(row, row.entries.get(name)) for name in measured),
        *(
            _field(row, row.published.get(name), apart=k == 0)
            for k, name in enumerate(published)
        ),
    )


def _field(row: Row, entry: Entry | None, *, apart: bool = False) -> Cell:
    share = _share(row, entry)
    if share is None:
        return Cell(NOTHING, apart=apart)
    text = f"{share:+.0f}" if abs(share) >= 9.95 else f"{share:+.1f}"
    text = "0.0" if abs(share) < FLAT else text.replace("-", MINUS)
    return Cell(text, apart=apart, color=heat_color(share))


def _share(row: Row, entry: Entry | None) -> float | None:
    if entry is None or entry.verdict == "failed":
        return None
    return relative_deviation(entry, row.quantity)
