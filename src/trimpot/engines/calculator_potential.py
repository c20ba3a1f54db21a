"""Any ASE calculator as a potential, so that it can be checked like one of ours."""

from __future__ import annotations

import time
from functools import cached_property
from itertools import combinations_with_replacement
from threading import RLock
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms
from ase.calculators.calculator import PropertyNotImplementedError

from trimpot.contract import Evaluation, Structure
from trimpot.engines.periods import cell_of
from trimpot.engines.singlepoint import check_evaluation, check_species, symbol
from trimpot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ase.calculators.calculator import Calculator as AseCalculator

    from trimpot.contract import FloatArray, Follower, IntArray, Neighborhood, Precision

FARTHEST, NEAREST, STEP = 15.0, 0.5, 0.1
"""Where dimers are looked at for the cutoff, angstrom."""

SHARPNESS = 1e-10
"""To which the cutoff is found, over itself."""

VOIGT = np.array([[0, 5, 4], [5, 1, 3], [4, 3, 2]])


class CalculatorPotential:
    """An ASE calculator that keeps the contract of a potential.

    A neighbourhood has no cell; the calculator gets one with the same neighbours. What the
    calculator does not tell is made up in a way that shows in no sum: where it has no
    energies of atoms, each has that of an isolated atom and its share of the rest. Without
    a stress it is not ``conservative``, which is what has a virial.

    Parameters
    ----------
    calculator
        Makes a new calculator.
    species
        Atomic numbers that it knows.
    cutoff
        Farthest distance at which two atoms interact, angstrom; None: looked for with
        dimers; 0: unknown, for dynamics, which hands over structures with their cells.
    """

    gradient = True
    """Forces are taken for a gradient, and checked for it, also without a stress."""

    def __init__(
        self,
        calculator: Callable[[], AseCalculator],
        species: Sequence[int],
        cutoff: float | None = None,
    ) -> None:
        self.species = tuple(sorted(species))
        self._make = calculator
        self._given = cutoff
        self._lock = RLock()  # calculators are not for several threads

    @cached_property
    def cutoff(self) -> float:
        """Farthest distance at which two atoms interact, angstrom.

        Raises
        ------
        InputError
            If they do at 15 A, which is farther than is looked, or nowhere.
        """
        if self._given is not None:
            return self._given
        pairs = combinations_with_replacement(self.species, 2)
        found = max(self._reach(a, b) for a, b in pairs)
        if found == 0.0:
            raise InputError(
                f"no two atoms of {', '.join(map(symbol, self.species))} interact at "
                f"{NEAREST} to {FARTHEST} A; give the cutoff of this calculator"
            )
        return found

    @cached_property
    def conservative(self) -> bool:
        """Whether there is a stress."""
        return "stress" in self._calculator.implemented_properties

    @cached_property
    def _calculator(self) -> AseCalculator:
        return self._make()

    @cached_property
    def _isolated(self) -> dict[int, float]:
        alone, nowhere = np.zeros((1, 3)), np.zeros(3, dtype=np.bool_)
        return {
            z: self._computed(Atoms([z], alone, cell=np.eye(3), pbc=nowhere))[0]
            for z in self.species
        }

    def evaluate(self, neighborhood: Neighborhood, *, threads: int = 0) -> Evaluation:
        """Return energies, forces and virial; the calculator has its own threads.

        Raises
        ------
        InputError
            For an element that it does not know.
        NonFiniteResultError
            For NaN or infinity. Whatever the calculator raises comes through.
        """
        del threads
        n = neighborhood.n_local
        cell, pbc = cell_of(neighborhood)
        numbers, positions = neighborhood.numbers[:n], neighborhood.positions[:n]
        return self._evaluation(
            Structure(numbers, positions, cell, pbc, neighborhood.charge)
        )

    def evaluate_many(
        self, structures: Sequence[Structure], *, threads: int = 0
    ) -> list[Evaluation]:
        """Return one evaluation per structure, which the calculator gets as it is."""
        del threads
        return [self._evaluation(structure) for structure in structures]

    def follow(self, *, skin: float, threads: int, precision: Precision) -> Follower:
        """Return an evaluator of one moving structure; the calculator keeps its own lists.

        Raises
        ------
        InputError
            For another precision than double.
        """
        del skin, threads
        if precision != "double":
            raise InputError(
                f"precision is {precision!r}, but a calculator computes as it does; leave "
                "precision out"
            )
        return CalculatorFollower(self)

    def forces(self, structure: Structure) -> FloatArray:
        """Return the forces (n, 3) on a structure, which the calculator gets as it is."""
        return self._computed(self._atoms(structure))[1]

    def _atoms(self, structure: Structure) -> Atoms:
        check_species(structure.numbers, self.species)
        atoms = Atoms(
            structure.numbers, structure.positions, cell=structure.cell, pbc=structure.pbc
        )
        if structure.charge:
            atoms.info["charge"] = structure.charge
        return atoms

    def _evaluation(self, structure: Structure) -> Evaluation:
        numbers = structure.numbers
        atoms = self._atoms(structure)
        if len(atoms) == 0:
            return Evaluation(np.zeros(0), np.zeros((0, 3)), np.zeros((3, 3)))
        with self._lock:
            energy, forces, per_atom = self._computed(atoms)
            virial = self._virial(atoms, forces)
        if per_atom is None:
            per_atom = self._shares(energy, numbers)
        found = Evaluation(per_atom, forces, virial, self.conservative)
        check_evaluation(found, numbers)
        return found

    def _shares(self, energy: float, numbers: IntArray) -> FloatArray:
        """Return energies of atoms: those of isolated ones, and equal parts of the rest."""
        if np.ptp(numbers) == 0:
            return np.full(len(numbers), energy / len(numbers))
        alone = np.array([self._isolated[int(z)] for z in numbers])
        shares: FloatArray = alone + (energy - alone.sum()) / len(numbers)
        return shares

    def _computed(self, atoms: Atoms) -> tuple[float, FloatArray, FloatArray | None]:
        """Return energy, forces and, where the calculator has them, energies of atoms."""
        with self._lock:
            atoms.calc = self._calculator
            energy = float(atoms.get_potential_energy())  # type: ignore[no-untyped-call]
            forces = np.array(atoms.get_forces(), dtype=np.float64)  # type: ignore[no-untyped-call]
            found = self._calculator.results.get("energies")
        if found is None or abs(float(np.sum(found)) - energy) > 1e-9 * len(atoms):
            return energy, forces, None
        return energy, forces, np.array(found, dtype=np.float64)

    def _virial(self, atoms: Atoms, forces: FloatArray) -> FloatArray:
        """Return the virial (3, 3) in eV: of a cluster the sum of F r.

        Where there are periods, that of the stress, with vacuum in the other directions.
        """
        if not self.conservative:
            return np.full((3, 3), np.nan)
        if not atoms.pbc.any():
            alone: FloatArray = forces.T @ atoms.positions
            return alone
        if not atoms.pbc.all():
            atoms = self._boxed(atoms)
        atoms.calc = self._calculator
        try:
            stress = np.asarray(atoms.get_stress())  # type: ignore[no-untyped-call]
        except PropertyNotImplementedError as error:
            raise InputError(
                f"this calculator says it has a stress, but: {error}"
            ) from error
        virial: FloatArray = -stress[VOIGT] * atoms.get_volume()  # type: ignore[no-untyped-call]
        return virial

    def _boxed(self, atoms: Atoms) -> Atoms:
        boxed: Atoms = atoms.copy()  # type: ignore[no-untyped-call]
        cell = atoms.cell.array.copy()
        cell[~atoms.pbc] = 0.0
        whole = np.array(boxed.cell.new(cell).complete().array)
        for k in np.flatnonzero(~atoms.pbc):
            along = atoms.positions @ whole[k]
            whole[k] *= float(np.ptp(along)) + 2.0 * (self.cutoff or FARTHEST)
        boxed.set_cell(whole)  # type: ignore[no-untyped-call]
        boxed.pbc = True
        return boxed

    def _reach(self, a: int, b: int) -> float:
        """Return the distance beyond which two atoms have no force; 0: they never have."""
        if self._pulled(a, b, FARTHEST):
            raise InputError(
                f"{symbol(a)} and {symbol(b)} interact at {FARTHEST} A; give the cutoff of "
                "this calculator, which cannot be found"
            )
        steps = np.arange(FARTHEST, NEAREST - 0.5 * STEP, -STEP)
        first = next((r for r in steps if self._pulled(a, b, r)), None)
        if first is None:
            return 0.0
        low, high = float(first), float(first) + STEP
        while high - low > SHARPNESS * high:
            middle = 0.5 * (low + high)
            low, high = (middle, high) if self._pulled(a, b, middle) else (low, middle)
        return high

    def _pulled(self, a: int, b: int, r: float) -> bool:
        dimer = Atoms([a, b], [[0.0, 0.0, 0.0], [r, 0.0, 0.0]])
        return bool(self._computed(dimer)[1].any())


class CalculatorFollower:
    """A calculator that follows a moving structure."""

    builds = 0

    def __init__(self, potential: CalculatorPotential) -> None:
        self.potential = potential
        self.seconds = {"list": 0.0, "kernels": 0.0}

    def evaluate(self, structure: Structure) -> Evaluation:
        """Return energies, forces and virial."""
        start = time.perf_counter()
        (found,) = self.potential.evaluate_many([structure])
        self.seconds["kernels"] += time.perf_counter() - start
        return found

    def forces(self, structure: Structure) -> FloatArray:
        """Return the forces."""
        start = time.perf_counter()
        found = self.potential.forces(structure)
        self.seconds["kernels"] += time.perf_counter() - start
        return found
