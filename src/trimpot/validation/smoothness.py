"""Continuity of energy and forces while an atom crosses a cutoff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot.engines.singlepoint import evaluate
from trimpot.errors import InputError
from trimpot.validation.check import Check
from trimpot.validation.transform import free_cluster

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trimpot.contract import FloatArray, Potential

ENERGY_BOUND = 1e-12
FORCE_BOUND = 1e-9
STEP = 1e-4
HALF_WIDTH = 0.05
REFINEMENT = 100
SUSPECTS = 3


@dataclass(frozen=True)
class Path:
    """Energies and forces of a cluster whose last atom moves along x.

    Attributes
    ----------
    x : (k,) float64
        Coordinate of the moving atom in angstrom, equidistant.
    energies : (k, n) float64
        Per-atom energies in eV.
    forces : (k, n, 3) float64
        Forces in eV/A.
    """

    x: FloatArray
    energies: FloatArray
    forces: FloatArray


def energy_jumps(path: Path) -> FloatArray:
    """Return |E(b) - E(a) + h (F(a) + F(b)) / 2| for each step, (k - 1,), eV.

    For a continuous force this is h^3 F'' / 12; a jump of the energy stays.
    """
    step = path.x[1] - path.x[0]
    along = path.forces[:, -1, 0]
    change = np.diff(path.energies, axis=0).sum(axis=1)
    jumps: FloatArray = np.abs(change + 0.5 * step * (along[1:] + along[:-1]))
    return jumps


def force_jumps(path: Path) -> FloatArray:
    """Return |F(a) - 2 F(b) + F(c)| for each three points, largest of any atom, (k - 2,).

    For a continuous dF/dr this is h^2 F''; a jump of a force stays.
    """
    bend = path.forces[2:] - 2.0 * path.forces[1:-1] + path.forces[:-2]
    largest: FloatArray = np.abs(bend).max(axis=(1, 2))
    return largest


def check_cutoff_crossing(
    potential: Potential,
    numbers: tuple[int, int, int],
    *,
    radii: Sequence[float] | None = None,
) -> tuple[Check, ...]:
    """Look for jumps when the third atom of a trimer crosses each radius of the first.

    The moving atom passes ``radius`` +- 0.05 A in steps of 1e-4 A, the second atom a
    typical bond length beside the first, so that pairs and triplets switch off
    together. The suspicious places are looked at again with steps of 1e-6 A, at which
    a smooth potential has no bend left.

    Parameters
    ----------
    numbers
        Atomic numbers of centre, neighbour and moving atom.
    radii
        Distances to cross in angstrom; default the cutoff. Give every cutoff that the
        potential has (pair, three-body, envelope edges).
    """
    chosen = (potential.cutoff,) if radii is None else tuple(radii)
    energies: list[tuple[float, str]] = []
    forces: list[tuple[float, str]] = []
    for radius in chosen:
        if not radius > HALF_WIDTH:
            raise InputError(f"radius {radius} A cannot be crossed; give radii > 0.05 A")
        steps = round(2.0 * HALF_WIDTH / STEP)
        x = radius + np.linspace(-HALF_WIDTH, HALF_WIDTH, steps + 1)
        coarse = trimer_path(potential, numbers, x)
        energies.append(_refined(potential, numbers, coarse, energy_jumps))
        forces.append(_refined(potential, numbers, coarse, force_jumps))
    energy, where_energy = max(energies)
    force, where_force = max(forces)
    return (
        Check("cutoff crossing: energy jump", energy, ENERGY_BOUND, "eV", where_energy),
        Check("cutoff crossing: force jump", force, FORCE_BOUND, "eV/A", where_force),
    )


def trimer_path(potential: Potential, numbers: tuple[int, int, int], x: FloatArray) -> Path:
    """Return energies and forces of a trimer whose third atom sits at each (x, 0, 0)."""
    bond = min(2.5, 0.55 * potential.cutoff)
    fixed = np.array([[0.0, 0.0, 0.0], [0.4 * bond, 0.8 * bond, 0.3 * bond]])
    energies, forces = [], []
    for value in x:
        positions = np.concatenate([fixed, [[value, 0.0, 0.0]]])
        result = evaluate(potential, free_cluster(list(numbers), positions), threads=1)
        energies.append(result.energies)
        forces.append(result.forces)
    return Path(x, np.array(energies), np.array(forces))


def _refined(
    potential: Potential,
    numbers: tuple[int, int, int],
    coarse: Path,
    jumps_of: Callable[[Path], FloatArray],
) -> tuple[float, str]:
    """Return the largest jump with finer steps at the most suspicious places."""
    found = []
    for index in np.argsort(jumps_of(coarse))[-SUSPECTS:]:
        # energy jumps lie between two points, bends among three: take three
        first = min(int(index), len(coarse.x) - 3)
        x = np.linspace(coarse.x[first], coarse.x[first + 2], 2 * REFINEMENT + 1)
        found.append(_worst(jumps_of(trimer_path(potential, numbers, x)), x))
    return max(found)


def _worst(jumps: FloatArray, x: FloatArray) -> tuple[float, str]:
    index = int(np.argmax(jumps))
    return float(jumps[index]), f"at {x[index]:.4f} A"
