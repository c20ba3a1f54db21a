"""Cross-validation: score over strengths of regularisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np

from trimpot.errors import InputError
from trimpot.reports.style import ORANGE, SEQUENTIAL, house_style, new_figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from trimpot.contract import FloatArray


@dataclass(frozen=True)
class ScoreCurve:
    """Cross-validated scores over one strength, everything else fixed.

    Attributes
    ----------
    label
        What is fixed, for example ``curvature 1e-6``.
    strengths : (k,) float64
        Positive, ascending.
    scores : (k,) float64
        Mean score over folds; smaller is better.
    standard_errors : (k,) float64 or None
        Standard errors of the means over folds.
    """

    label: str
    strengths: FloatArray
    scores: FloatArray
    standard_errors: FloatArray | None = None


def plot_cross_validation(
    curves: Sequence[ScoreCurve],
    *,
    chosen: tuple[float, float] | None = None,
    strength_label: str = "ridge strength",
    score_label: str = "cross-validated score",
) -> Figure:
    """Return scores over strengths, one line per curve, the choice circled.

    Parameters
    ----------
    chosen
        (strength, score) of the choice.

    Raises
    ------
    InputError
        Without curves, or with strengths that a logarithmic axis cannot show.
    """
    if not curves:
        raise InputError("nothing to plot: give at least one score curve")
    for curve in curves:
        if np.any(curve.strengths <= 0.0):
            raise InputError(f"curve {curve.label!r}: strengths must be positive")
    with house_style():
        figure = new_figure(4.8, 3.1)
        axes = figure.subplots()
        _draw_curves(axes, curves)
        axes.set_xscale("log")
        _score_axis(axes, np.concatenate([curve.scores for curve in curves]))
        if chosen is not None:
            axes.plot(
                *chosen,
                marker="o",
                markersize=10,
                markerfacecolor="none",
                markeredgecolor=ORANGE,
                markeredgewidth=1.8,
                linestyle="none",
                label="chosen",
                zorder=5,
            )
        axes.set_xlabel(strength_label)
        axes.set_ylabel(score_label)
        figure.legend(loc="outside right upper")
    return figure


def _draw_curves(axes: Axes, curves: Sequence[ScoreCurve]) -> None:
    colours = mpl.colormaps[SEQUENTIAL](np.linspace(0.0, 0.88, len(curves)))
    for colour, curve in zip(colours, curves, strict=True):
        axes.errorbar(
            curve.strengths,
            curve.scores,
            yerr=curve.standard_errors,
            color=colour,
            marker="o",
            markersize=2.5,
            linewidth=1.2,
            elinewidth=0.7,
            label=curve.label,
        )


def _score_axis(axes: Axes, scores: FloatArray) -> None:
    """Logarithmic where scores span more than a factor of three."""
    if scores.min() > 0.0 and scores.max() > 3.0 * scores.min():
        axes.set_yscale("log")
