"""A structure that moves: the follower gives what a single evaluation gives."""

from dataclasses import replace

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
from trimpot.contract import Structure
from trimpot.engines import evaluate
from trimpot.engines.following import follow
from trimpot.errors import InputError, NonFiniteResultError
from trimpot.neighbors import neighborhood
from trimpot.splines import reference
from trimpot.splines.pair_settings import PairSettings

MIXED_FORCE = 1e-4
"""eV/A at forces of about 10 eV/A, docs/conventions.md."""


def deviation(found, expected):
    """Largest difference over the largest magnitude, of energies, forces and virial."""
    scale = max(float(np.abs(expected.forces).max()), 1.0)
    return max(
        float(np.abs(getattr(found, name) - getattr(expected, name)).max()) / scale
        for name in ("energies", "forces", "virial")
    )


def crystal(species, cells=9, sigma=0.08):
    """A rattled cubic crystal of several patches, species in turn."""
    sites = np.indices((cells,) * 3).reshape(3, -1).T
    rng = np.random.default_rng(3)
    return Structure(
        numbers=np.resize(np.array(species, dtype=np.int32), len(sites)),
        positions=2.1 * sites + rng.normal(0.0, sigma, sites.shape),
        cell=2.1 * cells * np.eye(3),
        pbc=np.ones(3, bool),
    )


@pytest.mark.parametrize("pbc", [(True, True, True), (True, False, True), (False,) * 3])
@pytest.mark.parametrize("n_species", SPECIES)
@pytest.mark.parametrize("kind", KINDS)
def test_both_precisions_follow_the_evaluation(kind, n_species, pbc):
    for settings in (UNIFORM, OTHER_SPACING):
        potential = random_potential(kind, n_species, settings)
        structure = scattered(potential.species, n=7, pbc=pbc, seed=5)
        expected = evaluate(potential, structure)
        for precision, bound in (("double", 1e-12), ("mixed", 3e-5)):
            follower = follow(potential, precision=precision, threads=1)
            found = follower.evaluate(structure)
            assert deviation(found, expected) < bound
            assert np.array_equal(follower.forces(structure), found.forces)


@pytest.mark.parametrize("r_min", [0.0, 1.7])
@pytest.mark.parametrize("intervals", [12, 31, 40, 63, 90])
def test_curves_of_any_length_are_looked_up_alike(intervals, r_min):
    """One species: tables in one or two registers, or in memory; uniform from r_min.

    Random coefficients on narrower knots bend more, and bending times the rounding of
    positions is the error of mixed precision.
    """
    settings = {"pair": PairSettings(cutoff=4.0, r_min=r_min, intervals=intervals)}
    potential = random_potential("pair", 1, settings)
    structure = scattered(potential.species, n=7, shortest=1.3, seed=5)
    hood = neighborhood(structure, potential.cutoff)
    expected = reference.evaluate(potential, hood)
    for precision, bound in (("double", 1e-12), ("mixed", 1e-6 * intervals)):
        follower = follow(potential, precision=precision, threads=1)
        found = follower.evaluate(structure)
        assert deviation(found, expected) < bound
        assert np.array_equal(follower.forces(structure), found.forces)


def test_moves_and_strains_are_followed_with_few_builds():
    potential = random_potential("sum", 2)
    structure = crystal(potential.species, cells=5)
    follower = follow(potential, threads=1, skin=0.8)
    rng = np.random.default_rng(1)
    for step in range(12):
        structure = replace(
            structure, positions=structure.positions + rng.normal(0.0, 0.02, (125, 3))
        )
        if step % 3 == 2:
            strain = np.eye(3) + rng.normal(0.0, 0.004, (3, 3))
            structure = replace(
                structure,
                positions=structure.positions @ strain,
                cell=structure.cell @ strain,
            )
        if step == 6:  # periods do not matter, but a new list is needed
            structure = replace(
                structure, positions=structure.positions + structure.cell[0]
            )
        expected = evaluate(potential, structure)
        assert deviation(follower.evaluate(structure), expected) < 1e-12
    assert 1 <= follower.builds < 8


@pytest.mark.parametrize("precision", ["double", "mixed"])
def test_pairs_from_the_far_end_of_the_skin_are_found_at_any_age(precision):
    """Every atom moves its own way, up to what one list allows; none is built again."""
    potential, skin = random_potential("sum", 2), 1.0
    structure = crystal(potential.species, cells=6, sigma=0.05)
    away = np.random.default_rng(5).normal(size=structure.positions.shape)
    away /= np.linalg.norm(away, axis=1)[:, None]
    follower = follow(potential, threads=1, skin=skin, precision=precision)
    for moved in np.linspace(0.0, 0.49 * skin, 15):
        now = replace(structure, positions=structure.positions + moved * away)
        expected = evaluate(potential, now).forces
        off = np.abs(follower.forces(now) - expected).max() / np.abs(expected).max()
        assert off < (1e-12 if precision == "double" else 3e-5)
    assert follower.builds == 1


def test_other_atoms_build_a_new_list():
    potential = random_potential("sum", 2)
    follower = follow(potential, threads=1)
    for seed, n in ((1, 5), (2, 6), (3, 6)):
        structure = scattered(potential.species, n=n, seed=seed)
        structure = replace(structure, numbers=np.roll(structure.numbers, seed))
        assert (
            deviation(follower.evaluate(structure), evaluate(potential, structure)) < 1e-12
        )


@pytest.mark.parametrize("precision", ["double", "mixed"])
def test_any_number_of_threads_gives_the_same_bits(precision):
    potential = random_potential("sum", 2)
    structure = crystal(potential.species, cells=14)  # 2,744 atoms: several patches
    found = [
        follow(potential, precision=precision, threads=n).evaluate(structure)
        for n in (1, 2, 3, 5)
    ]
    for other in found[1:]:
        assert np.array_equal(other.energies, found[0].energies)
        assert np.array_equal(other.forces, found[0].forces)
        assert np.array_equal(other.virial, found[0].virial)
    alone = follow(potential, precision=precision, threads=3).forces(structure)
    assert np.array_equal(alone, found[0].forces)


def test_patches_join_to_the_same_whole():
    potential = random_potential("sum", 3)
    structure = crystal(potential.species, cells=14)
    expected = evaluate(potential, structure)
    assert deviation(follow(potential).evaluate(structure), expected) < 1e-12
    mixed = follow(potential, precision="mixed").evaluate(structure)
    scale = np.abs(expected.forces).max() / 10.0
    assert np.abs(mixed.forces - expected.forces).max() < MIXED_FORCE * scale


def test_mixed_precision_does_not_depend_on_where_the_atoms_are():
    potential = random_potential("sum", 2)
    structure = scattered(potential.species, n=7, pbc=(False,) * 3, seed=5)
    far = replace(structure, positions=structure.positions + np.array([3e5, -2e5, 1e5]))
    near, away = (
        follow(potential, precision="mixed").evaluate(s) for s in (structure, far)
    )
    assert np.abs(near.forces - away.forces).max() < 1e-4 * np.abs(near.forces).max()


def test_atoms_at_one_place_and_lost_atoms_are_errors_or_finite():
    potential = random_potential("sum", 1)
    structure = scattered(potential.species, n=4, pbc=(False,) * 3)
    follower = follow(potential, precision="mixed")
    positions = structure.positions.copy()
    positions[1] = positions[0]
    try:
        found = follower.evaluate(replace(structure, positions=positions))
        assert np.isfinite(found.forces).all()
    except NonFiniteResultError as error:
        assert "atom" in str(error)
    positions[1] = np.nan
    for call in (follower.evaluate, follower.forces):
        with pytest.raises(InputError, match="finite"):
            call(replace(structure, positions=positions))


def test_an_unknown_precision_is_refused():
    with pytest.raises(InputError, match="double or mixed"):
        follow(random_potential("pair", 1), precision="single")
