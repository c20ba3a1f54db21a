"""What is said about distances of the data does not depend on which end is looked from."""

import numpy as np

from spline_samples import SPECIES, scattered
from trimpot.splines.density_settings import DensitySettings
from trimpot.splines.packing import pack
from trimpot.splines.profile import PairProfile, pair_profile
from trimpot.splines.registry import restore_term


def test_shortest_distances_are_symmetric_to_the_last_bit():
    """So that a density term of several elements passes the checks of its own file."""
    for seed in range(30):
        frames = pack([scattered(SPECIES[3], 9, seed=seed)], SPECIES[3])
        profile = pair_profile(frames, 5.0)
        np.testing.assert_array_equal(profile.smallest, profile.smallest.T)
    term = DensitySettings(cutoff=4.0, l_max=1).build(SPECIES[3], profile)
    assert restore_term("density", SPECIES[3], term.state()).n_limits == term.n_limits


def test_pairs_begin_where_more_than_a_few_are():
    """One pair of a thousand is no place for resolution; without data there is a guess."""
    counts = np.zeros((2, 2, 60))
    counts[0, 0, 15], counts[0, 0, 24:36] = 1.0, 100.0  # at 1.5 A, and from 2.4 A on
    smallest = np.array([[1.5, np.inf], [np.inf, np.inf]])
    profile = PairProfile((14, 74), smallest, counts, 6.0)
    assert 2.4 < profile.beginning(14, 14) < 2.45
    assert (
        profile.beginning(14, 74) == profile.beginning(74, 14) == profile.shortest(14, 74)
    )
    counts[0, 0, 15] = 100.0
    assert 1.5 <= profile.beginning(14, 14) < 1.55
