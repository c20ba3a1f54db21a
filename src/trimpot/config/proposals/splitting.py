"""Which frames are for training: marks in files and fields, else a random split."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from trimpot.config.proposals.choice import Choice
from trimpot.data import FieldSplit, RandomSplit, TrainOnAll, duplicate_groups, split
from trimpot.data.selection import field_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.data import Frame, SplitSetting
    from trimpot.data.frames import Scalar

TRAINING = {"train", "training", "trainset"}
TESTING = {"test", "testing", "testset", "val", "valid", "validation", "holdout"}

FEWEST_TO_TEST = 20
"""With fewer different frames all are needed for training."""

_SWITCHES = {"0": 0, "1": 1, "false": 0, "true": 1, "f": 0, "t": 1}


def words(text: str) -> set[str]:
    """Return the words of a name, in lower case: ``Mo_Test2`` has mo and test."""
    apart = re.sub(r"([a-z])([A-Z])", r"\1 \2", text)
    return {word for word in re.split(r"[^a-z]+", apart.lower()) if word}


def is_for_test(name: str) -> bool:
    """Whether a name says that it is about test data and not about training."""
    found = words(name)
    return bool(found & TESTING) and not found & TRAINING


def propose_split(frames: Sequence[Frame]) -> Choice:
    """Return how to divide frames for which there are no files of test frames."""
    marked = _marked(frames)
    if marked is not None:
        return marked
    different = len(np.unique(duplicate_groups(frames)))
    if different < FEWEST_TO_TEST:
        return _all(f"{different} different frames: all are for training, none for a test")
    setting = RandomSplit()
    if _unseen(frames, setting):
        return _all("some elements occur in too few frames to set test frames aside")
    same = len(frames) - different
    doubles = f"; the {same} doubled geometries stay together" if same else ""
    why = (
        "Nothing marks test frames: a tenth at random, of each group in proportion"
        f"{doubles}. Snapshots of one trajectory resemble each other; such a test flatters."
    )
    return Choice("data.split", {"kind": "random", "test_fraction": 0.1, "seed": 0}, why)


def setting_of(choice: Choice) -> SplitSetting:
    """Return the split that a choice stands for."""
    values = choice.value
    if not isinstance(values, dict) or values["kind"] == "all":
        return TrainOnAll()
    if values["kind"] == "random":
        return RandomSplit(values["test_fraction"], values["seed"])
    return FieldSplit(values["field"], tuple(values["train"]), tuple(values["test"]))


def _all(why: str) -> Choice:
    return Choice("data.split", {"kind": "all"}, why[:1].upper() + why[1:] + ".")


def _marked(frames: Sequence[Frame]) -> Choice | None:
    """Return the split that a field marks, groups last."""
    names = sorted({name for frame in frames for name in frame.info})
    for name in (*names, "config_type"):
        values = list(dict.fromkeys(field_values(frames, name)))
        division = _division(name, [v for v in values if v is not None])
        if division is None or None in values:
            continue
        train, test = division
        setting = FieldSplit(name, train, test)
        if _unseen(frames, setting):
            continue
        value = {"kind": "field", "field": name, "train": [*train], "test": [*test]}
        return Choice("data.split", value, f"The field {name} marks the test frames.")
    return None


def _division(
    name: str, values: Sequence[Scalar]
) -> tuple[tuple[Scalar, ...], tuple[Scalar, ...]] | None:
    """Return the values of training and of test frames, None if there are not both."""
    test = tuple(v for v in values if is_for_test(str(v)))
    if name == "config_type":
        train = tuple(v for v in values if v not in test)
    else:
        train = tuple(v for v in values if words(str(v)) & TRAINING)
    if train and test:
        return train, test
    switches = {_SWITCHES.get(str(value).lower()) for value in values}
    about = words(name)
    if switches != {0, 1} or not about & (TRAINING | TESTING):
        return None
    on = tuple(v for v in values if _SWITCHES[str(v).lower()] == 1)
    off = tuple(v for v in values if v not in on)
    return (on, off) if about & TRAINING else (off, on)


def _unseen(frames: Sequence[Frame], setting: SplitSetting) -> bool:
    """Whether test frames hold an element that no training frame has."""
    division = split(frames, setting)
    seen, asked = (
        {z for i in indices for z in frames[int(i)].structure.numbers.tolist()}
        for indices in (division.train_indices, division.test_indices)
    )
    return not asked <= seen
