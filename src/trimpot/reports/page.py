"""One self-contained HTML page: no script, no network, figures inside."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from trimpot.errors import InputError
from trimpot.reports.page_images import image_sources
from trimpot.reports.page_parts import (
    Chapter,
    Markup,
    Picture,
    part_html,
    pictures_of,
)
from trimpot.reports.page_style import STYLE
from trimpot.reports.page_tables import text_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.reports.document import Section

__all__ = ["LARGEST_PAGE", "Picture", "html_page", "page_of_chapters"]

LARGEST_PAGE = 3_000_000
"""Bytes of a page, figures included."""

SAFE = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "img-src data:; style-src 'unsafe-inline'\">"
)
"""Browsers refuse any script and any request, whatever a page holds."""


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
    chapters = [Chapter(section.title, (section_markup(section),)) for section in sections]
    chapters += [Chapter(picture.title, (picture,)) for picture in pictures]
    return page_of_chapters(title, chapters, lead=lead)


def page_of_chapters(
    title: str,
    chapters: Sequence[Chapter],
    *,
    lead: str = "",
    top: Markup | None = None,
    largest: int = LARGEST_PAGE,
) -> str:
    """Return a complete HTML document with contents that link to its chapters.

    Parameters
    ----------
    title
        Heading of the page.
    chapters
        What it holds, in order.
    lead
        One sentence below the heading.
    top
        What stands above the contents.
    largest
        Bytes that it may have; figures are drawn coarser to fit, or left out.

    Raises
    ------
    InputError
        If its text alone is larger.
    """
    pictures = [p for chapter in chapters for p in pictures_of(chapter.parts)]
    bare = _document(title, chapters, {id(p): "-" for p in pictures}, lead, top)
    room = largest - len(bare.encode("utf-8"))
    if room < 0:
        raise InputError(
            f"the text of the page has {largest - room} bytes, expected at most {largest}; "
            "report fewer models or properties"
        )
    return _document(title, chapters, image_sources(pictures, room), lead, top)


def section_markup(section: Section, *, heading: bool = False) -> Markup:
    """Return facts, text and tables of a section; with its title, if asked for."""
    parts = [f"<h3>{escape(section.title)}</h3>"] if heading else []
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
    parts += [text_table(table).html for table in section.tables]
    return Markup("\n".join(parts))


def _document(
    title: str,
    chapters: Sequence[Chapter],
    sources: dict[int, str],
    lead: str,
    top: Markup | None,
) -> str:
    links = "\n".join(
        f'<a href="#s{k}">{escape(chapter.title)}</a>' for k, chapter in enumerate(chapters)
    )
    body = [f"<h1>{escape(title)}</h1>"]
    if lead:
        body.append(f'<p class="lead">{escape(lead)}</p>')
    if top is not None:
        body.append(top.html)
    body.append(f"<nav>{links}</nav>")
    for k, chapter in enumerate(chapters):
        body += ['<section class="across">'] if chapter.across else []
        body.append(f'<h2 id="s{k}">{escape(chapter.title)}</h2>')
        body += [part_html(part, sources) for part in chapter.parts]
        body += ["</section>"] if chapter.across else []
    content = "\n".join(body)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n{SAFE}\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n{content}\n</body>\n</html>\n"
    )
