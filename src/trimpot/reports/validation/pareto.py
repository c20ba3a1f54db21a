"""Error against cost: which models are not beaten in both."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from matplotlib.ticker import LogLocator, NullFormatter

from trimpot.reports.page_parts import Picture
from trimpot.reports.style import GREY, INK, house_style, new_figure
from trimpot.reports.unit_text import readable_unit
from trimpot.reports.validation.curve_figures import short_name
from trimpot.reports.validation.glance import all_frames

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from trimpot.reports.judged import Judged, JudgedModel
    from trimpot.reports.validation.lines import LineStyle

MARGIN = 2.2
"""Factor by which axes reach beyond the points: room for names."""


NAME_SIZE = 7.5

PLACES = ((0, 1), (0, -1), (1, 0), (-1, 0))
"""Of a name beside its point: above, below, right, left."""

SPAN = (215.0, 165.0)
"""Of the axes, about, in 1/72 inch."""

Box: TypeAlias = tuple[float, float, float, float]


def front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Return the indices of points that none beats in both numbers, cheapest first."""
    best, kept = float("inf"), []
    for k in sorted(range(len(points)), key=lambda k: points[k]):
        if points[k][1] < best:
            best = points[k][1]
            kept.append(k)
    return kept


def pareto_pictures(judged: Judged, styles: Mapping[str, LineStyle]) -> tuple[Picture, ...]:
    """Return a figure per quantity that at least two models have beside a cost."""
    found = []
    for quantity in ("energy", "forces"):
        models = [
            m
            for m in judged.models
            if m.microseconds is not None and quantity in all_frames(m)
        ]
        if len(models) > 1:
            found.append(_picture(quantity, models, styles, judged))
    return tuple(found)


def _picture(
    quantity: str,
    models: Sequence[JudgedModel],
    styles: Mapping[str, LineStyle],
    judged: Judged,
) -> Picture:
    points = [(_time(m)[0], all_frames(m)[quantity].rmse) for m in models]
    unit = readable_unit(all_frames(models[0])[quantity].unit)
    with house_style():
        figure = new_figure(3.7, 3.0)
        axes = figure.subplots()
        axes.set(xscale="log", yscale="log")
        best = front(points)
        # the front as steps: what one gets for at most so much
        axes.step(
            [points[k][0] for k in best],
            [points[k][1] for k in best],
            where="post",
            color=GREY,
            linewidth=1.0,
            zorder=2,
        )
        for model, point in zip(models, points, strict=True):
            _point(axes, model, point, styles[model.name])
        _limits(axes, points)
        _names(axes, [short_name(m.name) for m in models], points)
        axes.set_xlabel("cost (µs/atom/step)")
        axes.set_ylabel(f"RMSE of {quantity} ({unit})")
    data = f" Errors on {judged.data}." if judged.data else ""
    timed = f" Times on {judged.timed_on}." if judged.timed_on else ""
    caption = (
        f"RMSE of {quantity} ({unit}) over measured cost (µs/atom/step; bars: lowest to "
        f"highest), logarithmic. Down and left is better; the line joins models that none "
        f"beats in both. Published errors without a measured cost are not shown."
        f"{data}{timed}"
    )
    return Picture(f"Error and cost: {quantity}", caption, figure)


def _point(
    axes: Axes, model: JudgedModel, point: tuple[float, float], style: LineStyle
) -> None:
    _, low, high = _time(model)
    axes.plot([low, high], [point[1]] * 2, color=style.color, linewidth=1.0, zorder=3)
    axes.plot(
        *point,
        style.marker,
        color=style.color,
        markersize=7 if style.level == 40 else 5.5,
        markeredgecolor=INK,
        markeredgewidth=0.5,
        zorder=4,
    )


def _names(axes: Axes, names: list[str], points: list[tuple[float, float]]) -> None:
    """Write each name above, below, right or left of its point, where it is free."""
    spots = _in_points(axes, points)
    taken = [(x - 5.0, y - 5.0, x + 5.0, y + 5.0) for x, y in spots]
    for name, spot, point in zip(names, spots, points, strict=True):
        places = [(_box(name, spot, place), place) for place in PLACES]
        box, place = min(places, key=lambda p: sum(_overlap(p[0], t) for t in taken))
        taken.append(box)
        across, up = place
        axes.annotate(
            name,
            point,
            xytext=(7.0 * across, 6.0 * up),
            textcoords="offset points",
            ha=("right", "center", "left")[across + 1],
            va=("top", "center", "bottom")[up + 1],
            fontsize=NAME_SIZE,
            zorder=5,
        )


def _in_points(axes: Axes, points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return where points are in the figure, about, in 1/72 inch."""
    low = [np.log(limits[0]) for limits in (axes.get_xlim(), axes.get_ylim())]
    high = [np.log(limits[1]) for limits in (axes.get_xlim(), axes.get_ylim())]

    def place(value: float, axis: int) -> float:
        share = (np.log(max(value, 1e-300)) - low[axis]) / (high[axis] - low[axis])
        return SPAN[axis] * float(share)

    return [(place(x, 0), place(y, 1)) for x, y in points]


def _box(name: str, spot: tuple[float, float], place: tuple[int, int]) -> Box:
    width, height = 0.6 * NAME_SIZE * len(name), 1.2 * NAME_SIZE
    left = spot[0] + 7.0 * place[0] + width * (place[0] - 1) / 2
    bottom = spot[1] + 6.0 * place[1] + height * (place[1] - 1) / 2
    return left, bottom, left + width, bottom + height


def _overlap(a: Box, b: Box) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return max(width, 0.0) * max(height, 0.0)


def _limits(axes: Axes, points: Sequence[tuple[float, float]]) -> None:
    x, y = ([p[axis] for p in points if p[axis] > 0.0] or [1.0] for axis in (0, 1))
    axes.set_xlim(min(x) / MARGIN, max(x) * MARGIN)
    axes.set_ylim(min(y) / MARGIN, max(y) * MARGIN)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_locator(LogLocator(subs=range(2, 10)))
        axis.set_minor_formatter(NullFormatter())


def _time(model: JudgedModel) -> tuple[float, float, float]:
    return model.microseconds or (float("nan"),) * 3
