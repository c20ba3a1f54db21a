"""Knots and cubic B-splines."""

import numpy as np
import pytest
from scipy.interpolate import BSpline

from spline_samples import greville
from trimpot.errors import InputError
from trimpot.splines.knots import clamped, n_basis, spaced_breaks, supports
from trimpot.splines.reference import bspline_basis

SPACINGS = ("uniform", "square", "geometric", "inverse")
EVEN_IN = {
    "uniform": np.positive,
    "square": np.square,
    "geometric": np.log,
    "inverse": np.reciprocal,
}


@pytest.mark.parametrize("spacing", SPACINGS)
def test_breaks_are_even_in_the_variable_of_their_spacing(spacing):
    breaks = spaced_breaks(1.1, 5.3, 9, spacing)
    assert breaks[0] == 1.1
    assert breaks[-1] == 5.3
    steps = np.diff(EVEN_IN[spacing](breaks))
    assert np.allclose(steps, steps[0], rtol=1e-12)
    assert (np.diff(breaks) > 0).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((3.0, 3.0, 8), "below the upper end"),
        ((-0.1, 3.0, 8), "must be >= 0"),
        ((float("nan"), 3.0, 8), "lower end"),
        ((1.0, 3.0, 3), "at least 4 intervals"),
        ((0.0, 3.0, 8, "geometric"), "lower end above 0"),
        ((0.0, 3.0, 8, "inverse"), "lower end above 0"),
        ((1.0, 3.0, 8, "cubic"), "unknown knot spacing 'cubic'"),
    ],
)
def test_breaks_refuse_bad_ranges(arguments, message):
    with pytest.raises(InputError, match=message):
        spaced_breaks(*arguments)


@pytest.mark.parametrize(
    ("breaks", "message"),
    [
        ([1, 2, 3, 4], "at least 5"),
        ([1, 2, 3, 3, 4], "ascending"),
        ([1, 2, 3, 4, np.inf], "finite"),
        ([[1, 2, 3, 4, 5]], "one list"),
    ],
)
def test_clamped_refuses_bad_breakpoints(breaks, message):
    with pytest.raises(InputError, match=message):
        clamped(breaks)


def test_n_intervals_carry_n_plus_3_basis_functions():
    assert n_basis(clamped(np.linspace(0, 1, 11))) == 13


@pytest.mark.parametrize("spacing", SPACINGS)
def test_basis_equals_scipy_with_derivatives_and_sums_to_one(spacing):
    knots = clamped(spaced_breaks(0.9, 4.7, 11, spacing))
    r = np.random.default_rng(1).uniform(0.9, 4.7, 200)
    value, slope = bspline_basis(knots, r)
    for k in range(n_basis(knots)):
        single = BSpline(knots, np.eye(n_basis(knots))[k], 3)
        assert np.allclose(value[:, k], single(r), atol=1e-13)
        assert np.allclose(slope[:, k], single.derivative()(r), atol=1e-11)
    assert np.allclose(value.sum(axis=1), 1.0, atol=1e-13)
    assert np.allclose(slope.sum(axis=1), 0.0, atol=1e-11)
    assert (value >= 0.0).all()


def test_basis_is_zero_outside_and_at_the_upper_end():
    knots = clamped(np.linspace(1.0, 4.0, 8))
    value, slope = bspline_basis(knots, np.array([0.0, 0.999, 4.0, 7.0]))
    assert not value.any()
    assert not slope.any()


def test_free_basis_functions_are_twice_differentiable_inside_and_at_the_cutoff():
    """All but the last three vanish at the cutoff with value, slope and curvature."""
    knots = clamped(spaced_breaks(1.0, 4.0, 8, "square"))
    step = 1e-5
    for knot in np.unique(knots)[1:]:
        at = knot + step * np.array([-2.0, -1.0, 1.0, 2.0])
        value, slope = (a[:, :-3] for a in bspline_basis(knots, at))
        bend_before, bend_after = (slope[1] - slope[0]) / step, (slope[3] - slope[2]) / step
        assert np.abs(value[2] - value[1]).max() < 1e-4  # slopes of 1/A over 2e-5 A
        assert np.abs(slope[2] - slope[1]).max() < 1e-2
        assert np.abs(bend_after - bend_before).max() < 0.1  # a kink would show 10/A^2
    assert np.abs(value).max() < 1e-12  # the last knot is the cutoff
    assert np.abs(slope).max() < 1e-7


def test_supports_hold_all_of_a_basis_function():
    knots = clamped(spaced_breaks(1.0, 4.0, 6))
    lower, upper = supports(knots)
    r = np.linspace(1.0, 4.0 - 1e-9, 4001)
    value, _ = bspline_basis(knots, r)
    for k in range(n_basis(knots)):
        inside = r[value[:, k] > 0]
        assert lower[k] <= inside.min()
        assert inside.max() <= upper[k]


def test_greville_abscissae_reproduce_a_straight_line():
    knots = clamped(spaced_breaks(1.0, 4.0, 9, "inverse"))
    r = np.linspace(1.0, 3.999, 50)
    value, slope = bspline_basis(knots, r)
    assert np.allclose(value @ greville(knots), r, atol=1e-12)
    assert np.allclose(slope @ greville(knots), 1.0, atol=1e-11)
