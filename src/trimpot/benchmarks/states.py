"""Where a run starts: positions and velocities, made larger by repetition."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from ase import units
from ase.data import atomic_masses

from trimpot.contract import Structure
from trimpot.engines.md_velocities import at_rest, temperature_k

if TYPE_CHECKING:
    from pathlib import Path

    from trimpot.contract import FloatArray

ACCELERATION = units.fs**2
"""1 eV/A/amu in A/fs^2: ASE's unit of time is the one in which this number is 1."""


@dataclass(frozen=True)
class State:
    """Atoms that move.

    Attributes
    ----------
    structure : Structure
        Atoms, cell, periodic directions.
    velocities : (n, 3) float64
        In A/fs.
    """

    structure: Structure
    velocities: FloatArray

    def __len__(self) -> int:
        return len(self.structure)

    @property
    def masses(self) -> FloatArray:
        """Standard atomic masses, (n,), amu."""
        return np.asarray(atomic_masses[self.structure.numbers], dtype=np.float64)

    @property
    def temperature_k(self) -> float:
        """Kinetic temperature, 3n - 3 degrees of freedom."""
        twice = (self.masses[:, None] * self.velocities**2).sum() / ACCELERATION
        return temperature_k(0.5 * float(twice), max(2, len(self)))

    def repeated(self, repeats: tuple[int, int, int]) -> State:
        """Return this state beside copies of itself along its lattice vectors."""
        steps = np.indices(repeats).reshape(3, -1).T
        shifts = steps @ self.structure.cell
        copies = len(steps)
        structure = Structure(
            numbers=np.tile(self.structure.numbers, copies),
            positions=(shifts[:, None] + self.structure.positions).reshape(-1, 3),
            cell=self.structure.cell * np.array(repeats)[:, None],
            pbc=self.structure.pbc,
            charge=self.structure.charge * copies,
        )
        return State(structure, np.tile(self.velocities, (copies, 1)))


def thermal(
    structure: Structure, temperature: float, generator: np.random.Generator
) -> State:
    """Return a state with Maxwell velocities of this temperature, K; at rest as a whole."""
    still = State(structure, np.zeros((len(structure), 3)))
    masses = still.masses[:, None]
    width = np.sqrt(temperature * units.kB * ACCELERATION / masses)
    drawn = generator.normal(size=(len(structure), 3)) * width
    return replace(still, velocities=at_rest(masses * drawn, still.masses) / masses)


def save_state(state: State, path: Path) -> None:
    """Write a state for another process."""
    s = state.structure
    np.savez(
        path,
        numbers=s.numbers,
        positions=s.positions,
        cell=s.cell,
        pbc=s.pbc,
        charge=s.charge,
        velocities=state.velocities,
    )


def load_state(path: Path) -> State:
    """Read what ``save_state`` wrote."""
    with np.load(path, allow_pickle=False) as kept:
        structure = Structure(
            kept["numbers"],
            kept["positions"],
            kept["cell"],
            kept["pbc"],
            int(kept["charge"]),
        )
        return State(structure, kept["velocities"])
