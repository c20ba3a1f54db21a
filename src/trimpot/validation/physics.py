"""All physical checks of one structure, as ``trimpot validate`` and tests run them."""

from __future__ import annotations

from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

import numpy as np

from trimpot.contract import is_conservative
from trimpot.validation.derivatives import check_forces, check_stress
from trimpot.validation.scans import (
    TRIMER_ANGLES_DEGREES,
    check_repulsion,
    dimer_scan,
    trimer_scan,
)
from trimpot.validation.smoothness import check_cutoff_crossing
from trimpot.validation.symmetry import (
    check_cell_choice,
    check_extensivity,
    check_net_force,
    check_permutation,
    check_rotation,
    check_translation,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.contract import Potential, Structure
    from trimpot.validation.check import Check

FINITE_DIFFERENCE_ATOMS = 8
SCAN_START = 0.2
SCAN_STEP = 0.02


def structure_checks(
    potential: Potential, structure: Structure, rng: np.random.Generator
) -> tuple[Check, ...]:
    """Return derivative, symmetry and extensivity checks on one structure.

    Finite differences move at most eight atoms, drawn with ``rng``.
    """
    count = min(FINITE_DIFFERENCE_ATOMS, len(structure))
    moved = rng.permutation(len(structure))[:count].tolist()
    conservative = is_conservative(potential)
    checks = [check_forces(potential, structure, atoms=moved)] if conservative else []
    if structure.volume > 0.0 and conservative:
        checks.append(check_stress(potential, structure))
    checks += check_net_force(potential, structure)
    checks += check_rotation(potential, structure, rng)
    checks += check_translation(potential, structure, rng)
    checks += check_permutation(potential, structure, rng)
    if structure.pbc.any():
        checks += check_cell_choice(potential, structure, rng)
        checks += check_extensivity(potential, structure)
    return tuple(checks)


def potential_checks(
    potential: Potential, *, repulsive_below: float, radii: Sequence[float] | None = None
) -> tuple[Check, ...]:
    """Return cutoff crossings and repulsion of every pair and trio of elements.

    Parameters
    ----------
    repulsive_below : float
        Bonds shorter than this (angstrom) must repel; the shortest distance of the
        training data is a good choice.
    radii
        Every cutoff of the potential in angstrom; default its largest.
    """
    r = np.arange(SCAN_START, repulsive_below, SCAN_STEP)
    checks = [
        check_repulsion(dimer_scan(potential, *pair, r), repulsive_below)
        for pair in combinations_with_replacement(potential.species, 2)
    ]
    for centre in potential.species:
        for first, second in combinations_with_replacement(potential.species, 2):
            trio = (centre, first, second)
            checks += check_cutoff_crossing(potential, trio, radii=radii)
            for geometry in TRIMER_ANGLES_DEGREES:
                scan = trimer_scan(potential, trio, r, geometry=geometry)
                checks.append(check_repulsion(scan, repulsive_below))
    return tuple(checks)
