"""What pages are made of: markup, figures, rows of figures, folded parts, chapters."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from matplotlib.figure import Figure

SCREEN_PIXELS = 125
"""Pixels per inch of a figure, where there is room."""

LEAST_PIXELS = 88
"""Pixels per inch at which the small print of a figure can still be read."""

NARROW = 4.0
"""Inches: wider figures scroll in a box of their own on a narrow screen."""


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


@dataclass(frozen=True)
class Markup:
    """Finished HTML, escaped by who made it."""

    html: str


@dataclass(frozen=True)
class Gallery:
    """Small figures side by side, as many as there is room for; titles go to captions."""

    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Fold:
    """Parts behind a line that opens them.

    Attributes
    ----------
    summary
        The line.
    parts
        What it opens.
    printed
        Whether they are open on paper; others are left out there.
    """

    summary: str
    parts: tuple[Part, ...]
    printed: bool = True


@dataclass(frozen=True)
class Block:
    """Parts that stay together in a flow.

    Attributes
    ----------
    parts
        In order.
    broad
        Whether they take a whole row.
    """

    parts: tuple[Part, ...]
    broad: bool = False


@dataclass(frozen=True)
class Flow:
    """Blocks side by side, as many as there is room for."""

    blocks: tuple[Block, ...]


Part: TypeAlias = Markup | Picture | Gallery | Fold | Flow


@dataclass(frozen=True)
class Chapter:
    """A heading of the page, which its contents link to, with what stands below.

    Attributes
    ----------
    title
        The heading.
    parts
        In order.
    across
        Whether it is printed on pages of its own, the long side down.
    """

    title: str
    parts: tuple[Part, ...]
    across: bool = False


def pictures_of(parts: Iterable[Part]) -> Iterator[Picture]:
    """Yield the figures of parts, in order."""
    for part in parts:
        if isinstance(part, Picture):
            yield part
        elif isinstance(part, Gallery):
            yield from part.pictures
        elif isinstance(part, Fold):
            yield from pictures_of(part.parts)
        elif isinstance(part, Flow):
            for block in part.blocks:
                yield from pictures_of(block.parts)


def part_html(part: Part, sources: Mapping[int, str]) -> str:
    """Return the HTML of a part.

    Parameters
    ----------
    part
        Any part.
    sources
        Data URI of each figure by ``id``; empty text where there was no room for it.
    """
    if isinstance(part, Markup):
        return part.html
    if isinstance(part, Picture):
        return _picture(part, sources[id(part)])
    if isinstance(part, Gallery):
        return _joined("gallery", part.pictures, lambda p: _small(p, sources[id(p)]))
    if isinstance(part, Flow):
        blocks = "\n".join(_block(block, sources) for block in part.blocks)
        return f'<div class="flow">{blocks}</div>'
    inner = "\n".join(part_html(p, sources) for p in part.parts)
    kind = "" if part.printed else ' class="screen"'
    return f"<details{kind}><summary>{escape(part.summary)}</summary>\n{inner}\n</details>"


def _block(block: Block, sources: Mapping[int, str]) -> str:
    inner = "\n".join(part_html(p, sources) for p in block.parts)
    kind = ' class="broad"' if block.broad else ""
    return f"<section{kind}>{inner}</section>"


def _joined(kind: str, pictures: Iterable[Picture], html: Callable[[Picture], str]) -> str:
    return f'<div class="{kind}">' + "\n".join(map(html, pictures)) + "</div>"


def _picture(picture: Picture, source: str) -> str:
    inches = picture.figure.get_figwidth()
    image = _image(picture, source, round(inches * SCREEN_PIXELS))
    if inches > NARROW and source:
        image = f'<div class="scroll">{image}</div>'
    caption = escape(picture.caption)
    return f"<figure>{image}<figcaption>{caption}</figcaption></figure>"


def _small(picture: Picture, source: str) -> str:
    image = _image(picture, source, round(picture.figure.get_figwidth() * SCREEN_PIXELS))
    caption = escape(picture.caption)
    title = f"<b>{escape(picture.title)}.</b> " if picture.title else ""
    return f"<figure>{image}<figcaption>{title}{caption}</figcaption></figure>"


def _image(picture: Picture, source: str, width: int) -> str:
    if not source:
        return '<p class="soft">This figure is left out: the page would be too large.</p>'
    inches = picture.figure.get_figwidth()
    # where the page is narrower, a wide figure keeps its small print and scrolls
    style = f"width:max(min(100%,{width}px),{round(inches * LEAST_PIXELS)}px)"
    kept = f' style="{style}"' if inches > NARROW else ""
    height = round(width * picture.figure.get_figheight() / inches)
    return (
        f'<img width="{width}" height="{height}"{kept} alt="{escape(picture.caption)}" '
        f'src="{source}">'
    )
