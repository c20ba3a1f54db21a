"""Molecular dynamics over time: energies, temperature, distances, displacements."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trimpot.errors import InputError
from trimpot.reports.numbers import with_error
from trimpot.reports.style import (
    ALONE,
    BLUE,
    GREY,
    INK,
    ORANGE,
    house_style,
    new_figure,
    panel_grid,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure

    from trimpot.contract import FloatArray


def drift_per_picosecond(time_fs: FloatArray, energy_per_atom: FloatArray) -> float:
    """Return the slope of a straight line through the energy, meV/atom/ps.

    Parameters
    ----------
    time_fs : (k,) float64
        Times in fs.
    energy_per_atom : (k,) float64
        Total energies in eV/atom.

    Raises
    ------
    InputError
        For fewer than two different times or different lengths.
    """
    if time_fs.shape != energy_per_atom.shape or len(time_fs) < 2 or np.ptp(time_fs) == 0.0:
        raise InputError(
            f"found {len(time_fs)} times and {len(energy_per_atom)} energies, expected "
            "equally many and at least two different times"
        )
    centred = time_fs - time_fs.mean()
    slope = (centred @ (energy_per_atom - energy_per_atom.mean())) / (centred @ centred)
    return float(slope) * 1e6


def plot_nve(
    time_fs: FloatArray, energy_per_atom: FloatArray, temperature_k: FloatArray
) -> Figure:
    """Return total energy per atom (relative to its start) and temperature over time.

    Parameters
    ----------
    time_fs : (k,) float64
        Times in fs.
    energy_per_atom : (k,) float64
        Total (potential and kinetic) energies in eV/atom.
    temperature_k : (k,) float64
        Temperatures in K.

    Raises
    ------
    InputError
        If lengths differ or fewer than two times are given.
    """
    drift = drift_per_picosecond(time_fs, energy_per_atom)
    if temperature_k.shape != time_fs.shape:
        raise InputError(
            f"found {len(temperature_k)} temperatures for {len(time_fs)} times; "
            "record both at the same steps"
        )
    time_ps = time_fs / 1000.0
    change_mev = (energy_per_atom - energy_per_atom[0]) * 1000.0
    line = change_mev.mean() + drift * (time_ps - time_ps.mean())
    with house_style():
        figure = new_figure(4.8, 3.6)
        upper, lower = figure.subplots(2, 1, sharex=True)
        upper.plot(time_ps, change_mev, color=BLUE, linewidth=0.9)
        upper.plot(time_ps, line, color=ORANGE, linestyle="--")
        upper.set_ylabel("ΔE (meV/atom)")
        upper.set_title(f"constant energy: drift {drift:+.1e} meV/atom/ps")
        lower.plot(time_ps, temperature_k, color=INK, linewidth=0.9)
        lower.set_ylabel("temperature (K)")
        lower.set_xlabel("time (ps)")
        lower.set_xlim(time_ps[0], time_ps[-1])
        for axes in (upper, lower):
            axes.ticklabel_format(axis="y", scilimits=(-3, 4), useOffset=False)
    return figure


def plot_run(time_fs: FloatArray, series: Mapping[str, FloatArray]) -> Figure:
    """Return quantities of a run over time, one panel each.

    Parameters
    ----------
    time_fs : (k,) float64
        Times in fs.
    series : mapping of str to (k,) float64
        Values by the label of their axis; NaN leaves a gap.

    Raises
    ------
    InputError
        If there is nothing to plot, or lengths differ.
    """
    lengths = {name: len(values) for name, values in series.items()}
    if not series or set(lengths.values()) != {len(time_fs)}:
        raise InputError(
            f"found {lengths} values for {len(time_fs)} times; give at least one series, "
            "with a value for every time"
        )
    time_ps = time_fs / 1000.0
    with house_style():
        figure = new_figure(4.8, 1.3 * len(series) + 0.5)
        panels = figure.subplots(len(series), 1, sharex=True, squeeze=False)[:, 0]
        for panel, (label, values) in zip(panels, series.items(), strict=True):
            known = np.isfinite(values)
            panel.plot(time_ps[known], values[known], color=BLUE, linewidth=0.9)
            panel.set_ylabel(label)
            panel.ticklabel_format(axis="y", scilimits=(-3, 4), useOffset=False)
        panels[-1].set_xlabel("time (ps)")
        panels[-1].set_xlim(time_ps[0], time_ps[-1])
        figure.align_ylabels(panels)
    return figure


def plot_distances(r_a: FloatArray, g: Mapping[str, FloatArray]) -> Figure:
    """Return radial distribution functions, one panel per pair.

    Parameters
    ----------
    r_a : (k,) float64
        Distances in angstrom.
    g : mapping of str to (k,) float64
        g(r) by pair.

    Raises
    ------
    InputError
        If there is nothing to plot.
    """
    with house_style():
        figure, panels = panel_grid(len(g))
        for panel, (pair, values) in zip(panels, g.items(), strict=True):
            panel.axhline(1.0, color=GREY, linewidth=0.8, linestyle="--")
            panel.plot(r_a, values, color=BLUE)
            panel.set_title(pair)
            panel.set_xlim(0.0, r_a[-1])
            panel.set_ylim(bottom=0.0)
            panel.set_xlabel("r (Å)")
            panel.set_ylabel("g(r)")
    return figure


def plot_displacements(
    lag_fs: FloatArray,
    msd_a2: Mapping[str, FloatArray],
    diffusion: Mapping[str, tuple[float, float]],
) -> Figure:
    """Return mean squared displacements over the time difference.

    Parameters
    ----------
    lag_fs : (k,) float64
        Time differences in fs.
    msd_a2 : mapping of str to (k,) float64
        By element, in A^2.
    diffusion : mapping of str to (float, float)
        Coefficient and standard error in A^2/ps, where there is one.
    """
    with house_style():
        figure = new_figure(ALONE, 2.7)
        axes = figure.subplots()
        for name, values in msd_a2.items():
            label = name
            if name in diffusion:
                label += f": D = {with_error(*diffusion[name])} Å²/ps"
            axes.plot(lag_fs / 1000.0, values, label=label)
        axes.set_xlim(0.0, lag_fs[-1] / 1000.0)
        axes.set_ylim(bottom=0.0)
        axes.set_xlabel("time difference (ps)")
        axes.set_ylabel("mean squared displacement (Å²)")
        axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0))  # above: curves fill it
    return figure
