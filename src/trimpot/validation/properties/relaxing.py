"""Relaxation of ions at a fixed cell, with an end that is always told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from ase.constraints import FixedLine
from ase.neighborlist import neighbor_list
from ase.optimize import FIRE, LBFGS
from threadpoolctl import threadpool_limits

from trimpot.errors import NonFiniteResultError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ase import Atoms
    from ase.calculators.calculator import Calculator

FARTHEST_A = 4.0
"""Displacement after which a structure is no longer the one that was asked for."""

LONGEST_STEP_A = 0.1

LOOKED_A = 6.0
"""How far atoms look for their nearest neighbour."""


@dataclass(frozen=True)
class Relaxation:
    """The end of a relaxation.

    Attributes
    ----------
    atoms : ase.Atoms
        The last structure, without calculator.
    start, energy : float
        Energies of the first and the last structure, eV.
    force : float
        Largest force on an atom, eV/A.
    trouble : str or None
        Why this is no relaxed structure.
    """

    atoms: Atoms
    start: float
    energy: float
    force: float
    trouble: str | None


def relax_ions(atoms: Atoms, calculator: Calculator, fmax: float, steps: int) -> Relaxation:
    """Return the relaxed structure: by L-BFGS, and where that does not end, FIRE.

    Parameters
    ----------
    atoms
        The start; not modified.
    calculator
        Of the model.
    fmax
        Largest force that may be left, eV/A.
    steps
        Most steps of each of the two.

    Raises
    ------
    NonFiniteResultError
        If forces are NaN or infinite.
    """
    moved = atoms.copy()
    moved.calc = calculator
    start = float(moved.get_potential_energy())
    with threadpool_limits(1):
        for optimizer in (LBFGS, FIRE):
            relaxing = optimizer(moved, logfile=None, maxstep=LONGEST_STEP_A)  # type: ignore[arg-type]
            for _ in relaxing.irun(fmax=fmax, steps=steps):
                _check_finite(moved.positions)
                if _farthest(atoms, moved) > FARTHEST_A:
                    return _ended(moved, start, "atoms ran away from the structure")
            force = _largest(moved.get_forces())
            if force <= fmax:
                return _ended(moved, start, None)
    trouble = f"forces are {force:.2g} eV/A after {2 * steps} steps, expected {fmax:g}"
    return _ended(moved, start, trouble)


def _ended(moved: Atoms, start: float, trouble: str | None) -> Relaxation:
    energy = float(moved.get_potential_energy())
    force = _largest(moved.get_forces())
    atoms = moved.copy()
    return Relaxation(atoms, start, energy, force, trouble)


def _check_finite(positions: np.ndarray) -> None:
    if not np.isfinite(positions).all():
        raise NonFiniteResultError("forces are NaN or infinite in a relaxation")


def _largest(forces_nc: np.ndarray) -> float:
    return float(np.sqrt((forces_nc**2).sum(axis=1).max(initial=0.0)))


def _farthest(before: Atoms, after: Atoms) -> float:
    return _largest(after.positions - before.positions)


def energy_per_atom(atoms: Atoms, calculator: Calculator) -> float:
    """Return the energy per atom of a structure, eV."""
    atoms.calc = calculator
    energy = float(atoms.get_potential_energy()) / len(atoms)
    atoms.calc = None
    return energy


def shortest_distance(atoms: Atoms) -> float:
    """Return the shortest distance of two atoms, images included, angstrom; at most 6."""
    return float(neighbor_list("d", atoms, LOOKED_A).min(initial=LOOKED_A))


def lowest(ends: Sequence[Relaxation]) -> Relaxation:
    """Return the relaxed structure of lowest energy; if none has relaxed, the first."""
    relaxed = [end for end in ends if end.trouble is None]
    return min(relaxed, key=lambda end: end.energy) if relaxed else ends[0]


def around_vacancy(perfect: Atoms, site: int, inward: float) -> tuple[Atoms, Atoms]:
    """Return a crystal without an atom: ideal, and with its neighbours shifted inward.

    Parameters
    ----------
    perfect
        The crystal.
    site
        The atom that is taken out.
    inward
        Shift of the nearest neighbours, as a share of their distance.
    """
    to_others = perfect.get_distances(site, range(len(perfect)), mic=True, vector=True)
    away = np.linalg.norm(to_others, axis=1)
    away[site] = np.inf
    near = away < 1.05 * away.min()
    ideal, shifted = perfect.copy(), perfect.copy()
    shifted.positions[near] -= inward * to_others[near]
    del ideal[site], shifted[site]
    return ideal, shifted


def spread_apart(atoms: Atoms, shortest: float, sweeps: int = 200) -> None:
    """Move atoms apart, in place, until no two are nearer than a distance.

    Each pair that is too near moves apart by what it lacks, half of it each; done at most
    ``sweeps`` times.
    """
    for _ in range(sweeps):
        first, apart, away = neighbor_list("iDd", atoms, shortest * (1.0 - 1e-6))
        if len(first) == 0:
            return
        lack = (shortest - away) / np.maximum(away, 1e-6)
        np.add.at(atoms.positions, first, -0.5 * lack[:, None] * apart)


def relax_across(
    atoms: Atoms, calculator: Calculator, fmax: float, steps: int
) -> Relaxation:
    """Return the structure with atoms relaxed along z only, x and y fixed."""
    held = atoms.copy()
    held.set_constraint(FixedLine(list(range(len(held))), (0.0, 0.0, 1.0)))
    return relax_ions(held, calculator, fmax, steps)
