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
    color : str
        Background, "#rrggbb", where a tone does not say enough; the text is dark or light.
    """

    text: str
    note: str = ""
    tone: str = ""
    mark: str = ""
    apart: bool = False
    color: str = ""


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
        Whether cells are text that breaks into lines; on a phone each row is a card.
    wide : bool
        Whether it may be broader than the text.
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
    labels = [cell.text for cell in table.header] if table.words else [""] * columns
    rows = "".join(_row(row, labels) for row in table.rows)
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


def _row(row: tuple[Cell, ...], labels: list[str]) -> str:
    if len(row) == 1 and len(labels) > 1:
        heading = f"<span>{escape(row[0].text)}</span>"
        return f'<tr><th colspan="{len(labels)}">{heading}</th></tr>\n'
    first = _cell(row[0], "th", 'scope="row"')
    named = [f'data-label="{escape(label)}"' if label else "" for label in labels[1:]]
    rest = (_cell(cell, "td", more) for cell, more in zip(row[1:], named, strict=True))
    return f"<tr>{first}{''.join(rest)}</tr>\n"


def _cell(cell: Cell, tag: str, more: str = "") -> str:
    names = " ".join(filter(None, (cell.tone, "apart" if cell.apart else "")))
    kind = f' class="{names}"' if names else ""
    if cell.color:
        kind += f' style="background:{cell.color};color:{_ink(cell.color)}"'
    mark = f"<sup>{escape(cell.mark)}</sup>" if cell.mark else ""
    note = f"<small>{escape(cell.note)}</small>" if cell.note else ""
    return (
        f"<{tag}{' ' + more if more else ''}{kind}>{escape(cell.text)}{mark}{note}</{tag}>"
    )


def _ink(color: str) -> str:
    """Return dark or light, whichever can be read on a colour."""
    red, green, blue = (int(color[k : k + 2], 16) for k in (1, 3, 5))
    return "#111" if 0.3 * red + 0.59 * green + 0.11 * blue > 140 else "#fff"
