"""Short runs at constant energy, by velocity Verlet, with all that checks look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from ase import units
from ase.data import atomic_masses

from trimpot.validation.transform import with_positions

if TYPE_CHECKING:
    from trimpot.contract import FloatArray, Follower, Structure


@dataclass(frozen=True)
class State:
    """Positions (A) and velocities (A per ASE unit of time), (n, 3) each."""

    positions: FloatArray
    velocities: FloatArray


def masses_of(structure: Structure) -> FloatArray:
    """Return standard atomic masses in amu, (n, 1)."""
    masses: FloatArray = np.asarray(atomic_masses[structure.numbers], dtype=np.float64)
    return masses[:, None]


def thermal_velocities(
    structure: Structure, temperature_k: float, rng: np.random.Generator
) -> FloatArray:
    """Return random velocities at a temperature, at rest as a whole."""
    masses = masses_of(structure)
    spread = np.sqrt(units.kB * temperature_k / masses)
    velocities = spread * rng.normal(size=(len(structure), 3))
    drift = (masses * velocities).sum(axis=0) / masses.sum()
    moving: FloatArray = velocities - drift
    return moving


def run_verlet(
    follower: Follower, structure: Structure, start: State, timestep_fs: float, steps: int
) -> tuple[State, FloatArray]:
    """Return the last state, and the energy at every step less that of the first, eV.

    Returns
    -------
    State
    (steps + 1,) float64
        Differences are taken atom by atom, which keeps rounding errors small.
    """
    dt, masses = timestep_fs * units.fs, masses_of(structure)
    x, v = start.positions.copy(), start.velocities.copy()
    found = follower.evaluate(with_positions(structure, x))
    first, kinetic = found.energies.copy(), 0.5 * masses * v**2
    energies = np.zeros(steps + 1)
    for step in range(1, steps + 1):
        v = v + 0.5 * dt * found.forces / masses
        x = x + dt * v
        found = follower.evaluate(with_positions(structure, x))
        v = v + 0.5 * dt * found.forces / masses
        change = (found.energies - first).sum() + (0.5 * masses * v**2 - kinetic).sum()
        energies[step] = change
    return State(x, v), energies
