"""What a triplet envelope does: its switch, and the shadow of an atom beside a pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Circle

from trimpot.envelopes.switches import Switch, switch
from trimpot.errors import InputError
from trimpot.reports.style import BLUE, GREY, INK, ORANGE, house_style, new_figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from trimpot.contract import FloatArray

LATTICE_VALUES = {"1/3": 1.0 / 3.0, "1/2": 0.5, "1": 1.0, "2": 2.0}
"""C of whole shells of neighbours in fcc, bcc, diamond and simple cubic crystals."""

POINTS = 301


@dataclass(frozen=True)
class EnvelopePicture:
    """One pair of limits of a triplet envelope.

    Attributes
    ----------
    label
        Which terms and trios have it.
    c_min, c_max : float
        Limits of C.
    switch : str
        See ``envelopes.switches``.
    """

    label: str
    c_min: float
    c_max: float
    switch: Switch

    def weight(self, c: FloatArray) -> FloatArray:
        """Return S of a pair that one third atom at C screens."""
        return switch(self.switch, (c - self.c_min) / (self.c_max - self.c_min))[0]


def plot_envelopes(pictures: Sequence[EnvelopePicture]) -> Figure:
    """Return a row per envelope: the switch over C, and where third atoms screen a pair.

    Dotted: values of C that whole shells of crystals have.

    Raises
    ------
    InputError
        Without envelopes.
    """
    if not pictures:
        raise InputError("nothing to plot: give at least one envelope")
    with house_style():
        figure = new_figure(6.2, 2.5 * len(pictures))
        panels = figure.subplots(
            len(pictures), 2, squeeze=False, gridspec_kw={"width_ratios": [1.0, 1.1]}
        )
        for (left, right), picture in zip(panels, pictures, strict=True):
            _draw_switch(left, picture)
            _draw_shadow(right, picture)
            left.set_title(picture.label, pad=16.0)
    return figure


def _draw_switch(axes: Axes, picture: EnvelopePicture) -> None:
    c = np.linspace(0.0, max(2.2, 1.15 * picture.c_max), POINTS)
    for name, value in LATTICE_VALUES.items():
        axes.axvline(value, color=GREY, linewidth=0.8, linestyle=":")
        axes.annotate(
            name,
            (value, 1.0),
            (0, 2),
            xycoords=axes.get_xaxis_transform(),
            textcoords="offset points",
            ha="center",
            fontsize=7,
            color=GREY,
        )
    axes.plot(c, picture.weight(c), color=BLUE, zorder=3)
    for value, style in ((picture.c_min, "-"), (picture.c_max, "--")):
        axes.axvline(value, color=ORANGE, linewidth=1.0, linestyle=style)
    axes.text(
        0.96,
        0.08,
        f"$C_\\mathrm{{min}}$ = {picture.c_min:g}\n$C_\\mathrm{{max}}$ = {picture.c_max:g}",
        transform=axes.transAxes,
        ha="right",
        color=ORANGE,
        bbox={"facecolor": "w", "edgecolor": "none", "pad": 1.0},
    )
    axes.set_xlim(0.0, c[-1])
    axes.set_ylim(-0.02, 1.02)
    axes.grid(visible=False)
    axes.set_xlabel("$C$ of one third atom")
    axes.set_ylabel("weight $S$ of the pair")


def _draw_shadow(axes: Axes, picture: EnvelopePicture) -> None:
    reach = max(0.75, 0.55 * picture.c_max**0.5)
    x = 0.5 + 1.15 * np.linspace(-reach, reach, POINTS)
    y = np.linspace(-reach, reach, POINTS)
    t = np.where((x > 0.0) & (x < 1.0), x, np.nan)
    c = y[:, None] ** 2 / (t * (1.0 - t))[None, :]
    weight = np.where(np.isnan(c), 1.0, picture.weight(np.nan_to_num(c, nan=np.inf)))
    axes.contourf(x, y, 1.0 - weight, levels=np.linspace(0.0, 1.0, 11), cmap="Greys")
    for value, style in ((picture.c_min, "-"), (picture.c_max, "--")):
        around = np.linspace(0.0, 1.0, POINTS)
        q = np.sqrt(value * around * (1.0 - around))
        for sign in (1.0, -1.0):
            axes.plot(around, sign * q, color=ORANGE, linewidth=1.0, linestyle=style)
    for place, name in ((0.0, "$i$"), (1.0, "$j$")):
        axes.add_patch(Circle((place, 0.0), 0.075, facecolor=BLUE, edgecolor=INK, zorder=4))
        axes.annotate(name, (place, 0.0), color="w", ha="center", va="center", zorder=5)
    axes.set_aspect("equal")
    axes.set_xlim(x[0], x[-1])
    axes.set_ylim(-reach, reach)
    axes.set_xlabel("along the pair ($r_{ij}$)")
    axes.set_ylabel("beside it ($r_{ij}$)")
    axes.grid(visible=False)
    axes.set_title("where a third atom screens", pad=16.0)
