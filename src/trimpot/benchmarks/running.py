"""Velocity Verlet at constant energy in which only the force calls are timed."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from trimpot.benchmarks.states import ACCELERATION, State
from trimpot.errors import InputError

if TYPE_CHECKING:
    from trimpot.contract import Follower


@dataclass(frozen=True)
class RunSettings:
    """What all subjects of a comparison share.

    Attributes
    ----------
    steps, warmup : int
        Timed steps of one run, and steps before them.
    repeats : int
        Runs of each subject.
    skin : float
        Skin of the neighbour lists, angstrom.
    timestep_fs : float
        Time step in fs.
    """

    steps: int = 100
    warmup: int = 5
    repeats: int = 5
    skin: float = 1.0
    timestep_fs: float = 1.0

    def __post_init__(self) -> None:
        """Refuse settings that would measure nothing."""
        if self.steps < 1 or self.repeats < 1 or self.warmup < 0:
            raise InputError(
                f"steps {self.steps}, repeats {self.repeats} and warmup {self.warmup} "
                "cannot be timed; expected at least 1, 1 and 0"
            )


@dataclass(frozen=True)
class Timing:
    """What one run took, seconds per step.

    Attributes
    ----------
    list, kernels, other : float
        Upkeep of the neighbour list (checks, images, builds); energies, forces and
        virial; what the force call takes besides.
    builds : int
        Lists built within the timed steps.
    first_energy : float
        Potential energy of the first state, eV.
    memory : int or None
        Bytes that the force calls added to the process, if that was measured.
    """

    list: float
    kernels: float
    other: float
    builds: int
    first_energy: float
    memory: int | None = None

    @property
    def seconds(self) -> float:
        """Seconds per step of the force call with list upkeep."""
        return self.list + self.kernels + self.other


def run_nve(
    follower: Follower,
    state: State,
    *,
    steps: int,
    warmup: int = 0,
    timestep_fs: float = 1.0,
) -> tuple[State, Timing]:
    """Return the state after ``warmup + steps`` steps, and the time of the last ``steps``.

    Parameters
    ----------
    follower
        Called once at the start and once per step, there for forces only.
    state
        Where the run starts; not modified.
    steps, warmup
        Timed steps, and steps before them.
    timestep_fs
        Time step in fs.
    """
    structure, velocities = state.structure, state.velocities
    to_kick = 0.5 * timestep_fs * ACCELERATION / state.masses[:, None]
    first = follower.evaluate(structure)
    forces = first.forces
    whole, before = 0.0, _reading(follower)
    for step in range(-warmup, steps):
        if step == 0:
            whole, before = 0.0, _reading(follower)
        velocities = velocities + to_kick * forces
        positions = structure.positions + timestep_fs * velocities
        structure = replace(structure, positions=positions)
        start = time.perf_counter()
        forces = follower.forces(structure)
        whole += time.perf_counter() - start
        velocities = velocities + to_kick * forces
    spent = (_reading(follower) - before) / max(steps, 1)
    in_lists, in_kernels = float(spent[0]), float(spent[1])
    other = whole / max(steps, 1) - in_lists - in_kernels
    builds = round(float(spent[2]) * max(steps, 1))
    timing = Timing(in_lists, in_kernels, other, builds, first.energy)
    return State(structure, velocities), timing


def _reading(follower: Follower) -> np.ndarray:
    """Return the counters of a follower: seconds in lists and kernels, lists built."""
    seconds = follower.seconds
    return np.array([seconds["list"], seconds["kernels"], follower.builds])
