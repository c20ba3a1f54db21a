"""Thermal starting states: from a crystal of the potential's elements, or from a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot.benchmarks.crystals import ATOMS_OF_BLOCK, default_crystal
from trimpot.benchmarks.running import run_nve
from trimpot.benchmarks.states import State, thermal
from trimpot.engines.following import follow

if TYPE_CHECKING:
    from trimpot.contract import Potential, Structure

TEMPERATURE_K = 300.0
EQUILIBRATION_STEPS = 150
SEED = 7


@dataclass(frozen=True)
class Start:
    """A state and where it comes from, in words."""

    state: State
    description: str


def start_from_crystal(
    potential: Potential,
    n_atoms: int,
    *,
    temperature_k: float = TEMPERATURE_K,
    timestep_fs: float = 1.0,
) -> Start:
    """Return a crystal of about ``n_atoms`` atoms at about this temperature.

    A block of at most about 3,000 atoms is brought to temperature and repeated.
    """
    crystal = default_crystal(potential, n_atoms, np.random.default_rng(SEED))
    block = equilibrated(potential, crystal.structure, temperature_k, timestep_fs)
    state = block.repeated((crystal.copies,) * 3)
    return Start(state, f"{crystal.description}, {state.temperature_k:.0f} K")


def start_from_structure(
    potential: Potential,
    structure: Structure,
    n_atoms: int | None = None,
    *,
    temperature_k: float = TEMPERATURE_K,
    timestep_fs: float = 1.0,
) -> Start:
    """Return a given structure at about this temperature, repeated to ``n_atoms`` or more.

    Only periodic directions are repeated, the shortest edge first. A block of about 2,000
    atoms is brought to temperature and repeated.
    """
    wanted = n_atoms or len(structure)
    still = State(structure, np.zeros((len(structure), 3)))
    block = still.repeated(_repeats(structure, min(wanted, ATOMS_OF_BLOCK)))
    warm = equilibrated(potential, block.structure, temperature_k, timestep_fs)
    state = warm.repeated(_repeats(warm.structure, wanted))
    copies = len(state) // len(structure)
    return Start(
        state, f"given structure, {copies} times its cell, {state.temperature_k:.0f} K"
    )


def equilibrated(
    potential: Potential, structure: Structure, temperature_k: float, timestep_fs: float
) -> State:
    """Return a state near this temperature after a short run.

    Velocities are drawn at twice the temperature: a perfect crystal keeps half of the
    kinetic energy and turns the rest into displacements.
    """
    hot = thermal(structure, 2.0 * temperature_k, np.random.default_rng(SEED))
    state, _ = run_nve(
        follow(potential), hot, steps=EQUILIBRATION_STEPS, timestep_fs=timestep_fs
    )
    return state


def timestep_for(structure: Structure) -> float:
    """Return a time step in fs: 1, or 0.25 where hydrogen moves."""
    return 0.25 if (structure.numbers == 1).any() else 1.0


def _repeats(structure: Structure, n_atoms: int) -> tuple[int, int, int]:
    repeats = np.ones(3, dtype=int)
    edges = np.linalg.norm(structure.cell, axis=1)
    edges[~structure.pbc] = np.inf
    while structure.pbc.any() and len(structure) * repeats.prod() < n_atoms:
        repeats[np.argmin(edges * repeats)] += 1
    return int(repeats[0]), int(repeats[1]), int(repeats[2])
