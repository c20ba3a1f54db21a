"""Parity plots: predicted beside reference, with the distribution of errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot.errors import InputError
from trimpot.reports.numbers import significant
from trimpot.reports.style import ALONE, BLUE, INK, SEQUENTIAL, house_style, new_figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from trimpot.validation.comparisons import Comparison

AXIS_UNITS = {"energy": "eV/atom", "forces": "eV/Å", "stress": "GPa"}
ERROR_UNITS = {
    "energy": ("meV/atom", 1e3),
    "forces": ("meV/Å", 1e3),
    "stress": ("GPa", 1.0),
}
DENSE = 1500
"""More points than this are drawn as a density."""


@dataclass(frozen=True)
class ParitySet:
    """Comparisons of one set of frames: one row of the figure.

    Attributes
    ----------
    name
        For example ``train`` or ``test``.
    comparisons
        At most one per quantity; quantities without labels are left out of the figure.
    """

    name: str
    comparisons: tuple[Comparison, ...]


def plot_parity(sets: Sequence[ParitySet], *, alone: bool = False) -> Figure:
    """Return a figure with one row per set and one column per labelled quantity.

    Axes of a column share their range, so that train and test can be compared. Each
    panel holds RMSE, MAE and the largest error, and a histogram of its errors.

    Parameters
    ----------
    sets
        Rows of the figure.
    alone
        The figure is one of several small ones: panels are wider and have no title.

    Raises
    ------
    InputError
        If no set has a labelled quantity.
    """
    tables = [{c.quantity: c for c in s.comparisons if len(c.reference)} for s in sets]
    columns = [q for q in AXIS_UNITS if any(q in table for table in tables)]
    if not columns:
        raise InputError("nothing to plot: no set has energies, forces or stresses")
    with house_style():
        width = ALONE * len(columns) if alone else 2.45 * max(len(columns), 2)
        figure = new_figure(width, (3.3 if alone else 2.5) * len(sets))
        grid = figure.subplots(len(sets), len(columns), squeeze=False)
        for column, quantity in enumerate(columns):
            limits = _limits([t[quantity] for t in tables if quantity in t])
            for row, table in enumerate(tables):
                axes = grid[row, column]
                if quantity in table:
                    _panel(axes, table[quantity], limits)
                else:
                    _without_labels(axes, limits)
                axes.set_title("" if alone else f"{sets[row].name}: {quantity}")
                axes.set_xlabel(f"reference ({AXIS_UNITS[quantity]})")
                axes.set_ylabel(f"predicted ({AXIS_UNITS[quantity]})")
    return figure


def _panel(axes: Axes, comparison: Comparison, limits: tuple[float, float]) -> None:
    x, y = comparison.reference, comparison.predicted
    axes.plot(limits, limits, color=INK, linewidth=0.7, alpha=0.6, zorder=3)
    if len(x) > DENSE:
        axes.hexbin(
            x,
            y,
            gridsize=80,
            extent=(*limits, *limits),
            bins="log",
            mincnt=1,
            linewidths=0.1,
            cmap=SEQUENTIAL,
            rasterized=True,
        )
    else:
        axes.scatter(x, y, s=9, color=BLUE, alpha=0.55, linewidths=0, rasterized=True)
    axes.set(xlim=limits, ylim=limits, aspect="equal", box_aspect=1)
    axes.locator_params(nbins=5)
    unit, scale = ERROR_UNITS[comparison.quantity]
    errors = comparison.residual * scale
    text = (
        f"RMSE {significant(float(np.sqrt(np.mean(errors**2))))}\n"
        f"MAE {significant(float(np.abs(errors).mean()))}\n"
        f"max {significant(float(np.abs(errors).max()))}\n{unit}"
    )
    axes.text(0.04, 0.97, text, transform=axes.transAxes, va="top", fontsize=7.5)
    _histogram(axes, errors, unit)


def _histogram(axes: Axes, errors: np.ndarray, unit: str) -> None:
    """Inset: distribution of errors within four RMSE, logarithmic counts."""
    inset = axes.inset_axes((0.58, 0.12, 0.37, 0.25))
    # 4 RMSE, rounded to two figures so that the tick labels are exact
    width = float(f"{4.0 * float(np.sqrt(np.mean(errors**2))):.1e}") or 1.0
    inset.hist(np.clip(errors, -width, width), bins=31, range=(-width, width), color=INK)
    inset.set_yscale("log")
    inset.set_yticks([])
    inset.minorticks_off()
    inset.set_xticks([-width, 0.0, width])
    inset.set_xticklabels([f"{-width:.5g}", "0", f"{width:.5g}"], fontsize=6.5)
    inset.tick_params(length=2, pad=1.5)
    inset.set_title(
        f"error ({unit})", fontsize=6.5, fontweight="normal", loc="center", pad=2
    )
    inset.spines["left"].set_visible(False)
    inset.grid(visible=False)
    inset.patch.set_alpha(0.85)


def _without_labels(axes: Axes, limits: tuple[float, float]) -> None:
    axes.set(xlim=limits, ylim=limits, box_aspect=1)
    axes.text(0.5, 0.5, "no labels", transform=axes.transAxes, ha="center", va="center")


def _limits(comparisons: Sequence[Comparison]) -> tuple[float, float]:
    values = np.concatenate([v for c in comparisons for v in (c.reference, c.predicted)])
    low, high = float(values.min()), float(values.max())
    margin = 0.04 * (high - low) or max(abs(high) * 1e-3, 1e-3)
    return low - margin, high + margin
