"""From settings to pair curves."""

import numpy as np
import pytest

from spline_samples import absent, profile_of
from trimpot.elements import covalent_radius
from trimpot.errors import InputError
from trimpot.splines.pair import PairOverride, PairSettings
from trimpot.splines.reference import bspline_basis

GE_TE = (32, 52)


def test_every_pair_has_a_curve_with_as_many_coefficients_as_intervals():
    term = PairSettings(cutoff=5.0, intervals=20).build(GE_TE, profile_of(GE_TE))
    assert [c.pair for c in term.curves] == [(32, 32), (32, 52), (52, 52)]
    assert term.n_coefficients == 60
    assert term.cutoff == 5.0
    together = np.concatenate([c.columns[c.columns >= 0] for c in term.curves])
    assert np.array_equal(together, np.arange(60))


def test_overrides_hold_for_their_pair_in_either_order():
    settings = PairSettings(
        cutoff=5.0,
        intervals=20,
        pairs={"Te-Ge": PairOverride(cutoff=6.5, intervals=10, spacing="square")},
    )
    term = settings.build(GE_TE, profile_of(GE_TE))
    curve = term.curve_of(52, 32)
    assert curve.knots[-1] == 6.5
    assert curve.n_free == 10
    assert np.ptp(np.diff(np.unique(curve.knots) ** 2)) < 1e-12
    assert term.curve_of(32, 32).knots[-1] == 5.0
    assert term.cutoff == 6.5


def test_explicit_breakpoints_are_the_knots():
    breaks = (0.0, 1.5, 2.0, 2.6, 3.3, 4.5)
    (curve,) = PairSettings(breaks=breaks).build((74,), profile_of((74,))).curves
    assert np.array_equal(np.unique(curve.knots), breaks)
    assert curve.n_free == 5


def test_a_pair_that_is_left_out_has_no_curve_and_no_coefficients():
    term = PairSettings(intervals=8, leave_out=("Te-Ge",)).build(GE_TE, profile_of(GE_TE))
    assert term.curve_of(32, 52) is None
    assert term.n_coefficients == 16


@pytest.mark.parametrize(
    "settings", [{"leave_out": ("W-Ge",)}, {"pairs": {"Ge-W": PairOverride()}}]
)
def test_a_pair_with_an_element_outside_the_species_is_refused(settings):
    with pytest.raises(InputError, match="outside the model's species Ge-Te"):
        PairSettings(**settings).build(GE_TE, profile_of(GE_TE))


def test_an_unknown_element_is_refused_with_a_suggestion():
    with pytest.raises(InputError, match="unknown element"):
        PairSettings(leave_out=("Gee-Te",)).build(GE_TE, profile_of(GE_TE))


def test_walls_stand_at_the_shortest_distance_or_a_typical_one():
    present = PairSettings().build(GE_TE, profile_of(GE_TE, 2.37))
    assert {c.wall for c in present.curves} == {2.37}
    lacking = PairSettings().build(GE_TE, absent(GE_TE))
    typical = 0.8 * (covalent_radius(32) + covalent_radius(52))
    assert lacking.curve_of(32, 52).wall == pytest.approx(typical)
    free = PairSettings(repulsive=False).build(GE_TE, profile_of(GE_TE))
    assert free.monotone_rows().shape == (0, free.n_coefficients)


def test_repulsive_rows_are_slopes_below_the_wall_of_each_curve():
    term = PairSettings(cutoff=5.0, intervals=10).build(GE_TE, profile_of(GE_TE, 2.2))
    rows = term.monotone_rows()
    c = np.random.default_rng(0).normal(size=term.n_coefficients)
    r = np.linspace(0.0, 2.2, len(rows) // 3)
    expected = np.concatenate([curve.values(c, r)[1] for curve in term.curves])
    assert np.allclose(rows @ c, expected, atol=1e-12)


def test_points_of_the_rows_are_dense_enough_to_bind_a_quadratic_slope():
    """A slope <= 0 at the points stays below 2 % of its size in between."""
    term = PairSettings(cutoff=5.0, intervals=10).build((74,), profile_of((74,), 2.6))
    (curve,) = term.curves
    rng = np.random.default_rng(3)
    r = np.linspace(0.0, 2.6, 2000)
    slopes = bspline_basis(curve.knots, r)[1][:, curve.columns >= 0]
    rows = term.monotone_rows()
    held = 0
    for _ in range(300):
        slope = slopes @ (c := 7.0 * np.linspace(1, 0, 10) + rng.normal(size=10))
        if (rows @ c <= 0.0).all():
            held += 1
            assert slope.max() <= 0.02 * np.abs(slope).max()
    assert held > 10
