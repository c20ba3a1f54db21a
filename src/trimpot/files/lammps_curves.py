"""Pair curves as LAMMPS' ``pair_style table`` sees them, and how far they are off.

LAMMPS tabulates E and F / r at points even in r^2 and interpolates each of them by itself,
with lines or with a cubic spline whose slopes at both ends are given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.interpolate import CubicSpline

from trimpot.contract import Structure
from trimpot.splines.potential import SplinePotential

if TYPE_CHECKING:
    from trimpot.contract import FloatArray

Interpolation = Literal["spline", "linear"]

INSIDE = 1e-12
"""Relative distance from the ends of a curve at which its value there is taken."""

WITHIN = (0.25, 0.5, 0.75)
"""Where in every interval of r^2 the interpolation is compared with the curve."""


@dataclass(frozen=True)
class Samples:
    """A pair curve at the points of a table.

    Attributes
    ----------
    r : (n,) float64
        Distances, even in r^2, angstrom.
    energy, force : (n,) float64
        E (eV) and F = -dE/dr (eV/A) of the pair, both directions together.
    end_slopes : (float, float)
        dF/dr at both ends, eV/A^2.
    """

    r: FloatArray
    energy: FloatArray
    force: FloatArray
    end_slopes: tuple[float, float]


@dataclass(frozen=True)
class DimerCurve:
    """E(r) of two atoms beyond their isolated energies, from the kernels themselves.

    Attributes
    ----------
    potential : SplinePotential
        Terms of pairs only.
    pair : (int, int)
        Atomic numbers.
    inner, cutoff : float
        Ends of the curve, angstrom; values at an end are those just inside.
    """

    potential: SplinePotential
    pair: tuple[int, int]
    inner: float
    cutoff: float

    def __call__(self, r: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return E and F = -dE/dr at these distances."""
        inside = np.clip(r, self.inner * (1 + INSIDE), self.cutoff * (1 - INSIDE))
        numbers = np.array(self.pair, dtype=np.int32)
        nowhere, open_ends = np.zeros((3, 3)), np.zeros(3, dtype=bool)
        places = np.zeros((len(r), 2, 3))
        places[:, 1, 0] = inside
        found = self.potential.evaluate_many(
            [Structure(numbers, p, nowhere, open_ends) for p in places], threads=1
        )
        force = np.array([evaluation.forces[1, 0] for evaluation in found])
        return np.array([evaluation.energy for evaluation in found]), force

    def samples(self, points: int) -> Samples:
        """Return the curve at points that are even in r^2."""
        r = np.sqrt(np.linspace(self.inner**2, self.cutoff**2, points))
        r[0], r[-1] = self.inner, self.cutoff
        energy, force = self(r)
        step = 1e-4 * (self.cutoff - self.inner)
        ends = np.array([0.0, 1.0, 2.0]) * step
        first, last = self(self.inner + ends)[1], self(self.cutoff - ends)[1]
        one_sided = np.array([-1.5, 2.0, -0.5]) / step
        return Samples(
            r, energy, force, (float(one_sided @ first), -float(one_sided @ last))
        )

    def deviation(
        self, samples: Samples, interpolation: Interpolation
    ) -> tuple[float, float]:
        """Return the largest errors of E and F between the points of a table.

        In eV and eV/A; where the exact value is larger than 1, relative to it.
        """
        square = samples.r**2
        gaps = np.diff(square)
        between = np.concatenate([square[:-1] + part * gaps for part in WITHIN])
        r = np.sqrt(between)
        energy, force = self(r)
        e, f = _interpolated(samples, interpolation, between)
        return _largest(e - energy, energy), _largest(f * r - force, force)


def _interpolated(
    samples: Samples, interpolation: Interpolation, between: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return E and F / r at these r^2."""
    r, square = samples.r, samples.r**2
    f = samples.force / r
    if interpolation == "linear":
        return np.interp(between, square, samples.energy), np.interp(between, square, f)
    ends = np.array([0, -1])
    slopes_e = -0.5 * f[ends]  # dE / d(r^2)
    slopes_f = (np.array(samples.end_slopes) - f[ends]) / (2.0 * square[ends])
    e_spline, f_spline = (
        CubicSpline(square, values, bc_type=((1, slopes[0]), (1, slopes[1])))
        for values, slopes in ((samples.energy, slopes_e), (f, slopes_f))
    )
    return np.asarray(e_spline(between)), np.asarray(f_spline(between))


def _largest(error: FloatArray, exact: FloatArray) -> float:
    return float(np.max(np.abs(error) / np.maximum(1.0, np.abs(exact))))
