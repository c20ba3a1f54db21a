"""From settings to triplet grids: counts, symmetry, ties, omissions, automatic choices."""

import numpy as np
import pytest

from spline_samples import profile_of
from trimpot.errors import InputError
from trimpot.splines.knots import clamped, spaced_breaks
from trimpot.splines.triplet import ABSENT, FROZEN, grid_columns, triangle_mask
from trimpot.splines.triplet_settings import (
    DEFAULT_INTERVALS,
    LOWER_END,
    TripletOverride,
    TripletSettings,
)

GE_TE = (32, 52)
FOUR = (41, 42, 73, 74)
COARSE = {"intervals": 5, "intervals_jk": 6, "r_min": 1.0, "r_min_jk": 1.0}

PUBLISHED = {4.0: 924, 4.25: 915, 4.5: 905, 4.75: 903, 5.0: 899, 5.25: 889, 5.5: 888}
"""Coefficients in all of the published tungsten models per three-body cutoff."""


@pytest.mark.parametrize(("cutoff", "published"), PUBLISHED.items())
def test_coefficient_counts_of_the_published_tungsten_models(cutoff, published):
    """[10, 10, 20] intervals from 1.5 A, r_jk to 2 cutoff; 25 pair and 1 one-body more."""
    knots = {"r_min": 1.5, "r_min_jk": 1.5, "intervals": 10, "intervals_jk": 20}
    settings = TripletSettings(cutoff=cutoff, leading_trim=0, **knots)
    term = settings.build((74,), profile_of((74,)))
    assert term.n_coefficients + 25 + 1 == published


def test_dropped_products_are_those_that_no_triangle_touches():
    leg, base = clamped(spaced_breaks(1.0, 3.0, 5)), clamped(spaced_breaks(0.5, 6.5, 9))
    mask = triangle_mask(leg, leg, base)
    rng = np.random.default_rng(0)
    r_ij, r_ik = rng.uniform(1.0, 3.0, (2, 40000))
    r_jk = rng.uniform(np.abs(r_ij - r_ik), r_ij + r_ik)
    inside = (r_jk > 0.5) & (r_jk < 6.5)
    spans = [
        np.searchsorted(np.unique(k), r[inside], side="right") - 1
        for k, r in ((leg, r_ij), (leg, r_ik), (base, r_jk))
    ]
    touched = np.zeros_like(mask)
    for a, b, c in np.ndindex(4, 4, 4):
        touched[spans[0] + a, spans[1] + b, spans[2] + c] = True
    assert np.array_equal(mask & touched, touched)  # nothing that is needed is dropped
    assert mask.sum() - touched.sum() <= 0.05 * touched.sum()  # and hardly more is kept


@pytest.mark.parametrize("leading", [0, 3])
def test_symmetric_grids_share_coefficients_and_freeze_their_ends(leading):
    leg, base = clamped(spaced_breaks(1.0, 4.0, 6)), clamped(spaced_breaks(1.0, 8.0, 9))
    columns = grid_columns((leg, leg, base), symmetric=True, leading=leading, first=7)
    assert np.array_equal(columns, columns.transpose(1, 0, 2))
    free = columns[columns >= 0]
    assert np.array_equal(np.unique(free), 7 + np.arange(len(np.unique(free))))
    for axis in range(3):
        ends = np.moveaxis(columns, axis, 0)
        assert (ends[-3:] < 0).all()
        assert (ends[:leading] < 0).all()
    assert set(np.unique(columns[columns < 0])) <= {FROZEN, ABSENT}


def test_grids_of_different_neighbours_are_not_symmetric():
    term = TripletSettings(tie="none", **COARSE).build(GE_TE, profile_of(GE_TE))
    trios = [g.trios for g in term.grids]
    assert trios == [((a, b, c),) for a in GE_TE for b, c in ((32, 32), (32, 52), (52, 52))]
    for grid in term.grids:
        same = grid.trios[0][1] == grid.trios[0][2]
        assert np.array_equal(grid.columns, grid.columns.transpose(1, 0, 2)) == same


@pytest.mark.parametrize(("tie", "grids"), [("none", 40), ("center", 4), ("all", 1)])
def test_ties_share_a_grid_and_cover_every_trio_once(tie, grids):
    term = TripletSettings(tie=tie, **COARSE).build(FOUR, profile_of(FOUR))
    assert len(term.grids) == grids
    trios = [t for g in term.grids for t in g.trios]
    assert len(trios) == len(set(trios)) == 40
    if tie == "center":
        assert all(len({t[0] for t in g.trios}) == 1 for g in term.grids)
    assert term.n_coefficients == sum(g.n_free for g in term.grids)


def test_named_ties_leave_the_other_trios_alone():
    tie = (("Ge-Ge-Te", "Ge-Te-Te"),)
    term = TripletSettings(tie=tie, **COARSE).build(GE_TE, profile_of(GE_TE))
    assert [len(g.trios) for g in term.grids] == [2, 1, 1, 1, 1]
    assert set(term.grids[0].trios) == {(32, 32, 52), (32, 52, 52)}
    assert np.array_equal(term.grids[0].columns, term.grids[0].columns.transpose(1, 0, 2))


def test_a_trio_that_is_left_out_has_no_grid_even_where_it_was_tied():
    for tie in ("none", "center"):
        settings = TripletSettings(tie=tie, leave_out=("Ge-Te-Te",), **COARSE)
        term = settings.build(GE_TE, profile_of(GE_TE))
        assert (32, 52, 52) not in {t for g in term.grids for t in g.trios}


def test_a_trio_that_is_both_tied_by_name_and_left_out_is_refused():
    tie = (("Ge-Ge-Te", "Ge-Te-Te"),)
    settings = TripletSettings(tie=tie, leave_out=("Ge-Te-Te",), **COARSE)
    with pytest.raises(InputError, match="both tied and left out"):
        settings.build(GE_TE, profile_of(GE_TE))


def test_a_trio_in_two_ties_is_refused():
    tie = (("Ge-Ge-Te", "Ge-Te-Te"), ("Ge-Te-Te", "Te-Te-Te"))
    with pytest.raises(InputError, match="Ge-Te-Te twice"):
        TripletSettings(tie=tie, **COARSE).build(GE_TE, profile_of(GE_TE))


def test_overrides_hold_for_their_trio_centre_first():
    settings = TripletSettings(
        tie="none",
        cutoff=4.0,
        trios={"Te-Ge-Ge": TripletOverride(cutoff=5.0, cutoff_jk=6.0, intervals=6)},
        **COARSE,
    )
    term = settings.build(GE_TE, profile_of(GE_TE))
    by_trio = {g.trios[0]: g for g in term.grids}
    assert by_trio[(52, 32, 32)].knots_ij[-1] == 5.0
    assert by_trio[(52, 32, 32)].knots_jk[-1] == 6.0
    assert by_trio[(32, 32, 52)].knots_ij[-1] == 4.0
    assert by_trio[(32, 32, 52)].knots_jk[-1] == 8.0
    assert term.cutoff == 5.0


def test_tied_trios_with_different_settings_are_refused():
    settings = TripletSettings(
        tie="center", trios={"Te-Ge-Ge": TripletOverride(cutoff=5.0)}, **COARSE
    )
    with pytest.raises(InputError, match="have different settings"):
        settings.build(GE_TE, profile_of(GE_TE))


@pytest.mark.parametrize(
    "settings",
    [
        {"leave_out": ("Ge-W-Te",)},
        {"trios": {"W-Ge-Te": TripletOverride()}},
        {"tie": (("Ge-Ge-W", "Ge-Te-Te"),)},
    ],
)
def test_a_trio_with_an_element_outside_the_species_is_refused(settings):
    with pytest.raises(InputError, match=r"outside the model's species Ge-Te"):
        TripletSettings(**COARSE, **settings).build(GE_TE, profile_of(GE_TE))


def test_two_names_are_not_a_trio():
    with pytest.raises(InputError, match="expected 3 elements"):
        TripletSettings(leave_out=("Ge-Te",), **COARSE).build(GE_TE, profile_of(GE_TE))


def test_default_lower_ends_lie_below_the_data():
    term = TripletSettings(intervals=6).build((74,), profile_of((74,), 2.4))
    (grid,) = term.grids
    for knots in (grid.knots_ij, grid.knots_ik, grid.knots_jk):
        assert knots[0] == pytest.approx(LOWER_END * 2.4, abs=0.01)
    assert grid.knots_jk[-1] == 2 * grid.knots_ij[-1]


@pytest.mark.parametrize(
    "species", [(74,), GE_TE, (13, 28, 29), FOUR, (13, 24, 26, 27, 28)]
)
def test_automatic_choices_stay_below_the_limit_and_are_the_finest(species):
    profile = profile_of(species, 2.2)
    settings = TripletSettings()
    term = settings.build(species, profile)
    assert term.n_coefficients <= settings.max_coefficients
    tied = len(term.grids) == len(species) and len(species) > 1
    used = len(np.unique(term.grids[0].knots_ij)) - 1
    if used < DEFAULT_INTERVALS[0]:
        finer = TripletSettings(intervals=used + 1, tie="center" if tied else "none")
        assert finer.build(species, profile).n_coefficients > settings.max_coefficients
    if tied:
        coarsest = TripletSettings(intervals=DEFAULT_INTERVALS[-1], tie="none")
        assert coarsest.build(species, profile).n_coefficients > settings.max_coefficients


def test_given_intervals_are_kept_and_only_the_tie_is_chosen():
    term = TripletSettings(intervals=9).build(FOUR, profile_of(FOUR))
    assert len(term.grids) == 4
    assert {len(np.unique(g.knots_ij)) - 1 for g in term.grids} == {9}


def test_a_given_tie_and_intervals_are_obeyed_above_the_limit():
    settings = TripletSettings(intervals=8, tie="none", max_coefficients=100)
    assert settings.build((74,), profile_of((74,))).n_coefficients > 100
