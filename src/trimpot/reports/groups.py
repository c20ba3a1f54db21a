"""Errors per group of frames: dots with standard errors on a logarithmic axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import LogLocator, NullFormatter

from trimpot.errors import InputError
from trimpot.reports.numbers import NEGLIGIBLE
from trimpot.reports.style import CYCLE, GREY, PAGE_WIDTH, house_style, new_figure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from trimpot.validation.comparisons import Quantity
    from trimpot.validation.errors import ErrorRow, ErrorTables

UNITS: dict[Quantity, str] = {"energy": "meV/atom", "forces": "meV/Å", "stress": "GPa"}
MARKERS = "osD^vP"


def plot_group_errors(tables: Mapping[str, ErrorTables]) -> Figure:
    """Return RMSE per ``config_type`` for each named set (for example train, test).

    One panel per quantity; groups share their rows; the last row is all frames. Bars are
    standard errors; a group whose error is mere rounding is marked 0 at the left.

    Raises
    ------
    InputError
        If no table has a row.
    """
    quantities = [
        quantity
        for quantity in UNITS
        if any(table.select(quantity, "all") for table in tables.values())
    ]
    if not quantities:
        raise InputError("nothing to plot: no set has energies, forces or stresses")
    names = sorted(
        {
            row.group
            for table in tables.values()
            for quantity in quantities
            for row in table.select(quantity, "config_type")
        }
    )
    with house_style():
        height = 1.25 + 0.2 * (len(names) + 1) * max(1.0, 0.6 * len(tables))
        figure = new_figure(PAGE_WIDTH, height)
        panels = figure.subplots(1, len(quantities), sharey=True, squeeze=False)[0]
        for axes, quantity in zip(panels, quantities, strict=True):
            _panel(axes, tables, quantity, names)
        panels[0].set_yticks(range(len(names) + 1), [*names, "all"])
        panels[0].set_ylim(len(names) + 0.6, -0.6)
        if len(tables) > 1:
            handles, labels = panels[0].get_legend_handles_labels()
            figure.legend(handles, labels, loc="outside upper right", ncols=len(tables))
    return figure


def _panel(
    axes: Axes, tables: Mapping[str, ErrorTables], quantity: Quantity, names: list[str]
) -> None:
    spread = 0.22 if len(tables) > 1 else 0.0
    offsets = np.linspace(-spread, spread, len(tables))
    for k, (label, table) in enumerate(tables.items()):
        rows = {row.group: row for row in table.select(quantity, "config_type")}
        overall = table.select(quantity, "all")
        found = [(names.index(group), row) for group, row in rows.items()]
        found += [(len(names), row) for row in overall]
        drawn = [(place, row) for place, row in found if row.rmse >= NEGLIGIBLE]
        axes.errorbar(
            [row.rmse for _, row in drawn],
            [place + offsets[k] for place, _ in drawn],
            xerr=np.array([_bars(row) for _, row in drawn]).reshape(-1, 2).T,
            fmt=MARKERS[k % len(MARKERS)],
            color=CYCLE[k % len(CYCLE)],
            markersize=4.0,
            elinewidth=1.0,
            label=label,
        )
    _mark_zeros(axes, tables, quantity, names)
    for place in range(0, len(names), 2):
        axes.axhspan(place - 0.5, place + 0.5, color="#F3F4F6", zorder=0)
    axes.axhline(len(names) - 0.5, color=GREY, linewidth=0.8)
    axes.grid(visible=False, axis="y")
    _error_axis(axes)
    axes.set_title(quantity)
    axes.set_xlabel(f"RMSE ({UNITS[quantity]})")
    axes.tick_params(axis="y", length=0)


def _mark_zeros(
    axes: Axes, tables: Mapping[str, ErrorTables], quantity: Quantity, names: list[str]
) -> None:
    """Write 0 where the error of a group is mere rounding."""
    zeros = {
        row.group
        for table in tables.values()
        for row in table.select(quantity, "config_type")
        if row.rmse < NEGLIGIBLE
    }
    for group in zeros:
        place = names.index(group)
        axes.text(
            0.02, place, "0", transform=axes.get_yaxis_transform(), va="center", color=GREY
        )


def _error_axis(axes: Axes) -> None:
    """Logarithmic over at least a decade, with plain numbers on its ticks."""
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    if low <= 0.0:  # nothing was drawn: all errors are mere rounding
        low, high = NEGLIGIBLE, 1.0
    widen = max(1.0, np.sqrt(10.0 * low / high))
    low, high = low / widen, high * widen
    axes.set_xlim(low, high)
    narrow = high < 30.0 * low
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if narrow else (1.0,)))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())


def _bars(row: ErrorRow) -> tuple[float, float]:
    """Lower and upper bar; the lower one stays on the logarithmic axis."""
    error = row.rmse_standard_error or 0.0
    return min(error, 0.9 * row.rmse), error
