"""Dropping neighbours without weight changes nothing: not energies, not forces, nowhere.

The specification keeps every neighbour and multiplies by weights that may be 0; kernels
drop those. They are compared where weights sit on degenerate values (perfect lattices),
and fed with what no crystal has. Where pairs come and go: test_pruning_smoothness.py.
"""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from pruning_samples import (
    COMBINES,
    CUTOFF,
    KINDS,
    PRIMITIVE,
    SPECIES,
    SWITCHES,
    environment,
    lattice,
    potential_of,
    weights_of,
)
from spline_samples import rows_of, scattered
from trimpot.contract import Structure
from trimpot.engines import evaluate
from trimpot.engines.following import follow
from trimpot.envelopes.reference import screening
from trimpot.envelopes.settings import Limits
from trimpot.neighbors import neighborhood
from trimpot.splines import reference
from trimpot.validation.transform import free_cluster, repeated, rewritten

ON_SHELLS = ((0.0, 1.0), (1 / 3, 1.0), (0.5, 2.0), (1 / 3, 0.5), (1.0, 3.0))
"""C_min and C_max at which shells of fcc, bcc, sc and diamond stand."""

DENSE = {"fcc": 2.9 / 3.8, "bcc": 2.42 / 3.165, "diamond": 3.85 / 5.43, "sc": 2.05 / 2.5}
"""Scales at which the cutoff holds the shells of the table in docs/theory/envelopes.md."""

MIXED_FORCE = 1e-4
"""eV/A at forces of about 10 eV/A, docs/conventions.md."""


def size(values):
    """The largest magnitude, at least 1."""
    return max(1.0, float(np.abs(values).max()))


def difference(found, expected):
    """Largest deviation of energies, forces and virial, relative where they are large.

    Forces and virial are sums of parts as large as the energies.
    """
    names = "energies", "forces", "virial"
    scale = size(expected.energies)
    return [
        float(np.abs(getattr(found, a) - getattr(expected, a)).max())
        / max(scale, size(getattr(expected, a)))
        for a in names
    ]


def compare(potential, structure, bound=1e-12):
    """Hold kernels, which drop neighbours, against the specification, which keeps all."""
    hood = neighborhood(structure, potential.cutoff + 0.2)
    expected = reference.evaluate(potential, hood)
    assert max(difference(potential.evaluate(hood, threads=1), expected)) < bound


@pytest.mark.parametrize("combine", COMBINES)
@pytest.mark.parametrize("switch", SWITCHES)
@pytest.mark.parametrize("kind", KINDS)
def test_perfect_lattices_whose_shells_stand_on_the_limits(kind, switch, combine):
    lost = kept = 0
    first = SWITCHES.index(switch) + COMBINES.index(combine)
    slow = kind == "triplet"  # as a specification
    names = [list(DENSE)[first % len(DENSE)]] if slow else DENSE
    for turn in range(1 if slow else 3):
        c_min, c_max = ON_SHELLS[(first + 2 * turn) % len(ON_SHELLS)]
        potential = potential_of(
            kind, c_min=c_min, c_max=c_max, switch=switch, combine=combine
        )
        for name in names:
            structure = lattice(name, scale=DENSE[name])
            compare(potential, structure)
            weights = weights_of(potential, structure)
            lost, kept = lost + (weights == 0.0).sum(), kept + (weights > 0.0).sum()
    assert lost > 5
    assert kept > 5


@pytest.mark.parametrize("n_species", SPECIES)
@pytest.mark.parametrize("kind", KINDS)
def test_rattled_lattices_and_liquids(kind, n_species):
    species = SPECIES[n_species]
    envelopes = [
        {"c_min": 0.6, "c_max": 1.6, "switch": "bump", "inner": 1.4, "outer": 2.4},
        {"c_min": 0.3, "c_max": 2.9, "switch": "quintic", "combine": "softmin"},
        {"c_min": 0.0, "c_max": 1.1, "switch": "meam"},
    ]
    structures = [scattered(species, n=5, shortest=1.5, seed=n_species)]
    if kind in ("pair", "density") or n_species == 1:  # the others are slow
        structures += [
            lattice(name, 2, noise=0.1, species=species, scale=0.85)
            for name in (("bcc", "sc") if kind != "triplet" else ("bcc",))
        ]
    for settings in envelopes:
        potential = potential_of(kind, species, cutoff=3.9, **settings)
        for structure in structures:
            compare(potential, structure)
        weights = np.concatenate([weights_of(potential, s) for s in structures])
        assert (weights == 0.0).any() or settings["c_min"] == 0.0
        assert ((weights > 0.0) & (weights < 1.0)).any()


@pytest.mark.parametrize("kind", KINDS)
def test_the_specification_itself_does_not_feel_lost_neighbours(kind):
    potential = potential_of(kind, (14, 74))
    (term,), (c,) = potential.terms, potential.coefficients
    structure = lattice("fcc", 2, noise=0.1, species=(14, 74), scale=DENSE["fcc"])
    d, z = environment(neighborhood(structure, potential.cutoff), 0)
    weight, _ = screening(term.envelope, 14, d, z)
    left = weight > 0.0
    assert 10 < left.sum() < 0.8 * len(left)
    weighted = reference.WEIGHTED[term.inner.kind]
    energy, gradient, by_weight = weighted(term.inner, c, 14, d, z, weight)
    alone = weighted(term.inner, c, 14, d[left], z[left], weight[left])
    assert alone[0] == pytest.approx(energy, rel=1e-13)
    assert np.abs(alone[1] - gradient[left]).max() < 1e-13 * size(gradient)
    assert np.abs(alone[2] - by_weight[left]).max() < 1e-13 * size(by_weight)
    assert not gradient[~left].any()


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_neighbours_does_not_matter(kind):
    rng = np.random.default_rng(4)
    for envelope in ({}, {"c_min": 0.3, "c_max": 2.9, "combine": "softmin"}):
        potential = potential_of(kind, (14, 74), **envelope)
        structure = lattice("fcc", 3, noise=0.1, species=(14, 74))
        hood = neighborhood(structure, potential.cutoff + 0.5)
        expected = potential.evaluate(hood, threads=1)
        for _ in range(4):
            lists = np.split(hood.neighbors, hood.first[1:-1])
            mixed = np.concatenate([rng.permutation(a) for a in lists])
            found = potential.evaluate(replace(hood, neighbors=mixed), threads=1)
            assert max(difference(found, expected)) < 1e-12


TRICLINIC = np.array([[2.4, 0.1, 0.0], [0.7, 2.3, -0.2], [-0.5, 0.6, 2.6]])


@pytest.mark.parametrize("n_atoms", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_images_of_one_atom_screen_each_other_as_atoms_of_a_supercell(kind, n_atoms):
    sites = np.array([[0.1, 0.2, 0.3], [0.55, 0.62, 0.81]])[:n_atoms]
    cell = TRICLINIC * (1.0 if n_atoms == 1 else 1.3)
    small = Structure(
        np.array([74, 14], dtype=np.int32)[:n_atoms], sites @ cell, cell, np.ones(3, bool)
    )
    large = repeated(small, (4, 4, 4))
    skewed = rewritten(small, np.array([[1, 2, 0], [0, 1, 0], [-1, 0, 1]]))
    for envelope in ({}, {"c_min": 0.3, "c_max": 3.5, "combine": "softmin"}):
        potential = potential_of(kind, (14, 74), **envelope)
        weights = weights_of(potential, small)
        assert ((weights > 0.0) & (weights < 1.0)).any()
        one, many = evaluate(potential, small), evaluate(potential, large)
        many_forces = many.forces.reshape(-1, n_atoms, 3)
        assert np.abs(many.energies.reshape(-1, n_atoms) - one.energies).max() < 1e-11
        assert np.abs(many_forces - one.forces).max() < 1e-11
        assert np.abs(many.virial / 64.0 - one.virial).max() < 1e-11
        (frame,) = potential.evaluate_many([small], threads=1)
        for other in (
            evaluate(potential, skewed),
            frame,
            follow(potential, threads=1).evaluate(small),
        ):
            assert max(difference(other, one)) < 1e-12


@pytest.mark.parametrize("combine", COMBINES)
@pytest.mark.parametrize("switch", SWITCHES)
@pytest.mark.parametrize("kind", KINDS)
def test_mixed_precision_on_crystals(kind, switch, combine):
    """Perfect ones too, where rounding to single decides whether a pair is there."""
    for c_min, c_max in (*ON_SHELLS, (0.3, 1.1), (0.2, 1.6)):
        for species in ((74,), (14, 74)):
            potential = potential_of(
                kind, species, c_min=c_min, c_max=c_max, switch=switch, combine=combine
            )
            for name, noise in (("bcc", 0.0), ("diamond", 0.0), ("bcc", 0.08)):
                structure = lattice(name, 4, noise=noise, species=species)
                follower = follow(potential, precision="mixed", threads=1)
                found = follower.evaluate(structure)
                expected = follow(potential, threads=1).forces(structure)
                scale = max(10.0, float(np.abs(expected).max())) / 10.0
                assert np.abs(found.forces - expected).max() < MIXED_FORCE * scale
                assert np.array_equal(follower.forces(structure), found.forces)


@pytest.mark.parametrize("combine", COMBINES)
@pytest.mark.parametrize("switch", SWITCHES)
def test_switches_are_equally_good_in_single_precision(switch, combine):
    """Two atoms screen a pair in part; rounding alone gives 5e-6 eV/A."""
    rng = np.random.default_rng(8)
    settings = {"c_min": 0.3, "c_max": 1.1, "switch": switch, "combine": combine}
    potential = potential_of("pair", cutoff=5.0, **settings)
    mixed, double = (follow(potential, precision=p, threads=1) for p in ("mixed", "double"))
    worst = 0.0
    for c, t, angle in zip(
        rng.uniform(0.29, 1.12, (1500, 2)),
        rng.uniform(0.3, 0.7, (1500, 2)),
        rng.uniform(2.0, 4.0, 1500),
        strict=True,
    ):
        height = np.sqrt(c * t * (1.0 - t))
        beside = [[t[0], height[0], 0.0]]
        beside += [[t[1], height[1] * np.cos(angle), height[1] * np.sin(angle)]]
        atoms = 3.2 * np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], *beside])
        structure = free_cluster([74] * 4, atoms)
        off = mixed.forces(structure) - double.forces(structure)
        worst = max(worst, float(np.abs(off).max()))
    assert worst < 2e-5


@cache
def large_crystal():
    return lattice("bcc", 12, noise=0.08, species=(14, 74))  # 1,728 atoms: several patches


@pytest.mark.parametrize("precision", ["double", "mixed"])
@pytest.mark.parametrize("kind", KINDS)
def test_threads_and_energies_do_not_change_a_bit_of_the_forces(kind, precision):
    potential = potential_of(kind, (14, 74), c_min=0.2, c_max=1.6)
    structure = large_crystal()
    followers = [follow(potential, precision=precision, threads=n) for n in (1, 2)]
    one, two = (f.evaluate(structure) for f in followers)
    assert np.array_equal(one.energies, two.energies)
    assert np.array_equal(one.forces, two.forces)
    assert np.array_equal(one.virial, two.virial)
    for follower in followers:
        assert np.array_equal(follower.forces(structure), one.forces)


@pytest.mark.parametrize("precision", ["double", "mixed"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_age_of_the_list_does_not_matter(kind, precision):
    """Screening atoms come out of the skin too, for a C_max that reaches far."""
    potential = potential_of(kind, (14, 74), c_min=0.3, c_max=3.5)
    structure = lattice("bcc", 5, noise=0.05, species=(14, 74))
    away = np.random.default_rng(5).normal(size=structure.positions.shape)
    away /= np.linalg.norm(away, axis=1)[:, None]
    old = follow(potential, skin=1.0, precision=precision, threads=1)
    for moved in np.linspace(0.0, 0.45, 6):
        now = replace(structure, positions=structure.positions + moved * away)
        fresh = follow(potential, skin=0.0, precision=precision, threads=1).forces(now)
        bound = 1e-12 if precision == "double" else MIXED_FORCE / 10.0
        assert np.abs(old.forces(now) - fresh).max() < bound * size(fresh)
    assert old.builds == 1


def largest_products(term, limits):
    """What each product of bounded arguments can be, in the order of the columns."""
    rho = 1.25 * limits[: term.n_densities]
    lengths = 1.25 * limits[term.n_densities :].reshape(-1, max(term.l_max, 1))
    squares = [lengths[a, l_ - 1] * lengths[b, l_ - 1] for l_, a, b in term.squares]
    triples = []
    for triple in term.invariants_of_three:
        functions, harmonic = np.divmod(triple.components, 15)
        degree = np.searchsorted([3, 8], harmonic, side="right")
        triples.append(np.abs(triple.factors) @ lengths[functions, degree].prod(axis=1))
    mixed = np.outer(rho, squares).ravel() if term.mixed else []
    products = [rho[list(c)].prod() for c in term.products]
    return np.array([*products, *squares, *triples, *mixed])


@pytest.mark.parametrize("kind", ["density", "angular"])
def test_bounded_densities_saturate_in_any_compression(kind):
    limit = 0.7
    potential = potential_of(kind, c_min=0.2, c_max=1.6, limit=limit)
    term = potential.terms[0].inner
    most = largest_products(term, term.limits[0])
    plain = replace(potential, terms=(term,))
    reached = 0.0
    for scale in (0.5, 0.6, 0.8, 1.0, 1.5, 3.0):
        structure = lattice("bcc", 2, noise=0.05, scale=scale)
        for one in (potential, plain):
            energy, _, _ = rows_of(one, structure)
            per_atom = np.abs(energy[0]) / len(structure)
            assert (per_atom <= most * (1.0 + 1e-12)).all()
            reached = max(reached, float((per_atom / most).max()))
            bound = float(np.abs(one.coefficients[0]) @ most)
            for precision in ("double", "mixed"):
                found = follow(one, precision=precision, threads=1).evaluate(structure)
                assert np.abs(found.energies).max() <= bound * 1.00001
                assert np.isfinite(found.forces).all()
    assert reached > 0.9, "nothing saturates; the test would be empty"


def test_twenty_species_with_limits_of_their_own():
    species = tuple(range(21, 41))
    trios = {"Sc-Ti-Sc": Limits(0.1, 0.9), "Sc-V-Fe": Limits(0.0, 0.3)}
    trios["Ti-Zn-Ni"] = Limits(0.7, 2.6)
    settings = {"trios": trios, "never_screen": ("Ga", "Ti"), "inner": 0.5, "outer": 2.2}
    structure = scattered(species, n=7, seed=1)
    for kind in ("pair", "density"):
        for combine in COMBINES:
            potential = potential_of(
                kind, species, combine=combine, order=2, cutoff=3.9, **settings
            )
            for first in (0, 6, 13):
                numbers = np.array(species[first : first + 7], dtype=np.int32)
                compare(potential, replace(structure, numbers=numbers))


@pytest.mark.parametrize("limits", [(0.0, 0.2), (0.3, 1.1), (1.5, 3.0)])
def test_an_environment_of_five_hundred_neighbours(limits):
    c_min, c_max = limits
    structure = lattice("fcc", noise=0.1, scale=2.55 / 3.8)
    structure = replace(structure, cell=structure.cell + 0.03)
    for kind in ("pair", "density"):
        potential = potential_of(kind, cutoff=8.0, c_min=c_min, c_max=c_max)
        assert len(neighborhood(structure, 8.0).neighbors) > 450
        compare(potential, structure)


@pytest.mark.parametrize("along", [(1.0, 0.0, 0.0), (0.6, 0.0, 0.8), (0.3, -0.5, 0.7)])
@pytest.mark.parametrize("kind", KINDS)
def test_atoms_in_a_row(kind, along):
    """Half of them screened by atoms exactly on the line; for C_min 0 that is the limit."""
    row = np.arange(6)[:, None] * 1.1 * np.array(along) + 0.37
    beside = np.vstack([row, row[2] + np.array([0.4, 1.3, 0.2])])
    for limits in ({"c_min": 0.0, "c_max": 1.0}, {"c_min": 0.0, "c_max": 1e-6}):
        for switch, combine in (("meam", "softmin"), ("smooth", "product")):
            potential = potential_of(kind, switch=switch, combine=combine, **limits)
            for atoms in (row, beside):
                compare(potential, free_cluster([74] * len(atoms), atoms))


def test_limits_that_nearly_touch():
    """The switch is then a step; off it, weights are 0 and 1 and have no slope."""
    for name in PRIMITIVE:
        for c in (0.3, 0.9, 1.2, 2.1):
            potential = potential_of("density", c_min=c, c_max=c * (1.0 + 1e-9))
            compare(potential, lattice(name))
            structure = lattice(name, 3)
            mixed = follow(potential, precision="mixed", threads=1).forces(structure)
            assert np.abs(mixed).max() < MIXED_FORCE


def test_close_atoms_are_numbers():
    """Whatever screening by an atom 1e-6 A away may be, it is no NaN."""
    for apart in (1e-2, 1e-4, 1e-6):
        for aside in ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.6, 0.8, 0.0)):
            atoms = np.array([[0, 0, 0], [2, 0.3, 0], [2, 0.3, 0], [1, 0.2, 0.9]], float)
            atoms[2] += apart * np.array(aside)
            structure = free_cluster([74] * 4, atoms)
            for kind in KINDS:
                potential = potential_of(kind, switch="bump", c_min=0.0)
                for precision in ("double", "mixed"):
                    found = follow(potential, precision=precision, threads=1).evaluate(
                        structure
                    )
                    assert np.isfinite(found.energies).all()
                    assert np.isfinite(found.forces).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("species", [(74,), (14, 74)])
def test_where_nothing_may_screen_the_term_is_the_plain_one(kind, species):
    potential = potential_of(kind, species, never_screen=("Si", "W")[-len(species) :])
    plain = replace(potential, terms=(potential.terms[0].inner,))
    structure = lattice("bcc", 2, noise=0.1, species=species)
    found, expected = evaluate(potential, structure), evaluate(plain, structure)
    assert max(difference(found, expected)) < 1e-12


def test_two_neighbours_at_one_place_do_not_screen_each_other():
    rng = np.random.default_rng(6)
    potential = potential_of("pair", cutoff=CUTOFF)
    for _ in range(10):
        d = rng.normal(size=3)
        d *= 2.3 / np.linalg.norm(d)
        one = evaluate(potential, free_cluster([74] * 2, np.array([0.0 * d, d])))
        two = evaluate(potential, free_cluster([74] * 3, np.array([0.0 * d, d, d])))
        assert two.energies[0] == pytest.approx(2.0 * one.energies[0], abs=1e-12)
