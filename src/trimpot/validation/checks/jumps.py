"""Search for jumps of energy, force and its slope along a path, ever more finely."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot.validation.smoothness import energy_jumps, force_jumps

if TYPE_CHECKING:
    from collections.abc import Callable

    from trimpot.contract import FloatArray
    from trimpot.validation.smoothness import Path

REFINEMENT = 50
LEVELS = 3
"""Each looks at two steps of the last with steps 50 times smaller: from 2e-3 A to 1.6e-8.
What bends smoothly shrinks from one level to the next and is taken off; a jump stays."""

SLOPE_LEVEL = 2
"""The one at which the slope of the force is measured: rounding spoils it at the finest."""

STIFF = 10.0
"""eV/A. On paths with larger forces, jumps are divided by these forces over this: rounding
errors grow with them."""


@dataclass(frozen=True)
class Jumps:
    """Largest jumps along a path, and where.

    Attributes
    ----------
    energy, force, slope : (float, float)
        Jump of the energy (eV), of a force (eV/A), of dF/dx (eV/A^2), all at least 0;
        place in angstrom.
    """

    energy: tuple[float, float]
    force: tuple[float, float]
    slope: tuple[float, float]


def find_jumps(
    path_of: Callable[[FloatArray], Path], x: FloatArray, suspects: int
) -> Jumps:
    """Return the largest jumps at the most suspicious places of a path.

    Parameters
    ----------
    path_of
        Returns energies and forces at coordinates of the moving atom.
    x : (k,) float64
        Equidistant coordinates of the first look, angstrom.
    suspects : int
        Places that are looked at more closely.
    """
    coarse = path_of(x)
    scale = max(1.0, float(np.abs(coarse.forces).max()) / STIFF)
    energies = [
        _zoomed(path_of, x, place, energy_jumps)[-1]
        for place in _places(_curvature(energy_jumps(coarse)), suspects)
    ]
    bends = [
        _zoomed(path_of, x, place, force_jumps)
        for place in _places(_curvature(force_jumps(coarse)), suspects)
    ]
    step = float(x[1] - x[0]) / REFINEMENT**SLOPE_LEVEL
    energy = max(energies)
    force = max(_without_smooth(bend, LEVELS) for bend in bends)
    slope = max(_without_smooth(bend, SLOPE_LEVEL) for bend in bends)
    return Jumps(
        (energy[0] / scale, energy[1]),
        (force[0] / scale, force[1]),
        (slope[0] / step / scale, slope[1]),
    )


def _without_smooth(bend: list[tuple[float, float]], level: int) -> tuple[float, float]:
    """Return the jump of a force at a level, without what is smooth, and its place.

    What bends smoothly is smaller there by the square of the steps than a level before.
    """
    (before, _), (jump, place) = bend[level - 2 : level]
    return max(0.0, jump - before / REFINEMENT**2), place


def _curvature(values: FloatArray) -> FloatArray:
    """Second difference: what varies smoothly falls away, what stands out remains."""
    bend: FloatArray = np.abs(values[2:] - 2.0 * values[1:-1] + values[:-2])
    return bend


def _places(suspicion: FloatArray, count: int) -> list[int]:
    """Return the most suspicious places, none beside another."""
    chosen: list[int] = []
    for index in np.argsort(suspicion)[::-1]:
        if all(abs(int(index) - other) > 2 for other in chosen):
            chosen.append(int(index))
        if len(chosen) == count:
            break
    return [index + 1 for index in chosen]


def _zoomed(
    path_of: Callable[[FloatArray], Path],
    x: FloatArray,
    place: int,
    jumps_of: Callable[[Path], FloatArray],
) -> list[tuple[float, float]]:
    """Return the largest jump around a place and where it is, level by level."""
    low: float = x[max(0, place - 1)].item()
    high: float = x[min(len(x) - 1, place + 2)].item()
    step = float(x[1] - x[0])
    found = []
    for _ in range(LEVELS):
        step /= REFINEMENT
        fine: FloatArray = low + step * np.arange(round((high - low) / step) + 1.0)
        jumps = jumps_of(path_of(fine))
        index = int(np.argmax(jumps))
        found.append((float(jumps[index]), float(fine[index])))
        low, high = float(fine[index]) - 0.5 * step, float(fine[index]) + 2.5 * step
    return found
