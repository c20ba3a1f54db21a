"""What terms say of themselves: penalties, constraints, states, coefficients."""

import numpy as np
import pytest

from spline_samples import (
    KINDS,
    OTHER_SPACING,
    SPECIES,
    UNIFORM,
    greville,
    profile_of,
    random_potential,
    scattered,
    terms_of,
)
from trimpot.elements import covalent_radius
from trimpot.errors import FileFormatError, InputError
from trimpot.splines.core import CoreSettings
from trimpot.splines.pair_settings import PairSettings
from trimpot.splines.potential import SplinePotential
from trimpot.splines.registry import TERM_KINDS, restore_term
from trimpot.splines.term import second_differences

FREE_KINDS = ("one_body", "pair", "triplet")


def test_second_differences_annihilate_linear_functions():
    columns = np.arange(7 * 5 * 4, dtype=np.int32).reshape(7, 5, 4)
    d = second_differences(columns, columns.size)
    x, y, z = np.indices(columns.shape)
    assert np.abs(d @ (3.0 + 2.0 * x - y + 0.5 * z).ravel()).max() < 1e-12
    assert d.shape == (5 * 5 * 4 + 7 * 3 * 4 + 7 * 5 * 2, columns.size)
    assert np.allclose(d @ (x**2).ravel().astype(float), [2.0] * 100 + [0.0] * 154)


def test_second_differences_take_frozen_points_as_zero_and_skip_absent_ones():
    d = second_differences(np.array([-2, 0, 1, 2, -1, -1, -1]), 3).toarray()
    assert d.tolist() == [[1, -2, 1], [0, 1, -2], [0, 0, 1]]


def test_curvature_of_a_pair_curve_leaves_straight_lines_on_uniform_knots_free():
    term = PairSettings(cutoff=4.0, intervals=12).build((74,), profile_of((74,)))
    (curve,) = term.curves
    line = greville(curve.knots)[: curve.n_free]
    bend = term.regularization().curvature @ line
    inner = np.arange(3, curve.n_free - 2)  # clamped ends have uneven abscissae
    assert np.abs(bend[inner - 1]).max() < 1e-12


@pytest.mark.parametrize("n_species", SPECIES)
@pytest.mark.parametrize("kind", FREE_KINDS)
def test_the_ridge_sees_every_coefficient(kind, n_species):
    (term,) = terms_of(kind, SPECIES[n_species])
    ridge = term.regularization().ridge
    assert ridge.shape == (term.n_coefficients,)
    assert (ridge > 0.0).all()


@pytest.mark.parametrize("settings", [UNIFORM, OTHER_SPACING], ids=["uniform", "other"])
@pytest.mark.parametrize("n_species", SPECIES)
@pytest.mark.parametrize("kind", KINDS[:-1])
def test_states_restore_terms_that_give_the_same_numbers(kind, n_species, settings):
    potential = random_potential(kind, n_species, settings)
    (term,) = potential.terms
    again = restore_term(term.kind, potential.species, term.state())
    structure = scattered(potential.species)
    (one,) = potential.evaluate_many([structure], threads=1)
    same = SplinePotential(potential.species, (again,), potential.coefficients)
    (two,) = same.evaluate_many([structure], threads=1)
    assert again.cutoff == term.cutoff
    assert again.n_coefficients == term.n_coefficients
    assert np.array_equal(one.energies, two.energies)
    assert np.array_equal(one.forces, two.forces)
    assert np.array_equal(again.monotone_rows(), term.monotone_rows())


def test_every_kind_is_registered_under_its_name():
    assert set(TERM_KINDS) == set(KINDS[:-1])
    assert all(TERM_KINDS[k].kind == k for k in TERM_KINDS)


def test_an_unknown_kind_is_refused():
    with pytest.raises(FileFormatError, match="unknown kind of term 'bond_order'"):
        restore_term("bond_order", (74,), {})


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.5])
def test_the_core_refuses_an_empty_switch(fraction):
    with pytest.raises(InputError, match="must lie between 0 and 1"):
        CoreSettings(inner_fraction=fraction).build((74,), profile_of((74,)))


def test_the_core_ends_below_the_data_and_well_below_a_bond():
    dense = CoreSettings().build((14, 74), profile_of((14, 74), 1.3))
    assert np.array_equal(dense.outer, np.full((2, 2), 1.3))
    sparse = CoreSettings().build((14, 74), profile_of((14, 74), 2.9))
    radii = np.array([covalent_radius(14), covalent_radius(74)])
    assert (sparse.outer < 0.75 * (radii[:, None] + radii)).all()
    assert np.array_equal(sparse.outer, sparse.outer.T)
    assert dense.n_coefficients == 0


@pytest.mark.parametrize(
    ("coefficients", "message"),
    [
        ((), "0 coefficient arrays for 1 terms"),
        ((np.zeros(2),), "needs 1 finite coefficients, found shape"),
        ((np.array([np.nan]),), "finite"),
    ],
)
def test_a_potential_refuses_coefficients_that_do_not_fit(coefficients, message):
    with pytest.raises(InputError, match=message):
        SplinePotential((74,), terms_of("one_body", (74,)), coefficients)
