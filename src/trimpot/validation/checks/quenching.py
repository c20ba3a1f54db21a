"""The way down to a minimum, so that samples are what a potential takes for matter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trimpot.engines.following import follow
from trimpot.validation.transform import with_positions

if TYPE_CHECKING:
    from trimpot.contract import Potential, Structure

STEPS, MOVE, PULL = 200, 0.05, 0.01
"""Steps, the largest move of a coordinate in one (angstrom), and angstrom per eV/A."""


def quenched(potential: Potential, structure: Structure) -> Structure:
    """Return the structure near a minimum of its energy, in the same cell.

    Damped: velocities against the force are dropped. Where that fails or the energy does
    not fall, because forces are wrong, the structure itself.
    """
    follower = follow(potential, threads=1)
    moving, velocities = structure, np.zeros_like(structure.positions)
    try:
        first = follower.evaluate(structure).energy
        for _ in range(STEPS):
            forces = follower.evaluate(moving).forces
            velocities = np.where(velocities * forces > 0.0, velocities, 0.0)
            velocities += PULL * forces
            move = np.clip(velocities, -MOVE, MOVE)
            moving = with_positions(moving, moving.positions + move)
        last = follower.evaluate(moving).energy
    except Exception:  # noqa: BLE001 - what it raises is judged later, check by check
        return structure
    return moving if last < first else structure
