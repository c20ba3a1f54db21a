"""What is said about distances of the data does not depend on which end is looked from."""

import numpy as np

from spline_samples import SPECIES, scattered
from trimpot.splines.density_settings import DensitySettings
from trimpot.splines.packing import pack
from trimpot.splines.profile import pair_profile
from trimpot.splines.registry import restore_term


def test_shortest_distances_are_symmetric_to_the_last_bit():
    """So that a density term of several elements passes the checks of its own file."""
    for seed in range(30):
        frames = pack([scattered(SPECIES[3], 9, seed=seed)], SPECIES[3])
        profile = pair_profile(frames, 5.0)
        np.testing.assert_array_equal(profile.smallest, profile.smallest.T)
    term = DensitySettings(cutoff=4.0, l_max=1).build(SPECIES[3], profile)
    assert restore_term("density", SPECIES[3], term.state()).n_limits == term.n_limits
