"""Phonon bands with reference points beside the density of states, one figure per model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trimpot.reports.numbers import significant
from trimpot.reports.page_parts import Picture
from trimpot.reports.style import INK, house_style, new_figure
from trimpot.reports.unit_text import readable_unit
from trimpot.reports.validation.curve_figures import (
    REFERENCE,
    draw_curve,
    draw_marks,
    draw_reference,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from trimpot.reports.validation.lines import LineStyle
    from trimpot.validation.properties.outcome import Curve, Outcome

BANDS, DENSITY = "bands", "density"

DRAWN_HERE = (BANDS, DENSITY)

MOST = 8
"""Models whose bands are drawn."""

STIFF = 1.35
"""Times the highest reference, up to which frequencies are shown."""


def phonon_pictures(
    outcomes: Mapping[str, Outcome], styles: Mapping[str, LineStyle]
) -> tuple[Picture, ...]:
    """Return figures of the first models that have bands, frequencies over one range."""
    found = {m: o for m, o in outcomes.items() if BANDS in o.curves}
    shown = dict(list(found.items())[:MOST])
    if not shown:
        return ()
    top = 1.08 * _highest(list(shown.values()))
    pictures = [_picture(m, o, styles[m], (_bottom(o, top), top)) for m, o in shown.items()]
    if len(found) > MOST:
        more = f" Bands of {', '.join(list(found)[MOST:])} are not drawn."
        pictures[-1] = replace(pictures[-1], caption=pictures[-1].caption + more)
    return tuple(pictures)


def _bottom(outcome: Outcome, top: float) -> float:
    """Return where the axis begins: below zero only for imaginary modes."""
    lowest = 1.08 * float(outcome.curves[BANDS].y.min())
    return max(lowest, -0.4 * top) if lowest < -0.01 * top else 0.0


def _highest(outcomes: list[Outcome]) -> float:
    """Return the highest frequency shown; a model far too stiff does not flatten others."""
    highest = max(float(o.curves[BANDS].y.max()) for o in outcomes)
    known = [float(o.curves[REFERENCE].y.max()) for o in outcomes if REFERENCE in o.curves]
    if not known:
        return highest
    return max(*known, min(highest, STIFF * max(known)))


def _picture(
    model: str, outcome: Outcome, style: LineStyle, limits: tuple[float, float]
) -> Picture:
    bands, density = outcome.curves[BANDS], outcome.curves.get(DENSITY)
    with house_style():
        figure = new_figure(3.7, 2.7)
        ratios = (3.2, 1.0) if density is not None else (1.0,)
        grid = figure.subplots(
            1, len(ratios), sharey=True, squeeze=False, width_ratios=ratios
        )[0]
        draw_curve(grid[0], bands, style, model)
        if REFERENCE in outcome.curves:
            draw_reference(grid[0], outcome.curves[REFERENCE])
        draw_marks(grid[0], bands)
        grid[0].set(xlim=(bands.x[0], bands.x[-1]), ylim=limits)
        grid[0].set_ylabel(readable_unit(bands.y_name))
        grid[0].axhline(0.0, color=INK, linewidth=0.6)
        if density is not None:
            _draw_density(grid[1], density, style)
    return Picture(model, _caption(outcome, limits), figure)


def _draw_density(axes: Axes, density: Curve, style: LineStyle) -> None:
    axes.fill_betweenx(density.x, density.y, color=style.color, alpha=0.3, linewidth=0)
    axes.plot(density.y, density.x, color=style.color, linewidth=1.0)
    axes.set(xlim=(0.0, None), xticks=[])
    axes.set_xlabel("states")


def _caption(outcome: Outcome, limits: tuple[float, float]) -> str:
    words = "Phonon frequencies (THz) along lines between points of high symmetry"
    words += "; right: density of states." if DENSITY in outcome.curves else "."
    if REFERENCE in outcome.curves:
        rmse = outcome.values.get("rmse")
        words += " Black: reference"
        words += f", RMSE {significant(rmse.value)} {rmse.unit}." if rmse else "."
    if outcome.curves[BANDS].y.min() < -0.05:
        words += " Negative: imaginary, the crystal is not stable."
    if outcome.curves[BANDS].y.max() > limits[1]:
        words += " The axis is cut: some frequencies lie above it."
    return words
