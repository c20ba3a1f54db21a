"""Training of a network: loss and validation errors over epochs and time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import LogLocator, NullFormatter

from trimpot.reports.style import BLUE, ORANGE, house_style, panel_grid
from trimpot.units import GPA_PER_EV_PER_A3

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from trimpot.contract import FloatArray

    History = Sequence[Mapping[str, float]]

ERRORS = {
    "valid_energy_rmse": ("energy", "meV/atom", 1e3),
    "valid_force_rmse": ("forces", "meV/Å", 1e3),
    "valid_stress_rmse": ("stress", "GPa", GPA_PER_EV_PER_A3),
}
"""Columns of the history, in eV and angstrom: title, unit and its factor in the figure."""

CLOCKS = (("seconds", 1.0, 200.0), ("minutes", 60.0, 12000.0), ("hours", 3600.0, np.inf))
"""Units of time in seconds, and up to how many seconds they are used."""

FEWEST_TIMES = 2
"""Rows that a scale of time needs."""


def plot_training(history: History) -> Figure:
    """Return a panel of losses, and one of validation errors for each quantity.

    Over epochs, with the time on the upper axis.

    Parameters
    ----------
    history
        Rows with ``epoch``, ``seconds``, ``loss``, ``valid_loss`` and, where there are
        labels, ``valid_energy_rmse``, ``valid_force_rmse``, ``valid_stress_rmse``.

    Raises
    ------
    InputError
        Without a row.
    """
    found = [name for name in ERRORS if any(_known(row, name) for row in history)]
    with house_style():
        figure, panels = panel_grid(1 + len(found) if history else 0, columns=2, width=3.2)
        _curve(panels[0], history, "loss", "training", ORANGE)
        _curve(panels[0], history, "valid_loss", "validation", BLUE)
        panels[0].set_title("loss")
        panels[0].set_ylabel("loss")
        panels[0].legend(loc="best")
        for axes, name in zip(panels[1:], found, strict=True):
            title, unit, factor = ERRORS[name]
            _curve(axes, history, name, "validation", BLUE, factor=factor)
            axes.set_title(f"{title}, validation")
            axes.set_ylabel(f"RMSE ({unit})")
        for axes in panels:
            axes.set_xlabel("epochs")
            _plain_ticks(axes)
            _time_scale(axes, history)
    return figure


def _known(row: Mapping[str, float], name: str) -> bool:
    value = row.get(name)
    return value is not None and bool(np.isfinite(value))


def _curve(
    axes: Axes,
    history: History,
    name: str,
    label: str,
    colour: str,
    *,
    factor: float = 1.0,
) -> None:
    rows = [row for row in history if _known(row, name)]
    if not rows:
        return
    values = factor * np.array([row[name] for row in rows])
    epochs = np.array([row["epoch"] for row in rows])
    axes.plot(epochs, values, ".-", color=colour, markersize=3.5, label=label)
    if values.min() > 0.0:
        axes.set_yscale("log")


def _plain_ticks(axes: Axes) -> None:
    """Label logarithmic scales by numbers, also short ones."""
    low, high = axes.get_ylim()
    if axes.get_yscale() != "log":
        return
    axes.yaxis.set_major_locator(
        LogLocator(subs=(1.0,) if high > 50.0 * low else (1.0, 2.0, 5.0))
    )
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())


def _time_scale(axes: Axes, history: History) -> None:
    """Add an upper axis of time, which runs with the epochs."""
    epochs = np.array([row["epoch"] for row in history])
    seconds = np.array([row["seconds"] for row in history])
    rising = (np.diff(epochs) > 0.0).all() and (np.diff(seconds) > 0.0).all()
    if len(history) < FEWEST_TIMES or not rising:
        return
    unit, factor, _ = next(clock for clock in CLOCKS if seconds[-1] <= clock[2])
    times = seconds / factor

    def to_times(x: ArrayLike) -> ArrayLike:
        return _through(np.asarray(x, dtype=np.float64), epochs, times)

    def to_epochs(x: ArrayLike) -> ArrayLike:
        return _through(np.asarray(x, dtype=np.float64), times, epochs)

    upper = axes.secondary_xaxis("top", functions=(to_times, to_epochs))
    upper.set_xlabel(unit)


def _through(x: FloatArray, given: FloatArray, wanted: FloatArray) -> FloatArray:
    """Interpolate, and go on at the mean rate beyond the ends."""
    rate = (wanted[-1] - wanted[0]) / (given[-1] - given[0])
    inside = np.interp(x, given, wanted)
    beyond = np.minimum(x - given[0], 0.0) + np.maximum(x - given[-1], 0.0)
    return np.asarray(inside + rate * beyond)
