"""Dynamics of a network at constant energy: what is lost follows the step squared.

A force that is not the gradient of the energy leaves a part that no step makes smaller.
"""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need PyTorch")

from mlanet_samples import SPECIES, potential_of  # noqa: E402
from network_samples import core  # noqa: E402
from trimpot.contract import Structure  # noqa: E402
from trimpot.engines.following import follow  # noqa: E402

torch.set_num_threads(1)

CASE = "l 2, order 3, all poolings"
SPACING, TIME = 2.6, 12.0
MASSES = np.array([28.0, 184.0])
SPEED = 0.02
"""Angstrom per unit of time sqrt(u A^2 / eV) = 10.2 fs, of the lighter atoms."""


def crystal():
    """Rock salt of 8 atoms, a little rattled."""
    grid = np.array(list(np.ndindex(2, 2, 2)))
    numbers = np.array(SPECIES, np.int32)[grid.sum(axis=1) % 2]
    rattle = 0.02 * np.random.default_rng(2).normal(size=grid.shape)
    cell = 2.0 * SPACING * np.eye(3)
    return Structure(numbers, SPACING * grid + rattle, cell, np.ones(3, bool))


def energies(follower, structure, step, n_steps):
    """Total energies of velocity Verlet, (n_steps,)."""
    masses = MASSES[np.searchsorted(SPECIES, structure.numbers)][:, None]
    velocities = SPEED * np.random.default_rng(3).normal(size=(len(masses), 3))
    velocities *= np.sqrt(MASSES[0] / masses)
    found, totals = follower.evaluate(structure), []
    for _ in range(n_steps):
        velocities = velocities + 0.5 * step * found.forces / masses
        x = structure.positions + step * velocities
        structure = Structure(structure.numbers, x, structure.cell, structure.pbc)
        found = follower.evaluate(structure)
        velocities = velocities + 0.5 * step * found.forces / masses
        totals.append(found.energy + 0.5 * float((masses * velocities**2).sum()))
    return np.array(totals)


def relaxed(follower, structure):
    """The structure after steps downhill, none longer than 0.05 angstrom."""
    for _ in range(150):
        forces = follower.evaluate(structure).forces
        longest = np.linalg.norm(forces, axis=1).max()
        x = structure.positions + min(0.02, 0.05 / longest) * forces
        structure = Structure(structure.numbers, x, structure.cell, structure.pbc)
    return structure


def follower_of(precision):
    potential = potential_of(CASE, prior=core(outer=2.2))
    return follow(potential, skin=0.6, threads=1, precision=precision)


def test_energy_is_conserved_to_the_square_of_the_step():
    follower = follower_of("double")
    start, ranges = relaxed(follower, crystal()), []
    for step in (0.1, 0.05):
        totals = energies(follower, start, step, round(TIME / step))
        ranges.append(np.ptp(totals))
    assert ranges[0] > 3e-5, "nothing moves"
    assert ranges[0] / ranges[1] == pytest.approx(4.0, abs=0.4)


def test_mixed_precision_conserves_energy_as_double_does():
    start = relaxed(follower_of("double"), crystal())
    exact, near = (
        energies(follower_of(precision), start, 0.1, round(TIME / 0.1))
        for precision in ("double", "mixed")
    )
    assert np.ptp(near - exact) < 5e-5
