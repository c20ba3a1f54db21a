"""JSON files of the uf3 package, as each of its releases wrote them."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from trimpot.errors import FileFormatError, InputError
from trimpot.files import load, save
from trimpot.files.uf3 import read_uf3, read_uf3_json
from trimpot.splines.knots import clamped

PUBLISHED = Path(__file__).parents[4] / "shared" / "potentials" / "uf3_W"
SI, GE = 14, 32
SHORT, LONG = np.linspace(1.0, 3.0, 6), np.linspace(1.0, 4.0, 8)
CLOSING = np.linspace(0.5, 6.5, 9)
LEADING, TRAILING = 1, 3
ENERGIES = {"Si": -1.5, "Ge": -2.5}


def triangles(legs):
    """Products of functions that a triangle of positive area touches, by their supports."""
    for l, m, n in itertools.product(*(range(len(k) - 4) for k in legs)):  # noqa: E741
        ends = [(k[i], k[i + 4]) for k, i in zip(legs, (l, m, n), strict=True)]
        (a, b), (c, d), (e, f) = ends
        if b + d > e and b + f > c and d + f > a:
            yield l, m, n


def within(index, legs, leading):
    sizes = [len(k) - 4 for k in legs]
    return all(leading <= i < s - TRAILING for i, s in zip(index, sizes, strict=True))


def trio(legs, symmetry, seed, leading=LEADING):
    """A grid with its symmetry and trims, and the same as one vector."""
    rng = np.random.default_rng(seed)
    grid = np.zeros([len(k) - 4 for k in legs])
    vector = []
    for index in triangles(legs):
        own = (*sorted(index[:symmetry]), *index[symmetry:]) if symmetry > 1 else index
        if index != own or not within(index, legs, leading):
            continue
        vector.append(rng.normal())
        for order in itertools.permutations(range(symmetry)):
            swapped = [index[i] for i in order] + list(index[symmetry:])
            grid[tuple(swapped)] = vector[-1]
    return grid, np.array(vector)


def pair(knots, seed):
    values = np.random.default_rng(seed).normal(size=len(knots) - 4)
    values[-TRAILING:] = 0.0
    return values.tolist()


LEGS = {
    "Si-Si-Si": (clamped(SHORT), clamped(SHORT), clamped(CLOSING)),
    "Si-Si-Ge": (clamped(SHORT), clamped(LONG), clamped(CLOSING)),
    "Ge-Ge-Ge": (clamped(LONG), clamped(LONG), clamped(LONG)),
}
SYMMETRY = {"Si-Si-Si": 2, "Si-Si-Ge": 1, "Ge-Ge-Ge": 3}
TRIOS = {name: trio(LEGS[name], SYMMETRY[name], 7 + i) for i, name in enumerate(LEGS)}
PAIR_KNOTS = {name: clamped(LONG) for name in ("Si-Si", "Si-Ge", "Ge-Ge")}
KNOTS = {
    **{name: k.tolist() for name, k in PAIR_KNOTS.items()},
    **{name: [k.tolist() for k in legs] for name, legs in LEGS.items()},
}


def coefficients(as_vectors):
    which = 1 if as_vectors else 0
    return {
        **ENERGIES,
        **{name: pair(k, i) for i, (name, k) in enumerate(PAIR_KNOTS.items())},
        **{name: both[which].tolist() for name, both in TRIOS.items()},
    }


def newest():
    return {
        "coefficients": coefficients(as_vectors=False),
        "knots": KNOTS,
        "data_coverage": [True, False],
        "knot_strategy": "linear",
        "offset_1b": True,
        "leading_trim": {"2": 0, "3": LEADING},
        "trailing_trim": {"2": 3, "3": TRAILING},
        "knots_map": KNOTS,
        "element_list": ["Si", "Ge"],
        "degree": 3,
    }


def of_2022_07():
    return {**newest(), "leading_trim": LEADING, "trailing_trim": TRAILING}


def with_vectors_and_trims():
    return {**of_2022_07(), "coefficients": coefficients(as_vectors=True)}


def read(document, tmp_path, **options):
    path = tmp_path / "model.json"
    path.write_text(json.dumps(document))
    return read_uf3_json(path, **options)


def grids_of(potential):
    *_, term, values = potential.terms[-1], potential.coefficients[-1]
    return {grid.trios[0]: grid.coefficients(values) for grid in term.grids}


@pytest.mark.parametrize("document", [newest, of_2022_07, with_vectors_and_trims])
def test_every_layout_gives_the_same_functions(document, tmp_path):
    potential = read(document(), tmp_path)
    assert [term.kind for term in potential.terms] == ["one_body", "pair", "triplet"]
    assert potential.coefficients[0].tolist() == [-1.5, -2.5]
    expected = coefficients(as_vectors=False)
    term, values = potential.terms[1], potential.coefficients[1]
    for curve, name in zip(term.curves, PAIR_KNOTS, strict=True):
        full = np.where(curve.columns >= 0, values[curve.columns], 0.0)
        assert full.tolist() == expected[name]
    found = grids_of(potential)
    for name, numbers in (("Si-Si-Si", (SI, SI, SI)), ("Si-Si-Ge", (SI, SI, GE))):
        np.testing.assert_array_equal(found[numbers], TRIOS[name][0], err_msg=name)
    np.testing.assert_array_equal(found[GE, GE, GE], TRIOS["Ge-Ge-Ge"][0])


@pytest.mark.parametrize("leading", [0, 3])
@pytest.mark.parametrize("key", ["solution", "coefficients"])
def test_first_files_have_vectors_and_no_word_about_trims(leading, key, tmp_path):
    legs = (clamped(LONG), clamped(LONG), clamped(np.linspace(0.5, 8.0, 12)))
    grid, vector = trio(legs, 2, 3, leading)
    values = {"W": -5.0, "W-W": pair(clamped(LONG), 1), "W-W-W": vector.tolist()}
    knots = {"W-W": clamped(LONG).tolist(), "W-W-W": [k.tolist() for k in legs]}
    potential = read({key: values, "knots": knots}, tmp_path)
    np.testing.assert_array_equal(grids_of(potential)[74, 74, 74], grid)
    assert potential.coefficients[0].tolist() == [-5.0]


@pytest.mark.parametrize("lists", [1, 2])
def test_legs_with_equal_knots_may_share_a_list(lists, tmp_path):
    name = "Ge-Ge-Ge" if lists == 1 else "Si-Si-Si"
    legs, (grid, _) = LEGS[name], TRIOS[name]
    knots = legs[0].tolist() if lists == 1 else [legs[0].tolist(), legs[2].tolist()]
    element = name.split("-")[0]
    document = {
        "coefficients": {element: 0.0, name: grid.tolist()},
        "knots": {name: knots},
    }
    (found,) = grids_of(read(document, tmp_path)).values()
    np.testing.assert_array_equal(found, grid)


def test_neighbours_named_in_another_order_take_their_knots_along(tmp_path):
    document = newest()
    for part in ("coefficients", "knots", "knots_map"):
        document[part] = dict(document[part])
        value = document[part].pop("Si-Si-Ge")
        if part == "coefficients":
            value = np.array(value).transpose(1, 0, 2).tolist()
        else:
            value = [value[1], value[0], value[2]]
        document[part]["Si-Ge-Si"] = value
    swapped, plain = read(document, tmp_path), read(newest(), tmp_path)
    np.testing.assert_array_equal(swapped.coefficients[2], plain.coefficients[2])


def test_given_energies_replace_those_of_the_file(tmp_path):
    potential = read(newest(), tmp_path, isolated_energies={"Ge": 2.0, "Si": 1.0})
    assert potential.coefficients[0].tolist() == [1.0, 2.0]
    with pytest.raises(InputError, match="one energy for each"):
        read(newest(), tmp_path, isolated_energies={"Si": 1.0})


def test_import_can_be_saved_and_loaded(tmp_path):
    potential = read(newest(), tmp_path)
    save(potential, tmp_path / "a.trimpot")
    back = load(tmp_path / "a.trimpot")
    for ours, theirs in zip(potential.coefficients, back.coefficients, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def changed(path, value):
    def change(document):
        *parents, last = path
        for parent in parents:
            document = document[parent]
        if value is None:
            del document[last]
        else:
            document[last] = value

    return change


RAGGED = [[[1.0], [1.0, 2.0]]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (changed(["coefficients"], None), "'coefficients' or 'solution'"),
        (changed(["coefficients"], [1.0]), "not an object"),
        (changed(["knots_map", "Si-Si"], [0.0]), "'knots' and 'knots_map' differ"),
        (changed(["coefficients", "Si-Si"], None), "Si-Si has no coefficients"),
        (changed(["coefficients", "Si-Si"], [1.0, 2.0]), "four fewer than knots"),
        (changed(["coefficients", "Si-Si"], ["a"] * 10), "expected numbers"),
        (changed(["coefficients", "Si-Si"], [True] * 10), "expected numbers"),
        (changed(["coefficients", "Si-Si-Si"], RAGGED), "rows differ in length"),
        (changed(["coefficients", "Si-Si-Si"], [1.0] * 5), "found 5 of them"),
        (changed(["coefficients", "Si-Si-Si"], [[1.0]]), "expected \\(8, 8, 11\\)"),
        (changed(["coefficients", "Si"], "low"), "energy of Si"),
        (changed(["coefficients", "Si"], 10**400), "energy of Si: expected numbers"),
        (changed(["coefficients", "n_Si"], 1.0), "energies of isolated atoms: found"),
        (changed(["coefficients", "Si"], None), "energies of isolated atoms: found"),
        (changed(["element_list"], ["Si"]), "element_list"),
        (changed(["degree"], 2), "degree is 2"),
        (changed(["mag_element_list"], ["Si"]), "unknown entry 'mag_element_list'"),
        (changed(["leading_trim"], {"3": -1}), None),
    ],
)
def test_what_is_wrong_is_named(change, message, tmp_path):
    document = json.loads(json.dumps(newest()))
    change(document)
    if message is None:  # trims say nothing about full grids
        read(document, tmp_path)
        return
    with pytest.raises((FileFormatError, InputError), match=message):
        read(document, tmp_path)


@pytest.mark.parametrize(
    ("knots", "message"),
    [
        ([1.0, *clamped(LONG)[1:]], None),
        (clamped(LONG)[1:].tolist(), "both ends four times"),
        ([1.0] * 4 + [2.0] + [3.0] * 4, "at least 5"),
        (clamped(np.linspace(-1.0, 4.0, 8)).tolist(), "between 0 and 100"),
        ([[1.0, 2.0]], "one list of numbers"),
        ([], "expected numbers"),
    ],
)
def test_knots_must_be_clamped_and_usable(knots, message, tmp_path):
    document = {
        "coefficients": {"Si": 0.0, "Si-Si": pair(clamped(LONG), 1)},
        "knots": {"Si-Si": knots},
    }
    if message is None:
        read(document, tmp_path)
        return
    with pytest.raises(FileFormatError, match=message):
        read(document, tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2]", "JSON list"),
        ("{", "is not a JSON file"),
        ('{"knots": {}, "knots": {}}', "comes twice"),
        ('{"coefficients": {"W": NaN}}', "found NaN"),
        ("[" * 200_000, "nested too deeply"),
    ],
)
def test_text_that_is_no_such_file(text, message, tmp_path):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(FileFormatError, match=message):
        read_uf3_json(tmp_path / "a.json")


def test_grid_of_no_use_is_refused_before_it_fills_memory(tmp_path):
    knots = clamped(np.linspace(0.0, 5.0, 20_000)).tolist()
    document = {
        "coefficients": {"W": 0.0, "W-W-W": [1.0]},
        "knots": {"W-W-W": knots},
    }
    with pytest.raises(FileFormatError, match="too large"):
        read(document, tmp_path)


def test_grid_that_old_uf3_spoiled_on_saving(tmp_path):
    grid = np.zeros((8, 8, 11))
    grid[2, 3, 4] = grid[3, 2, 4] = 0.5
    legs = clamped(SHORT), clamped(1.2 * SHORT), clamped(CLOSING)
    document = {
        "coefficients": {**ENERGIES, "Si-Si-Ge": grid.tolist()},
        "knots": {"Si-Si-Ge": [k.tolist() for k in legs]},
    }
    with pytest.raises(FileFormatError, match="added the mirror image"):
        read(document, tmp_path)


def test_unequal_swaps_of_equal_neighbours_are_refused(tmp_path):
    document = newest()
    grid = TRIOS["Si-Si-Si"][0].copy()
    grid[2, 3, 4] += 1.0
    document["coefficients"]["Si-Si-Si"] = grid.tolist()
    with pytest.raises(FileFormatError, match="no definite energy"):
        read(document, tmp_path)


def published(name):
    path = PUBLISHED / name
    if not path.exists():
        pytest.skip(f"needs the published {name} in ../shared/potentials")
    return path


def test_published_vector_is_the_grid_that_lammps_got():
    ours = read_uf3_json(published("manuscript_uf23.json"))
    theirs = read_uf3(published("W.uf3"))
    assert ours.coefficients[0].tolist() == [-5.1146]
    for a, b in zip(ours.coefficients[1:], theirs.coefficients, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(
        ours.terms[1].curves[0].knots, theirs.terms[0].curves[0].knots
    )


def test_published_pair_table_is_twice_v2():
    """The table counts a pair once, V2 twice; it was written with 8 decimals of r."""
    potential = read_uf3_json(published("manuscript_uf23.json"))
    lines = published("W_uf2.table").read_text().splitlines()
    rows = np.array([line.split() for line in lines if len(line.split()) == 4], float)
    value, slope = (
        potential.terms[1].curves[0].values(potential.coefficients[1], rows[:-1, 1])
    )
    np.testing.assert_allclose(2.0 * value, rows[:-1, 2], rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(-2.0 * slope, rows[:-1, 3], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "sizes"), [("model_2.json", [1, 15]), ("model_2and3.json", [1, 15, 234])]
)
def test_files_of_the_package_itself(name, sizes):
    potential = read_uf3_json(published(name))
    assert [len(c) for c in potential.coefficients] == sizes
