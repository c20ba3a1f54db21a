"""Pair curves and triplet slices with the density of the data behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.patches import Patch

from trimpot.errors import InputError
from trimpot.reports.style import (
    BLUE,
    DIVERGING,
    INK,
    PALE,
    SEQUENTIAL,
    house_style,
    new_figure,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from trimpot.contract import FloatArray

COLUMNS = 3


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

    def __post_init__(self) -> None:
        if self.r.shape != self.energy.shape or self.r.ndim != 1 or len(self.r) < 2:
            raise InputError(
                f"curve {self.label}: r of shape {self.r.shape} and energy of shape "
                f"{self.energy.shape}, expected two equal shapes (k,) with k >= 2"
            )
        if (self.density is None) != (self.edges is None):
            raise InputError(f"curve {self.label}: give both density and edges, or none")


@dataclass(frozen=True)
class TripletMap:
    """V3(r, r, r_jk): both legs of length r, opposite side r_jk.

    Attributes
    ----------
    label
        For example ``W-W-W`` with the centre first.
    r : (a,) float64
        Leg lengths in angstrom, ascending.
    r_jk : (b,) float64
        Side lengths in angstrom, ascending.
    energy : (a, b) float64
        eV; NaN where no triangle exists (r_jk > 2 r) is left white.
    """

    label: str
    r: FloatArray
    r_jk: FloatArray
    energy: FloatArray


@dataclass(frozen=True)
class TripletAngles:
    """V3 over the angle at the centre, for some lengths of both legs.

    Attributes
    ----------
    label
        For example ``W-W-W`` with the centre first.
    angle_degrees : (a,) float64
        Angles at the centre.
    r : (c,) float64
        Leg length of each curve in angstrom.
    energy : (c, a) float64
        eV.
    """

    label: str
    angle_degrees: FloatArray
    r: FloatArray
    energy: FloatArray


def plot_pair_curves(curves: Sequence[PairCurve]) -> Figure:
    """Return one panel per pair: V(r) over the density of training distances.

    The energy axis shows the range where data are (or, without data, the well); the
    repulsive core leaves through the top. Distances without data are hatched.
    """
    with house_style():
        figure, panels = _grid(len(curves))
        for axes, curve in zip(panels, curves, strict=True):
            low, high = _energy_range(curve)
            axes.set_ylim(low, high)
            axes.set_xlim(max(0.0, _first_visible(curve, high) - 0.3), curve.r[-1])
            _draw_density(axes, curve)
            axes.axhline(0.0, color=INK, linewidth=0.6, alpha=0.6)
            axes.plot(curve.r, curve.energy, color=BLUE, zorder=3)
            axes.set_title(curve.label)
            axes.set_xlabel("$r$ (Å)")
            axes.set_ylabel("$V_2$ (eV)")
        if any(curve.density is not None for curve in curves):
            _density_legend(figure)
    return figure


def plot_triplet_slices(slices: Sequence[TripletMap | TripletAngles]) -> Figure:
    """Return one panel per slice: a map over (r, r_jk) or curves over the angle."""
    with house_style():
        figure, panels = _grid(len(slices))
        for axes, item in zip(panels, slices, strict=True):
            if isinstance(item, TripletMap):
                _draw_map(axes, item)
            else:
                _draw_angles(axes, item)
            axes.set_title(item.label)
    return figure


def _grid(count: int) -> tuple[Figure, list[Axes]]:
    if count == 0:
        raise InputError("nothing to plot: give at least one curve or slice")
    columns = min(count, COLUMNS)
    rows = -(-count // columns)
    width = 2.5 * columns if columns > 1 else 3.7
    figure = new_figure(width, 2.3 * rows + 0.2)
    panels = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for unused in panels[count:]:
        unused.remove()
    return figure, panels[:count]


def _energy_range(curve: PairCurve) -> tuple[float, float]:
    """Range of V where data are; without data the well and as much above it."""
    seen = np.ones(len(curve.r), dtype=bool)
    if curve.density is not None and curve.edges is not None and curve.density.any():
        filled = np.flatnonzero(curve.density > 0)
        first, last = curve.edges[filled[0]], curve.edges[filled[-1] + 1]
        seen = (curve.r >= first) & (curve.r <= last)
        if not seen.any():
            seen[:] = True
    low = float(curve.energy[seen].min())
    highest = float(curve.energy[seen].max())
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
    if curve.density is None or curve.edges is None or not curve.density.any():
        return
    behind = axes.twinx()
    behind.stairs(curve.density / curve.density.max(), curve.edges, fill=True, color=PALE)
    behind.set_ylim(0.0, 2.2)
    behind.set_yticks([])
    behind.set_zorder(axes.get_zorder() - 1)
    behind.spines["right"].set_visible(False)
    behind.grid(visible=False)
    axes.patch.set_visible(False)
    empty = float(curve.edges[np.flatnonzero(curve.density > 0)[0]])
    left = axes.get_xlim()[0]
    if empty > left:
        axes.axvspan(
            left, empty, facecolor="none", edgecolor="#C9C9C9", hatch="////", linewidth=0
        )


def _density_legend(figure: Figure) -> None:
    figure.legend(
        handles=[
            Patch(facecolor=PALE, label="training pairs per distance"),
            Patch(facecolor="none", edgecolor="#C9C9C9", hatch="////", label="no data"),
        ],
        loc="outside lower center",
        ncols=2,
    )


def _draw_map(axes: Axes, item: TripletMap) -> None:
    if item.energy.shape != (len(item.r), len(item.r_jk)):
        raise InputError(
            f"slice {item.label}: energy of shape {item.energy.shape}, expected "
            f"{(len(item.r), len(item.r_jk))} = (r, r_jk)"
        )
    finite = np.abs(item.energy[np.isfinite(item.energy)])
    # the core would wash out everything else: colours end at the 98th percentile
    top = float(np.percentile(finite, 98.0)) if finite.size else 1.0
    image = axes.pcolormesh(
        item.r,
        item.r_jk,
        np.ma.masked_invalid(item.energy.T),
        cmap=DIVERGING,
        vmin=-top or -1.0,
        vmax=top or 1.0,
        shading="nearest",
        rasterized=True,
    )
    axes.grid(visible=False)
    axes.set_xlabel("$r_{ij} = r_{ik}$ (Å)")
    axes.set_ylabel("$r_{jk}$ (Å)")
    bar = axes.figure.colorbar(image, ax=axes, extend="both", pad=0.02, aspect=25)
    bar.set_label("$V_3$ (eV)")
    bar.outline.set_visible(False)


def _draw_angles(axes: Axes, item: TripletAngles) -> None:
    if item.energy.shape != (len(item.r), len(item.angle_degrees)):
        raise InputError(
            f"slice {item.label}: energy of shape {item.energy.shape}, expected "
            f"{(len(item.r), len(item.angle_degrees))} = (r, angle)"
        )
    colours = mpl.colormaps[SEQUENTIAL](np.linspace(0.0, 0.85, len(item.r)))
    axes.axhline(0.0, color=INK, linewidth=0.6, alpha=0.6)
    for colour, length, energy in zip(colours, item.r, item.energy, strict=True):
        axes.plot(item.angle_degrees, energy, color=colour, label=f"{length:.2f}")
    axes.set_xticks(np.arange(0, 181, 60))
    axes.set_xlabel("angle at the centre (°)")
    axes.set_ylabel("$V_3$ (eV)")
    axes.legend(
        title="$r$ (Å)",
        title_fontsize=8,
        handlelength=1.2,
        labelspacing=0.25,
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
    )
