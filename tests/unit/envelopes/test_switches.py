"""Switches: ends, slopes, how smooth they are where they begin and end."""

import numpy as np
import pytest

from trimpot.envelopes.switches import SWITCHES, switch

ORDERS = {"quintic": (3, 3), "meam": (2, 4)}
"""First power of the distance that does not vanish at 0 and at 1."""


@pytest.mark.parametrize("kind", SWITCHES)
def test_it_is_constant_outside_even_at_infinity(kind):
    value, slope = switch(kind, np.array([-np.inf, -3.0, 0.0, 1.0, 7.0, np.inf]))
    assert value.tolist() == [0, 0, 0, 1, 1, 1]
    assert not slope.any()


@pytest.mark.parametrize("kind", SWITCHES)
def test_it_rises_all_the_way(kind):
    x = np.linspace(0.0, 1.0, 1001)
    value, slope = switch(kind, x)
    assert (np.diff(value) >= 0.0).all()
    assert (slope >= 0.0).all()
    assert 0.0 < value[500] < 1.0


@pytest.mark.parametrize("kind", SWITCHES)
def test_the_slope_is_the_derivative(kind):
    x, h = np.linspace(-0.3, 1.3, 401), 1e-6
    difference = (switch(kind, x + h)[0] - switch(kind, x - h)[0]) / (2.0 * h)
    assert np.abs(switch(kind, x)[1] - difference).max() < 1e-5


@pytest.mark.parametrize("kind", ORDERS)
def test_the_order_at_both_ends(kind):
    h = np.array([1e-3, 2e-3])
    for order, distance in zip(
        ORDERS[kind], (switch(kind, h)[0], 1.0 - switch(kind, 1.0 - h)[0]), strict=True
    ):
        assert np.log2(distance[1] / distance[0]) == pytest.approx(order, abs=0.02)


@pytest.mark.parametrize("kind", sorted(set(SWITCHES) - set(ORDERS)))
def test_the_others_leave_both_ends_faster_than_any_power(kind):
    h = np.array([0.05, 0.1, 0.2])
    for distance in (switch(kind, h)[0], 1.0 - switch(kind, 1.0 - h)[0]):
        closer, farther = np.diff(np.log2(distance))
        assert closer > 1.6 * farther  # the order itself grows as 1 / h


def test_the_smooth_switch_is_a_half_where_that_of_meam_is():
    half = 1.0 - (1.0 - np.sqrt(0.5)) ** 0.25
    for kind in ("smooth", "meam"):
        assert switch(kind, np.array([half]))[0] == pytest.approx(0.5, abs=2e-3)


def test_the_bump_and_the_quintic_are_odd_about_the_middle():
    x = np.linspace(0.0, 1.0, 101)
    for kind in ("bump", "quintic"):
        assert np.abs(switch(kind, x)[0] + switch(kind, 1.0 - x)[0] - 1.0).max() < 1e-14
