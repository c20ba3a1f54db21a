"""One line style per model, the same in all figures of a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trimpot.reports.style import CYCLE

if TYPE_CHECKING:
    from collections.abc import Iterable

DASHES = ("-", "--", ":", "-.")
MARKERS = ("o", "s", "^", "D", "v", "P")


@dataclass(frozen=True)
class LineStyle:
    """How a model is drawn: colour, dashes, marker, width in points."""

    color: str
    dashes: str
    marker: str
    width: float
    level: int


def line_styles(names: Iterable[str]) -> dict[str, LineStyle]:
    """Return a style per model; the first is drawn thicker and above the others."""
    return {
        name: LineStyle(
            CYCLE[k % len(CYCLE)],
            DASHES[k // len(CYCLE) % len(DASHES)],
            MARKERS[k % len(MARKERS)],
            1.9 if k == 0 else 1.2,
            40 - k,
        )
        for k, name in enumerate(names)
    }
