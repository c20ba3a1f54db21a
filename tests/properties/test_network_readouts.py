"""Physics of direct forces and of energies of all atoms pooled."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need PyTorch")

from network_samples import SPECIES, core, narrow, network  # noqa: E402
from spline_samples import scattered  # noqa: E402
from trimpot.contract import Structure  # noqa: E402
from trimpot.engines.singlepoint import evaluate  # noqa: E402
from trimpot.neighbors import neighborhood  # noqa: E402
from trimpot.validation.derivatives import check_forces, check_stress  # noqa: E402
from trimpot.validation.symmetry import (  # noqa: E402
    check_net_force,
    check_permutation,
    check_translation,
)
from trimpot.validation.transform import random_rotation, repeated  # noqa: E402

torch.set_num_threads(1)

PERIODIC, FREE = (True, True, True), (False, False, False)
KINDS = {
    "direct": {"forces": "direct"},
    "pooled": {"readout": "pooled"},
    "both": {"forces": "direct", "readout": "pooled"},
}


def atoms(pbc=PERIODIC, n=6, seed=7):
    return scattered(SPECIES, n=n, shortest=1.6, seed=seed, pbc=pbc)


def potential_of(kind, prior=None, **changes):
    return network(narrow(l_max=2, **KINDS[kind], **changes), prior=prior)


def turned(structure, rotation):
    return replace(
        structure,
        positions=structure.positions @ rotation.T,
        cell=structure.cell @ rotation.T,
    )


def numerical_forces(potential, structure, step=1e-4):
    forces = np.zeros((len(structure), 3))
    for place in np.ndindex(*forces.shape):
        for sign in (1.0, -1.0):
            x = structure.positions.copy()
            x[place] += sign * step
            moved = evaluate(potential, replace(structure, positions=x), threads=1)
            forces[place] -= sign * moved.energy / (2.0 * step)
    return forces


def passed(*checks):
    failed = [str(c) for c in checks if not c.passed]
    assert not failed, failed


@pytest.mark.parametrize("pbc", [PERIODIC, FREE])
@pytest.mark.parametrize("kind", KINDS)
def test_forces_turn_with_the_atoms(kind, pbc):
    potential, structure = potential_of(kind), atoms(pbc)
    before = evaluate(potential, structure, threads=1)
    rotation = random_rotation(np.random.default_rng(0))
    for turn in (rotation, -rotation):
        after = evaluate(potential, turned(structure, turn), threads=1)
        assert abs(after.energy - before.energy) < 1e-10
        assert np.abs(after.forces - before.forces @ turn.T).max() < 1e-10
    assert np.abs(before.forces).max() > 0.01


@pytest.mark.parametrize("pbc", [PERIODIC, FREE])
@pytest.mark.parametrize("kind", KINDS)
def test_other_symmetries(kind, pbc):
    potential, structure, rng = potential_of(kind), atoms(pbc), np.random.default_rng(1)
    passed(
        *check_translation(potential, structure, rng),
        *check_permutation(potential, structure, rng),
        check_net_force(potential, structure)[0],
    )


def test_direct_forces_are_not_the_gradient():
    potential, structure = potential_of("direct"), atoms(FREE)
    slopes = numerical_forces(potential, structure)
    found = evaluate(potential, structure, threads=1)
    assert np.abs(found.forces - slopes).max() > 0.1
    assert not potential.conservative
    assert not found.conservative


def test_a_force_head_leaves_the_energy_as_it_was():
    direct = potential_of("direct")
    settings = replace(direct.settings, forces="gradient")
    kept = {k: v for k, v in direct.state.items() if not k.startswith("force_heads")}
    gradient = replace(direct, settings=settings, state=kept)
    structure = atoms()
    one, other = (evaluate(p, structure, threads=1) for p in (direct, gradient))
    assert np.abs(one.energies - other.energies).max() < 1e-10


def test_direct_forces_fade_out_at_the_cutoff():
    potential = potential_of("direct")
    cutoff = potential.settings.cutoff
    forces = []
    for r in (cutoff - 0.8, cutoff - 1e-3, cutoff + 1e-3):
        x = np.array([[0.0, 0.0, 0.0], [r, 0.0, 0.0]])
        pair = Structure(
            np.array(SPECIES, np.int32), x, np.zeros((3, 3)), np.zeros(3, bool)
        )
        forces.append(np.abs(evaluate(potential, pair, threads=1).forces).max())
    assert forces[0] > 1e-3
    assert forces[1] < 1e-9
    assert forces[2] == 0.0


def test_direct_forces_add_to_those_of_a_prior():
    with_core, without = potential_of("direct", prior=core()), potential_of("direct")
    structure = atoms()
    difference = (
        evaluate(with_core, structure, threads=1).forces
        - evaluate(without, structure, threads=1).forces
    )
    prior = evaluate(core(), structure, threads=1)
    assert np.abs(difference - prior.forces).max() < 1e-12
    assert not evaluate(with_core, structure, threads=1).conservative


@pytest.mark.parametrize("pbc", [PERIODIC, FREE])
def test_pooled_forces_and_stress_are_slopes_of_the_energy(pbc):
    potential, structure = potential_of("pooled"), atoms(pbc)
    passed(check_forces(potential, structure))
    if any(pbc):
        passed(check_stress(potential, structure))


@pytest.mark.parametrize("times", [(2, 1, 1), (2, 2, 3)])
def test_the_pooled_part_of_a_replicated_cell_is_that_of_the_cell(times):
    potential, structure = potential_of("pooled"), atoms()
    copies = int(np.prod(times))
    one = evaluate(potential, structure, threads=1)
    many = evaluate(potential, repeated(structure, times), threads=1)
    alone = dict(zip(SPECIES, potential.e0s, strict=True))
    atomic = sum(alone[int(z)] for z in structure.numbers)
    assert abs(one.energy - atomic) > 0.1
    assert many.energy - copies * atomic == pytest.approx(one.energy - atomic, abs=1e-10)
    # moving one atom of many changes the mean by its share
    assert np.abs(copies * many.forces[: len(structure)] - one.forces).max() < 1e-10


def test_pooled_energies_of_atoms_are_equal_shares():
    potential, structure = potential_of("pooled"), atoms()
    alone = dict(zip(SPECIES, potential.e0s, strict=True))
    bound = evaluate(potential, structure, threads=1).energies
    bound = bound - [alone[int(z)] for z in structure.numbers]
    assert np.ptp(bound) < 1e-12


def test_atoms_without_neighbours_have_exactly_their_own_energies():
    potential = potential_of("pooled")
    near = atoms(FREE)
    far = replace(near, positions=50.0 * near.positions)
    alone = dict(zip(SPECIES, potential.e0s, strict=True))
    found = evaluate(potential, far, threads=1)
    assert found.energies.tolist() == [alone[int(z)] for z in far.numbers]


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_says_what_single_structures_do(kind):
    potential = potential_of(kind)
    structures = [atoms(FREE, n=4), atoms(), atoms(n=5, seed=3), atoms(FREE, n=3, seed=1)]
    batch = potential.evaluate_many(structures, threads=1)
    for structure, found in zip(structures, batch, strict=True):
        around = neighborhood(structure, potential.cutoff)
        expected = potential.evaluate(around, threads=1)
        assert np.abs(found.energies - expected.energies).max() < 1e-12
        assert np.abs(found.forces - expected.forces).max() < 1e-12


@pytest.mark.parametrize("kind", KINDS)
def test_single_precision_is_close(kind):
    structure = atoms()
    exact = evaluate(potential_of(kind), structure, threads=1)
    found = evaluate(replace(potential_of(kind), precision="float32"), structure, threads=1)
    assert np.abs(found.forces - exact.forces).max() < 1e-4 * np.abs(exact.forces).max()
