"""Tables of a page: cells may have a tone, a second line and the mark of a footnote."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from trimpot.reports.page_parts import Markup

if TYPE_CHECKING:
    from trimpot.reports.document import TextTable

NOTHING = "\N{EN DASH}"
"""Where there is no number."""


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes
    ----------
    text : str
        First line.
    note : str
        Second, smaller line.
    tone : str
        "within", "near", "off", "failed"; "" for none.
    mark : str
        Number or letter of a footnote.
    apart : bool
        Whether a line sets it apart from what stands left of it.
    """

    text: str
    note: str = ""
    tone: str = ""
    mark: str = ""
    apart: bool = False


@dataclass(frozen=True)
class CellTable:
    """A table of cells.

    Attributes
    ----------
    title : str
        Heading of the table.
    header : tuple of Cell
        Names of the columns.
    rows : tuple of tuple of Cell
        A row of one cell is a heading within the table.
    over : tuple of (str, int)
        Names above columns, and how many each spans.
    words : bool
        Whether cells are text that breaks into lines.
    wide : bool
        Whether it may be broader than the text; printed on a page of its own, across.
    """

    title: str
    header: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    over: tuple[tuple[str, int], ...] = ()
    words: bool = False
    wide: bool = False


def cell_table(table: CellTable) -> Markup:
    """Return a table of cells; all text is escaped."""
    columns = len(table.header)
    head = "".join(_cell(cell, "th", 'scope="col"') for cell in table.header)
    over = "".join(f'<th colspan="{n}">{escape(name)}</th>' for name, n in table.over)
    if over:
        head = f"{over}</tr>\n<tr>{head}"
    first = '<tr class="over">' if over else "<tr>"
    rows = "".join(_row(row, columns) for row in table.rows)
    kinds = ["scroll", "words" if table.words else "compact"]
    kinds += ["wide"] if table.wide else []
    title = f"<caption>{escape(table.title)}</caption>" if table.title else ""
    return Markup(
        f'<div class="{" ".join(kinds)}" tabindex="0"><table>{title}'
        f"<thead>{first}{head}</tr></thead>\n<tbody>{rows}</tbody></table></div>"
    )


def text_table(table: TextTable) -> Markup:
    """Return a table of text."""
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in table.header)
    rows = "".join(
        ('<tr class="all">' if row[0] == "all" else "<tr>")
        + "".join(f"<td>{escape(cell)}</td>" for cell in row)
        + "</tr>\n"
        for row in table.rows
    )
    return Markup(
        f'<div class="scroll" tabindex="0"><table><caption>{escape(table.title)}</caption>'
        f"<thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table></div>"
    )


def _row(row: tuple[Cell, ...], columns: int) -> str:
    if len(row) == 1 and columns > 1:
        return f'<tr><th colspan="{columns}">{escape(row[0].text)}</th></tr>\n'
    first = _cell(row[0], "th", 'scope="row"')
    return f"<tr>{first}" + "".join(_cell(c, "td") for c in row[1:]) + "</tr>\n"


def _cell(cell: Cell, tag: str, more: str = "") -> str:
    names = " ".join(filter(None, (cell.tone, "apart" if cell.apart else "")))
    kind = f' class="{names}"' if names else ""
    mark = f"<sup>{escape(cell.mark)}</sup>" if cell.mark else ""
    note = f"<small>{escape(cell.note)}</small>" if cell.note else ""
    return (
        f"<{tag}{' ' + more if more else ''}{kind}>{escape(cell.text)}{mark}{note}</{tag}>"
    )
