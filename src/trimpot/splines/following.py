"""A moving structure evaluated by the native core, lists and kernels in one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from trimpot import _native
from trimpot.contract import Evaluation, Structure
from trimpot.errors import InputError
from trimpot.neighbors.arrays import native_structure, same_numbers
from trimpot.neighbors.verlet import cell_deformation
from trimpot.splines.finite import require_finite
from trimpot.splines.packing import species_indices
from trimpot.threads import thread_count

if TYPE_CHECKING:
    from trimpot.contract import FloatArray, Precision
    from trimpot.splines.potential import SplinePotential


class SplineFollower:
    """Energies, forces and virial of a structure that moves; see ``contract.Follower``.

    Lists have a skin and are built again when an atom may have moved too far for them
    (``neighbors.VerletList`` gives the bound). The same input gives the same result, to
    the last bit, for any number of threads.

    Parameters
    ----------
    potential
        The potential; its coefficients are used as they are now.
    skin : float
        Extra radius of the lists in angstrom.
    threads : int
        Threads; 0 means all available cores.
    precision : {"double", "mixed"}
        "mixed": single arithmetic on positions relative to a block of 500 to 1000
        atoms, sums over atoms in double (docs/conventions.md states the error).
    """

    def __init__(
        self,
        potential: SplinePotential,
        *,
        skin: float,
        threads: int,
        precision: Precision,
    ) -> None:
        if not (np.isfinite(skin) and skin >= 0.0):
            raise InputError(f"skin is {skin} A, expected a finite number >= 0")
        self.potential = potential
        self.precision = precision
        self.builds = 0
        self.seconds = {"list": 0.0, "kernels": 0.0}
        self._native = _native.Follower(
            potential.native_terms,
            potential.cutoff,
            float(skin),
            precision == "mixed",
            thread_count(threads),
        )
        self._built: Structure | None = None

    @property
    def bytes(self) -> int:
        """Memory of lists and buffers."""
        return self._native.bytes

    def evaluate(self, structure: Structure) -> Evaluation:
        """Return energies, forces and virial.

        Raises
        ------
        InputError
            As ``neighbors.neighborhood``, and for an element outside the potential.
        NonFiniteResultError
            For NaN or infinity in the result.
        """
        start = time.perf_counter()
        now, age = self._prepared(structure)
        middle = time.perf_counter()
        n = len(now)
        energies, forces, virial = np.empty(n), np.empty((n, 3)), np.empty(9)
        found = energies, forces, virial
        if not self._native.evaluate(now.positions, now.cell, age, *found):
            require_finite(now.numbers, energies, forces)
        self._count(start, middle)
        return Evaluation(energies, forces, virial.reshape(3, 3))

    def forces(self, structure: Structure) -> FloatArray:
        """Return the forces, (n, 3) in eV/A, without energies and virial.

        Raises
        ------
        InputError, NonFiniteResultError
            As ``evaluate``.
        """
        start = time.perf_counter()
        now, age = self._prepared(structure)
        middle = time.perf_counter()
        forces = np.empty((len(now), 3))
        if not self._native.forces(now.positions, now.cell, age, forces):
            require_finite(now.numbers, np.zeros(len(now)), forces)
        self._count(start, middle)
        return forces

    def _prepared(self, structure: Structure) -> tuple[Structure, int]:
        """Return the structure as the core takes it, and the age of lists that hold."""
        now = native_structure(structure)
        age = self._age(now)
        if age < 0:
            self._build(now)
            age = 0
        return now, age

    def _count(self, start: float, middle: float) -> None:
        self.seconds["list"] += middle - start
        self.seconds["kernels"] += time.perf_counter() - middle

    def _age(self, now: Structure) -> int:
        """Return how old the lists are in steps of the core; -1 if they do not hold."""
        then = self._built
        if then is None or not (
            same_numbers(now.numbers, then.numbers) and same_numbers(now.pbc, then.pbc)
        ):
            return -1
        deformation, smallest = cell_deformation(then, now)
        return self._native.age(now.positions, deformation, smallest)

    def _build(self, now: Structure) -> None:
        species = species_indices(now.numbers, self.potential.species)
        self._built = None
        try:
            self._native.build(now.positions, species, now.cell, now.pbc)
        except ValueError as error:
            raise InputError(str(error)) from error
        self._built = Structure(
            now.numbers.copy(), now.positions[:0], now.cell.copy(), now.pbc.copy()
        )
        self.builds += 1
