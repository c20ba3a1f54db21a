"""Physics of networks, for every setting: slopes, symmetries, fragments, smoothness."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need PyTorch")

from mlanet_samples import C_MAX, C_MIN, CASES, CUTOFF, SPECIES, potential_of  # noqa: E402
from spline_samples import scattered  # noqa: E402
from trimpot.contract import Structure  # noqa: E402
from trimpot.engines.singlepoint import evaluate  # noqa: E402
from trimpot.validation.derivatives import check_forces, check_stress  # noqa: E402
from trimpot.validation.smoothness import Path, energy_jumps, force_jumps  # noqa: E402
from trimpot.validation.symmetry import (  # noqa: E402
    check_cell_choice,
    check_extensivity,
    check_fragments,
    check_net_force,
    check_permutation,
    check_rotation,
    check_translation,
)
from trimpot.validation.transform import deformed, free_cluster, random_rotation  # noqa: E402

torch.set_num_threads(1)

PERIODIC, FREE = (True, True, True), (False, False, False)
STEP, FORCE_BOUND = 1e-3, 1e-6
SINGLE_BOUND = 1e-5
ENERGY_JUMP, FORCE_JUMP = 1e-12, 1e-9
FROM, TO, N_STEPS, SUSPECTS, CLOSER = -0.15, 0.05, 2000, 3, 100

SCREENED = [case for case, changes in CASES.items() if "envelope" not in changes]


@pytest.fixture(scope="module")
def potentials():
    return {case: potential_of(case) for case in CASES}


@pytest.fixture(params=CASES)
def potential(request, potentials):
    return potentials[request.param]


def atoms(pbc=PERIODIC, n=6):
    return scattered(SPECIES, n=n, shortest=1.6, seed=7, pbc=pbc)


def passed(*checks):
    failed = [str(c) for c in checks if not c.passed]
    assert not failed, failed


@pytest.mark.parametrize("pbc", [PERIODIC, FREE])
def test_forces_and_stress_are_slopes_of_the_energy(potential, pbc):
    structure = atoms(pbc)
    assert np.abs(evaluate(potential, structure, threads=1).forces).max() > 0.1
    passed(check_forces(potential, structure, step=STEP, bound=FORCE_BOUND))
    if all(pbc):
        passed(check_stress(potential, structure, step=STEP))


@pytest.mark.parametrize("pbc", [PERIODIC, (False, True, False), FREE])
def test_symmetries(potential, pbc):
    structure, rng = atoms(pbc), np.random.default_rng(3)
    passed(*check_rotation(potential, structure, rng))
    passed(*check_translation(potential, structure, rng))
    passed(*check_permutation(potential, structure, rng))
    passed(*check_net_force(potential, structure))
    passed(*check_cell_choice(potential, structure, rng))
    passed(*check_extensivity(potential, structure, times=(2, 2, 2)))


def test_rotations_and_reflections_in_single_precision(potential):
    single, structure = replace(potential, precision="float32"), atoms()
    before = evaluate(single, structure, threads=1)
    rotation = random_rotation(np.random.default_rng(4))
    for matrix in (rotation, -rotation):
        after = evaluate(single, deformed(structure, matrix), threads=1)
        scale = max(1.0, np.abs(before.forces).max())
        assert np.abs(after.energies - before.energies).max() < SINGLE_BOUND * scale
        assert np.abs(after.forces - before.forces @ matrix.T).max() < SINGLE_BOUND * scale


def test_fragments_beyond_reach_add_up_to_the_bit(potential):
    near, far = atoms(FREE), atoms(FREE, n=5)
    far = replace(far, positions=far.positions + np.array([64.0, 3.0, -2.0]))
    numbers = [*near.numbers.tolist(), *far.numbers.tolist()]

    def together(first):
        return free_cluster(numbers, np.concatenate([first, far.positions]))

    one, two = (evaluate(potential, s, threads=1) for s in (near, far))
    both = evaluate(potential, together(near.positions), threads=1)
    for name in ("energies", "forces"):
        apart = np.concatenate([getattr(one, name), getattr(two, name)])
        np.testing.assert_array_equal(getattr(both, name), apart)
    moved = evaluate(potential, together(near.positions * 1.01), threads=1)
    np.testing.assert_array_equal(moved.forces[6:], both.forces[6:])
    assert np.abs(moved.forces[:6] - both.forces[:6]).max() > 1e-4
    passed(*check_fragments(potential, near))


def test_an_atom_alone_has_exactly_its_own_energy(potential):
    for number, e0 in zip(SPECIES, potential.e0s, strict=True):
        for cell, pbc in ((np.zeros((3, 3)), FREE), (9.0 * np.eye(3), PERIODIC)):
            one = Structure(
                np.array([number], np.int32), np.full((1, 3), 3.0), cell, np.array(pbc)
            )
            found = evaluate(potential, one, threads=1)
            assert found.energy == e0
            assert not found.forces.any() and not found.virial.any()


def test_a_batch_says_what_single_structures_do(potential):
    structures = [atoms(pbc, n) for pbc in (PERIODIC, FREE) for n in (1, 4, 7)]
    for threads in (1, 2):
        many = potential.evaluate_many(structures, threads=threads)
        for structure, found in zip(structures, many, strict=True):
            one = evaluate(potential, structure, threads=1)
            np.testing.assert_allclose(found.energies, one.energies, rtol=1e-13)
            np.testing.assert_allclose(found.forces, one.forces, atol=1e-11)
            np.testing.assert_allclose(found.virial, one.virial, atol=1e-10)


def path(potential, cluster, x):
    found = [evaluate(potential, cluster(value), threads=1) for value in x]
    return Path(
        x, np.array([f.energies for f in found]), np.array([f.forces for f in found])
    )


def crossing(potential, cluster):
    """Assert that nothing jumps in clusters whose last atom moves along x.

    Weights may vanish in the arithmetic long before their limit: so all of 0.2 A is looked
    at, and again, closely, where something bends most.
    """
    coarse = path(potential, cluster, np.linspace(FROM, TO, N_STEPS + 1))
    assert np.abs(np.ptp(coarse.forces, axis=0)).max() > 1e-6, "nothing happens here"
    scale = max(1.0, np.abs(coarse.forces).max())
    kinked = potential.settings.radial == "cosine"  # a slope of forces jumps, times 1e-6 A
    force_jump = 1e4 * FORCE_JUMP if kinked else FORCE_JUMP
    for jumps, bound in ((energy_jumps, ENERGY_JUMP), (force_jumps, force_jump)):
        for index in np.argsort(jumps(coarse))[-SUSPECTS:]:
            first = min(int(index), N_STEPS - 2)
            x = np.linspace(coarse.x[first], coarse.x[first + 2], 2 * CLOSER + 1)
            assert jumps(path(potential, cluster, x)).max() < bound * scale


def test_nothing_jumps_where_an_atom_crosses_the_cutoff(potential):
    """It has one neighbour and then none; its neighbour has others."""
    fixed = np.array([[0.0, 0.0, 0.0], [0.3, 1.9, 0.2], [-1.8, -0.4, 0.5]])
    numbers = [SPECIES[0], SPECIES[1], SPECIES[1], SPECIES[0]]
    x = np.sqrt(CUTOFF**2 - 0.4**2)

    def cluster(shift):
        return free_cluster(numbers, np.vstack([fixed, [x + shift, -0.4, 0.0]]))

    crossing(potential, cluster)


@pytest.mark.parametrize("limit", [C_MIN, C_MAX])
@pytest.mark.parametrize("case", SCREENED)
def test_nothing_jumps_where_screening_begins_or_ends(potentials, case, limit):
    """The last atom stands beside the middle of an edge, where C = 4 q^2 / u^2."""
    u = 3.1
    q = 0.5 * u * np.sqrt(limit)
    numbers = [SPECIES[0], SPECIES[1], SPECIES[1], SPECIES[0]]

    def cluster(shift):
        places = [[0, 0, 0], [0, u, 0], [-1.1, -1.4, 0.8], [q + shift, 0.5 * u, 0]]
        return free_cluster(numbers, np.array(places, dtype=float))

    crossing(potentials[case], cluster)
