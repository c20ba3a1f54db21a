"""One self-contained HTML page: no script, no network, figures inside."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from trimpot.reports.style import METADATA, house_style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from trimpot.reports.document import Section, TextTable

LARGEST_SVG = 600_000
"""Bytes; larger vector figures are drawn as pixels."""

STYLE = """
:root { --ink: #1d2329; --soft: #5b6670; --line: #d9dee3; --accent: #0072b2; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.2rem 1.4rem 4rem; max-width: 62rem; color: var(--ink);
  background: #fff;
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
h1 { font-size: 1.75rem; margin: 0 0 .2rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.4rem 0 .7rem; padding-bottom: .25rem;
  border-bottom: 2px solid var(--accent); }
.lead { color: var(--soft); margin: 0 0 1.2rem; }
nav { font-size: .92rem; } nav a { color: var(--accent); margin-right: 1.1rem;
  text-decoration: none; } nav a:hover { text-decoration: underline; }
dl { display: grid; grid-template-columns: minmax(8rem, max-content) 1fr;
  gap: .25rem 1.2rem; margin: .6rem 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; margin: 1rem 0 1.6rem; }
table { border-collapse: collapse; font-size: .9rem; width: 100%; max-width: 48rem;
  font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding-bottom: .3rem; }
th, td { padding: .28rem .8rem; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; padding-left: .2rem; }
thead th { color: var(--soft); font-weight: 600; border-bottom: 1.5px solid var(--ink); }
tr.all td { font-weight: 600; }
figure { margin: 1.2rem 0 1.8rem; } figure img { max-width: 100%; height: auto; }
figcaption { color: var(--soft); font-size: .9rem; max-width: 46rem; }
td:first-child { white-space: normal; overflow-wrap: anywhere; min-width: 9rem; }
@page { margin: 16mm; }
@media print { body { font-size: 10pt; padding: 0; max-width: none; }
  nav { display: none; } .scroll { overflow: visible; } table { font-size: 8.5pt; }
  th, td { padding: .15rem .5rem; } h2, caption { break-after: avoid; }
  .scroll, figure, tr { break-inside: avoid; } figure img { max-height: 22cm; } }
"""


@dataclass(frozen=True)
class Picture:
    """A figure with its caption and the width that it should have on screen.

    Attributes
    ----------
    title
        Heading above the figure.
    caption
        What is shown, with units; also the alternative text.
    figure
        A matplotlib figure.
    """

    title: str
    caption: str
    figure: Figure


def html_page(
    title: str,
    sections: Sequence[Section],
    pictures: Sequence[Picture] = (),
    *,
    lead: str = "",
) -> str:
    """Return a complete HTML document; all text is escaped.

    Parameters
    ----------
    title
        Heading of the page.
    sections
        Facts, text and tables, in order.
    pictures
        Figures, after the sections.
    lead
        One sentence below the heading.
    """
    names = [section.title for section in sections] + [p.title for p in pictures]
    links = "\n".join(f'<a href="#s{k}">{escape(name)}</a>' for k, name in enumerate(names))
    body = [f"<h1>{escape(title)}</h1>"]
    if lead:
        body.append(f'<p class="lead">{escape(lead)}</p>')
    body.append(f"<nav>{links}</nav>")
    body += [_section(k, section) for k, section in enumerate(sections)]
    body += [_picture(k, p) for k, p in enumerate(pictures, start=len(sections))]
    content = "\n".join(body)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n{content}\n</body>\n</html>\n"
    )


def _section(index: int, section: Section) -> str:
    parts = [f'<h2 id="s{index}">{escape(section.title)}</h2>']
    if section.facts:
        rows = "".join(
            f"<dt>{escape(n)}</dt><dd>{escape(v)}</dd>" for n, v in section.facts
        )
        parts.append(f"<dl>{rows}</dl>")
    if len(section.paragraphs) == 1:
        parts.append(f"<p>{escape(section.paragraphs[0])}</p>")
    elif section.paragraphs:
        items = "".join(f"<li>{escape(text)}</li>" for text in section.paragraphs)
        parts.append(f"<ul>{items}</ul>")
    parts += [_table(table) for table in section.tables]
    return "\n".join(parts)


def _table(table: TextTable) -> str:
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in table.header)
    rows = "".join(
        ('<tr class="all">' if row[0] == "all" else "<tr>")
        + "".join(f"<td>{escape(cell)}</td>" for cell in row)
        + "</tr>\n"
        for row in table.rows
    )
    return (
        f'<div class="scroll"><table><caption>{escape(table.title)}</caption>'
        f"<thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table></div>"
    )


def _picture(index: int, picture: Picture) -> str:
    kind, data = "svg+xml", _render(picture.figure, "svg")
    if len(data) > LARGEST_SVG:
        kind, data = "png", _render(picture.figure, "png")
    encoded = base64.b64encode(data).decode("ascii")
    width = round(picture.figure.get_figwidth() * 125)
    caption = escape(picture.caption)
    return (
        f'<h2 id="s{index}">{escape(picture.title)}</h2>\n<figure>'
        f'<img width="{width}" alt="{caption}" src="data:image/{kind};base64,{encoded}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _render(figure: Figure, kind: str) -> bytes:
    buffer = io.BytesIO()
    with house_style():
        figure.savefig(buffer, format=kind, metadata=METADATA[kind])
    return buffer.getvalue()
