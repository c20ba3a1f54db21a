"""Figures as data URIs that together fit into a page."""

from __future__ import annotations

import base64
import io
import re
from typing import TYPE_CHECKING

from trimpot.reports.style import METADATA, house_style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.reports.page_parts import Picture

LARGEST_SVG = 600_000
"""Bytes; larger vector figures are drawn as pixels."""

FINE, COARSE = 200, 100
"""Dots per inch of figures that are drawn as pixels."""


def image_sources(pictures: Sequence[Picture], room: int) -> dict[int, str]:
    """Return the data URI of each figure by ``id``.

    Figures are vectors. Where they do not fit, the largest become pixels, one by one, then
    coarser pixels; if even that is too much, the largest are left out (empty text).

    Parameters
    ----------
    pictures
        All figures of a page.
    room
        Bytes for all of them.
    """
    sources = {id(p): _vector(p) for p in pictures}
    by_id = {id(p): p for p in pictures}
    for step in (FINE, COARSE, None):
        for key in sorted(sources, key=lambda k: -len(sources[k])):
            if sum(map(len, sources.values())) <= room:
                return sources
            smaller = "" if step is None else _pixels(by_id[key], step)
            sources[key] = min(sources[key], smaller, key=len)
    return sources


def _vector(picture: Picture) -> str:
    drawn = short_paths(_drawn(picture, "svg").decode("utf-8")).encode("utf-8")
    if len(drawn) > LARGEST_SVG:
        return _pixels(picture, FINE)
    return _uri("svg+xml", drawn)


def _pixels(picture: Picture, dots_per_inch: int) -> str:
    return _uri("png", _drawn(picture, "png", dots_per_inch))


def _uri(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"


def _drawn(picture: Picture, kind: str, dots_per_inch: int = FINE) -> bytes:
    buffer = io.BytesIO()
    with house_style():
        picture.figure.savefig(
            buffer, format=kind, metadata=METADATA[kind], dpi=dots_per_inch
        )
    return buffer.getvalue()


def short_paths(svg: str) -> str:
    """Return an SVG of matplotlib with paths to a hundredth of a point."""
    number = re.compile(r"-?\d+\.\d{3,}")

    def shorter(path: re.Match[str]) -> str:
        return number.sub(lambda n: f"{float(n[0]):.2f}", path[0])

    return re.sub(r' d="[^"]*"', shorter, svg)
