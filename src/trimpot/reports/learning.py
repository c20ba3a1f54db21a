"""Learning curves: errors over the number of training frames, both logarithmic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import LogLocator, NullFormatter

from trimpot.errors import InputError
from trimpot.reports.document import TextTable
from trimpot.reports.numbers import significant
from trimpot.reports.style import BLUE, ORANGE, house_style, panel_grid
from trimpot.validation.learning import means, spreads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from trimpot.validation.learning import LearningCurve


def learning_table(curves: Sequence[LearningCurve]) -> TextTable:
    """Return one row per size: mean and spread among subsets of every error.

    Raises
    ------
    InputError
        Without curves.
    """
    if not curves:
        raise InputError("nothing to show: give at least one learning curve")
    sizes = sorted({n for curve in curves for n in curve.frames})
    header = ["frames", "subsets"]
    for curve in curves:
        unit = curve.unit.replace("/A", "/Å")
        header += [f"{curve.quantity} test ({unit})", f"{curve.quantity} train"]
    rows = []
    for n in sizes:
        found = [(c, c.frames.index(n)) for c in curves if n in c.frames]
        cells = [str(n), str(max(len(c.test[k]) for c, k in found))]
        for curve in curves:
            k = curve.frames.index(n) if n in curve.frames else None
            sides = (curve.test, curve.train)
            cells += ["" if k is None else _mean(side[k]) for side in sides]
        rows.append(tuple(cells))
    title = "RMSE over training frames: mean ± spread among subsets"
    return TextTable(title, tuple(header), tuple(rows))


def plot_learning(curves: Sequence[LearningCurve]) -> Figure:
    """Return one panel per quantity: test and training errors, means with their spread.

    Faint dots are single subsets, bars their standard deviation.

    Raises
    ------
    InputError
        Without curves.
    """
    with house_style():
        figure, panels = panel_grid(len(curves))
        for axes, curve in zip(panels, curves, strict=True):
            _side(axes, curve.frames, curve.test, label="test", colour=BLUE, marker="o")
            _side(axes, curve.frames, curve.train, label="train", colour=ORANGE, marker="s")
            axes.set_xscale("log")
            axes.set_yscale("log")
            _plain_ticks(axes)
            axes.set_title(curve.quantity)
            axes.set_xlabel("training frames")
            axes.set_ylabel(f"RMSE ({curve.unit.replace('/A', '/Å')})")
        panels[0].legend(loc="best")
    return figure


def _side(
    axes: Axes,
    frames: Sequence[int],
    errors: Sequence[Sequence[float]],
    *,
    label: str,
    colour: str,
    marker: str,
) -> None:
    mean, spread = means(errors), np.nan_to_num(spreads(errors))
    axes.errorbar(
        frames,
        mean,
        yerr=np.stack([np.minimum(spread, 0.9 * mean), spread]),
        color=colour,
        marker=marker,
        markersize=4.0,
        linewidth=1.2,
        elinewidth=0.9,
        capsize=2.0,
        label=label,
    )
    each = [(n, e) for n, several in zip(frames, errors, strict=True) for e in several]
    x, y = zip(*each, strict=True)
    axes.plot(x, y, ".", color=colour, markersize=3.0, alpha=0.35)


def _plain_ticks(axes: Axes) -> None:
    for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        subs = (1.0,) if high > 30.0 * low else (1.0, 2.0, 5.0)
        narrow = high < 3.0 * low
        axis.set_major_locator(
            LogLocator(subs=(1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0) if narrow else subs)
        )
        axis.set_major_formatter(lambda value, _: f"{value:g}")
        axis.set_minor_formatter(NullFormatter())


def _mean(errors: Sequence[float]) -> str:
    mean = significant(float(np.mean(errors)), 4)
    if len(errors) < 2:
        return mean
    return f"{mean} ± {significant(float(np.std(errors, ddof=1)), 2)}"
