"""Curves of properties: one small figure per curve, all models in one axes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from trimpot.reports.page_parts import Picture
from trimpot.reports.style import INK, house_style, new_figure
from trimpot.reports.unit_text import readable_unit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from trimpot.reports.validation.lines import LineStyle
    from trimpot.validation.properties.outcome import Curve, Outcome

SIZE = (3.7, 2.75)
"""Inches: readable on a phone."""

LEGEND_ROW = 0.19
"""Inches per row of a legend below the axes."""

MOST_POINTS = 400
"""Of a line; of more, so many are drawn."""

FEW = 15
"""Lines of no more points show them."""

REFERENCE = "reference"

BONDS = "bonds_"
"""Curves of molecules: a second ordinate is the reference."""

PER_ATOM, ABOVE = "energy per atom (eV)", "energy above the lowest (eV/atom)"

FLATTENS = 20.0
"""Times the usual range of a curve, beyond which the range of all is cut."""


@dataclass(frozen=True)
class Panel:
    """A curve of all models, and what it should be."""

    name: str
    curves: Mapping[str, Curve]
    reference: Curve | None


def curve_pictures(
    title: str,
    outcomes: Mapping[str, Outcome],
    styles: Mapping[str, LineStyle],
    leave_out: Sequence[str] = (),
) -> tuple[Picture, ...]:
    """Return a figure for each curve that models have of a property.

    Parameters
    ----------
    title
        Of the property, for captions.
    outcomes
        By model.
    styles
        By model.
    leave_out
        Names of curves that are drawn elsewhere.
    """
    return tuple(
        _picture(title, panel, styles)
        for panel in panels(outcomes)
        if panel.name not in leave_out
    )


def panels(outcomes: Mapping[str, Outcome]) -> tuple[Panel, ...]:
    """Return the curves of all models by name, with the reference of each.

    A curve ``NAME_reference`` belongs to NAME; one called ``reference`` to the curve over
    the same axes.
    """
    names = dict.fromkeys(name for o in outcomes.values() for name in o.curves)
    found = []
    for name in names:
        if name == REFERENCE or name.endswith(f"_{REFERENCE}"):
            continue
        curves = {m: o.curves[name] for m, o in outcomes.items() if name in o.curves}
        reference = _reference(name, curves, outcomes)
        if name.startswith(BONDS):
            pairs = {model: beside_reference(curve) for model, curve in curves.items()}
            curves = {model: own for model, (own, _) in pairs.items()}
            known = (one for _, one in pairs.values() if one is not None)
            reference = reference or next(known, None)
        found.append(Panel(name, curves, reference))
    return tuple(found)


def beside_reference(curve: Curve) -> tuple[Curve, Curve | None]:
    """Return the bonds of a model, and those of the reference, its second ordinate."""
    if curve.y.ndim != 2 or curve.y.shape[1] != 2:
        return curve, None
    return replace(curve, y=curve.y[:, 0]), replace(curve, y=curve.y[:, 1])


def _reference(
    name: str, curves: Mapping[str, Curve], outcomes: Mapping[str, Outcome]
) -> Curve | None:
    some = next(iter(curves.values()))
    for outcome in outcomes.values():
        own, shared = (outcome.curves.get(k) for k in (f"{name}_{REFERENCE}", REFERENCE))
        if own is not None:
            return own
        if shared is not None and (shared.x_name, shared.y_name) == (
            some.x_name,
            some.y_name,
        ):
            return shared
    return None


def _picture(title: str, panel: Panel, styles: Mapping[str, LineStyle]) -> Picture:
    curves = {m: above_lowest(c) for m, c in panel.curves.items()}
    some = next(iter(curves.values()))
    rows = -(-(len(panel.curves) + (panel.reference is not None)) // 2)
    with house_style():
        figure = new_figure(SIZE[0], SIZE[1] + LEGEND_ROW * rows)
        axes = figure.subplots()
        for model, curve in reversed(list(curves.items())):
            draw_curve(axes, curve, styles[model], model)
        if panel.reference is not None:
            draw_reference(axes, panel.reference)
        cut = cut_axis(axes, list(curves.values()))
        draw_marks(axes, some)
        axes.set_xlabel(readable_unit(some.x_name))
        axes.set_ylabel(readable_unit(some.y_name))
        legend_below(axes, list(panel.curves))
    caption = f"{_capital(some.y_name)} over {some.x_name}."
    caption = f"{readable_unit(caption)}{_legend_words(panel)}{cut}"
    words = panel.name.replace("_", " ")
    return Picture(f"{title}: {words}", caption, figure)


def draw_curve(axes: Axes, curve: Curve, style: LineStyle, label: str) -> None:
    """Draw a curve, with markers if it has few points; several ordinates in one colour."""
    chosen = np.unique(np.linspace(0, len(curve.x) - 1, MOST_POINTS).round().astype(int))
    if not len(curve.x):
        return
    lines = axes.plot(
        curve.x[chosen],
        curve.y[chosen],
        color=style.color,
        linestyle=style.dashes,
        linewidth=style.width,
        marker=style.marker if len(curve.x) <= FEW else "",
        markersize=3.5,
        zorder=style.level / 10.0,
    )
    lines[0].set_label(label)


def draw_reference(axes: Axes, curve: Curve) -> None:
    """Draw what a curve should be: black dots, or a black line if there are many."""
    few = len(curve.x) <= 60
    lines = axes.plot(
        curve.x,
        curve.y,
        color=INK,
        linestyle="" if few else (0, (4, 2)),
        linewidth=1.0,
        marker="o" if few else "",
        markersize=3.2,
        zorder=6,
    )
    lines[0].set_label(REFERENCE)


def draw_marks(axes: Axes, curve: Curve) -> None:
    """Name abscissae such as points of high symmetry."""
    if not curve.marks:
        return
    for place, _ in curve.marks:
        axes.axvline(place, color=INK, linewidth=0.6, zorder=1)
    axes.set_xticks([place for place, _ in curve.marks])
    axes.set_xticklabels([point_name(name) for _, name in curve.marks])
    axes.grid(visible=False, axis="x")


def point_name(name: str) -> str:
    """Return the name of a point of high symmetry; G and GAMMA are the centre."""
    parts = [("Γ" if p.upper() in {"G", "GAMMA"} else p) for p in name.split("|")]
    return "|".join(parts)


def above_lowest(curve: Curve) -> Curve:
    """Return energies per atom above the lowest: zeros of energy differ between models."""
    if curve.y_name != PER_ATOM or not np.isfinite(curve.y).any():
        return curve
    return replace(curve, y=curve.y - np.nanmin(curve.y), y_name=ABOVE)


def cut_axis(axes: Axes, curves: Sequence[Curve]) -> str:
    """Cut an axis that values far outside would flatten; return words about it."""
    filled = [c for c in curves if np.isfinite(c.y).any()]
    if not filled:
        return ""
    values = np.concatenate([c.y[np.isfinite(c.y)] for c in filled])
    of_pair = "energy" in filled[0].y_name and "distance" in filled[0].x_name
    low, high = _of_pair(filled) if of_pair else _usual(filled)
    least, most = float(values.min()), float(values.max())
    if least >= low and most <= high:
        return ""
    margin = 0.05 * (min(high, most) - max(low, least))
    axes.set_ylim(max(low, least - margin), min(high, most + margin))
    return " The axis is cut: some values lie beyond it."


def _usual(curves: Sequence[Curve]) -> tuple[float, float]:
    """Return a range beyond which one curve would flatten the others."""
    lows = np.array([np.nanmin(c.y) for c in curves])
    highs = np.array([np.nanmax(c.y) for c in curves])
    span = float(np.median(highs - lows))
    if not 0.0 < FLATTENS * span < float(np.max(highs) - np.min(lows)):
        return -np.inf, np.inf
    return float(np.median(lows)) - 3.0 * span, float(np.median(highs)) + 3.0 * span


def _of_pair(curves: Sequence[Curve]) -> tuple[float, float]:
    """Return a range about the wells of pairs, without their walls."""
    ends = [float(c.y[np.argmax(c.x)]) for c in curves]
    depths = [e - float(np.nanmin(c.y)) for e, c in zip(ends, curves, strict=True)]
    end, depth = float(np.median(ends)), max(float(np.median(depths)), 0.05)
    return end - 2.5 * depth, end + 1.5 * depth


def legend_below(axes: Axes, order: Sequence[str]) -> None:
    """Put the legend below the axes, in the order of the models."""
    handles, labels = axes.get_legend_handles_labels()
    places = {name: k for k, name in enumerate(order)}
    pairs = sorted(
        zip(handles, labels, strict=True), key=lambda p: places.get(p[1], len(places))
    )
    figure = axes.get_figure()
    if figure is None or not pairs:
        return
    figure.legend(
        [handle for handle, _ in pairs],
        [short_name(label) for _, label in pairs],
        loc="outside lower center",
        ncols=2,
        handlelength=1.8,
        columnspacing=1.2,
    )


def short_name(name: str, most: int = 26) -> str:
    """Return a name that fits into a legend."""
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _legend_words(panel: Panel) -> str:
    words = "" if panel.reference is None else " Black: reference."
    return f" {next(iter(panel.curves))}.{words}" if len(panel.curves) == 1 else words


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
