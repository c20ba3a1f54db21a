"""Molecular dynamics at constant energy: drift and temperature over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trimpot.errors import InputError
from trimpot.reports.style import BLUE, INK, ORANGE, house_style, new_figure

if TYPE_CHECKING:
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
