"""Forces and stress are derivatives of the energy, term by term."""

import numpy as np
import pytest

from spline_samples import (
    KINDS,
    OTHER_SPACING,
    SPECIES,
    UNIFORM,
    random_potential,
    scattered,
)
from trimpot.validation.derivatives import check_forces, check_stress
from trimpot.validation.transform import deformed

SETTINGS = {"uniform": UNIFORM, "other spacing": OTHER_SPACING}
CASES = [
    (kind, n, settings)
    for kind in KINDS[1:]
    for n in SPECIES
    for settings in SETTINGS
    if n > 1 or settings == "uniform"
]


@pytest.mark.parametrize(("kind", "n_species", "settings"), CASES)
def test_forces_are_slopes_of_the_energy(kind, n_species, settings):
    potential = random_potential(kind, n_species, SETTINGS[settings], seed=1)
    for pbc in ((True, True, True), (False, True, False)):
        structure = scattered(potential.species, n=6, shortest=1.5, seed=7, pbc=pbc)
        check = check_forces(potential, structure)
        assert check.passed, str(check)


@pytest.mark.parametrize(("kind", "n_species", "settings"), CASES)
def test_stress_is_the_slope_along_all_nine_strains(kind, n_species, settings):
    potential = random_potential(kind, n_species, SETTINGS[settings], seed=2)
    structure = scattered(potential.species, n=6, shortest=1.5, seed=8)
    check = check_stress(potential, structure)
    assert check.passed, str(check)


def test_a_stretched_crystal_is_under_tension():
    """The sign of the stress: positive where the energy rises with the volume."""
    potential = random_potential("pair", 1)
    structure = scattered(potential.species, n=6, seed=8)
    (at,) = potential.evaluate_many([structure], threads=1)
    larger = deformed(structure, 1.0001 * np.eye(3))
    (after,) = potential.evaluate_many([larger], threads=1)
    trace = np.trace(at.stress(structure.volume))
    assert np.sign(after.energy - at.energy) == np.sign(trace)


def test_virial_is_symmetric():
    potential = random_potential("sum", 3)
    (found,) = potential.evaluate_many([scattered(potential.species)], threads=1)
    assert np.array_equal(found.virial, found.virial.T)
