"""One look for all figures: print size, vector output, colour-blind safe colours.

Figures are built with matplotlib's object interface, never with pyplot: no global
figure list, no display, safe in threads. Only rc settings are borrowed for a moment.
"""

from __future__ import annotations

from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
from cycler import cycler
from matplotlib.figure import Figure

from trimpot.errors import InputError
from trimpot.files import make_folder, write_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes

PAGE_WIDTH = 7.0
"""Inches: two columns of a journal page."""

COLUMNS = 3
"""Panels in a row."""

PANEL, ALONE = 2.5, 3.7
"""Inches: width of a panel, and of a single one."""

# Okabe and Ito, Color Universal Design (2008): safe for the common colour blindnesses.
BLUE = "#0072B2"
ORANGE = "#D55E00"
GREEN = "#009E73"
PURPLE = "#CC79A7"
SKY = "#56B4E9"
AMBER = "#E69F00"
INK = "#222222"
GREY = "#9A9A9A"
PALE = "#D8DDE3"
CYCLE = (BLUE, ORANGE, GREEN, PURPLE, SKY, AMBER)
SEQUENTIAL = "viridis"
DIVERGING = "PuOr"

SETTINGS: dict[str, object] = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9.0,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.formatter.use_mathtext": True,
    "axes.prop_cycle": cycler(color=CYCLE),
    "grid.color": "#E6E6E6",
    "grid.linewidth": 0.6,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.fontsize": 8.0,
    "legend.frameon": False,
    "lines.linewidth": 1.5,
    "figure.dpi": 110,
    "savefig.dpi": 220,
    "svg.fonttype": "path",
    "svg.hashsalt": "trimpot",
    "pdf.fonttype": 42,
}

# Dates in files would make equal figures differ.
METADATA: dict[str, dict[str, str | None]] = {
    "png": {"Software": None},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
}


@contextmanager
def house_style() -> Iterator[None]:
    """Apply the settings while a figure is built or saved."""
    # the names that the stubs allow differ between versions of matplotlib
    with mpl.rc_context(SETTINGS):  # type: ignore[arg-type]
        yield


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure, size in inches, that arranges its axes itself."""
    return Figure(figsize=(width, height), layout="constrained")


def panel_grid(
    count: int, *, columns: int = COLUMNS, width: float = PANEL
) -> tuple[Figure, list[Axes]]:
    """Return a figure and its first ``count`` panels, in rows of so many columns.

    Parameters
    ----------
    width
        Of a panel where there are several, inches.

    Raises
    ------
    InputError
        If there is nothing to plot.
    """
    if count == 0:
        raise InputError("nothing to plot: give at least one curve or slice")
    columns = min(count, columns)
    rows = -(-count // columns)
    figure = new_figure(width * columns if columns > 1 else ALONE, 2.3 * rows + 0.2)
    panels = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for unused in panels[count:]:
        unused.remove()
    return figure, panels[:count]


def save_figure(
    figure: Figure, stem: Path, formats: Sequence[str] = ("png", "svg")
) -> tuple[Path, ...]:
    """Write ``stem``.png, ``stem``.svg, ..., each atomically, and return the paths.

    Parameters
    ----------
    stem
        Path without suffix; its folder is made if needed.
    formats
        Any of png, svg, pdf.

    Raises
    ------
    InputError
        For a format that is not one of these.
    WriteError
        If a file cannot be written.
    """
    unknown = set(formats) - set(METADATA)
    if unknown:
        raise InputError(f"unknown figure formats {sorted(unknown)}; use {[*METADATA]}")
    make_folder(stem.parent)
    paths = tuple(stem.parent / f"{stem.name}.{suffix}" for suffix in formats)
    with house_style():
        for path, suffix in zip(paths, formats, strict=True):
            drawn = BytesIO()
            figure.savefig(drawn, format=suffix, metadata=METADATA[suffix])
            write_bytes(path, drawn.getvalue())
    return paths
