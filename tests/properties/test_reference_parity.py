"""Native kernels equal the NumPy specification, and rows equal the kernels."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from spline_samples import (
    KINDS,
    OTHER_SPACING,
    SPECIES,
    UNIFORM,
    random_potential,
    rows_of,
    scattered,
)
from trimpot.engines.ase import structure_from_atoms
from trimpot.envelopes import EnvelopeSettings
from trimpot.neighbors import neighborhood
from trimpot.splines import reference
from trimpot.splines.pair_settings import PairSettings
from trimpot.splines.potential import SplinePotential
from trimpot.splines.profile import PairProfile

SETTINGS = {"uniform": UNIFORM, "other spacing": OTHER_SPACING}
MIXED = [(True, True, True), (True, False, True), (False, False, False)]


def deviation(found, expected):
    """Largest difference over the largest magnitude."""
    scale = max(float(np.abs(expected).max(initial=0.0)), 1.0)
    return float(np.abs(found - expected).max(initial=0.0)) / scale


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("n_species", SPECIES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pbc", MIXED)
def test_native_evaluation_equals_the_specification(kind, n_species, settings, pbc):
    potential = random_potential(kind, n_species, SETTINGS[settings])
    structure = scattered(potential.species, n=5, pbc=pbc, seed=3)
    hood = neighborhood(structure, potential.cutoff + 0.4)  # a skin: kernels skip it
    expected = reference.evaluate(potential, hood)
    found = potential.evaluate(hood, threads=1)
    assert deviation(found.energies, expected.energies) < 1e-12
    assert deviation(found.forces, expected.forces) < 1e-12
    assert deviation(found.virial, expected.virial) < 1e-12


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("n_species", SPECIES)
@pytest.mark.parametrize("kind", ["one_body", "pair", "triplet"])
def test_rows_times_coefficients_equal_the_evaluation(kind, n_species, settings):
    potential = random_potential(kind, n_species, SETTINGS[settings])
    structure = scattered(potential.species, n=6, seed=5)
    (expected,) = potential.evaluate_many([structure], threads=1)
    energy, forces, stress = rows_of(potential, structure)
    (c,) = potential.coefficients
    assert deviation(energy @ c, np.array([expected.energy])) < 1e-12
    assert deviation((forces @ c).reshape(-1, 3), expected.forces) < 1e-12
    s = expected.stress(structure.volume)
    voigt = np.array([s[0, 0], s[1, 1], s[2, 2], s[1, 2], s[0, 2], s[0, 1]])
    assert deviation(stress @ c, voigt) < 1e-12


def test_rows_of_several_terms_stand_side_by_side():
    potential = random_potential("sum", 2)
    structure = scattered(potential.species, n=6, seed=6)
    free = [t for t in potential.terms if t.n_coefficients]
    blocks = rows_of(potential, structure)
    for block, number in zip(blocks, range(3), strict=True):
        alone = [
            rows_of(
                type(potential)(potential.species, (t,), (np.zeros(t.n_coefficients),)),
                structure,
            )[number]
            for t in free
        ]
        assert np.allclose(block, np.concatenate(alone, axis=1), atol=1e-12)


@pytest.mark.parametrize("c_min", [0.0, 1e-4, 0.2])
def test_perfect_crystals_with_limits_near_zero(c_min):
    """Atoms in a row: C is 0 but for rounding, also far behind a neighbour."""
    atoms = bulk("W", "bcc", a=3.16, cubic=True).repeat(2)
    structure = structure_from_atoms(atoms)
    settings = PairSettings(cutoff=6.0, envelope=EnvelopeSettings(c_min=c_min, c_max=1.5))
    profile = PairProfile((74,), np.array([[2.7]]), np.zeros((1, 1, 10)), 6.0)
    term = settings.build((74,), profile)
    c = np.random.default_rng(2).normal(size=term.n_coefficients)
    potential = SplinePotential((74,), (term,), (c,))
    hood = neighborhood(structure, potential.cutoff + 0.4)
    expected = reference.evaluate(potential, hood)
    found = potential.evaluate(hood, threads=1)
    assert deviation(found.energies, expected.energies) < 1e-12
    assert deviation(found.forces, expected.forces) < 1e-12


@pytest.mark.parametrize("c_min", [0.0, 1e-4, 0.2])
def test_nothing_screens_a_dimer(c_min):
    """Also where limits are near zero, and in the direction in which lists are padded."""
    bonds = np.linspace(1.5, 4.5, 60)[:, None] * np.ones(3) / np.sqrt(3.0)
    first = 20.0 * np.array([(i, j, 0) for i in range(8) for j in range(8)][:60])
    atoms = Atoms("W120", np.concatenate([first, first + bonds]))
    settings = PairSettings(cutoff=6.0, envelope=EnvelopeSettings(c_min=c_min, c_max=1.5))
    profile = PairProfile((74,), np.array([[1.5]]), np.zeros((1, 1, 10)), 6.0)
    term = settings.build((74,), profile)
    c = np.random.default_rng(2).normal(size=term.n_coefficients)
    potential = SplinePotential((74,), (term,), (c,))
    hood = neighborhood(structure_from_atoms(atoms), potential.cutoff + 0.4)
    expected = reference.evaluate(potential, hood)
    found = potential.evaluate(hood, threads=1)
    assert deviation(found.energies, expected.energies) < 1e-12
    assert deviation(found.forces, expected.forces) < 1e-12
