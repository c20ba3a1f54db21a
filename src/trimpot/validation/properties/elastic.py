"""Elastic constants by finite strain, ions relaxed, with Born's criterion of stability."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot.errors import InputError
from trimpot.units import GPA_PER_EV_PER_A3
from trimpot.validation.properties.case import silent
from trimpot.validation.properties.outcome import Outcome, Value, guarded
from trimpot.validation.properties.relaxing import relax_ions

if TYPE_CHECKING:
    from ase import Atoms
    from ase.calculators.calculator import Calculator

    from trimpot.contract import FloatArray
    from trimpot.validation.properties.case import Case, Report
    from trimpot.validation.subjects import Subject

VERSION = 1

VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))

CUBIC = {"C11": ((0, 0), (1, 1), (2, 2)), "C12": ((0, 1), (0, 2), (1, 2))} | {
    "C44": ((3, 3), (4, 4), (5, 5))
}

NOTED_GPA = 1.0
"""Asymmetry, residual stress or departure from cubic symmetry that is told."""


@dataclass(frozen=True)
class Settings:
    """How the crystal is strained.

    Attributes
    ----------
    strain : float
        Largest strain. It moves the constants (C11 of tungsten by about 14 GPa), so tables
        should state it; 0.01 in the published tungsten protocol.
    points : int
        Strains from -strain to strain, zero left out.
    fmax : float
        Forces left after relaxation of the ions, eV/A.
    steps : int
        Most steps of a relaxation.
    """

    strain: float = 0.01
    points: int = 5
    fmax: float = 1e-4
    steps: int = 300

    def __post_init__(self) -> None:
        if not 0.0 < self.strain <= 0.1 or self.points < 2:
            raise InputError(
                f"strain {self.strain} and points {self.points}, expected a strain in "
                "(0, 0.1] and at least 2 points"
            )


@guarded
def measure(
    subject: Subject, case: Case, settings: Settings, report: Report = silent
) -> Outcome:
    """Return the elastic constants in GPa, from slopes of stress over strain.

    Strains are symmetric, applied to the conventional cell at the lattice constant of the
    need ``lattice``; engineering shear. Values: ``C11``, ``C12``, ``C44`` of cubic phases
    (means over equivalent ones), all ``Cij`` of others; ``B`` (Voigt), ``lowest`` (lowest
    eigenvalue of the matrix). The crystal fails where that is not positive.
    """
    atoms = case.phase.conventional(case.a0)
    calculator = subject.calculator()
    matrix, residual, trouble = _matrix(atoms, calculator, settings, report)
    notes = [f"strain {settings.strain:g}", *trouble[:1]]
    asymmetry = float(np.abs(matrix - matrix.T).max())
    if asymmetry > NOTED_GPA:
        notes.append(f"Cij and Cji differ by up to {asymmetry:.2g} GPa")
    if residual > NOTED_GPA:
        notes.append(f"stress of the unstrained crystal is {residual:.2g} GPa")
    matrix = 0.5 * (matrix + matrix.T)
    values, departure = _named(matrix, cubic=case.phase.is_cubic)
    if departure > NOTED_GPA:
        notes.append(f"departs from cubic symmetry by up to {departure:.2g} GPa")
    failure = trouble[0] if trouble else None
    lowest = values["lowest"].value
    if not lowest > 0.0:
        failure = (
            f"the crystal is not stable (Born): lowest eigenvalue of Cij {lowest:.3g} GPa"
        )
    return Outcome(values, {}, asdict(settings), tuple(notes), failure)


def _matrix(
    atoms: Atoms, calculator: Calculator, settings: Settings, report: Report
) -> tuple[FloatArray, float, list[str]]:
    """Return Cij (6, 6), the largest stress without strain (GPa), and what went wrong."""
    at_rest, _ = _stress(atoms, calculator, settings)
    strains = np.linspace(-settings.strain, settings.strain, settings.points)
    strains = strains[np.abs(strains) > 1e-12]
    matrix, trouble = np.zeros((6, 6)), []
    for k, (i, j) in enumerate(VOIGT):
        stresses = []
        for strain in strains:
            tensor = np.zeros((3, 3))
            tensor[i, j] += 0.5 * strain
            tensor[j, i] += 0.5 * strain
            strained = atoms.copy()
            cell = atoms.cell.array @ (np.eye(3) + tensor)
            strained.set_cell(cell, scale_atoms=True)
            stress, failed = _stress(strained, calculator, settings)
            stresses.append(stress)
            trouble += [failed] if failed else []
        change = np.array(stresses) - np.mean(stresses, axis=0)
        about = strains - strains.mean()
        matrix[:, k] = about @ change / (about @ about)
        report((k + 1) / 6)
    return matrix, float(np.abs(at_rest).max()), trouble


def _stress(
    atoms: Atoms, calculator: Calculator, settings: Settings
) -> tuple[FloatArray, str | None]:
    """Return the stress (6,) in GPa with relaxed ions, and why they are not relaxed."""
    relaxed = relax_ions(atoms, calculator, settings.fmax, settings.steps)
    strained = relaxed.atoms
    strained.calc = calculator
    return strained.get_stress() * GPA_PER_EV_PER_A3, relaxed.trouble


def _named(matrix: FloatArray, *, cubic: bool) -> tuple[dict[str, Value], float]:
    """Return constants by name, and how far they are from the symmetry, GPa."""
    lowest = float(np.linalg.eigvalsh(matrix)[0])
    bulk = float(matrix[:3, :3].mean())
    values = {"B": Value(bulk, "GPa"), "lowest": Value(lowest, "GPa")}
    if not cubic:
        names = {
            f"C{i + 1}{j + 1}": Value(float(matrix[i, j]), "GPa")
            for i in range(6)
            for j in range(i, 6)
        }
        return names | values, 0.0
    means, ideal = {}, np.zeros((6, 6))
    for name, places in CUBIC.items():
        means[name] = Value(float(np.mean([matrix[p] for p in places])), "GPa")
        for i, j in places:
            ideal[i, j] = ideal[j, i] = means[name].value
    return means | values, float(np.abs(matrix - ideal).max())
