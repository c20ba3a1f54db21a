"""From settings to pair curves."""

import numpy as np
import pytest
from scipy import optimize

from spline_samples import absent, profile_of
from trimpot.elements import covalent_radius
from trimpot.errors import InputError
from trimpot.splines.pair_settings import PairOverride, PairSettings

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


def slopes_of(term, c, low, high):
    r = np.linspace(low, high, 4000, endpoint=False)
    return np.concatenate([curve.values(c, r)[1] for curve in term.curves])


@pytest.mark.parametrize("wall", [2.2, 2.6, 0.3])
def test_non_positive_rows_make_every_curve_fall_everywhere_below_its_wall(wall):
    term = PairSettings(cutoff=5.0, intervals=10).build(GE_TE, profile_of(GE_TE, wall))
    rows = term.monotone_rows()
    rng = np.random.default_rng(3)
    falling = np.tile(7.0 * np.linspace(1, 0, 10), 3)
    held = 0
    for _ in range(300):
        c = falling + 0.4 * rng.normal(size=term.n_coefficients)
        if (rows @ c <= 0.0).all():
            held += 1
            assert slopes_of(term, c, 0.0, wall).max() <= 1e-12
    assert held > 10


def test_rows_leave_curves_free_above_the_wall():
    term = PairSettings(cutoff=5.0, intervals=10).build((74,), profile_of((74,), 2.1))
    rows = term.monotone_rows()
    c = optimize.lsq_linear(rows, np.full(len(rows), -1.0)).x  # falls below the wall
    well = np.zeros_like(c)
    well[8] = 1.0  # support from 2.5 A
    assert np.allclose(rows @ (c + 100.0 * well), rows @ c)
    assert slopes_of(term, c + 100.0 * well, 2.1, 5.0).max() > 0.0


@pytest.mark.parametrize("spacing", ["uniform", "square", "geometric", "inverse"])
def test_curves_reach_down_to_zero_whatever_the_lower_end(spacing):
    settings = PairSettings(cutoff=5.0, intervals=12, r_min=1.7, spacing=spacing)
    (curve,) = settings.build((74,), profile_of((74,), 2.1)).curves
    assert curve.knots[0] == 0.0
    widths = np.diff(np.unique(curve.knots))
    below = np.unique(curve.knots)[1:] <= 1.7 + 1e-9
    assert widths[below].max() <= widths[below.sum()] + 1e-12
    explicit = PairSettings(breaks=(1.0, 2.0, 3.0, 4.0, 5.0))
    (curve,) = explicit.build((74,), profile_of((74,), 2.1)).curves
    assert list(np.unique(curve.knots)) == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
