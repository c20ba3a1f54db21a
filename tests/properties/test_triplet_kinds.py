"""Triplets of several elements: any axes, any trios left out, any number of species."""

from itertools import combinations_with_replacement

import numpy as np
import pytest

from spline_samples import scattered
from trimpot.engines.following import follow
from trimpot.neighbors import neighborhood
from trimpot.splines import reference
from trimpot.splines.potential import SplinePotential
from trimpot.splines.profile import PairProfile
from trimpot.splines.triplet_settings import TripletOverride, TripletSettings

SPECIES = (14, 32, 74)
USUAL = {"cutoff": 3.6, "intervals": 6, "intervals_jk": 8, "tie": "none"}
SETTINGS = {
    "knots per pair": {},
    "tied per centre": {"tie": "center"},
    "tied altogether": {"tie": "all", "r_min": 1.2, "r_min_jk": 1.4},
    "a cutoff of its own": {"trios": {"W-Si-Ge": TripletOverride(cutoff=3.1)}},
    "intervals of its own": {
        "trios": {"Si-Ge-Ge": TripletOverride(intervals=9, intervals_jk=5)}
    },
    "a spacing of its own": {"trios": {"Ge-Si-W": TripletOverride(spacing="geometric")}},
    "a short opposite side": {"trios": {"W-W-W": TripletOverride(cutoff_jk=4.0)}},
    "trios left out": {"leave_out": ("W-Si-W", "W-W-W", "Si-Ge-Ge", "Ge-Si-Si")},
}


def profile(species):
    """Every pair of elements has a shortest distance of its own."""
    n = len(species)
    shortest = np.zeros((n, n))
    for k, (a, b) in enumerate(combinations_with_replacement(range(n), 2)):
        shortest[a, b] = shortest[b, a] = 1.5 + 0.07 * k
    return PairProfile(species, shortest, np.zeros((n, n, 10)), 6.0)


def potential_of(species, changes):
    term = TripletSettings(**{**USUAL, **changes}).build(species, profile(species))
    rng = np.random.default_rng(len(species))
    return SplinePotential(species, (term,), (rng.normal(size=term.n_coefficients),))


def check(potential, structure):
    expected = reference.evaluate(potential, neighborhood(structure, potential.cutoff))
    scale = max(1.0, float(np.abs(expected.forces).max()))
    assert np.abs(expected.forces).max() > 0.1, "the test would be empty"
    for precision, bound in (("double", 1e-12), ("mixed", 3e-5)):
        found = follow(potential, precision=precision, threads=1).evaluate(structure)
        for name in ("energies", "forces", "virial"):
            off = np.abs(getattr(found, name) - getattr(expected, name)).max()
            assert off < bound * scale, (precision, name)


@pytest.mark.parametrize("name", SETTINGS)
def test_kernels_follow_the_specification(name):
    potential = potential_of(SPECIES, SETTINGS[name])
    check(potential, scattered(SPECIES, n=8, seed=4))


def test_more_kinds_than_a_register_has_lanes():
    species = (13, 14, 29, 32, 74)
    check(potential_of(species, {"intervals": 5}), scattered(species, n=10, seed=2))


def test_one_element_of_a_potential_of_several():
    potential = potential_of(SPECIES, {})
    check(potential, scattered((32,), n=7, seed=6))
