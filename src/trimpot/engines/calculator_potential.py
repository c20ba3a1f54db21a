# ruff: noqa: ARG002 - arguments that the contract asks for
"""Any ASE calculator as a potential that follows one moving structure."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NoReturn

import numpy as np
from ase import Atoms

from trimpot.contract import Evaluation
from trimpot.engines.ase import VOIGT_COLUMNS, VOIGT_ROWS
from trimpot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ase.calculators.calculator import Calculator as AseCalculator

    from trimpot.contract import FloatArray, Follower, Neighborhood, Precision, Structure


class CalculatorPotential:
    """What dynamics needs of a potential, from an ASE calculator.

    It takes structures with their cell, as dynamics has them; it has no neighbour lists, so
    ``evaluate`` refuses. Energies of atoms are those of the calculator, else equal shares.
    Without a stress it counts as not conservative, so that there is no pressure.

    Parameters
    ----------
    calculator
        Of ASE; not shared with anyone.
    species : sequence of int
        Atomic numbers that it knows.
    """

    cutoff = 0.0
    """Unknown, and not needed: the calculator finds its own neighbours."""

    def __init__(self, calculator: AseCalculator, species: Sequence[int]) -> None:
        self.calculator = calculator
        self.species = tuple(sorted(species))
        self.conservative = "stress" in calculator.implemented_properties

    def evaluate(self, neighborhood: Neighborhood, *, threads: int = 0) -> NoReturn:
        """Refuse: an ASE calculator takes structures.

        Raises
        ------
        InputError
            Always.
        """
        raise InputError(
            "found a list of neighbours for an ASE calculator, expected a structure: "
            "use follow(...).evaluate(structure)"
        )

    def follow(self, *, skin: float, threads: int, precision: Precision) -> Follower:
        """Return an evaluator of one moving structure; skin and threads change nothing.

        Raises
        ------
        InputError
            If the precision is not "double".
        """
        if precision != "double":
            raise InputError(
                f"precision is {precision!r}, but an ASE calculator decides itself in what "
                "it computes; leave precision out"
            )
        return _CalculatorFollower(self)


class _CalculatorFollower:
    """Asks the calculator about each structure."""

    builds = 0

    def __init__(self, potential: CalculatorPotential) -> None:
        self._potential = potential
        self._atoms = Atoms()
        self.seconds = {"list": 0.0, "kernels": 0.0}

    def evaluate(self, structure: Structure) -> Evaluation:
        """Return energies, forces and virial."""
        began = time.perf_counter()
        atoms = self._placed(structure)
        energies = self._energies(atoms)
        forces = np.array(atoms.get_forces(), dtype=np.float64)  # type: ignore[no-untyped-call]
        virial = self._virial(atoms)
        self.seconds["kernels"] += time.perf_counter() - began
        return Evaluation(energies, forces, virial, self._potential.conservative)

    def forces(self, structure: Structure) -> FloatArray:
        """Return the forces."""
        began = time.perf_counter()
        forces = np.array(self._placed(structure).get_forces(), dtype=np.float64)  # type: ignore[no-untyped-call]
        self.seconds["kernels"] += time.perf_counter() - began
        return forces

    def _placed(self, structure: Structure) -> Atoms:
        """Return the same Atoms at each call: calculators see what changed."""
        if not np.array_equal(self._atoms.numbers, structure.numbers):
            self._atoms = Atoms(structure.numbers)
            self._atoms.calc = self._potential.calculator
        if structure.charge:
            self._atoms.info["charge"] = structure.charge
        self._atoms.positions = structure.positions
        self._atoms.cell[:] = structure.cell
        self._atoms.pbc = structure.pbc
        return self._atoms

    def _energies(self, atoms: Atoms) -> FloatArray:
        if "energies" in self._potential.calculator.implemented_properties:
            return np.array(atoms.get_potential_energies(), dtype=np.float64)  # type: ignore[no-untyped-call]
        energy = float(atoms.get_potential_energy())  # type: ignore[no-untyped-call]
        return np.full(len(atoms), energy / len(atoms))

    def _virial(self, atoms: Atoms) -> FloatArray:
        """Return -dE/d(strain); zero where there is no cell to strain."""
        if not self._potential.conservative:
            return np.full((3, 3), np.nan)
        if not atoms.pbc.all():
            return np.zeros((3, 3))
        stress = np.empty((3, 3))
        voigt = np.asarray(atoms.get_stress())  # type: ignore[no-untyped-call]
        stress[VOIGT_ROWS, VOIGT_COLUMNS] = stress[VOIGT_COLUMNS, VOIGT_ROWS] = voigt
        return -float(atoms.get_volume()) * stress  # type: ignore[no-untyped-call]
