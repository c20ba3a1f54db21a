"""Radial functions of densities, and the energy of crystals by the kind of term."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.patches import Patch

from trimpot.errors import InputError
from trimpot.reports.curves import data_patches, draw_data
from trimpot.reports.style import (
    COLUMNS,
    CYCLE,
    INK,
    PAGE_WIDTH,
    SEQUENTIAL,
    house_style,
    new_figure,
    panel_grid,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from trimpot.contract import BoolArray, FloatArray

SATURATED = "#F6E3D5"
"""Behind distances at which densities are beyond what the data have."""

FIRST_SHOWN = 0.8
"""Shortest distance of an energy panel, over that of the lowest energy."""

SCALE_FROM = 0.93
"""The same for what sets the energy axis."""

UNBOUND = -1e-3
"""eV/atom: crystals above have no distance at rest, and are shown from the shortest on."""

ONE_PANEL, PANEL = 4.0, 2.6
"""Inches: width of a single panel, and of one of several."""


@dataclass(frozen=True)
class RadialFunctions:
    """The radial functions of the densities of one or more pairs of species.

    Attributes
    ----------
    label
        For example ``density: W-W``.
    r : (k,) float64
        Distances in angstrom, ascending.
    densities : (n, k) float64
        B_a(r) of densities rho.
    angular : (m, k) float64
        R_a(r) of angular densities; m = 0 without them.
    counts, edges : float64 or None
        Training pairs per bin, and bin edges in angstrom.
    """

    label: str
    r: FloatArray
    densities: FloatArray
    angular: FloatArray
    counts: FloatArray | None = None
    edges: FloatArray | None = None

    def __post_init__(self) -> None:
        for name in ("densities", "angular"):
            shape = getattr(self, name).shape
            if shape[1:] != self.r.shape:
                raise InputError(
                    f"{self.label}: {name} of shape {shape}, expected (functions, "
                    f"{len(self.r)})"
                )


@dataclass(frozen=True)
class EnergyByTerm:
    """Energy of a crystal by the kind of term, as it is compressed and pulled apart.

    Attributes
    ----------
    label
        For example ``bcc W``.
    r : (k,) float64
        Nearest-neighbour distances in angstrom, ascending.
    parts : mapping of str to (k,) float64
        eV/atom by kind of term; their sum is the energy beyond isolated atoms.
    shortest : float
        Shortest distance in the training data, angstrom; 0: not known.
    saturated : (k,) bool or None
        Where a density is beyond its limit.
    """

    label: str
    r: FloatArray
    parts: Mapping[str, FloatArray]
    shortest: float = 0.0
    saturated: BoolArray | None = field(default=None)

    def __post_init__(self) -> None:
        for name, energy in self.parts.items():
            if energy.shape != self.r.shape:
                raise InputError(
                    f"{self.label}: {name} of shape {energy.shape}, expected {self.r.shape}"
                )

    @property
    def total(self) -> FloatArray:
        """Sum of all parts."""
        return np.asarray(np.sum([*self.parts.values()], axis=0))

    @property
    def lowest(self) -> int:
        """Place of the lowest energy, where something is known if anywhere is."""
        known = self.r >= self.shortest
        if self.saturated is not None:
            known = known & ~self.saturated
        return int(np.where(known | ~known.any(), self.total, np.inf).argmin())


def plot_radial_functions(functions: Sequence[RadialFunctions]) -> Figure:
    """Return B_a(r), and below R_a(r) where there are any, over the training distances.

    Raises
    ------
    InputError
        Without functions.
    """
    if not functions:
        raise InputError("nothing to plot: give at least one set of radial functions")
    rows = 2 if any(len(f.angular) for f in functions) else 1
    columns = min(len(functions), COLUMNS)
    blocks = -(-len(functions) // columns)
    with house_style():
        width = ONE_PANEL if columns == 1 else PANEL * columns
        figure = new_figure(width, (1.5 * rows + 0.2) * blocks + 0.5)
        panels = figure.subplots(rows * blocks, columns, squeeze=False)
        for k, one in enumerate(functions):
            block, column = divmod(k, columns)
            above, *below = panels[rows * block : rows * (block + 1), column]
            _draw_functions(above, one, one.densities, "$B_a(r)$")
            above.set_title(one.label)
            if len(one.angular):
                _draw_functions(below[0], one, one.angular, "$R_a(r)$")
        for axes in [a for a in panels.flat if not a.lines]:
            axes.remove()
        if any(f.counts is not None for f in functions):
            figure.legend(handles=data_patches(), loc="outside lower center", ncols=2)
    return figure


def _draw_functions(
    axes: Axes, one: RadialFunctions, values: FloatArray, name: str
) -> None:
    axes.set_xlim(one.r[0], one.r[-1])
    axes.set_ylim(0.0, 0.75)
    if one.counts is not None and one.edges is not None:
        draw_data(axes, one.counts, one.edges)
    colours = mpl.colormaps[SEQUENTIAL](np.linspace(0.0, 0.9, len(values)))
    for colour, value in zip(colours, values, strict=True):
        axes.plot(one.r, value, color=colour, linewidth=1.2, zorder=3)
    axes.set_yticks([0.0, 0.5])
    axes.set_ylabel(name)
    axes.set_xlabel("$r$ (Å)")


def plot_energies_by_term(crystals: Sequence[EnergyByTerm]) -> Figure:
    """Return one panel per crystal: energy of each kind of term and their sum.

    Shaded: a density is beyond its limit; hatched: closer than any atoms of the data.

    Raises
    ------
    InputError
        Without crystals.
    """
    names = list(dict.fromkeys(name for c in crystals for name in c.parts))
    colours = dict(zip(names, CYCLE * len(names), strict=False))
    with house_style():
        figure, panels = panel_grid(len(crystals), width=PANEL)
        height = figure.get_figheight()
        figure.set_figheight(height + 0.7)  # for the legend
        for axes, crystal in zip(panels, crystals, strict=True):
            _draw_energies(axes, crystal, colours)
        shading = [
            Patch(facecolor=SATURATED, label="a density saturates"),
            data_patches()[1],
        ]
        handles = panels[0].get_legend_handles_labels()[0]
        columns = 2 if figure.get_figwidth() < PAGE_WIDTH - 1.0 else 4
        figure.legend(
            handles=[*handles, *shading], loc="outside lower center", ncols=columns
        )
    return figure


def _draw_energies(axes: Axes, crystal: EnergyByTerm, colours: Mapping[str, str]) -> None:
    r, total = crystal.r, crystal.total
    bound = total[crystal.lowest] < UNBOUND
    at_rest = float(r[crystal.lowest]) if bound else max(crystal.shortest, float(r[0]))
    left = max(float(r[0]), FIRST_SHOWN * at_rest)
    scale = np.stack([total, *crystal.parts.values()])[:, r >= SCALE_FROM * at_rest]
    low, high = float(scale.min()), float(scale.max())
    margin = 0.1 * (high - low) or 1e-3
    axes.set_xlim(left, r[-1])
    axes.set_ylim(low - margin, high + margin)
    _shade(axes, crystal, left)
    axes.axhline(0.0, color=INK, linewidth=0.6, alpha=0.6)
    for name, energy in crystal.parts.items():
        axes.plot(r, energy, color=colours[name], linewidth=1.2, label=name)
    axes.plot(r, total, color=INK, linewidth=2.0, label="sum")
    axes.set_title(crystal.label)
    axes.set_xlabel("nearest neighbours (Å)")
    axes.set_ylabel("energy (eV/atom)")


def _shade(axes: Axes, crystal: EnergyByTerm, left: float) -> None:
    r = crystal.r
    if crystal.saturated is not None and crystal.saturated.any():
        axes.fill_between(
            r,
            0.0,
            1.0,
            where=crystal.saturated.tolist(),
            transform=axes.get_xaxis_transform(),
            color=SATURATED,
            linewidth=0,
            zorder=0,
        )
    if crystal.shortest > left:
        axes.axvspan(
            left,
            crystal.shortest,
            facecolor="none",
            edgecolor="#C9C9C9",
            hatch="////",
            linewidth=0,
        )
