"""Several models on the same frames: tables, bars, errors over cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import LogLocator, NullFormatter

from trimpot.errors import InputError
from trimpot.reports.document import TextTable
from trimpot.reports.numbers import NEGLIGIBLE, significant, with_error
from trimpot.reports.style import (
    CYCLE,
    GREY,
    PAGE_WIDTH,
    house_style,
    new_figure,
    panel_grid,
)
from trimpot.validation.comparisons import QUANTITIES
from trimpot.validation.errors import UNITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from trimpot.validation.comparisons import Quantity
    from trimpot.validation.errors import ErrorRow, ErrorTables

MARKERS = "osD^vP"


@dataclass(frozen=True)
class ComparedModel:
    """One model of a comparison.

    Attributes
    ----------
    name : str
        Short and unlike the others.
    tables : ErrorTables
        Errors on the frames that all models share.
    cutoff : float
        In angstrom.
    coefficients : int or None
        Number of linear coefficients, where there is one.
    microseconds : tuple of float or None
        Median, lowest and highest us/atom/step of a force call, if it was timed.
    """

    name: str
    tables: ErrorTables
    cutoff: float
    coefficients: int | None = None
    microseconds: tuple[float, float, float] | None = None


def comparison_table(models: Sequence[ComparedModel]) -> TextTable:
    """Return one column per model: errors of all frames, size, reach, time.

    Raises
    ------
    InputError
        Without models.
    """
    if not models:
        raise InputError("nothing to compare: give at least one model")
    rows: list[tuple[str, ...]] = []
    for quantity in QUANTITIES:
        found = [_overall(m, quantity) for m in models]
        if any(found):
            unit = _unit(quantity)
            rmse = ["" if r is None else _rmse(r) for r in found]
            mae = ["" if r is None else _mae(r) for r in found]
            rows.append((f"{quantity} RMSE ({unit})", *rmse))
            rows.append((f"{quantity} MAE ({unit})", *mae))
    counts = ["" if m.coefficients is None else str(m.coefficients) for m in models]
    rows.append(("coefficients", *counts))
    rows.append(("cutoff (Å)", *(f"{m.cutoff:.4g}" for m in models)))
    times = [m.microseconds for m in models]
    if any(times):
        shown = ["" if us is None else significant(us[0], 3) for us in times]
        rows.append(("force call (us/atom/step)", *shown))
    title = f"all {models[0].tables.frames} frames"
    return TextTable(title, ("", *(m.name for m in models)), tuple(rows))


def group_tables(models: Sequence[ComparedModel]) -> tuple[TextTable, ...]:
    """Return RMSE per ``config_type`` for each quantity: groups down, models across."""
    tables = []
    for quantity in QUANTITIES:
        found = {
            m.name: {r.group: r for r in m.tables.select(quantity, "config_type")}
            for m in models
        }
        groups = sorted({g for rows in found.values() for g in rows})
        if not groups:
            continue
        rows = []
        for group in groups:
            here = [found[m.name].get(group) for m in models]
            frames = next(r.frames for r in here if r is not None)
            cells = ["" if r is None else _rmse(r) for r in here]
            rows.append((group, str(frames), *cells))
        title = f"{quantity} RMSE ({_unit(quantity)})"
        header = ("group", "frames", *(m.name for m in models))
        tables.append(TextTable(title, header, tuple(rows)))
    return tuple(tables)


def plot_overall(models: Sequence[ComparedModel]) -> Figure:
    """Return RMSE of all frames as bars with standard errors, one panel per quantity.

    Raises
    ------
    InputError
        If no model has an error.
    """
    shared = _quantities(models)
    with house_style():
        figure = new_figure(PAGE_WIDTH, 0.9 + 0.3 * len(models))
        panels = figure.subplots(1, len(shared), sharey=True, squeeze=False)[0]
        for axes, quantity in zip(panels, shared, strict=True):
            _bars(axes, models, quantity)
        panels[0].set_yticks(range(len(models)), [m.name for m in models])
        panels[0].set_ylim(len(models) - 0.4, -0.6)
    return figure


def plot_cost(models: Sequence[ComparedModel]) -> Figure:
    """Return RMSE over the time of a force call, both logarithmic; down and left is better.

    A line joins the models that no other beats in both.

    Raises
    ------
    InputError
        If fewer than two models were timed.
    """
    timed = [m for m in models if m.microseconds is not None]
    if len(timed) < 2:
        raise InputError(f"{len(timed)} models were timed, expected at least two")
    shared = [q for q in _quantities(timed) if q != "stress"]
    with house_style():
        figure, panels = panel_grid(len(shared), columns=2, width=3.3)
        for axes, quantity in zip(panels, shared, strict=True):
            _cost_panel(axes, timed, quantity)
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside right upper")
    return figure


def best(costs: Sequence[float], errors: Sequence[float]) -> list[int]:
    """Return the members that no other beats in cost and error, cheapest first."""
    order = sorted(range(len(costs)), key=lambda k: (costs[k], errors[k]))
    kept: list[int] = []
    for k in order:
        if not kept or errors[k] < errors[kept[-1]]:
            kept.append(k)
    return kept


def _cost_panel(axes: Axes, models: Sequence[ComparedModel], quantity: Quantity) -> None:
    costs, errors = [], []
    for k, model in enumerate(models):
        row = _overall(model, quantity)
        if row is None or model.microseconds is None:
            continue
        median, low, high = model.microseconds
        costs.append(median)
        errors.append(row.rmse)
        axes.errorbar(
            median,
            row.rmse,
            xerr=[[median - low], [high - median]],
            yerr=min(row.rmse_standard_error or 0.0, 0.9 * row.rmse),
            fmt=MARKERS[k % len(MARKERS)],
            color=CYCLE[k % len(CYCLE)],
            markersize=5.0,
            elinewidth=0.9,
            label=model.name,
        )
    front = best(costs, errors)
    axes.plot(
        [costs[k] for k in front],
        [errors[k] for k in front],
        color=GREY,
        linewidth=0.9,
        zorder=0,
    )
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        subs = (1.0, 2.0, 5.0) if high < 30.0 * low else (1.0,)
        axis.set_major_locator(LogLocator(subs=subs))
        axis.set_major_formatter(lambda value, _: f"{value:g}")
        axis.set_minor_formatter(NullFormatter())
    axes.set_title(quantity)
    axes.set_xlabel("force call (us/atom/step)")
    axes.set_ylabel(f"RMSE ({_unit(quantity)})")


def _bars(axes: Axes, models: Sequence[ComparedModel], quantity: Quantity) -> None:
    rows = [
        (k, r) for k, m in enumerate(models) if (r := _overall(m, quantity)) is not None
    ]
    values = np.array([r.rmse for _, r in rows])
    axes.barh(
        [k for k, _ in rows],
        values,
        xerr=[r.rmse_standard_error or 0.0 for _, r in rows],
        height=0.62,
        color=[CYCLE[k % len(CYCLE)] for k, _ in rows],
        error_kw={"elinewidth": 0.9},
    )
    for (k, r), value in zip(rows, values, strict=True):
        end = value + (r.rmse_standard_error or 0.0)
        axes.annotate(
            significant(float(value), 3),
            (end, k),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
        )
    axes.set_xlim(0.0, 1.28 * float(values.max(initial=NEGLIGIBLE)))
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.set_title(quantity)
    axes.set_xlabel(f"RMSE ({_unit(quantity)})")


def _quantities(models: Sequence[ComparedModel]) -> list[Quantity]:
    found = [q for q in QUANTITIES if any(_overall(m, q) is not None for m in models)]
    if not found:
        raise InputError(
            "nothing to plot: no model has errors of energies, forces, stresses"
        )
    return found


def _overall(model: ComparedModel, quantity: Quantity) -> ErrorRow | None:
    return next(iter(model.tables.select(quantity, "all")), None)


def _rmse(row: ErrorRow) -> str:
    """Return an error with its standard error; mere rounding is 0."""
    if row.rmse < NEGLIGIBLE:
        return "0.000"
    return with_error(row.rmse, row.rmse_standard_error)


def _mae(row: ErrorRow) -> str:
    return "0.000" if row.mae < NEGLIGIBLE else significant(row.mae, 4)


def _unit(quantity: Quantity) -> str:
    return UNITS[quantity].replace("/A", "/Å")
