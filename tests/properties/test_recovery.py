"""Splines recover the potentials that labelled their data, at the order of cubics."""

from itertools import pairwise

import numpy as np
import pytest

from recovery import (
    lennard_jones_levels,
    stillinger_weber_levels,
    thermal_silicon_levels,
)


def overall_order(levels, quantity):
    """Order of the error from the coarsest to the finest knots."""
    first, last = levels[0], levels[-1]
    ratio = getattr(first, quantity) / getattr(last, quantity)
    return np.log(ratio) / np.log(last.intervals / first.intervals)


@pytest.mark.slow
def test_lennard_jones_is_recovered_by_pairs():
    levels = lennard_jones_levels()
    assert overall_order(levels, "energy") >= 3.7
    assert overall_order(levels, "forces") >= 2.7
    assert levels[-1].forces < 1e-4


def test_lennard_jones_improves_with_every_halving():
    levels = lennard_jones_levels(intervals=(10, 20, 40), count=40)
    for coarse, fine in pairwise(levels):
        assert fine.energy < coarse.energy / 4
        assert fine.forces < coarse.forces / 4


@pytest.mark.slow
def test_stillinger_weber_is_recovered_at_the_order_of_cubic_splines():
    levels = stillinger_weber_levels()
    assert overall_order(levels, "energy") >= 3.7
    assert overall_order(levels, "forces") >= 2.7


@pytest.mark.slow
def test_forces_of_stillinger_weber_crystals_are_recovered():
    coarse, fine = thermal_silicon_levels(intervals=(10, 20))
    assert coarse.forces < 2e-3
    assert fine.forces < 3e-4
