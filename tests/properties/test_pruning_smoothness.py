"""Nothing jumps where screening lets a pair go, and where second derivatives jump is known.

An atom moves along a line, and the points are bisected at which the specification sees a
third atom begin to screen, screen in full, or a pair lose its weight. Values from both
sides are extrapolated to the point, which leaves nothing but a jump.
"""

from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from pruning_samples import COMBINES, KINDS, SWITCHES, free_path, opening, potential_of
from spline_samples import rows_of
from trimpot.engines import evaluate
from trimpot.engines.following import follow
from trimpot.envelopes.reference import screening
from trimpot.neighbors import neighborhood
from trimpot.splines import reference
from trimpot.validation.derivatives import check_forces
from trimpot.validation.transform import free_cluster

STEP = 1e-9
ENERGY_JUMP = 1e-12
FORCE_JUMP = 1e-9
"""With meam the point itself, known to 1e-12 A, times the jump of the second derivative."""


def jump(at):
    """How far energies and forces of evaluations at(x) differ on both sides of 0.

    Straight lines from both sides are extrapolated to 0.
    """
    far, near, after, later = (at(x * STEP) for x in (-2.0, -1.0, 1.0, 2.0))
    return [
        np.abs(
            2.0 * (getattr(after, name) - getattr(near, name))
            - (getattr(later, name) - getattr(far, name))
        ).max()
        for name in ("energies", "forces")
    ]


def assert_no_jump(at, what=""):
    """Energies and forces are continuous at 0."""
    energy, force = jump(at)
    assert energy < ENERGY_JUMP, what
    assert force < FORCE_JUMP, what


@cache
def crossings(switch, combine):
    """Species, an envelope, two paths, and the boundaries on them."""
    limits = {"product": (0.3, 1.1), "softmin": (0.8, 2.8)}[combine]
    envelope = {
        "c_min": limits[0],
        "c_max": limits[1],
        "switch": switch,
        "combine": combine,
    }
    turn = SWITCHES.index(switch) + COMBINES.index(combine)
    species = ((74,), (14, 74))[turn % 2]
    term = potential_of("pair", species, cutoff=4.0, **envelope).terms[0]
    paths = [free_path(seed, species, n=5) for seed in (1, 2)]
    return species, envelope, [(p, p.boundaries(term.envelope)) for p in paths]


@pytest.mark.parametrize("combine", COMBINES)
@pytest.mark.parametrize("switch", SWITCHES)
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_jumps_where_screening_begins_or_ends(kind, switch, combine):
    species, envelope, found = crossings(switch, combine)
    potential = potential_of(kind, species, cutoff=4.0, **envelope)
    kinds = set()
    for path, boundaries in found:
        for x, what in boundaries:
            kinds.add(what)
            assert_no_jump(
                lambda h, p=path, x=x: evaluate(potential, p.at(x + h), threads=1), what
            )
    assert kinds == {"begins", "in full", "lost"}


def nearest_neighbours(structure, k):
    """Which k others are nearest to each atom, (n, n)."""
    x = structure.positions
    r = np.linalg.norm(x[:, None] - x[None], axis=-1)
    return r <= np.sort(r, axis=1)[:, k : k + 1]


def energies_of_nearest(structure, k):
    """Sums of z_j exp(-r_ij) over the k nearest j: a list that is cut hard."""
    x = structure.positions
    r = np.linalg.norm(x[:, None] - x[None], axis=-1)
    chosen = nearest_neighbours(structure, k) & ~np.eye(len(x), dtype=bool)
    return (chosen * np.exp(-r)) @ structure.numbers


def weights_at(structure, envelope, i):
    """Weights of the neighbours of atom i in empty space."""
    others = np.delete(np.arange(len(structure)), i)
    d, z = structure.positions[others] - structure.positions[i], structure.numbers[others]
    return screening(envelope, int(structure.numbers[i]), d, z)[0], d, z


def energy_without_weak(structure, potential, least):
    """Energy of atom 1 where weights below ``least`` are dropped: a hard cut as well."""
    term, c = potential.terms[0], potential.coefficients[0]
    weight, d, z = weights_at(structure, term.envelope, 1)
    weight = np.where(weight < least, 0.0, weight)
    return reference.pair(term.inner, c, int(structure.numbers[1]), d, z, weight)[0]


def jumps(value, state):
    """How far values differ on both sides of each change of a state along a path."""
    xs, found = np.linspace(0.0, 1.5, 61), []
    for start, end in pairwise(xs):
        low, high, before = start, end, state(start)
        if np.array_equal(before, state(end)):
            continue
        for _ in range(36):
            middle = 0.5 * (low + high)
            same = np.array_equal(state(middle), before)
            low, high = (middle, high) if same else (low, middle)
        found.append(np.abs(value(high) - value(low)).max())
    return np.array(found)


def test_hard_cuts_jump_and_would_be_seen():
    """A number of nearest neighbours, and an envelope cut off before it is 0."""
    path = free_path(1, (14, 74), n=7)
    knn = jumps(
        lambda x: energies_of_nearest(path.at(x), 3),
        lambda x: nearest_neighbours(path.at(x), 3),
    )
    assert len(knn) > 0
    assert knn.max() > 1e-2

    potential = potential_of("pair", (14, 74), c_min=0.3, c_max=1.1, switch="quintic")
    envelope = potential.terms[0].envelope
    by_least = {
        least: jumps(
            lambda x, least=least: energy_without_weak(path.at(x), potential, least),
            lambda x, least=least: weights_at(path.at(x), envelope, 1)[0] <= least,
        )
        for least in (0.0, 0.2)
    }
    assert all(len(found) > 0 for found in by_least.values())
    assert by_least[0.0].max() < 1e-9 < 1e-4 < by_least[0.2].max()


def curvature_jump(potential, path, away):
    """How the slope of the forces along a path changes from -away to away."""
    step = 0.1 * away

    def slope(x):
        ahead, behind = (
            evaluate(potential, path.at(x + s), threads=1).forces for s in (step, -step)
        )
        return (ahead - behind) / (2.0 * step)

    return np.abs(slope(away) - slope(-away)).max()


@pytest.mark.parametrize("combine", COMBINES)
@pytest.mark.parametrize("switch", SWITCHES)
@pytest.mark.parametrize("kind", KINDS)
def test_second_derivatives_jump_at_the_birth_of_a_pair_for_meam_only(
    kind, switch, combine
):
    c_min = 0.3
    potential = potential_of(kind, c_min=c_min, c_max=1.1, switch=switch, combine=combine)
    path = opening(c_min)
    wide, middle, close = (
        curvature_jump(potential, path, away) for away in (1e-2, 1e-3, 1e-4)
    )
    assert wide > 1e-4, "nothing changes; the test would be empty"
    if switch == "meam":
        assert close > 0.9 * middle > 0.1
    else:  # proportional to the distance
        assert close == pytest.approx(0.1 * middle, rel=0.15)
        assert close < 0.3 * middle < 0.1 * wide


def with_a_screener_beyond(cutoff, c, t):
    """A pair just within the cutoff and a screening atom with this C beyond it."""
    far = 0.97 * cutoff
    beside = np.array([t, np.sqrt(c * t * (1.0 - t)), 0.0]) * far
    atoms = np.array([[0.0, 0.0, 0.0], [far, 0.0, 0.0], beside, [-1.1, 0.4, 1.2]])
    assert np.linalg.norm(beside) > 1.03 * cutoff
    return free_cluster([74] * 4, atoms)


@pytest.mark.parametrize("combine", COMBINES)
@pytest.mark.parametrize("kind", KINDS)
def test_atoms_beyond_the_cutoff_screen_where_c_max_is_large(kind, combine):
    cutoff = 3.2
    potential = potential_of(
        kind, cutoff=cutoff, c_min=0.5, c_max=8.0, combine=combine, scale=30.0
    )
    assert potential.cutoff == pytest.approx(cutoff * 8.0 / (2.0 * np.sqrt(7.0)))
    structure = with_a_screener_beyond(cutoff, c=3.5, t=0.72)
    check = check_forces(potential, structure)
    assert check.passed, str(check)
    found = evaluate(potential, structure, threads=1)
    hood = neighborhood(structure, potential.cutoff)
    short = potential.evaluate(neighborhood(structure, cutoff), threads=1)
    assert np.abs(found.energies[0] - short.energies[0]) > 1e-7
    expected = reference.evaluate(potential, hood)
    (frame,) = potential.evaluate_many([structure], threads=1)
    moving = follow(potential, threads=1, skin=0.0).evaluate(structure)
    _, rows, _ = rows_of(potential, structure)
    as_rows = (rows @ potential.coefficients[0]).reshape(-1, 3)
    for forces in (expected.forces, frame.forces, moving.forces, as_rows):
        assert np.abs(found.forces - forces).max() < 1e-11


@pytest.mark.parametrize("c_max", [2.05, 2.8, 8.0])
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_jumps_at_the_farthest_point_of_the_ellipsoid(kind, c_max):
    """There a screening atom is as far away as lists reach, and the pair at the cutoff."""
    cutoff = 3.2
    potential = potential_of(kind, cutoff=cutoff, c_min=0.5, c_max=c_max, switch="quintic")
    t = c_max / (2.0 * (c_max - 1.0))
    for far in (0.9 * cutoff, (1.0 - 1e-7) * cutoff):
        beside = np.array([t, np.sqrt(c_max * t * (1.0 - t)), 0.0]) * far
        outward = beside / np.linalg.norm(beside)

        def at(h, beside=beside, outward=outward, far=far):
            atoms = np.array(
                [[0.0, 0.0, 0.0], [far, 0.0, 0.0], beside + h * outward, [-1.1, 0.4, 1.2]]
            )
            return evaluate(potential, free_cluster([74] * 4, atoms), threads=1)

        assert_no_jump(at)
