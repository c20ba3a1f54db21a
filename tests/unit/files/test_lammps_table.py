"""LAMMPS tables of two-body potentials: what they hold, how exactly, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from trimpot.errors import InputError
from trimpot.files.lammps_curves import DimerCurve
from trimpot.files.lammps_table import TableSettings, write_table
from trimpot.splines.core import ZblTerm
from trimpot.splines.knots import clamped
from trimpot.splines.one_body import OneBody
from trimpot.splines.pair import PairCurve, PairTerm
from trimpot.splines.potential import SplinePotential
from trimpot.splines.triplet import TripletTerm

GE, TE = SPECIES = 32, 52
ENDS = {(GE, GE): (0.0, 5.0), (GE, TE): (1.2, 4.0)}


def pair_term(ends_of=ENDS, *, frozen=3):
    curves, values, first = [], [], 0
    rng = np.random.default_rng(3)
    for pair, (low, high) in ends_of.items():
        knots = clamped(np.linspace(low, high, 13))
        columns = np.full(len(knots) - 4, -1, dtype=np.int32)
        n_free = len(columns) - frozen
        columns[:n_free] = first + np.arange(n_free)
        curves.append(PairCurve(pair, knots, columns, 0.0))
        values.append(rng.normal(size=n_free))
        first += n_free
    return PairTerm(SPECIES, tuple(curves)), np.concatenate(values)


def core_term(outer=1.6):
    ends = np.full((2, 2), outer)
    return ZblTerm(SPECIES, 0.5 * ends, ends), np.zeros(0)


def potential_of(*parts):
    terms, values = zip(*parts, strict=True)
    return SplinePotential(SPECIES, terms, values)


ISOLATED = OneBody(SPECIES), np.array([-4.0, -3.0])
COARSE = TableSettings(points=200, energy_bound=1.0, force_bound=10.0)


def sections(path):
    """Rows of every table: index, r, E, F."""
    found = {}
    for line in path.read_text().splitlines():
        words = line.split()
        if len(words) == 1:
            rows = found.setdefault(words[0], [])
        elif len(words) == 4 and words[0].isdecimal():
            rows.append([float(word) for word in words])
    return {name: np.array(rows) for name, rows in found.items()}


def test_table_holds_twice_v2_and_its_slope(tmp_path):
    term, values = pair_term()
    write_table(potential_of(ISOLATED, (term, values)), tmp_path / "a", settings=COARSE)
    tables = sections(tmp_path / "a")
    assert list(tables) == ["Ge-Ge", "Ge-Te", "Te-Te"]
    for curve, name in zip(term.curves, tables, strict=False):
        index, r, energy, force = tables[name][1:-1].T
        assert index.tolist() == list(range(2, 200))
        np.testing.assert_allclose(np.diff(r**2, 2), 0.0, atol=1e-12)
        value, slope = curve.values(values, r)
        np.testing.assert_allclose(energy, 2.0 * value, rtol=0.0, atol=1e-11)
        np.testing.assert_allclose(force, -2.0 * slope, rtol=0.0, atol=1e-10)
    assert not tables["Te-Te"][:, 2:].any()


def test_ends_are_those_of_each_pair(tmp_path):
    export = write_table(potential_of(pair_term()), tmp_path / "a.table", settings=COARSE)
    ends = {name: (one.inner, one.cutoff) for name, one in export.pairs.items()}
    assert ends == {"Ge-Ge": (0.5, 5.0), "Ge-Te": (1.2, 4.0), "Te-Te": (0.5, 5.0)}
    assert export.commands == (
        "pair_style table spline 200",
        "pair_coeff 1 1 a.table Ge-Ge 5.0",
        "pair_coeff 1 2 a.table Ge-Te 4.0",
        "pair_coeff 2 2 a.table Te-Te 5.0",
    )


def test_core_is_in_the_table_and_ends_before_the_first_knot(tmp_path):
    parts = pair_term({(GE, TE): (0.0, 4.0)}), core_term()
    export = write_table(potential_of(*parts), tmp_path / "a.table")
    rows = sections(tmp_path / "a.table")["Ge-Te"]
    assert rows[0, 1] == 0.5
    assert rows[0, 2] > 300.0  # eV: two nuclei at half an angstrom
    assert export.pairs["Te-Te"].cutoff == 1.6  # the core alone


def test_isolated_energies_are_named_not_written(tmp_path):
    export = write_table(
        potential_of(ISOLATED, pair_term()), tmp_path / "a", settings=COARSE
    )
    assert export.isolated_energies == {"Ge": -4.0, "Te": -3.0}
    assert export.dropped == ("isolated-atom energies",)


def test_points_are_as_many_as_the_bounds_want(tmp_path):
    potential = potential_of(pair_term({(GE, GE): (0.0, 5.0)}))
    loose, strict = (
        write_table(
            potential,
            tmp_path / "a",
            settings=TableSettings(energy_bound=bound, force_bound=1.0),
        )
        for bound in (1e-5, 1e-8)
    )
    assert loose.points < strict.points
    for export, bound in ((loose, 1e-5), (strict, 1e-8)):
        assert 0.0 < export.pairs["Ge-Ge"].energy_error <= bound


def test_table_above_the_bounds_is_not_written(tmp_path):
    settings = TableSettings(points=200, interpolation="linear")
    with pytest.raises(InputError, match="with 200 points and linear"):
        write_table(potential_of(pair_term()), tmp_path / "a", settings=settings)
    assert not (tmp_path / "a").exists()


def test_curve_that_ends_above_zero_keeps_its_last_value(tmp_path):
    term, values = pair_term({(GE, GE): (0.0, 5.0)}, frozen=0)
    write_table(potential_of((term, values)), tmp_path / "a", settings=COARSE)
    last = sections(tmp_path / "a")["Ge-Ge"][-1]
    assert last[2] == pytest.approx(2.0 * values[-1], abs=1e-8)


def test_slopes_at_the_ends_are_those_of_the_force():
    term, values = pair_term({(GE, GE): (0.0, 5.0)})
    curve = DimerCurve(potential_of((term, values)), (GE, GE), 0.7, 5.0)
    step = 1e-4
    _, slope = term.curves[0].values(values, np.array([0.7, 0.7 + step]))
    first, last = curve.samples(50).end_slopes
    assert first == pytest.approx(-2.0 * np.diff(slope)[0] / step, rel=1e-3)
    assert last == pytest.approx(0.0, abs=1e-2)


def test_triplets_are_refused_with_the_alternative(tmp_path):
    triplets = TripletTerm(SPECIES, ()), np.zeros(0)
    with pytest.raises(InputError, match="lammps-uf3"):
        write_table(potential_of(pair_term(), triplets), tmp_path / "a")


def test_unknown_terms_are_refused(tmp_path):
    class Density(OneBody):
        kind = "density"

    with pytest.raises(InputError, match="density"):
        write_table(potential_of((Density(SPECIES), np.zeros(2))), tmp_path / "a")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"inner": 0.0}, "above r = 0"),
        ({"points": 1}, "at least 2"),
        ({"interpolation": "bitmap"}, "'spline' or 'linear'"),
        ({"force_bound": 0.0}, "force_bound 0.0"),
    ],
)
def test_settings_out_of_range(settings, message):
    with pytest.raises(InputError, match=message):
        TableSettings(**settings)


def test_first_distance_beyond_the_cutoff(tmp_path):
    with pytest.raises(InputError, match="Ge-Te ends at"):
        write_table(
            potential_of(pair_term()), tmp_path / "a", settings=TableSettings(inner=4.5)
        )


def test_short_cores_start_at_half_their_range(tmp_path):
    export = write_table(potential_of(core_term(outer=0.4)), tmp_path / "a")
    assert export.pairs["Ge-Te"].inner == 0.2
