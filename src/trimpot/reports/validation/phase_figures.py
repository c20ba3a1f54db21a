"""Energies of phases over volume: which crystal a model holds for the stable one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trimpot.reports.page_parts import Picture
from trimpot.reports.style import house_style, new_figure
from trimpot.reports.validation.curve_figures import draw_curve, legend_below
from trimpot.reports.validation.lines import line_styles
from trimpot.validation.properties.outcome import Curve

if TYPE_CHECKING:
    from trimpot.reports.validation.lines import LineStyle
    from trimpot.validation.properties.outcome import Outcome
    from trimpot.validation.suite_results import SuiteResult

SCAN = "equation_of_state"
WELLS = 2.5
"""Times the distance of the wells that is shown."""

LEAST_TOP = 0.1
"""eV/atom."""

NEEDED = ("a0", "energy", "volume")


def phase_pictures(result: SuiteResult) -> tuple[Picture, ...]:
    """Return a figure per model, of suites that scan several phases."""
    scans = {
        name: asked.phase.name
        for name, asked in result.suite.properties.items()
        if asked.protocol.name == SCAN
    }
    if len(scans) < 2:
        return ()
    styles = line_styles(scans.values())
    pictures = []
    for model, by_name in result.measured.items():
        curves = {
            phase: curve
            for name, phase in scans.items()
            if name in by_name and (curve := over_volume(by_name[name].outcome)) is not None
        }
        if len(curves) > 1:
            pictures.append(_picture(model, curves, list(scans.values()), styles))
    return tuple(pictures)


def over_volume(outcome: Outcome) -> Curve | None:
    """Return energies per atom over volume per atom, or None if there is no minimum."""
    scan = outcome.curves.get("energy")
    if scan is None or any(name not in outcome.values for name in NEEDED):
        return None
    # the crystal is scaled as a whole
    volume = outcome.number("volume") * (scan.x / outcome.number("a0")) ** 3
    return Curve(volume, scan.y, "volume per atom (A^3)", "energy per atom (eV)")


def _picture(
    model: str,
    curves: dict[str, Curve],
    phases: list[str],
    styles: dict[str, LineStyle],
) -> Picture:
    lowest = {phase: float(np.nanmin(curve.y)) for phase, curve in curves.items()}
    stable = min(lowest, key=lambda phase: lowest[phase])
    # wells are compared, not what compression costs
    top = max(WELLS * (max(lowest.values()) - lowest[stable]), LEAST_TOP)
    with house_style():
        figure = new_figure(3.7, 2.75 + 0.19 * -(-len(curves) // 2))
        axes = figure.subplots()
        for phase, curve in curves.items():
            above = Curve(curve.x, curve.y - lowest[stable], curve.x_name, curve.y_name)
            draw_curve(axes, above, styles[phase], phase)
        axes.set_ylim(0.0, top)
        axes.set_xlabel("volume per atom (Å³)")
        axes.set_ylabel("energy above the lowest (eV/atom)")
        legend_below(axes, phases)
    missing = [phase for phase in phases if phase not in curves]
    caption = (
        "Energy above the lowest (eV/atom) over volume per atom (Å³), crystals scaled as a "
        f"whole; the axis ends at {top:.2g}. Lowest: {stable}."
    )
    if missing:
        caption += f" Without a minimum: {', '.join(missing)}."
    return Picture(model, caption, figure)
