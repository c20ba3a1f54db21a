"""Forces and stress beside finite differences of the energy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trimpot.engines.singlepoint import evaluate, symbol
from trimpot.errors import InputError
from trimpot.validation.check import Check
from trimpot.validation.transform import deformed, with_positions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trimpot.contract import FloatArray, Potential, Structure

FORCE_BOUND = 1e-7
STRESS_BOUND = 1e-8
DEFAULT_STEP = 1e-4
"""Angstrom; wider stencils would cross knots of splines."""


def five_point_slope(energies_at: Callable[[float], FloatArray], step: float) -> float:
    """Return dE/dx at 0 by the five-point stencil, error of order step^4.

    ``energies_at(x)`` returns per-atom energies: they are subtracted atom by atom before
    they are summed, which keeps rounding errors far below those of total energies.
    """
    near = energies_at(step) - energies_at(-step)
    far = energies_at(2.0 * step) - energies_at(-2.0 * step)
    return float((8.0 * near - far).sum() / (12.0 * step))


def check_forces(
    potential: Potential,
    structure: Structure,
    *,
    step: float = DEFAULT_STEP,
    atoms: Sequence[int] | None = None,
    bound: float = FORCE_BOUND,
) -> Check:
    """Compare every force component of the chosen atoms (default all) with -dE/dx.

    Parameters
    ----------
    step : float
        Step of the five-point stencil in angstrom.
    atoms : sequence of int, optional
        Atoms to move; each costs 12 evaluations.
    bound : float
        Largest deviation that passes, eV/A.
    """
    _check_step(step)
    forces = evaluate(potential, structure, threads=1).forces
    chosen = range(len(structure)) if atoms is None else atoms
    worst, where = 0.0, "no atoms"
    for atom in chosen:
        for axis in range(3):
            slope = _force_slope(potential, structure, atom, axis, step)
            error = abs(forces[atom, axis] + slope)
            if not error <= worst:
                worst = float(error)
                where = f"atom {atom} {symbol(int(structure.numbers[atom]))} {'xyz'[axis]}"
    return Check("forces = -dE/dx", worst, bound, "eV/A", where)


def check_stress(
    potential: Potential,
    structure: Structure,
    *,
    step: float = DEFAULT_STEP,
    bound: float = STRESS_BOUND,
) -> Check:
    """Compare all nine components of (1/V) dE/d(deformation gradient) with the stress.

    Parameters
    ----------
    step : float
        Change in angstrom of the longest interaction; the strain is step / cutoff.
    bound : float
        Largest deviation that passes, eV/A^3.

    Raises
    ------
    InputError
        If the structure has no volume.
    """
    _check_step(step)
    stress = evaluate(potential, structure, threads=1).stress(structure.volume)
    strain = step / potential.cutoff
    worst, where = 0.0, ""
    for row in range(3):
        for column in range(3):
            slope = _strain_slope(potential, structure, row, column, strain)
            error = abs(stress[row, column] - slope / structure.volume)
            if not error <= worst:
                worst, where = float(error), "xyz"[row] + "xyz"[column]
    return Check("stress = (1/V) dE/d(strain)", worst, bound, "eV/A^3", where)


def _force_slope(
    potential: Potential, structure: Structure, atom: int, axis: int, step: float
) -> float:
    def energies_at(shift: float) -> FloatArray:
        positions = structure.positions.copy()
        positions[atom, axis] += shift
        return evaluate(potential, with_positions(structure, positions), threads=1).energies

    return five_point_slope(energies_at, step)


def _strain_slope(
    potential: Potential, structure: Structure, row: int, column: int, step: float
) -> float:
    def energies_at(strain: float) -> FloatArray:
        gradient = np.eye(3)
        gradient[row, column] += strain
        return evaluate(potential, deformed(structure, gradient), threads=1).energies

    return five_point_slope(energies_at, step)


def _check_step(step: float) -> None:
    if not 0.0 < step < 0.1:
        raise InputError(
            f"finite-difference step is {step} A, expected a step in (0, 0.1); 1e-4 suits"
        )
