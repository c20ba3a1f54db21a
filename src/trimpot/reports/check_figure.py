"""A look at a data set: energies, pressures, distances and forces."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot.reports.style import CYCLE, GREY, INK, PAGE_WIDTH, house_style, new_figure
from trimpot.units import GPA_PER_EV_PER_A3

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from trimpot.contract import FloatArray

_COLOURED = len(CYCLE)
_MARKERS = "osD^vP"
_LONGEST_NAME = 22


@dataclass(frozen=True)
class DataPoints:
    """What is drawn of each frame; NaN where a frame lacks it.

    Attributes
    ----------
    groups : (k,) tuple of str
        config_type.
    volume, energy : (k,) float64
        Per atom, A^3 and eV.
    pressure : (k,) float64
        In eV/A^3, compression positive.
    distance : (k,) float64
        Smallest distance in angstrom.
    forces : (m,) float64
        Norms of all forces in eV/A.
    """

    groups: tuple[str, ...]
    volume: FloatArray
    energy: FloatArray
    pressure: FloatArray
    distance: FloatArray
    forces: FloatArray


def plot_data(points: DataPoints) -> Figure:
    """Return four panels: energy and pressure over volume, distances, forces.

    Frames without a volume are drawn over their smallest distance instead. The largest
    six groups have colours, all others are grey.
    """
    common = [name for name, _ in Counter(points.groups).most_common(_COLOURED)]
    with house_style():
        figure = new_figure(PAGE_WIDTH, 5.2)
        axes = figure.subplots(2, 2)
        x, label = _abscissa(points)
        _scatter(axes[0, 0], x, points.energy, points.groups, common)
        axes[0, 0].set(title="energy", xlabel=label, ylabel="energy (eV/atom)")
        pressure = points.pressure * GPA_PER_EV_PER_A3
        if np.isfinite(pressure).any():
            _scatter(axes[0, 1], x, pressure, points.groups, common)
            axes[0, 1].set(title="pressure", xlabel=label, ylabel="pressure (GPa)")
        else:
            _empty(axes[0, 1], "pressure", "no stresses")
        _histogram(axes[1, 0], points.distance, "smallest distance", "distance (Å)")
        _histogram(axes[1, 1], points.forces, "forces", "|force| (eV/Å)")
        if len(set(points.groups)) > 1:
            figure.legend(loc="outside lower center", ncols=3, markerscale=1.4)
    return figure


def _abscissa(points: DataPoints) -> tuple[FloatArray, str]:
    if np.isfinite(points.volume).mean() >= 0.5:
        return points.volume, "volume per atom (Å³)"
    return points.distance, "smallest distance (Å)"


def _scatter(
    axes: Axes, x: FloatArray, y: FloatArray, groups: tuple[str, ...], common: list[str]
) -> None:
    names = np.array(groups)
    drawn = np.isfinite(x) & np.isfinite(y)
    label = axes.get_subplotspec().colspan.start == 0  # type: ignore[union-attr]
    rest = drawn & ~np.isin(names, common)
    if rest.any():
        axes.scatter(x[rest], y[rest], s=8, color=GREY, linewidths=0, rasterized=True,
                     label="other groups" if label else None)  # fmt: skip
    for colour, marker, name in zip(CYCLE, _MARKERS, common, strict=False):
        own = drawn & (names == name)
        axes.scatter(x[own], y[own], s=9, color=colour, marker=marker, alpha=0.7,
                     linewidths=0, rasterized=True,
                     label=_short(name) if label else None)  # fmt: skip
    axes.locator_params(axis="x", nbins=6)


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"


def _histogram(axes: Axes, values: FloatArray, title: str, label: str) -> None:
    finite = values[np.isfinite(values)]
    if not len(finite):
        _empty(axes, title, "none")
        return
    axes.hist(finite, bins=50, color=INK)
    axes.set_yscale("log")
    axes.locator_params(axis="x", nbins=6)
    axes.set(title=title, xlabel=label, ylabel="number")


def _empty(axes: Axes, title: str, text: str) -> None:
    axes.set_title(title)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center")
