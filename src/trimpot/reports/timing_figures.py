"""Figures of what force calls cost: bars of one comparison, lines over sizes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING

from matplotlib.ticker import LogLocator, NullFormatter

from trimpot.errors import InputError
from trimpot.reports.numbers import significant
from trimpot.reports.style import (
    BLUE,
    CYCLE,
    GREY,
    INK,
    PAGE_WIDTH,
    SKY,
    house_style,
    new_figure,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

    from trimpot.benchmarks.cases import Case
    from trimpot.benchmarks.spread import Spread

WIDE = 30.0
"""Beyond this ratio of the longest and the shortest bar the axis is logarithmic."""

MARKERS = "osD^vP"


@dataclass(frozen=True)
class CostCurve:
    """One line of a scaling figure.

    Attributes
    ----------
    label : str
    x : tuple of float
        Positive, ascending.
    cost : tuple of Spread
        One per x.
    background : bool
        Drawn in grey, for what is compared with.
    """

    label: str
    x: tuple[float, ...]
    cost: tuple[Spread, ...]
    background: bool = False


def plot_cases(cases: Sequence[Case]) -> Figure:
    """Return us/atom/step as bars, a panel per case; whiskers are ranges over repeats.

    Trimpot's bars are coloured, the reference of ratios darkest.

    Raises
    ------
    InputError
        Without cases.
    """
    if not cases:
        raise InputError("nothing to plot: give at least one case")
    rows = [len(case.measurements) for case in cases]
    with house_style():
        figure = new_figure(PAGE_WIDTH, 0.2 * sum(rows) + 0.62 * len(cases) + 0.4)
        panels = figure.subplots(
            len(cases),
            1,
            squeeze=False,
            sharex=True,
            gridspec_kw={"height_ratios": [count + 1 for count in rows]},
        )[:, 0]
        for axes, case in zip(panels, cases, strict=True):
            _bars(axes, case)
        _time_axis(panels[-1], cases)
        figure.supxlabel(
            "force call with its list, µs/atom/step (in brackets: times the dark bar)",
            fontsize="medium",
        )
    return figure


def _bars(axes: Axes, case: Case) -> None:
    reference = case.measurement(case.reference)
    for place, m in enumerate(case.measurements):
        time = m.microseconds(case.atoms)
        colour = GREY
        if m.ours:
            colour = BLUE if m.name == case.reference else SKY
        axes.barh(place, time.median, height=0.72, color=colour)
        axes.errorbar(
            time.median,
            place,
            xerr=[[time.median - time.low], [time.high - time.median]],
            color=INK,
            elinewidth=0.9,
            capsize=2.0,
        )
        text = significant(time.median)
        if m.name != case.reference:
            text += f" ({significant(m.ratio(reference).median, 2)})"
        axes.annotate(
            text, (time.high, place), (4, 0), textcoords="offset points", va="center"
        )
    axes.set_yticks(range(len(case.measurements)), [m.name for m in case.measurements])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    threads = f", {case.threads} threads" if case.threads > 1 else ""
    axes.set_title(f"{case.title}, {case.atoms:,} atoms{threads}")


def _time_axis(axes: Axes, cases: Sequence[Case]) -> None:
    """One axis for all panels, logarithmic where bars would be too short to see."""
    times = [m.microseconds(case.atoms) for case in cases for m in case.measurements]
    shortest, longest = min(t.low for t in times), max(t.high for t in times)
    if longest > WIDE * shortest:
        axes.set_xscale("log")
        axes.set_xlim(0.5 * shortest, 5.0 * longest)
        _plain_logarithm(axes.xaxis)
    else:
        axes.set_xlim(0.0, 1.25 * longest)


def plot_costs(
    curves: Sequence[CostCurve],
    *,
    x_label: str,
    y_label: str = "µs/atom/step",
    logarithmic: bool = True,
) -> Figure:
    """Return costs over sizes, one line per curve, whiskers are ranges over repeats.

    Parameters
    ----------
    logarithmic
        Whether x is on a logarithmic axis; costs are whenever they span a decade.

    Raises
    ------
    InputError
        Without a point.
    """
    if not any(curve.x for curve in curves):
        raise InputError("nothing to plot: no curve has a point")
    with house_style():
        figure = new_figure(PAGE_WIDTH, 3.2)
        axes = figure.subplots()
        colours = dict(
            zip([c for c in curves if not c.background], cycle(CYCLE), strict=False)
        )
        for k, curve in enumerate(sorted(curves, key=_last_cost, reverse=True)):
            middle = [cost.median for cost in curve.cost]
            below = [cost.median - cost.low for cost in curve.cost]
            above = [cost.high - cost.median for cost in curve.cost]
            axes.errorbar(
                curve.x,
                middle,
                yerr=[below, above],
                color=colours.get(curve, GREY),
                linewidth=0.8 if curve.background else 1.5,
                marker=MARKERS[k % len(MARKERS)],
                markersize=4.0,
                elinewidth=0.9,
                label=curve.label,
            )
        if logarithmic:
            axes.set_xscale("log")
            _plain_logarithm(axes.xaxis)
        else:
            axes.set_xticks(sorted({x for curve in curves for x in curve.x}))
        _cost_axis(axes, [c.median for curve in curves for c in curve.cost])
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        if len(curves) > 1:
            figure.legend(loc="outside right center")
    return figure


def _last_cost(curve: CostCurve) -> float:
    return curve.cost[-1].median if curve.cost else 0.0


def _cost_axis(axes: Axes, costs: Sequence[float]) -> None:
    if min(costs) > 0.0 and max(costs) > 10.0 * min(costs):
        axes.set_yscale("log")
        _plain_logarithm(axes.yaxis)
    else:
        axes.set_ylim(0.0, 1.15 * max(costs))


def _plain_logarithm(axis: Axis) -> None:
    """Label a logarithmic axis with plain numbers, closer where it is short."""
    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < 50 * low else (1.0,)))
    axis.set_major_formatter(lambda value, _: f"{value:,g}")
    axis.set_minor_formatter(NullFormatter())
