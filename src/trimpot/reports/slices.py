"""Slices of triplet functions: maps over legs and side, curves over the angle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np

from trimpot.errors import InputError
from trimpot.reports.style import (
    DIVERGING,
    INK,
    SEQUENTIAL,
    house_style,
    panel_grid,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from trimpot.contract import FloatArray

WIDE = 3.2
"""Inches: width of a panel with a legend beside it."""


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


def plot_triplet_slices(slices: Sequence[TripletMap | TripletAngles]) -> Figure:
    """Return one panel per slice: a map over (r, r_jk) or curves over the angle.

    They stand in rows of two, so that map and curves of a trio are side by side.
    """
    with house_style():
        figure, panels = panel_grid(len(slices), columns=2, width=WIDE)
        for axes, item in zip(panels, slices, strict=True):
            if isinstance(item, TripletMap):
                _draw_map(axes, item)
            else:
                _draw_angles(axes, item)
            axes.set_title(item.label)
    return figure


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
