"""Splits and folds: disjoint, complete, stratified, duplicates together."""

from __future__ import annotations

import copy
import pickle
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimpot.contract import Structure
from trimpot.data import (
    FieldSplit,
    Frame,
    ListSplit,
    RandomSplit,
    TrainOnAll,
    duplicate_groups,
    folds,
    read,
    split,
)
from trimpot.errors import DataError, InputError

TUNGSTEN = Path(__file__).parents[4] / "shared" / "data" / "w14_tungsten"


def frame(key, *, size=2, group="a", **info):
    generator = np.random.default_rng(key)
    structure = Structure(
        np.full(size, 74, dtype=np.int32),
        generator.uniform(0, 5, (size, 3)),
        np.eye(3) * 5.0,
        np.ones(3, dtype=np.bool_),
    )
    return Frame(structure, -1.0, config_type=group, info=info, source=f"s#{key}")


@st.composite
def frame_lists(draw):
    n = draw(st.integers(6, 60))
    keys = [draw(st.integers(0, 2 * n)) for _ in range(n)]
    return [frame(k, size=1 + k % 7, group="abc"[k % 3]) for k in keys]


@settings(max_examples=40, deadline=None)
@given(frame_lists(), st.floats(0.05, 0.6), st.integers(0, 5))
def test_random_split_properties(frames, fraction, seed):
    first = split(frames, RandomSplit(fraction, seed))
    again = split(frames, RandomSplit(fraction, seed))
    np.testing.assert_array_equal(first.test_indices, again.test_indices)
    both = np.concatenate([first.train_indices, first.test_indices])
    assert sorted(both.tolist()) == list(range(len(frames)))
    assert first.shared_duplicates == 0
    trained = {frames[i].config_type for i in first.train_indices}
    assert trained == {f.config_type for f in frames}


@settings(max_examples=40, deadline=None)
@given(frame_lists(), st.integers(2, 5), st.integers(0, 5))
def test_fold_properties(frames, n, seed):
    groups = duplicate_groups(frames)
    if groups.max() + 1 < n:
        with pytest.raises(DataError, match="cannot make"):
            folds(frames, n, seed)
        return
    labels = folds(frames, n, seed)
    assert labels.shape == (len(frames),)
    assert set(labels.tolist()) == set(range(n))
    for group in range(groups.max() + 1):
        assert len(set(labels[groups == group].tolist())) == 1
    np.testing.assert_array_equal(labels, folds(frames, n, seed))


def test_folds_balance_atoms_and_spread_groups():
    frames = [frame(k, size=1 + k % 11, group="abcd"[k % 4]) for k in range(400)]
    labels = folds(frames, 5, seed=1)
    atoms = np.bincount(labels, [len(f) for f in frames])
    assert np.ptp(atoms) <= 11
    for group in "abcd":
        counts = Counter(labels[[f.config_type == group for f in frames]].tolist())
        assert max(counts.values()) - min(counts.values()) <= 3
    assert (labels != folds(frames, 5, seed=2)).any()


def test_random_split_fraction_per_group():
    frames = [frame(k, group="ab"[k % 4 == 0]) for k in range(400)]
    test = split(frames, RandomSplit(0.25, seed=3)).test_indices
    counts = Counter(frames[i].config_type for i in test)
    assert counts == {"a": 75, "b": 25}


def test_duplicates_ignore_order_and_labels_but_not_cell():
    first = frame(1, size=3)
    s = first.structure
    order = [2, 0, 1]
    shuffled = Frame(Structure(s.numbers[order], s.positions[order], s.cell, s.pbc), 5.0)
    strained = Frame(Structure(s.numbers, s.positions, s.cell * 1.001, s.pbc))
    assert duplicate_groups([first, shuffled, strained]).tolist() == [0, 0, 1]


def test_field_split():
    frames = [frame(k, part=k % 3) for k in range(9)]
    result = split(frames, FieldSplit("part", (0,), (1,)))
    assert result.train_indices.tolist() == [0, 3, 6]
    assert result.test_indices.tolist() == [1, 4, 7]
    assert len(split(frames, FieldSplit("part", (0,))).test_indices) == 6
    groups = split([*frames, frame(99, group="z")], FieldSplit("config_type", ("z",)))
    assert groups.train_indices.tolist() == [9]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (FieldSplit("part", (0,), (0, 1)), "in training and test, first s#0"),
        (FieldSplit("part", (7,)), "no frame has part = 7 .*values that exist: 0, 1, 2"),
        (FieldSplit("part", (0,), (7,)), r"\(test\)"),
        (FieldSplit("prat", (0,)), "did you mean 'part'"),
    ],
)
def test_field_split_errors(setting, message):
    with pytest.raises(DataError, match=message):
        split([frame(k, part=k % 3) for k in range(9)], setting)


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, float("nan")])
def test_fraction_out_of_range(fraction):
    with pytest.raises(InputError, match="between 0 and 1"):
        split([frame(1), frame(2)], RandomSplit(fraction))


def test_list_split_bases(tmp_path):
    path = tmp_path / "train.txt"
    path.write_text("1\n3\n")
    frames = [frame(k, number=k + 1) for k in range(5)]
    assert split(frames, ListSplit(path)).train_indices.tolist() == [1, 3]
    assert split(frames, ListSplit(path, list_base=1)).train_indices.tolist() == [0, 2]
    same = ListSplit(path, field="number", field_base=1)
    assert split(frames[::-1], same).train_indices.tolist() == [1, 3]
    path.write_text("1 9")
    with pytest.raises(DataError, match="mean no frame, first 9"):
        split(frames, ListSplit(path))
    skipped = split(frames, ListSplit(path, missing="skip"))
    assert "1 listed numbers without a frame" in skipped.description
    path.write_text("1 1")
    with pytest.raises(DataError, match="listed twice"):
        split(frames, ListSplit(path))
    path.write_text("1 two")
    with pytest.raises(DataError, match="whole numbers"):
        split(frames, ListSplit(path))
    path.write_text("7")
    with pytest.raises(DataError, match="no training frame"):
        split(frames, ListSplit(path, missing="skip"))


def test_list_split_needs_a_counting_field(tmp_path):
    path = tmp_path / "train.txt"
    path.write_text("0")
    with pytest.raises(DataError, match="occurs twice"):
        split([frame(1, n=0), frame(2, n=0)], ListSplit(path, field="n"))
    with pytest.raises(DataError, match="expected a whole number"):
        split([frame(1, n="x"), frame(2, n=0)], ListSplit(path, field="n"))


def test_train_on_all_and_nothing():
    assert len(split([frame(1), frame(2)], TrainOnAll()).test_indices) == 0
    with pytest.raises(DataError, match="no frames"):
        split([], TrainOnAll())
    with pytest.raises(InputError, match="at least 2"):
        folds([frame(1)], 1, 0)


def test_frames_copy_and_pickle():
    first = frame(1, part=2)
    for other in (copy.deepcopy(first), pickle.loads(pickle.dumps(first))):
        assert dict(other.info) == {"part": 2}
        assert other.source == first.source
    with pytest.raises(TypeError):
        first.info["part"] = 3


def test_published_tungsten_split():
    if not TUNGSTEN.exists():
        pytest.skip("reference data w14_tungsten not present")
    data = read(TUNGSTEN / "w14.extxyz.xz")
    assert len(data) == 9691
    assert data.report.n_atoms == 158256
    assert data.report.count("stress") == 2183
    by_field = split(data, FieldSplit("uf3_train", (1,)))
    assert (len(by_field.train_indices), len(by_field.test_indices)) == (1938, 7753)
    listed = ListSplit(
        TUNGSTEN / "uf3_training_idx.txt", field="w14_index", field_base=1, missing="skip"
    )
    np.testing.assert_array_equal(
        split(data.frames, listed).train_indices, by_field.train_indices
    )
    assert len(data) - 1 - duplicate_groups(data.frames).max() == 223
