"""Figures and lines on how well a potential foretells its errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import LogLocator, NullFormatter

from trimpot.reports.parity import ERROR_UNITS
from trimpot.reports.style import AMBER, BLUE, INK, ORANGE, house_style, panel_grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from trimpot.validation.reliability import Reliability, Spread

BINS, FEWEST = 12, 5
"""Most bins, of equally many values each, and the fewest values of one."""

FAR = 30.0
"""Grades above are drawn here."""


def plot_reliability(found: Reliability) -> Figure:
    """Return errors over predicted standard deviations, and the grades of frames."""
    with house_style():
        figure, panels = panel_grid(len(found.spreads) + 1, columns=2, width=3.3)
        for axes, spread in zip(panels, found.spreads, strict=False):
            _errors(axes, spread)
        _grades(panels[-1], found)
    return figure


def reliability_lines(found: Reliability) -> list[str]:
    """Return what the uncertainties and grades of some frames are worth, in words."""
    parts = [f"{s.quantity} {100 * s.coverage:.1f} %" for s in found.spreads]
    lines = []
    if parts:
        lines.append(
            f"95 % intervals cover {', '.join(parts)} of the errors "
            f"({len(found.grades)} frames)"
        )
    outside = int(np.sum(found.grades > 1.0))
    k = int(np.argmax(found.grades))
    lines.append(
        f"grade above 1 (beyond the training data): {outside} of {len(found.grades)} "
        f"frames; farthest: frame {int(found.indices[k])}, atom {int(found.atoms[k])}, "
        f"grade {found.grades[k]:.3g}"
    )
    return lines


def _errors(axes: Axes, spread: Spread) -> None:
    """Draw the RMSE of values over their standard deviation, in bins of equal number."""
    unit, scale = ERROR_UNITS[spread.quantity]
    order = np.argsort(spread.sigmas)
    count = min(BINS, max(1, len(order) // FEWEST))
    bins = np.array_split(order, count)
    sigma = np.array([np.sqrt(np.mean(spread.sigmas[b] ** 2)) for b in bins]) * scale
    rmse = np.array([np.sqrt(np.mean(spread.errors[b] ** 2)) for b in bins]) * scale
    rmse = np.maximum(rmse, 1e-3 * sigma.max())
    ends = np.array([min(sigma.min(), rmse.min()), max(sigma.max(), rmse.max())])
    ends *= np.array([0.8, 1.25])
    axes.plot(ends, ends, color=INK, linewidth=0.7, alpha=0.6)
    axes.plot(sigma, rmse, "o-", color=BLUE, markersize=4)
    axes.set(xscale="log", yscale="log", xlim=ends, ylim=ends)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=12))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(NullFormatter())
    axes.set_title(f"{spread.quantity}: {100 * spread.coverage:.1f} % in 95 % intervals")
    axes.set_xlabel(f"predicted standard deviation ({unit})")
    axes.set_ylabel(f"RMSE ({unit})")


def _grades(axes: Axes, found: Reliability) -> None:
    """Draw how many frames have which largest grade."""
    grades = np.clip(found.grades, 0.02, FAR)
    edges = np.geomspace(0.02, FAR, 45)
    inside = grades <= 1.0
    axes.hist(grades[inside], bins=edges.tolist(), color=BLUE, label="like the data")
    axes.hist(grades[~inside], bins=edges.tolist(), color=ORANGE, label="extrapolation")
    axes.axvline(1.0, color=AMBER, linewidth=1.0)
    axes.set(xscale="log", xlim=(edges[0], edges[-1]))
    axes.set_ylim(top=1.3 * axes.get_ylim()[1])  # room for the legend
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_title(f"grades: {100 * found.outside:.1f} % of frames above 1")
    axes.set_xlabel("largest grade of a frame")
    axes.set_ylabel("frames")
    axes.legend(loc="upper left")
