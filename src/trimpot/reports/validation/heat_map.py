"""Deviations from references as a map: quantities by models, with the numbers inside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trimpot.reports.page_parts import Picture
from trimpot.reports.style import DIVERGING, INK, house_style, new_figure
from trimpot.reports.validation.curve_figures import short_name
from trimpot.reports.validation.values import MINUS, relative_deviation

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from trimpot.contract import FloatArray
    from trimpot.validation.suite_results import Row, SuiteResult

FULL = 20.0
"""Percent at which the colour is full."""

COLUMN, LINE = 0.5, 0.27
"""Inches per model and per quantity."""


def heat_map(result: SuiteResult) -> Picture | None:
    """Return the map, published models to the right; None if there is no deviation."""
    rows = [row for row in result.rows if row.quantity.reference]
    measured = list(result.measured)
    published = [c.name for c in result.suite.published]
    values = np.array(
        [
            [_deviation(row, name, here=True) for name in measured]
            + [_deviation(row, name, here=False) for name in published]
            for row in rows
        ],
        dtype=np.float64,
    ).reshape(len(rows), len(measured) + len(published))
    found = np.any(np.isfinite(values), axis=0).tolist()
    kept = [k < len(measured) or bool(one) for k, one in enumerate(found)]
    values = values[:, kept]
    names = [n for n, k in zip([*measured, *published], kept, strict=True) if k]
    if not np.isfinite(values).any():
        return None
    figure = _drawn([row.quantity.name for row in rows], names, values, len(measured))
    left_out = [r.quantity.name for r in result.rows if not r.quantity.reference]
    caption = (
        "Deviation from the reference in percent (number inside); the colour is full at "
        f"{FULL:.0f} %, orange too low, purple too high; an empty field was not found. "
        "Right of the line: published, not measured here."
    )
    if left_out:
        caption += f" Without a reference other than 0: {', '.join(left_out)}."
    return Picture("Deviations", caption.replace("_", " "), figure)


def _drawn(
    quantities: list[str], names: list[str], values: FloatArray, measured: int
) -> Figure:
    width = 1.5 + COLUMN * len(names) + 0.2
    with house_style():
        figure = new_figure(width, 1.15 + LINE * len(quantities))
        axes = figure.subplots()
        axes.imshow(values, cmap=DIVERGING, vmin=-FULL, vmax=FULL, aspect="auto")
        axes.set_facecolor("#ffffff")
        _numbers(axes, values)
        axes.set_yticks(range(len(quantities)), [q.replace("_", " ") for q in quantities])
        axes.set_xticks(
            range(len(names)),
            [short_name(n, 18) for n in names],
            rotation=40,
            ha="left",
            rotation_mode="anchor",
        )
        axes.xaxis.tick_top()
        axes.tick_params(length=0)
        axes.grid(visible=False)
        for side in axes.spines.values():
            side.set_visible(False)
        if measured < len(names):
            axes.axvline(measured - 0.5, color=INK, linewidth=1.6)
    return figure


def _numbers(axes: Axes, values: FloatArray) -> None:
    for (line, column), value in np.ndenumerate(values):
        if not np.isfinite(value):
            continue
        text = f"{value:+.0f}" if abs(value) >= 9.95 else f"{value:+.1f}"
        text = "0.0" if abs(value) < 0.05 else text
        axes.text(
            column,
            line,
            text.replace("-", MINUS),
            ha="center",
            va="center",
            fontsize=7.5,
            color="white" if abs(value) > 0.64 * FULL else INK,
        )


def _deviation(row: Row, name: str, *, here: bool) -> float:
    entry = (row.entries if here else row.published).get(name)
    share = None if entry is None else relative_deviation(entry, row.quantity)
    return np.nan if share is None else share
