"""What must not change, for every kind of term and their sum; bounds of the checks."""

from dataclasses import replace

import numpy as np
import pytest

from spline_samples import KINDS, SPECIES, random_potential, scattered
from trimpot.contract import Structure
from trimpot.engines.singlepoint import evaluate
from trimpot.errors import TrimpotError
from trimpot.neighbors import neighborhood
from trimpot.validation.symmetry import (
    check_cell_choice,
    check_extensivity,
    check_net_force,
    check_permutation,
    check_rotation,
    check_translation,
)
from trimpot.validation.transform import free_cluster

PERIODIC = [(True, True, True), (True, True, False), (False, False, True)]
WITH_CLUSTER = [*PERIODIC, (False, False, False)]


def passed(checks):
    failed = [str(c) for c in checks if not c.passed]
    assert not failed, failed


CASES = {f"{kind}-{n}": (kind, n) for kind in KINDS[1:] for n in SPECIES}


@pytest.fixture(params=CASES)
def potential(request):
    return random_potential(*CASES[request.param], seed=11)


@pytest.mark.parametrize("pbc", WITH_CLUSTER)
@pytest.mark.parametrize("n_atoms", [1, 6])
def test_rotation_translation_permutation_and_net_force(potential, pbc, n_atoms):
    structure = scattered(potential.species, n=n_atoms, seed=12, pbc=pbc)
    rng = np.random.default_rng(13)
    passed(check_rotation(potential, structure, rng))
    passed(check_translation(potential, structure, rng))
    passed(check_permutation(potential, structure, rng))
    passed(check_net_force(potential, structure))


@pytest.mark.parametrize("pbc", PERIODIC)
@pytest.mark.parametrize("n_atoms", [1, 6])
def test_cell_choice_and_supercells(potential, pbc, n_atoms):
    structure = scattered(potential.species, n=n_atoms, seed=14, pbc=pbc)
    passed(check_cell_choice(potential, structure, np.random.default_rng(15)))
    passed(check_extensivity(potential, structure))


def test_one_atom_in_a_tiny_cell_equals_its_supercell():
    potential = random_potential("sum", 1, seed=16)
    cell = 1.9 * np.array([[1.0, 0.1, 0.0], [0.0, 1.1, 0.2], [0.3, 0.0, 1.0]])
    one = Structure(
        np.array([74], dtype=np.int32), np.zeros((1, 3)), cell, np.ones(3, bool)
    )
    assert len(neighborhood(one, potential.cutoff).neighbors) > 40
    passed(check_extensivity(potential, one))


def test_fragments_out_of_reach_do_not_know_of_each_other(potential):
    near = scattered(potential.species, n=6, seed=17, pbc=(False,) * 3)
    far = replace(near, positions=near.positions[::-1] + np.array([40.0, 3.0, -2.0]))
    far = replace(far, numbers=near.numbers[::-1].copy())
    both = free_cluster(
        [*near.numbers.tolist(), *far.numbers.tolist()],
        np.concatenate([near.positions, far.positions]),
    )
    one, two = evaluate(potential, near, threads=1), evaluate(potential, far, threads=1)
    together = evaluate(potential, both, threads=1)
    assert np.array_equal(together.forces, np.concatenate([one.forces, two.forces]))
    assert np.array_equal(together.energies, np.concatenate([one.energies, two.energies]))
    assert np.allclose(together.virial, one.virial + two.virial, rtol=1e-13, atol=1e-12)


def test_an_isolated_atom_has_exactly_its_own_energy():
    potential = random_potential("sum", 3, seed=18)
    for number, expected in zip(potential.species, potential.coefficients[0], strict=True):
        for structure in (
            free_cluster([number], np.zeros((1, 3))),
            Structure(
                np.array([number], dtype=np.int32),
                np.full((1, 3), 3.0),
                np.diag([9.0, 9.0, 9.0]),
                np.ones(3, bool),
            ),
        ):
            found = evaluate(potential, structure)
            assert found.energy == expected
            assert not found.forces.any()
            assert not found.virial.any()


def test_one_structure_and_many_structures_give_the_same(potential):
    structures = [
        scattered(potential.species, n=n, seed=n, pbc=pbc)
        for n, pbc in zip((1, 2, 5, 7, 9), [*WITH_CLUSTER, PERIODIC[0]], strict=True)
    ]
    for threads in (1, 2, 8):
        for structure, many in zip(
            structures, potential.evaluate_many(structures, threads=threads), strict=True
        ):
            one = evaluate(potential, structure, threads=1)
            assert np.abs(many.energies - one.energies).max() < 1e-12 * 1e2
            assert np.abs(many.forces - one.forces).max() < 1e-12 * 1e2
            assert np.abs(many.virial - one.virial).max() < 1e-12 * 1e3


def test_no_structures_give_no_evaluations():
    assert random_potential("sum", 1).evaluate_many([]) == []


def test_results_do_not_depend_on_the_number_of_threads():
    """Large enough that eight threads share it: 200 atoms each."""
    potential = random_potential("sum", 2, seed=19)
    small = scattered(potential.species, n=7, seed=19)
    copies = np.array(list(np.ndindex(6, 6, 7))) @ small.cell
    large = Structure(
        np.tile(small.numbers, len(copies)),
        (copies[:, None] + small.positions).reshape(-1, 3),
        small.cell * np.array([6, 6, 7])[:, None],
        small.pbc,
    )
    hood = neighborhood(large, potential.cutoff)
    one = potential.evaluate(hood, threads=1)
    for threads in (2, 8):
        some = potential.evaluate(hood, threads=threads)
        assert np.array_equal(some.energies, one.energies)
        scale = np.abs(one.forces).max()
        assert np.abs(some.forces - one.forces).max() < 1e-12 * scale
        assert np.abs(some.virial - one.virial).max() < 1e-12 * np.abs(one.virial).max()
        again = potential.evaluate(hood, threads=threads)
        assert np.array_equal(again.forces, some.forces)


def test_inputs_are_not_changed():
    potential = random_potential("sum", 2, seed=20)
    structure = scattered(potential.species, n=6, seed=20)
    hood = neighborhood(structure, potential.cutoff)
    parts = [*vars(structure).values(), *vars(hood).values()]
    given = [part for part in parts if isinstance(part, np.ndarray)]
    given += potential.coefficients
    before = [a.tobytes() for a in given]
    potential.evaluate(hood)
    potential.evaluate_many([structure])
    assert [a.tobytes() for a in given] == before


def test_atoms_at_one_place_raise_a_named_error_or_stay_finite(potential):
    structure = scattered(potential.species, n=6, seed=21)
    positions = structure.positions.copy()
    positions[4] = positions[1]
    coincident = replace(structure, positions=positions)
    try:
        found = evaluate(potential, coincident)
    except TrimpotError as error:
        assert "atom 1" in str(error)
    else:
        assert np.isfinite(found.forces).all()
        assert np.isfinite(found.energies).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_positions_that_are_not_numbers_are_refused(bad):
    potential = random_potential("sum", 2, seed=22)
    structure = scattered(potential.species, n=6, seed=22)
    positions = structure.positions.copy()
    positions[3, 1] = bad
    broken = replace(structure, positions=positions)
    with pytest.raises(TrimpotError, match=r"atom 3|finite|NaN"):
        evaluate(potential, broken)
    with pytest.raises(TrimpotError, match=r"atom 3|finite|NaN"):
        potential.evaluate_many([broken])


def test_an_unknown_element_is_named():
    potential = random_potential("sum", 2, seed=23)
    copper = free_cluster([29, 74], np.array([[0.0, 0, 0], [2.5, 0, 0]]))
    for call in (evaluate, lambda p, s: p.evaluate_many([s])):
        with pytest.raises(TrimpotError, match=r"Cu.*Si.*W"):
            call(potential, copper)
