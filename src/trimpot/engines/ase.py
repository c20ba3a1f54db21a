"""ASE: a calculator for any potential, and structures from ``ase.Atoms``."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator as AseCalculator
from ase.calculators.calculator import PropertyNotImplementedError, all_changes

from trimpot.contract import (
    NO_STRESS,
    Evaluation,
    GradedPotential,
    Precision,
    Structure,
    is_conservative,
)
from trimpot.engines.charges import total_charge
from trimpot.engines.following import follow
from trimpot.engines.singlepoint import (
    check_evaluation,
    check_forces,
    check_placement,
    check_species,
)
from trimpot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.contract import FloatArray, Grader, Potential, Uncertainty

VOIGT_ROWS = (0, 1, 2, 1, 0, 0)
VOIGT_COLUMNS = (0, 1, 2, 2, 2, 1)

NO_GRADES = (
    "this potential knows nothing of its training data, so it has no grades and "
    "uncertainties; train it with uncertainty: true, which is the default"
)


def has_stress(atoms: Atoms) -> bool:
    """Return whether the potential of a calculator, if that is ours, has a stress."""
    return not isinstance(atoms.calc, Calculator) or is_conservative(atoms.calc.potential)


def structure_from_atoms(atoms: Atoms) -> Structure:
    """Return a copy of atoms, cell, periodic directions and charge of ``ase.Atoms``.

    Raises
    ------
    InputError
        If ``atoms.info`` holds a total charge that is no whole number.
    """
    return Structure(
        numbers=np.array(atoms.numbers, dtype=np.int32),
        positions=np.array(atoms.positions, dtype=np.float64, order="C"),
        cell=np.array(atoms.cell.array, dtype=np.float64, order="C"),
        pbc=np.array(atoms.pbc, dtype=np.bool_),
        charge=total_charge(atoms),
    )


class Calculator(AseCalculator):
    """Energy, forces, stress and per-atom energies of any potential, for ASE.

    One call of the potential yields all properties; nothing is computed again until
    positions, cell, elements, periodic directions or the total charge change. The
    neighbour list has a skin of its own and is rebuilt only when an atom has moved by half
    of it. The total charge is ``atoms.info["charge"]`` (or ``total_charge``), in e.

    While ``forces_only`` is true, whoever asks for forces gets these alone, which is
    faster; another property of the same atoms then takes a call of its own.

    Use one calculator per thread; calculators may share a potential.

    Parameters
    ----------
    potential
        Any potential.
    skin : float
        Extra radius of the neighbour list in angstrom; only speed depends on it.
    threads : int
        Threads of one force call; 0 means all available cores.
    precision : {"double", "mixed"}
        Arithmetic of the kernels (docs/conventions.md); mixed is faster, and only spline
        potentials have it.

    Attributes
    ----------
    forces_only : bool
        False at first; may be changed at any time.

    Notes
    -----
    ``stress`` is (1/V) dE/d(strain) in eV/A^3, tension positive, Voigt order
    xx yy zz yz xz xy; structures without a three-dimensional cell have none and asking
    for it raises ``PropertyNotImplementedError``. ``free_energy`` equals ``energy``.

    Examples
    --------
    >>> atoms.calc = trimpot.Calculator(potential)  # doctest: +SKIP
    >>> atoms.get_potential_energy()  # doctest: +SKIP
    """

    name: ClassVar[str] = "trimpot"
    implemented_properties: list[str] = [  # noqa: RUF012 - ASE declares it so
        "energy",
        "free_energy",
        "energies",
        "forces",
        "stress",
    ]
    ignored_changes: set[str] = {"initial_charges", "initial_magmoms"}  # noqa: RUF012

    def __init__(
        self,
        potential: Potential,
        *,
        skin: float = 1.0,
        threads: int = 0,
        precision: Precision = "double",
    ) -> None:
        if not (np.isfinite(skin) and skin >= 0.0):
            raise InputError(f"skin is {skin} A, expected a number >= 0; 1.0 suits most MD")
        if threads < 0:
            raise InputError(
                f"threads is {threads}, expected >= 0 (0: all available cores)"
            )
        super().__init__()  # type: ignore[no-untyped-call]  # ASE has no types here
        self.potential = potential
        self.skin = float(skin)
        self.threads = threads
        self.precision = precision
        self.forces_only = False
        self._mirror = Atoms()
        self._grader: Grader | None = None
        self.renew()

    def renew(self) -> None:
        """Forget results and lists: the next call has the bits of a first call."""
        self.reset()  # type: ignore[no-untyped-call]
        self._follower = follow(
            self.potential,
            skin=self.skin,
            threads=self.threads,
            precision=self.precision,
        )

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = tuple(all_changes),
    ) -> None:
        """Fill ``results`` for these atoms; ASE calls this when something changed.

        Raises
        ------
        InputError
            Unknown element or charge, or positions or cell that are not finite.
        NonFiniteResultError
            NaN or infinity in the result; no results are kept.
        PropertyNotImplementedError
            Stress of a structure without a three-dimensional cell, or of a potential whose
            forces are not the gradient of its energy.
        """
        if atoms is None:
            raise InputError("calculator has no atoms; set atoms.calc or give atoms")
        structure = structure_from_atoms(atoms)
        volume = structure.volume
        if "stress" in properties and volume == 0.0:
            raise PropertyNotImplementedError(
                "stress needs a three-dimensional cell, found volume 0; set a cell"
            )
        if "stress" in properties and not is_conservative(self.potential):
            raise PropertyNotImplementedError(NO_STRESS)
        self.results = {}
        if "numbers" in system_changes:
            check_species(structure.numbers, self.potential.species)
        if self.forces_only and set(properties) <= {"forces"}:
            self.results = {"forces": self._forces(structure)}
        else:
            self.results = _results(self._evaluate(structure), volume)
        self._remember(structure)

    def _remember(self, structure: Structure) -> None:
        """Keep what results belong to; ASE compares it with the next atoms."""
        if len(self._mirror) != len(structure):
            self._mirror = Atoms(structure.numbers)
        mirror = self._mirror  # making Atoms anew costs as much as a force call
        mirror.arrays["numbers"] = structure.numbers
        mirror.arrays["positions"] = structure.positions
        mirror.cell[:] = structure.cell
        mirror.pbc = structure.pbc
        mirror.info = {"charge": structure.charge} if structure.charge else {}
        self.atoms = mirror

    def get_grades(self, atoms: Atoms | None = None) -> FloatArray:
        """Return the extrapolation grade of each atom, (n,) (docs/how-to/uncertainty.md).

        Raises
        ------
        PropertyNotImplementedError
            If the potential knows nothing of its training data.
        """
        structure = structure_from_atoms(self._these(atoms))
        check_species(structure.numbers, self.potential.species)
        if self._grader is None and isinstance(self.potential, GradedPotential):
            self._grader = self.potential.grader(threads=self.threads)
        if self._grader is None:
            raise PropertyNotImplementedError(NO_GRADES)
        return self._grader.grades(structure)

    def get_uncertainty(self, atoms: Atoms | None = None) -> Uncertainty:
        """Return standard deviations of energy, forces and stress, and grades.

        Raises
        ------
        PropertyNotImplementedError
            If the potential knows nothing of its training data.
        """
        structure = structure_from_atoms(self._these(atoms))
        check_species(structure.numbers, self.potential.species)
        found = (
            self.potential.uncertainties([structure], threads=self.threads)
            if isinstance(self.potential, GradedPotential)
            else None
        )
        if found is None:
            raise PropertyNotImplementedError(NO_GRADES)
        return found[0]

    def _these(self, atoms: Atoms | None) -> Atoms:
        these = self.atoms if atoms is None else atoms
        if not isinstance(these, Atoms):
            raise InputError("calculator has no atoms; give atoms")
        return these

    def check_state(self, atoms: Atoms, tol: float = 0.0) -> list[str]:
        """Return what changed since the last calculation; exact unless ``tol`` is given.

        ASE's own comparison costs more than a tenth of a force call of 2,000 atoms; an
        exact one is cheap and can only recompute more often.
        """
        if tol != 0.0:
            changes: list[str] = super().check_state(atoms, tol)  # type: ignore[no-untyped-call]
            return changes + self._recharged(atoms)
        then = self.atoms
        if then is None:
            return list(all_changes)
        changed = {
            "positions": not np.array_equal(atoms.positions, then.positions),
            "numbers": not np.array_equal(atoms.numbers, then.numbers),
            "cell": not np.array_equal(atoms.cell.array, then.cell.array),
            "pbc": not np.array_equal(atoms.pbc, then.pbc),
        }
        return [name for name, differs in changed.items() if differs] + self._recharged(
            atoms
        )

    def _recharged(self, atoms: Atoms) -> list[str]:
        """Return ``charge`` if the total charge is another one than before."""
        then = self.atoms
        differs = then is not None and total_charge(atoms) != total_charge(then)
        return ["charge"] if differs else []

    def _forces(self, structure: Structure) -> FloatArray:
        if len(structure) == 0:
            return np.zeros((0, 3))
        check_placement(structure)
        forces = self._follower.forces(structure)
        check_forces(forces, structure.numbers)
        return forces

    def _evaluate(self, structure: Structure) -> Evaluation:
        if len(structure) == 0:
            return Evaluation(np.zeros(0), np.zeros((0, 3)), np.zeros((3, 3)))
        check_placement(structure)
        evaluation = self._follower.evaluate(structure)
        check_evaluation(evaluation, structure.numbers)
        return evaluation

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        """Copy results but share the potential; the copy builds its own list."""
        twin = type(self)(
            self.potential,
            skin=self.skin,
            threads=self.threads,
            precision=self.precision,
        )
        twin.forces_only = self.forces_only
        twin.atoms = None if self.atoms is None else self.atoms.copy()
        twin.results = copy.deepcopy(self.results, memo)
        return twin


def _results(evaluation: Evaluation, volume: float) -> dict[str, float | FloatArray]:
    results: dict[str, float | FloatArray] = {
        "energy": evaluation.energy,
        "free_energy": evaluation.energy,
        "energies": evaluation.energies,
        "forces": evaluation.forces,
    }
    if volume > 0.0 and evaluation.conservative:
        results["stress"] = evaluation.stress(volume)[VOIGT_ROWS, VOIGT_COLUMNS]
    return results
