"""Averages and drift of a time series whose neighbouring values are correlated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot.errors import InputError

if TYPE_CHECKING:
    from trimpot.contract import FloatArray

FEWEST = 10
"""Samples below which no error can be estimated."""

WINDOW = 5.0
"""Correlation times that the sum over the autocorrelation covers (Sokal)."""


@dataclass(frozen=True)
class Average:
    """A mean with its standard error, in the unit of the values."""

    mean: float
    error: float


@dataclass(frozen=True)
class Drift:
    """Straight line through the total energy of a run at constant energy.

    Attributes
    ----------
    slope, error : float
        Drift and its standard error in meV/atom/ps.
    fluctuation : float
        Standard deviation around the line in meV/atom.
    start_fs : float
        Time of the first sample that counts.
    samples : int
        Number of samples.
    """

    slope: float
    error: float
    fluctuation: float
    start_fs: float
    samples: int


def correlated(values: FloatArray) -> float:
    """Return how many consecutive values weigh as much as one independent value (>= 1).

    g = 1 + 2 sum_k rho_k with the autocorrelation rho, summed over the first lags k that
    reach ``WINDOW`` correlation times.

    References
    ----------
    A. D. Sokal, in Functional Integration, NATO ASI 361, 131 (1997), section 3.
    """
    centred = values - values.mean()
    n = len(centred)
    spectrum = np.abs(np.fft.rfft(centred, 2 * n)) ** 2
    covariance = np.fft.irfft(spectrum)[:n]
    if not covariance[0] > 0.0:
        return 1.0
    g_k = 1.0 + 2.0 * np.cumsum(covariance[1:] / covariance[0])
    enough = np.arange(1, n) >= WINDOW * 0.5 * g_k
    last = int(np.argmax(enough)) if enough.any() else n - 2
    return max(1.0, float(g_k[last]))


def average(values: FloatArray) -> Average:
    """Return the mean and its standard error (NaN for fewer than ``FEWEST`` values)."""
    n = len(values)
    if n < FEWEST:
        return Average(float(values.mean()), float("nan"))
    error = float(np.sqrt(values.var(ddof=1) * correlated(values) / n))
    return Average(float(values.mean()), error)


def drift(time_fs: FloatArray, energy_per_atom: FloatArray) -> Drift:
    """Return the least-squares line through the total energy.

    Parameters
    ----------
    time_fs : (k,) float64
        Times in fs, evenly spaced.
    energy_per_atom : (k,) float64
        Total (potential and kinetic) energies in eV/atom.

    Raises
    ------
    InputError
        For fewer than ``FEWEST`` samples or different lengths.
    """
    n = len(time_fs)
    if n != len(energy_per_atom) or n < FEWEST or np.ptp(time_fs) == 0.0:
        raise InputError(
            f"found {n} times and {len(energy_per_atom)} energies, expected equally many "
            f"and at least {FEWEST} different times; take more steps or log more often"
        )
    time_ps = (time_fs - time_fs.mean()) / 1000.0
    energy = (energy_per_atom - energy_per_atom.mean()) * 1000.0
    spread = float(time_ps @ time_ps)
    slope = float(time_ps @ energy) / spread
    residual = energy - slope * time_ps
    variance = float(residual @ residual) / (n - 2)
    return Drift(
        slope=slope,
        error=float(np.sqrt(variance * correlated(residual) / spread)),
        fluctuation=float(np.sqrt(variance)),
        start_fs=float(time_fs[0]),
        samples=n,
    )
