"""Pair curves with the density of the data behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from trimpot.errors import InputError
from trimpot.reports.style import (
    ALONE,
    BLUE,
    INK,
    ORANGE,
    PALE,
    house_style,
    panel_grid,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from trimpot.contract import FloatArray

PLAIN, SCREENED, UNSCREENED = "$V_2$", r"screened $V_2$ ($\times S$)", "both at $S = 1$"
"""Names of the lines of a pair."""

LINE_STYLES: dict[str, tuple[str, Literal["-", "--"]]] = {
    PLAIN: (BLUE, "-"),
    SCREENED: (ORANGE, "-"),
    UNSCREENED: (INK, "--"),
}
"""Colour and kind of each line."""

COMMON = 0.01
"""Distances with fewer pairs than this, over the most frequent one, set no scale where
several curves cancel."""


@dataclass(frozen=True)
class PairCurve:
    """A pair energy and how much data stood behind it.

    Attributes
    ----------
    label
        For example ``W-W``.
    r : (k,) float64
        Distances in angstrom, ascending.
    energy : (k,) float64
        V(r) in eV.
    screened : (k,) float64 or None
        What is added where nothing screens the pair, eV; None without screened pairs.
    density : (b,) float64 or None
        Counts of training pairs per bin (any scale).
    edges : (b + 1,) float64 or None
        Bin edges in angstrom.
    """

    label: str
    r: FloatArray
    energy: FloatArray
    density: FloatArray | None = None
    edges: FloatArray | None = None
    screened: FloatArray | None = None

    def __post_init__(self) -> None:
        if self.screened is not None and self.screened.shape != self.r.shape:
            raise InputError(
                f"curve {self.label}: screened of shape {self.screened.shape}, expected "
                f"{self.r.shape} like r"
            )
        if self.r.shape != self.energy.shape or self.r.ndim != 1 or len(self.r) < 2:
            raise InputError(
                f"curve {self.label}: r of shape {self.r.shape} and energy of shape "
                f"{self.energy.shape}, expected two equal shapes (k,) with k >= 2"
            )
        if (self.density is None) != (self.edges is None):
            raise InputError(f"curve {self.label}: give both density and edges, or none")

    @property
    def lines(self) -> dict[str, FloatArray]:
        """Curves by their names, the first one alone where nothing is screened."""
        if self.screened is None:
            return {PLAIN: self.energy}
        return {
            PLAIN: self.energy,
            SCREENED: self.screened,
            UNSCREENED: self.energy + self.screened,
        }


def plot_pair_curves(curves: Sequence[PairCurve]) -> Figure:
    """Return one panel per pair: V(r) over the density of training distances.

    The energy axis shows the range where data are (or, without data, the well); the
    repulsive core leaves through the top. Distances without data are hatched. Screened
    pairs have a line of their own, and one for the sum that a pair feels in the open.
    """
    with house_style():
        figure, panels = panel_grid(len(curves))
        for axes, curve in zip(panels, curves, strict=True):
            low, high = _energy_range(curve)
            axes.set_ylim(low, high)
            axes.set_xlim(max(0.0, _first_visible(curve, high) - 0.3), curve.r[-1])
            _draw_density(axes, curve)
            axes.axhline(0.0, color=INK, linewidth=0.6, alpha=0.6)
            for name, energy in curve.lines.items():
                colour, kind = LINE_STYLES[name]
                axes.plot(curve.r, energy, kind, color=colour, label=name, zorder=3)
            axes.set_title(curve.label)
            axes.set_xlabel("$r$ (Å)")
            axes.set_ylabel("$V_2$ (eV)")
        _pair_legend(figure, curves)
    return figure


def _energy_range(curve: PairCurve) -> tuple[float, float]:
    """Range of V where data are; without data the well and as much above it."""
    seen = np.ones(len(curve.r), dtype=bool)
    if curve.density is not None and curve.edges is not None and curve.density.any():
        rare = 0.0 if curve.screened is None else COMMON * curve.density.max()
        filled = np.flatnonzero(curve.density > rare)
        first, last = curve.edges[filled[0]], curve.edges[filled[-1] + 1]
        seen = (curve.r >= first) & (curve.r <= last)
        if not seen.any():
            seen[:] = True
    shown = np.stack([*curve.lines.values()])[:, seen]
    low, highest = float(shown.min()), float(shown.max())
    # a purely repulsive pair has no well to set the scale
    depth = -low if low < -1e-4 else 0.05 * (highest - low) or 1e-3
    high = max(min(highest, low + 6.0 * depth), 0.5 * depth)
    margin = 0.12 * (high - low) or 1e-3
    return low - margin, high + margin


def _first_visible(curve: PairCurve, high: float) -> float:
    """Shortest distance from which on the curve stays below the top of the panel."""
    above = np.flatnonzero(curve.energy > high)
    return float(curve.r[above[-1]] if len(above) else curve.r[0])


def _draw_density(axes: Axes, curve: PairCurve) -> None:
    if curve.density is not None and curve.edges is not None:
        draw_data(axes, curve.density, curve.edges)


def draw_data(axes: Axes, density: FloatArray, edges: FloatArray) -> None:
    """Draw counts of pairs behind a panel over r, and hatch what is below the first."""
    if not density.any():
        return
    behind = axes.twinx()
    behind.stairs(density / density.max(), edges, fill=True, color=PALE)
    behind.set_ylim(0.0, 2.2)
    behind.set_yticks([])
    behind.set_zorder(axes.get_zorder() - 1)
    behind.spines["right"].set_visible(False)
    behind.grid(visible=False)
    axes.patch.set_visible(False)
    empty = float(edges[np.flatnonzero(density > 0)[0]])
    left = axes.get_xlim()[0]
    if empty > left:
        axes.axvspan(
            left, empty, facecolor="none", edgecolor="#C9C9C9", hatch="////", linewidth=0
        )


def data_patches() -> list[Artist]:
    """Return what a legend shows for ``draw_data``."""
    return [
        Patch(facecolor=PALE, label="training pairs per distance"),
        Patch(facecolor="none", edgecolor="#C9C9C9", hatch="////", label="no data"),
    ]


def _pair_legend(figure: Figure, curves: Sequence[PairCurve]) -> None:
    named = {name for curve in curves for name in curve.lines}
    handles: list[Artist] = []
    if len(named) > 1:
        handles = [
            Line2D([], [], color=colour, linestyle=kind, label=name)
            for name, (colour, kind) in LINE_STYLES.items()
            if name in named
        ]
    if any(curve.density is not None for curve in curves):
        handles += data_patches()
    if handles:
        columns = 3 if figure.get_figwidth() > ALONE else 2
        figure.legend(handles=handles, loc="outside lower center", ncols=columns)
