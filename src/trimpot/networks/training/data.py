"""What a training takes and gives."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from trimpot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trimpot.contract import FloatArray, Structure


class Watcher(Protocol):
    """Whoever follows a training."""

    def note(self, text: str) -> None:
        """Take one line of text about what was found or decided."""

    def progress(self, stage: str, done: int, total: int) -> None:
        """Take the progress of a stage; ``done == total`` ends it."""


@runtime_checkable
class LiveWatcher(Protocol):
    """A watcher that also shows the speed while a stage runs."""

    def live(self, stage: str, line: str, short: str) -> None:
        """Take the speed, as a line and in few letters."""


@dataclass(frozen=True)
class TrainingData:
    """Structures with labels, less isolated atoms and prior: what a network has to learn.

    Attributes
    ----------
    structures : tuple of Structure
        f frames.
    energies : (f,) float64
        Total energies in eV; NaN: no label.
    forces : tuple of (n, 3) float64 or None
        In eV/A.
    stresses : tuple of (3, 3) float64 or None
        In eV/A^3, tension positive.
    groups : tuple of str
        ``config_type`` of each frame.

    Raises
    ------
    InputError
        If lengths or shapes differ, a label is infinite, a frame has no atoms, or one
        with a stress has no volume.
    """

    structures: tuple[Structure, ...]
    energies: FloatArray
    forces: tuple[FloatArray | None, ...]
    stresses: tuple[FloatArray | None, ...]
    groups: tuple[str, ...]

    def __post_init__(self) -> None:
        parts = (self.structures, self.energies, self.forces, self.stresses, self.groups)
        if len({len(part) for part in parts}) != 1:
            raise InputError(
                f"found {', '.join(str(len(part)) for part in parts)} structures, "
                "energies, forces, stresses and groups, expected equally many"
            )
        for index in range(len(self)):
            problem = self._problem(index)
            if problem:
                raise InputError(f"frame {index}: {problem}")

    def __len__(self) -> int:
        return len(self.structures)

    def _problem(self, index: int) -> str:
        """Return what is wrong with a frame, or nothing."""
        structure, forces = self.structures[index], self.forces[index]
        stress, n = self.stresses[index], len(self.structures[index])
        if n == 0:
            return "found no atoms, expected one at least; leave it out"
        if np.isinf(self.energies[index]):
            return "found an infinite energy, expected a number, or NaN for none"
        if forces is not None and forces.shape != (n, 3):
            return f"found forces of shape {forces.shape}, expected ({n}, 3)"
        if forces is not None and not np.isfinite(forces).all():
            return "found forces that are not finite; correct them or give None"
        if stress is not None and stress.shape != (3, 3):
            return f"found a stress of shape {stress.shape}, expected (3, 3)"
        if stress is not None and not np.isfinite(stress).all():
            return "found a stress that is not finite; correct it or give None"
        if stress is not None and not structure.volume > 0.0:
            return "found a stress, but no volume; give it a cell or leave the stress out"
        return ""

    def virial(self, index: int) -> FloatArray | None:
        """Return -dE/d(strain) in eV, (3, 3), where a frame has a stress."""
        stress = self.stresses[index]
        return None if stress is None else -stress * self.structures[index].volume

    def digest(self) -> str:
        """Return the SHA-256 of all structures and labels."""
        digest = hashlib.sha256()
        for values in self._arrays():
            array = np.ascontiguousarray(values)
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            digest.update(array.tobytes())
        digest.update("\0".join(self.groups).encode())
        charges = [structure.charge for structure in self.structures]
        if any(charges):
            digest.update(f"charges {charges}".encode())
        return digest.hexdigest()

    def _arrays(self) -> Iterable[np.ndarray]:
        none = np.zeros(0)
        yield self.energies
        for structure in self.structures:
            yield from (structure.numbers, structure.positions)
            yield from (structure.cell, structure.pbc)
        for labels in (*self.forces, *self.stresses):
            yield none if labels is None else labels


@dataclass(frozen=True)
class TrainingResult:
    """A trained network.

    Attributes
    ----------
    state : dict of str to arrays
        Parameters and buffers of the network: moving averages at the best validation.
    mean_weight : float
        Mean sum of the weights of an atom's edges in the training frames.
    scale : float
        eV of a unit of the readout.
    history : list of dict
        A row per validation; see ``logs.COLUMNS``.
    epochs : float
        How often the training frames were seen.
    steps : int
        Steps of the optimizer.
    seconds : float
        Time that training took, over all resumed runs.
    """

    state: dict[str, np.ndarray]
    mean_weight: float
    scale: float
    history: list[dict[str, float]]
    epochs: float
    steps: int
    seconds: float
