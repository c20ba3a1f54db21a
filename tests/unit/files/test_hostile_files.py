"""Damaged and hostile files: a clear refusal, never a crash, never code.

Of both readers: the one in Python, and the one in C++ for other programs, which does not
look at provenance and statistics.
"""

import io
from contextlib import suppress

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from native_reading import refused_natively
from spline_samples import random_potential
from trimpot import _native
from trimpot.errors import FileFormatError
from trimpot.files import load, save
from trimpot.files.container import read, write

FUZZED = 2000
FUZZED_SLOW = 100_000


@pytest.fixture
def saved(potential, tmp_path):
    path = tmp_path / "good.trimpot"
    save(potential, path)
    return path


def to_bytes(document, tensors):
    out = io.BytesIO()
    write(out, document, tensors)
    return out.getvalue()


def refused(path, data, match=None, *, natively=True):
    path.write_bytes(data)
    with pytest.raises(FileFormatError, match=match) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert "trimpot train" in str(caught.value)  # the remedy
    if natively:
        assert "trimpot train" in refused_natively(path)


def changed(saved, change):
    """The saved file with document and tensors changed and a valid checksum."""
    document, tensors = read(saved)
    tensors = {k: v.copy() for k, v in tensors.items()}
    change(document, tensors)
    return to_bytes(document, tensors)


RAW = {
    "empty": b"",
    "one byte": b"\x00",
    "text": b"not a potential, just some text that is long enough",
    "ones": b"\xff" * 200,
    "endless header": (2**62).to_bytes(8, "little") + b"{}",
    "list": (2).to_bytes(8, "little") + b"[]",
    "no metadata": (2).to_bytes(8, "little") + b"{}",
    "infinity": (11).to_bytes(8, "little") + b'{"a":1e999}',
    "deep list": (100_000).to_bytes(8, "little") + b"[" * 100_000,
    "deep object": (60_005).to_bytes(8, "little") + b'{"a":' * 12_001,
    "pickle": b"\x80\x04\x95.\x00\x00\x00cposix\nsystem\n(S'touch pwned'\ntR.",
}


@pytest.mark.parametrize("name", RAW)
def test_not_a_safetensors_file(name, tmp_path):
    refused(tmp_path / "a.trimpot", RAW[name])


def test_foreign_safetensors_file(tmp_path):
    data = safetensors.numpy.save({"weight": np.zeros(3)})
    refused(tmp_path / "a.trimpot", data, "not written by Trimpot")


def test_truncated_anywhere(saved, tmp_path):
    data = saved.read_bytes()
    for length in range(0, len(data), 97):
        refused(tmp_path / "a.trimpot", data[:length])


def test_flipped_coefficient_is_noticed(saved, tmp_path):
    data = bytearray(saved.read_bytes())
    data[-5] ^= 1
    refused(tmp_path / "a.trimpot", bytes(data), "checksum")


def put(path, value):
    """A change that sets one entry of the document."""

    def change(document, _):
        *parents, last = path
        for key in parents:
            document = document[key]
        document[last] = value

    return change


def put_tensor(name, edit):
    def change(_, tensors):
        tensors[name] = edit(tensors[name])

    return change


def poked(index, value):
    def edit(values):
        values[index] = value
        return values

    return edit


PAIR, TRIO = "terms.1.curves.0", "terms.2.grids.0"

HOSTILE = {
    "wrong format": (put(["format"], "other"), "no format version"),
    "version text": (put(["format_version"], "1"), "no format version"),
    "version true": (put(["format_version"], True), "no format version"),
    "version zero": (put(["format_version"], 0), "no format version"),
    "unknown kind": (put(["kind"], "oracle"), "unknown kind of potential 'oracle'|oracle"),
    "kind list": (put(["kind"], []), "unknown kind"),
    "extra part": (put(["hook"], "os.system"), "hook"),
    "unknown element": (put(["species"], ["Si", "Zz"]), "unknown element 'Zz'"),
    "species order": (put(["species"], ["W", "Si"]), "not ascending"),
    "species twice": (put(["species"], ["W", "W"]), "not ascending"),
    "placeholder": (put(["species"], ["X", "W"]), "unknown element 'X'"),
    "no species": (put(["species"], []), "species"),
    "species numbers": (put(["species"], [14, 74]), "species"),
    "species fewer": (put(["species"], ["W"]), "atomic numbers|one_body"),
    "precision": (put(["precision"], "float16"), "float64"),
    "cutoff": (put(["cutoff"], 1.0), "terms reach"),
    "cutoff text": (put(["cutoff"], "far"), "terms reach"),
    "terms mapping": (put(["terms"], {}), "expected a list"),
    "no terms": (put(["terms"], []), "belong to nothing"),
    "term number": (put(["terms", 0], 7), r"terms\.0"),
    "unknown term": (put(["terms", 1, "kind"], "quartet"), "unknown kind of term"),
    "term kind list": (put(["terms", 1, "kind"], ["pair"]), "unknown kind of term"),
    "state swapped": (put(["terms", 1, "kind"], "zbl"), "expected fields"),
    "state number": (put(["terms", 1, "state"], 3), "pair"),
    "coefficients in JSON": (put(["terms", 0, "coefficients"], [0, 1]), "array"),
    "missing tensor": (lambda _, t: t.pop(f"{PAIR}.knots"), "missing"),
    "tensor left over": (lambda _, t: t.update(more=np.zeros(2)), "belong to nothing"),
    "tensor twice": (
        put(["terms", 0, "coefficients"], {"$tensor": "terms.1.coefficients"}),
        "twice|coefficients|nothing",
    ),
    "reference list": (put(["terms", 0, "coefficients"], {"$tensor": []}), "missing"),
    "reference plus": (
        put(["terms", 0, "coefficients"], {"$tensor": "terms.0.coefficients", "x": 1}),
        "missing",
    ),
    "NaN coefficient": (put_tensor("terms.1.coefficients", poked(0, np.nan)), "NaN"),
    "infinite knot": (put_tensor(f"{PAIR}.knots", poked(-1, np.inf)), "NaN or infinity"),
    "too few coefficients": (put_tensor("terms.1.coefficients", lambda c: c[:-1]), "pair"),
    "coefficients 2d": (put_tensor("terms.1.coefficients", lambda c: c[None]), "pair"),
    "knots int": (put_tensor(f"{PAIR}.knots", lambda k: k.astype(np.int32)), "int32"),
    "knots descend": (put_tensor(f"{PAIR}.knots", lambda k: k[::-1].copy()), "ascending"),
    "knots equal": (put_tensor(f"{PAIR}.knots", lambda k: 0 * k + 1), "ascending"),
    "knots unclamped": (put_tensor(f"{PAIR}.knots", poked(0, -1e-3)), "ascending"),
    "knots far": (put_tensor(f"{PAIR}.knots", lambda k: 1e6 * k), "ascending"),
    "knots few": (put_tensor(f"{PAIR}.knots", lambda k: k[:5]), "ascending"),
    "knots none": (put_tensor(f"{PAIR}.knots", lambda k: k[:0]), "ascending"),
    "knots 2d": (put_tensor(f"{PAIR}.knots", lambda k: k[None]), "ascending"),
    "columns float": (put_tensor(f"{PAIR}.columns", lambda c: c * 1.0), "float64"),
    "columns beyond": (put_tensor(f"{PAIR}.columns", poked(0, 10**9)), "number"),
    "columns below": (put_tensor(f"{PAIR}.columns", poked(0, -3)), "below"),
    "columns absent": (put_tensor(f"{PAIR}.columns", poked(0, -2)), "below"),
    "columns shared": (put_tensor(f"{PAIR}.columns", poked(0, 1)), "share|number"),
    "columns short": (put_tensor(f"{PAIR}.columns", lambda c: c[1:]), "shape"),
    "pair unknown": (put(["terms", 1, "state", "curves", 0, "pair"], [74, 79]), "of"),
    "pair down": (put(["terms", 1, "state", "curves", 0, "pair"], [74, 14]), "ascending"),
    "pair twice": (put(["terms", 1, "state", "curves", 0, "pair"], [74, 74]), "twice"),
    "pair triple": (put(["terms", 1, "state", "curves", 0, "pair"], [14, 74, 74]), "2"),
    "pair true": (put(["terms", 1, "state", "curves", 0, "pair"], [True, 74]), "of"),
    "wall text": (put(["terms", 1, "state", "curves", 0, "wall"], "2"), "number"),
    "wall true": (put(["terms", 1, "state", "curves", 0, "wall"], True), "number"),
    "wall huge": (put(["terms", 1, "state", "curves", 0, "wall"], 10**400), "number"),
    "wall negative": (put(["terms", 1, "state", "curves", 0, "wall"], -1.0), "number"),
    "curve extra": (put(["terms", 1, "state", "curves", 0, "more"], 1), "expected fields"),
    "trios none": (put(["terms", 2, "state", "grids", 0, "trios"], []), "trios"),
    "trios twice": (
        put(["terms", 2, "state", "grids", 0, "trios"], [[14, 14, 14], [14, 14, 14]]),
        "twice",
    ),
    "trios down": (put(["terms", 2, "state", "grids", 0, "trios"], [[14, 74, 14]]), "asc"),
    "grid beyond": (put_tensor(f"{TRIO}.columns", poked((3, 3, 3), 2**31 - 1)), "number"),
    "grid shape": (put_tensor(f"{TRIO}.columns", lambda c: c[1:]), "shape"),
    "grid asymmetric": (put_tensor(f"{TRIO}.columns", poked((3, 4, 4), -1)), "exchanged"),
    "core order": (
        lambda _, t: t.update({"terms.3.inner": t["terms.3.outer"] + 1}),
        "inner < outer",
    ),
    "core shape": (put_tensor("terms.3.inner", lambda c: c[:1]), "shape"),
    "core asymmetric": (put_tensor("terms.3.inner", poked((0, 1), 0.1)), "symmetric"),
    "statistics list": (put(["statistics"], []), "statistics"),
    "statistics more": (put(["statistics", "hook"], 1), "statistics"),
    "statistics text": (put(["statistics"], {"smallest": "near"}), "statistics"),
    "statistics NaN": (put_tensor("statistics.smallest", poked((0, 0), np.nan)), "NaN"),
    "statistics flat": (put_tensor("statistics.smallest", lambda c: c[0]), "dimension"),
    "statistics shape": (put_tensor("statistics.pair_counts", lambda c: c[:1]), "shape"),
    "provenance list": (put(["provenance"], []), "provenance"),
}


NOT_READ_NATIVELY = ("statistics", "provenance", "tensor left over")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_content_is_refused(name, saved, tmp_path):
    change, match = HOSTILE[name]
    natively = not name.startswith(NOT_READ_NATIVELY)
    refused(tmp_path / "a.trimpot", changed(saved, change), match, natively=natively)


@pytest.mark.parametrize("field", ["switch", "combine", "inner"])
def test_an_array_in_place_of_a_word_or_number_is_refused(field, tmp_path):
    save(random_potential("screened_pair", 2), tmp_path / "good.trimpot")

    def change(document, tensors):
        tensors["more"] = np.zeros(3)
        state = document["terms"][0]["state"]["envelope"]
        state[field] = {"$tensor": "more"}

    data = changed(tmp_path / "good.trimpot", change)
    refused(tmp_path / "a.trimpot", data, f"envelope.{field}: found")


def test_other_dtype_is_refused(tmp_path):
    for dtype in (np.float16, np.int64, np.uint8, bool):
        data = safetensors.numpy.save({"a": np.zeros(2, dtype=dtype)}, {"trimpot": "{}"})
        refused(tmp_path / "a.trimpot", data, "has type")


def test_other_tools_can_read_the_tensors(saved):
    _, tensors = read(saved)
    found = safetensors.numpy.load_file(saved)
    assert found.keys() == tensors.keys()
    assert all(np.array_equal(found[name], tensors[name]) for name in found)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", "1" * 5000])
def test_numbers_that_are_not_finite_are_refused(number, saved, tmp_path):
    _, tensors = read(saved)
    text = '{"format": "trimpot", "format_version": ' + number + "}"
    data = safetensors.numpy.save(tensors, {"trimpot": text})
    refused(tmp_path / "a.trimpot", data)


def test_deep_description_is_refused(saved, tmp_path):
    _, tensors = read(saved)
    for text in ("[" * 100_000, '{"a":' * 2_000 + "1" + "}" * 2_000, "", "[]", "3"):
        data = safetensors.numpy.save(tensors, {"trimpot": text})
        refused(tmp_path / "a.trimpot", data)


def mutate(data, rng):
    """One random damage: flips, overwrites, cuts, insertions, moved blocks."""
    damaged = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        kind, at = rng.integers(6), int(rng.integers(len(damaged)))
        length = int(rng.integers(1, 64))
        if kind == 0:
            damaged[at] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            damaged[at : at + length] = rng.bytes(len(damaged[at : at + length]))
        elif kind == 2:
            damaged[at:at] = rng.bytes(length)
        elif kind == 3 and len(damaged) > 100:
            del damaged[at : at + length]
        elif kind == 4 and len(damaged) > 100:
            del damaged[max(at, 1) :]
        else:
            other = int(rng.integers(len(damaged)))
            damaged[at : at + length] = damaged[other : other + length]
    return bytes(damaged)


def fuzz(saved, tmp_path, count, seed):
    data, path = saved.read_bytes(), tmp_path / "a.trimpot"
    rng, original = np.random.default_rng(seed), load(saved)
    accepted = 0
    for _ in range(count):
        path.write_bytes(mutate(data, rng))
        try:
            loaded = load(path)
        except FileFormatError:
            refused_natively(path)
            continue
        accepted += 1
        for a, b in zip(loaded.coefficients, original.coefficients, strict=True):
            assert a.tobytes() == b.tobytes()
    assert accepted < 0.1 * count


def test_mutated_files_are_refused_or_equal(saved, tmp_path):
    fuzz(saved, tmp_path, FUZZED, seed=5)


@pytest.mark.slow
def test_many_mutated_files_are_refused_or_equal(saved, tmp_path):
    fuzz(saved, tmp_path, FUZZED_SLOW, seed=6)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_value_anywhere_in_the_description(data, tmp_path_factory):
    """Replace one random node of a correctly signed description by any JSON value."""
    folder = tmp_path_factory.mktemp("any")
    save(_sample(), folder / "good.trimpot")
    document, tensors = read(folder / "good.trimpot")
    node, key = document, data.draw(st.sampled_from(sorted(document)))
    while isinstance(node[key], dict | list) and node[key] and data.draw(st.booleans()):
        node = node[key]
        keys = sorted(node) if isinstance(node, dict) else list(range(len(node)))
        key = data.draw(st.sampled_from(keys))
    node[key] = data.draw(JSON)
    try:
        changed_bytes = to_bytes(document, tensors)
    except ValueError:
        return
    (folder / "a.trimpot").write_bytes(changed_bytes)
    path = folder / "a.trimpot"
    try:
        load(path)
    except FileFormatError:
        with suppress(RuntimeError):
            _native.read_terms(str(path))
        return
    _native.read_terms(str(path))


def _sample():
    import runpy
    from pathlib import Path

    return runpy.run_path(str(Path(__file__).with_name("conftest.py")))[
        "sample_potential"
    ]()
