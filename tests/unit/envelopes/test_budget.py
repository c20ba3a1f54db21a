"""Budgeted envelopes: bound, what is left alone, derivatives, smoothness, anisotropy."""

from dataclasses import replace

import numpy as np
import pytest
from envelope_samples import crystal, envelope, slope_of

from trimpot.contract import Structure
from trimpot.envelopes import BudgetedEnvelope, RadialEnvelope
from trimpot.envelopes.budget import allowance, pullback, weights
from trimpot.errors import InputError
from trimpot.neighbors import neighborhood
from trimpot.neighbors.lists import image_list

CUTOFF = 5.0
RADIAL = RadialEnvelope(CUTOFF)


def budget(target, *, species=(29,), kind="bump", triplet=None, **settings):
    radial = RadialEnvelope(CUTOFF, kind)
    return BudgetedEnvelope(radial, triplet or envelope(species), target, **settings)


def sums(found, hood):
    """Sum of the weights of each local atom."""
    owner = np.repeat(np.arange(hood.n_local), np.diff(hood.first))
    return np.bincount(owner, found, hood.n_local)


def dense_and_thin(seed=0):
    """Half a cell of closely packed atoms beside half a cell of few, two species."""
    rng = np.random.default_rng(seed)
    solid = crystal("fcc", 3.6, (2, 2, 1), noise=0.1, seed=seed).positions
    gas = np.array([[1.0, 1.2, 6.4], [4.9, 5.0, 7.4], [2.2, 5.6, 9.6]])
    positions = np.vstack([solid, gas])
    numbers = rng.choice(np.array([26, 29], np.int32), len(positions))
    cell = np.array([[7.2, 0.0, 0.0], [0.4, 7.2, 0.0], [0.0, -0.3, 12.0]])
    return Structure(numbers, positions, cell, np.ones(3, bool))


IRON_COPPER = {
    "product": envelope((26, 29)),
    "softmin": envelope((26, 29), combine="softmin", switch="quintic"),
    "inner": envelope((26, 29), inner=2.0, outer=3.2, never_screen=("Fe",)),
}


@pytest.mark.parametrize("target", [0.5, 3.0, 8.0, 30.0])
@pytest.mark.parametrize("kind", ["bump", "polynomial", "cosine"])
def test_no_sum_exceeds_the_target_nor_stays_far_below(kind, target):
    hood = neighborhood(dense_and_thin(), CUTOFF)
    limits = budget(target, species=(26, 29), kind=kind)
    found = weights(limits, hood)
    plain = weights(replace(limits, target=np.inf), hood)
    before, after = sums(plain, hood), sums(found, hood)
    assert (after < target).all()
    assert (found <= plain).all()
    assert (found >= 0.0).all()
    crowded = before > 1.5 * target
    used = 0.75 if target > 1.0 else 0.1  # the latter by shortening the cutoff
    assert (after[crowded] > used * target).all()


def test_atoms_within_the_budget_keep_their_weights_to_the_last_bit():
    hood = neighborhood(dense_and_thin(), CUTOFF)
    limits = budget(7.0, species=(26, 29))
    found = weights(limits, hood)
    plain = weights(replace(limits, target=np.inf), hood)
    owner = np.repeat(np.arange(hood.n_local), np.diff(hood.first))
    relaxed = sums(plain, hood) <= 0.9 * 7.0
    untouched = relaxed[owner] & relaxed[hood.owners[hood.neighbors]]
    assert 0 < relaxed.sum() < hood.n_local
    assert np.array_equal(found[untouched], plain[untouched])
    assert (found[~untouched] < plain[~untouched]).any()


def test_without_a_budget_it_is_radial_times_triplet():
    from trimpot.envelopes.reference import screening

    hood = neighborhood(dense_and_thin(), CUTOFF)
    found = weights(budget(np.inf, species=(26, 29)), hood)
    for i in range(hood.n_local):
        rows = slice(hood.first[i], hood.first[i + 1])
        j = hood.neighbors[rows]
        d = hood.positions[j] - hood.positions[i]
        s, _ = screening(envelope((26, 29)), int(hood.numbers[i]), d, hood.numbers[j])
        f, _ = RADIAL.values(np.linalg.norm(d, axis=1))
        assert found[rows] == pytest.approx(f * s, rel=1e-13)


def test_both_directions_of_a_pair_weigh_the_same():
    hood = neighborhood(crystal("fcc", 3.6, noise=0.15), CUTOFF)
    found = {}
    for i in range(hood.n_local):
        for row in range(hood.first[i], hood.first[i + 1]):
            j = hood.neighbors[row]
            d = (hood.positions[j] - hood.positions[i]).round(9) + 0.0
            found[i, int(hood.owners[j]), *d] = row
    w = weights(budget(6.0), hood)
    for (i, j, *d), row in found.items():
        back = found[j, i, *(0.0 - np.array(d))]
        assert w[row] == pytest.approx(w[back], abs=1e-13)


def energy_of(limits, images, structure, tilt):
    """An energy that depends on all weights, and its derivative by each."""
    w = weights(limits, images.moved_to(structure))
    return float(np.sum(tilt * w + 0.5 * w**2)), tilt + w


def forces_and_virial(limits, structure, seed=5):
    images = image_list(structure, 1.05 * CUTOFF)
    tilt = np.random.default_rng(seed).normal(size=len(images.neighborhood.neighbors))
    _, by_weight = energy_of(limits, images, structure, tilt)
    hood = images.moved_to(structure)
    return images, tilt, pullback(limits, hood, by_weight)


@pytest.mark.parametrize("target", [np.inf, 8.0, 3.0, 0.7])
@pytest.mark.parametrize("triplet", IRON_COPPER)
def test_forces_are_derivatives_of_the_energy(triplet, target):
    structure = dense_and_thin(1)
    limits = budget(target, triplet=IRON_COPPER[triplet])
    images, tilt, (forces, _) = forces_and_virial(limits, structure)
    assert np.abs(forces.sum(axis=0)).max() < 1e-11
    for direction in np.random.default_rng(6).normal(size=(4, *structure.positions.shape)):

        def energy(h, direction=direction):
            moved = replace(structure, positions=structure.positions + h * direction)
            return energy_of(limits, images, moved, tilt)[0]

        expected = -slope_of(energy)
        assert np.sum(forces * direction) == pytest.approx(expected, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("cell", ["dense and thin", "one atom", "two atoms"])
def test_the_virial_is_the_derivative_by_strain(cell):
    structure, target = {
        "dense and thin": (
            replace(dense_and_thin(2), numbers=np.full(19, 29, np.int32)),
            5,
        ),
        "one atom": (crystal("sc", 2.35), 4.0),
        "two atoms": (crystal("bcc", 2.7, noise=0.1), 4.0),
    }[cell]
    limits = budget(target)
    images, tilt, (_, virial) = forces_and_virial(limits, structure)
    assert np.abs(virial).max() > 0.1
    for a, b in np.ndindex(3, 3):

        def energy(h, a=a, b=b):
            strain = np.eye(3)
            strain[a, b] += h
            moved = replace(
                structure,
                positions=structure.positions @ strain,
                cell=structure.cell @ strain,
            )
            return energy_of(limits, images, moved, tilt)[0]

        assert virial[a, b] == pytest.approx(-slope_of(energy), rel=1e-6, abs=1e-6)


def approaching(distance):
    """A cluster and an atom that comes near from far away."""
    positions = np.vstack([crystal("fcc", 3.6, (1, 1, 1), noise=0.1).positions] * 2)
    positions[4:] += [0.3, 3.5, 0.2]
    positions = np.vstack([positions, [[1.1 + distance, 1.3, 1.7]]])
    numbers = np.full(9, 29, np.int32)
    return Structure(numbers, positions, np.zeros((3, 3)), np.zeros(3, bool))


def path(limits, distances):
    """Energy, pushing force and pressure-free sums along the way of the last atom."""
    rows = []
    for distance in distances:
        hood = neighborhood(approaching(distance), CUTOFF)
        w = weights(limits, hood)
        forces, _ = pullback(limits, hood, 1.0 + w)
        plain = weights(replace(limits, target=np.inf), hood)
        rows.append((np.sum(w + 0.5 * w**2), forces[-1, 0], *sums(plain, hood)))
    return np.array(rows)


def test_forces_stay_smooth_while_an_atom_comes_and_another_fills_its_budget():
    limits = budget(4.35, triplet=envelope(switch="bump"))
    coarse = path(limits, np.linspace(2.0, 3.0, 51))
    fine = path(limits, np.linspace(2.0, 3.0, 101))
    over = fine[:, 2:] > 0.9 * 4.35
    assert over.all(axis=0).any()
    assert (over.any(axis=0) & ~over.all(axis=0)).any()
    # A jump of the force would leave the first ratio at 1, one of its slope the second
    # at 1/2, one of its curvature the third at 1/4.
    for order, ratio in ((1, 0.6), (2, 0.35), (3, 0.2)):
        steps = [np.abs(np.diff(run[:, 1], n=order)).max() for run in (fine, coarse)]
        assert steps[0] < ratio * steps[1]
    simpson = (
        4.0 * fine[1::2, 1].sum() + 2.0 * fine[:, 1][::2].sum() - fine[[0, -1], 1].sum()
    )
    work = -simpson * 0.01 / 3.0
    assert fine[-1, 0] - fine[0, 0] == pytest.approx(work, abs=1e-6)


def test_the_allowance_leaves_the_diagonal_smoothly_and_never_reaches_the_target():
    limits = budget(10.0, margin=0.2)
    crowds = np.linspace(0.0, 200.0, 4001)
    kept, slopes = np.array([allowance(limits, float(n)) for n in crowds]).T
    assert np.array_equal(kept[crowds <= 8.0], crowds[crowds <= 8.0])
    assert (np.diff(kept) > 0.0).all()
    assert (np.diff(slopes) <= 1e-15).all()
    assert kept[-1] < 10.0
    assert kept[-1] > 9.98
    differences = np.gradient(kept, crowds)
    assert np.abs(slopes - differences).max() < 2e-3
    assert allowance(limits, 8.02)[0] == 8.02


def test_a_surface_atom_keeps_what_lies_across_a_gap():
    """Screening thins the slab; a shorter cutoff of this budget loses the other side."""
    layers = crystal("fcc", 3.6, (3, 3, 2)).positions
    across = layers + np.array([0.0, 0.0, 5.4 + 4.5])
    structure = Structure(
        np.full(2 * len(layers), 29, np.int32),
        np.vstack([layers, across]),
        np.diag([10.8, 10.8, 40.0]),
        np.array([True, True, False]),
    )
    hood = neighborhood(structure, 6.0)
    surface = int(np.argmax(layers[:, 2]))
    rows = slice(hood.first[surface], hood.first[surface + 1])
    other_side = hood.positions[hood.neighbors[rows], 2] > 9.0
    kept = {}
    for target in (np.inf, 8.0):
        for name, never in {"screened": (), "shortened": ("Cu",)}.items():
            triplet = envelope(never_screen=never)
            limits = BudgetedEnvelope(RadialEnvelope(6.0), triplet, target)
            w = weights(limits, hood)[rows]
            assert w.sum() < target
            kept[name, target] = w[other_side].sum()
    assert kept["screened", np.inf] == kept["shortened", np.inf] > 0.5
    assert kept["screened", 8.0] > 2 / 3 * kept["screened", np.inf]
    assert kept["shortened", 8.0] < 0.01 * kept["shortened", np.inf]


def test_only_a_short_list_and_wrong_settings_are_refused():
    hood = neighborhood(dense_and_thin(), CUTOFF)
    limits = budget(5.0, species=(26, 29), tightest=3.0)
    assert limits.reach == pytest.approx(CUTOFF * 3.0 / (2.0 * np.sqrt(2.0)))
    with pytest.raises(InputError, match=r"the neighbour list reaches 5 A, expected 5\.3"):
        weights(limits, hood)
    for wrong in ({"target": 0.0}, {"shrink": 0.0}, {"margin": 1.0}, {"target": np.nan}):
        with pytest.raises(InputError, match="expected positive numbers and a margin"):
            budget(**{"target": 5.0, **wrong})
    with pytest.raises(InputError, match=r"at least the largest C_max .* 1\.1"):
        budget(5.0, tightest=1.0)


def test_atoms_at_the_same_place_are_harmless_until_they_fill_the_budget():
    positions = np.array([[0.0, 0, 0], [0.0, 0, 0], [2.0, 0, 0], [2.0, 1.0, 1.5]])
    structure = Structure(
        np.full(4, 29, np.int32), positions, np.zeros((3, 3)), np.zeros(3, bool)
    )
    hood = neighborhood(structure, CUTOFF)
    w = weights(budget(1.5), hood)
    forces, virial = pullback(budget(1.5), hood, np.ones(len(w)))
    assert sums(w, hood).max() < 1.5
    assert np.isfinite(forces).all()
    assert np.isfinite(virial).all()
    with pytest.raises(InputError, match="atoms at the same place weigh more"):
        weights(budget(0.8), hood)


def test_an_isolated_atom_has_nothing_to_weigh():
    structure = Structure(
        np.array([29], np.int32), np.zeros((1, 3)), np.zeros((3, 3)), np.zeros(3, bool)
    )
    hood = neighborhood(structure, CUTOFF)
    forces, virial = pullback(budget(5.0), hood, weights(budget(5.0), hood))
    assert not forces.any()
    assert not virial.any()
