"""LAMMPS pair_style uf3 files: what is read, refused, written and said."""

from __future__ import annotations

import numpy as np
import pytest

from trimpot.contract import Structure
from trimpot.errors import FileFormatError, InputError
from trimpot.files.uf3 import read_uf3, write_uf3
from trimpot.neighbors import neighborhood
from trimpot.splines.core import ZblTerm
from trimpot.splines.knots import clamped
from trimpot.splines.one_body import OneBody
from trimpot.splines.pair import PairCurve, PairTerm
from trimpot.splines.potential import SplinePotential
from trimpot.splines.triplet import TripletGrid, TripletTerm, grid_columns

SI, GE = 14, 32
SPECIES = (SI, GE)


def pair_term(breaks_of, *, frozen=3):
    curves, first = [], 0
    for pair, breaks in breaks_of.items():
        knots = clamped(breaks)
        columns = np.full(len(knots) - 4, -1, dtype=np.int32)
        n_free = len(columns) - frozen
        columns[:n_free] = first + np.arange(n_free)
        curves.append(PairCurve(pair, knots, columns, 0.0))
        first += n_free
    return PairTerm(SPECIES, tuple(curves))


def triplet_term(legs_of):
    grids, first = [], 0
    for trio, legs in legs_of.items():
        knots = tuple(clamped(breaks) for breaks in legs)
        columns = grid_columns(knots, symmetric=trio[1] == trio[2], leading=0, first=first)
        grids.append(TripletGrid((trio,), *knots, columns))
        first += grids[-1].n_free
    return TripletTerm(SPECIES, tuple(grids))


def spread(low, high, n):
    return np.linspace(low, high, n + 1)


PAIRS = {(SI, SI): spread(0.0, 4.0, 6), (SI, GE): spread(0.0, 4.5, 7)}
LEGS = spread(1.0, 3.0, 5), spread(1.0, 3.0, 5), spread(1.0, 6.0, 6)
LONG_CENTRE = spread(1.0, 5.0, 6), spread(1.0, 3.5, 5), spread(0.5, 4.5, 7)


def with_values(*terms):
    rng = np.random.default_rng(2)
    values = tuple(rng.normal(size=term.n_coefficients) for term in terms)
    return SplinePotential(SPECIES, terms, values)


@pytest.fixture
def potential():
    return with_values(
        pair_term(PAIRS),
        triplet_term({(SI, SI, SI): LEGS, (GE, SI, GE): LONG_CENTRE, (GE, GE, GE): LEGS}),
    )


@pytest.fixture
def structure():
    rng = np.random.default_rng(4)
    return Structure(
        rng.choice(np.array(SPECIES, dtype=np.int32), size=40),
        rng.uniform(0.0, 9.0, size=(40, 3)),
        9.0 * np.eye(3),
        np.ones(3, dtype=bool),
    )


def evaluate(potential, structure):
    return potential.evaluate(neighborhood(structure, potential.cutoff), threads=1)


@pytest.fixture
def lines(potential, tmp_path):
    """A good file as a list of lines."""
    write_uf3(potential, tmp_path / "good.uf3")
    return (tmp_path / "good.uf3").read_text().splitlines()


def reread(lines, tmp_path):
    path = tmp_path / "changed.uf3"
    path.write_text("\n".join(lines) + "\n")
    return read_uf3(path)


def test_written_potential_reads_back_with_the_same_forces(potential, structure, tmp_path):
    write_uf3(potential, tmp_path / "a.uf3")
    back = read_uf3(tmp_path / "a.uf3")
    ours, theirs = evaluate(potential, structure), evaluate(back, structure)
    np.testing.assert_allclose(theirs.energies, ours.energies, rtol=0.0, atol=1e-11)
    np.testing.assert_allclose(theirs.forces, ours.forces, rtol=0.0, atol=1e-11)


def test_second_writing_gives_the_same_bytes(potential, tmp_path):
    write_uf3(potential, tmp_path / "a.uf3")
    write_uf3(read_uf3(tmp_path / "a.uf3"), tmp_path / "b.uf3")
    assert (tmp_path / "a.uf3").read_bytes() == (tmp_path / "b.uf3").read_bytes()


def test_file_keeps_the_limits_of_the_format(potential, tmp_path):
    export = write_uf3(potential, tmp_path / "a.uf3")
    back = read_uf3(tmp_path / "a.uf3")
    pairs = {c.pair: c for c in back.terms[0].curves}
    assert set(pairs) == {(SI, SI), (SI, GE), (GE, GE)}
    grids = {g.trios[0]: g for g in back.terms[1].grids}
    assert len(grids) == 6
    for (centre, *ends), grid in grids.items():
        leg = max(grid.knots_ij[-1], grid.knots_ik[-1])
        assert grid.knots_jk[-1] >= 2.0 * min(grid.knots_ij[-1], grid.knots_ik[-1])
        assert len(grid.knots_jk) >= max(len(grid.knots_ij), len(grid.knots_ik))
        if grid.n_free and (centre, *ends) == (GE, SI, GE):
            assert leg >= 5.0
            assert pairs[(SI, GE)].knots[-1] >= 5.0
    assert export.commands == ("pair_style uf3 3", "pair_coeff * * a.uf3 Si Ge")
    assert export.exact_from == {"Si-Si": 0.0, "Si-Ge": 0.0, "Ge-Ge": 0.0}


def test_pair_potential_alone_is_two_body_style(tmp_path):
    export = write_uf3(with_values(pair_term(PAIRS)), tmp_path / "a.uf3")
    assert export.commands[0] == "pair_style uf3 2"
    assert "3B" not in (tmp_path / "a.uf3").read_text()


def test_blocks_may_come_in_any_order(potential, structure, lines, tmp_path):
    text = "\n".join(lines)
    blocks = [f"#UF3{block}" for block in text.split("#UF3")[1:]]
    shuffled = "\n\n".join(np.random.default_rng(0).permutation(blocks)).splitlines()
    np.testing.assert_allclose(
        evaluate(reread(shuffled, tmp_path), structure).forces,
        evaluate(potential, structure).forces,
        rtol=0.0,
        atol=1e-11,
    )


def test_descending_neighbours_are_swapped_with_their_knots(structure, tmp_path):
    potential = with_values(triplet_term({(GE, SI, GE): LONG_CENTRE}))
    write_uf3(potential, tmp_path / "a.uf3")
    lines = (tmp_path / "a.uf3").read_text().splitlines()
    start = lines.index("3B Ge Si Ge 0 3 uk")
    n_l, n_m, _ = map(int, lines[start + 5].split())
    end = start + 6 + n_l * n_m
    grid = np.array(lines[start + 6 : end]).reshape(n_l, n_m)
    words = lines[start + 1].split()
    lines[start] = "3B Ge Ge Si 0 3 uk"
    lines[start + 1] = " ".join([*words[:4], words[5], words[4]])
    lines[start + 3], lines[start + 4] = lines[start + 4], lines[start + 3]
    lines[start + 5] = " ".join([str(n_m), str(n_l), lines[start + 5].split()[2]])
    lines[start + 6 : end] = grid.T.ravel().tolist()
    np.testing.assert_allclose(
        evaluate(reread(lines, tmp_path), structure).forces,
        evaluate(potential, structure).forces,
        rtol=0.0,
        atol=1e-11,
    )


def test_isolated_energies_are_added_on_reading_and_named_on_writing(
    potential, structure, tmp_path
):
    write_uf3(potential, tmp_path / "a.uf3")
    given = {"Ge": -2.0, "Si": -1.0}
    back = read_uf3(tmp_path / "a.uf3", isolated_energies=given)
    n_si = int((structure.numbers == SI).sum())
    shift = -1.0 * n_si - 2.0 * (len(structure) - n_si)
    without = evaluate(potential, structure).energy
    assert evaluate(back, structure).energy == pytest.approx(without + shift, abs=1e-9)
    export = write_uf3(back, tmp_path / "b.uf3")
    assert export.isolated_energies == given
    assert export.dropped == ("isolated-atom energies",)


@pytest.mark.parametrize("energies", [{"Si": -1.0}, {"Si": -1.0, "Ge": -2.0, "C": 0.0}])
def test_isolated_energies_of_other_elements_are_refused(potential, tmp_path, energies):
    write_uf3(potential, tmp_path / "a.uf3")
    with pytest.raises(InputError, match="one energy for each"):
        read_uf3(tmp_path / "a.uf3", isolated_energies=energies)


def with_core(potential):
    outer = np.array([[1.8, 1.9], [1.9, 2.1]])
    core = ZblTerm(SPECIES, 0.5 * outer, outer)
    return SplinePotential(
        SPECIES, (*potential.terms, core), (*potential.coefficients, np.zeros(0))
    )


def test_core_is_refused_with_its_remedy(potential, tmp_path):
    with pytest.raises(InputError, match="core='drop'"):
        write_uf3(with_core(potential), tmp_path / "a.uf3")
    assert not (tmp_path / "a.uf3").exists()


def test_dropped_core_says_where_the_file_is_exact(potential, tmp_path):
    export = write_uf3(with_core(potential), tmp_path / "a.uf3", core="drop")
    assert export.exact_from == {"Si-Si": 1.8, "Si-Ge": 1.9, "Ge-Ge": 2.1}
    assert export.dropped == ("repulsive core",)


def test_second_pair_term_is_refused(tmp_path):
    twice = with_values(pair_term(PAIRS), pair_term(PAIRS))
    with pytest.raises(InputError, match="2 pair terms"):
        write_uf3(twice, tmp_path / "a.uf3")


def test_unknown_kind_of_term_is_refused(tmp_path):
    class Density(OneBody):
        kind = "density"

    with pytest.raises(InputError, match="density"):
        write_uf3(with_values(Density(SPECIES)), tmp_path / "a.uf3")


def test_spline_with_a_free_end_is_refused(tmp_path):
    with pytest.raises(InputError, match="three zero coefficients"):
        write_uf3(with_values(pair_term(PAIRS, frozen=0)), tmp_path / "a.uf3")


def test_uneven_knots_are_declared(tmp_path):
    uneven = {(SI, SI): np.array([0.0, 1.0, 2.1, 3.0, 4.0, 4.5])}
    write_uf3(with_values(pair_term(uneven)), tmp_path / "a.uf3")
    assert "2B Si Si 0 3 nk" in (tmp_path / "a.uf3").read_text()


def replaced(line, old, new):
    def change(lines):
        assert old in lines[line - 1]
        return [
            *lines[: line - 1],
            lines[line - 1].replace(old, new, 1),
            *lines[line:],
        ]

    return change


def first_number(line, new):
    def change(lines):
        words = lines[line - 1].split()
        return [*lines[: line - 1], " ".join([new, *words[1:]]), *lines[line:]]

    return change


@pytest.mark.parametrize(
    ("change", "line", "message"),
    [
        (replaced(1, "metal", "real"), 1, "UNITS: metal"),
        (replaced(2, "Si Si", "Si Xx"), 2, "chemical element"),
        (replaced(2, "0 3", "1 3"), 2, "0 3 uk"),
        (replaced(2, "2B", "4B"), 2, "expected e.g."),
        (first_number(3, "-4"), 3, "> 0"),
        (replaced(3, " 13", " 12"), 4, "13 words, expected 12"),
        (replaced(3, " 13", " many"), 3, "number of knots"),
        (first_number(4, "0.5"), 4, "both ends four times"),
        (first_number(4, "nan"), 4, "NaN"),
        (first_number(5, "8"), 5, "four fewer"),
        (first_number(6, "inf"), 6, "infinity"),
        (first_number(6, "1e"), 6, "could not convert"),
        (replaced(7, "#", "0.0"), 7, "'#' at the end"),
        (lambda lines: ["W 1 2", *lines], 1, "outside a block"),
        (lambda lines: lines[:-3], None, "incomplete"),
        (lambda lines: [*lines, *lines[:7]], None, "defined on line 1"),
        (first_number(3, "3.0"), 1, "cut off at 3.0"),
        (first_number(3, "9.0"), 1, "before the cutoff"),
    ],
)
def test_damage_is_named_with_its_line(lines, tmp_path, change, line, message):
    with pytest.raises(FileFormatError, match=message) as caught:
        reread(change(lines), tmp_path)
    if line is not None:
        assert f"line {line}:" in str(caught.value)


def test_three_body_cutoffs_must_be_one_to_two(lines, tmp_path):
    start = next(i for i, line in enumerate(lines) if line.startswith("3B"))
    lines[start + 1] = "7.0 " + lines[start + 1].partition(" ")[2]
    with pytest.raises(FileFormatError, match="twice as long"):
        reread(lines, tmp_path)


def test_coefficients_that_change_with_the_order_of_equal_neighbours(lines, tmp_path):
    start = lines.index("3B Si Si Si 0 3 uk")
    lines[start + 7] = " ".join(["7.0"] * len(lines[start + 7].split()))
    with pytest.raises(FileFormatError, match="no definite energy"):
        reread(lines, tmp_path)


def test_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "a.uf3").write_text("# a comment\n")
    with pytest.raises(FileFormatError, match="pair_style uf3"):
        read_uf3(tmp_path / "a.uf3")
    (tmp_path / "b.uf3").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileFormatError, match="not text"):
        read_uf3(tmp_path / "b.uf3")


def test_missing_file_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="cannot read"):
        read_uf3(tmp_path / "none.uf3")
