"""Divide frames into training and test frames, and training frames into folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from trimpot.data.duplicates import duplicate_groups
from trimpot.data.index_lists import list_members
from trimpot.data.selection import field_values, matches
from trimpot.errors import DataError, InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trimpot.data.frames import Frame, Scalar

    IndexArray = NDArray[np.int64]


@dataclass(frozen=True)
class TrainOnAll:
    """Every frame is for training."""


@dataclass(frozen=True)
class FieldSplit:
    """Split by the value of an info field.

    Attributes
    ----------
    field : str
        Name of the field; ``config_type`` is the group.
    train : tuple
        Values of training frames.
    test : tuple or None
        Values of test frames; None takes all other frames. Frames with neither are in
        neither set.
    """

    field: str
    train: tuple[Scalar, ...]
    test: tuple[Scalar, ...] | None = None


@dataclass(frozen=True)
class RandomSplit:
    """Seeded random split, stratified by group, duplicates kept together.

    Attributes
    ----------
    test_fraction : float
        Fraction of the frames for testing, between 0 and 1.
    seed : int
        Same seed, same split.
    """

    test_fraction: float = 0.1
    seed: int = 0


@dataclass(frozen=True)
class ListSplit:
    """Split by a text file of whole numbers, those of the training frames.

    Attributes
    ----------
    path : Path
        File with whole numbers separated by white space.
    list_base : int
        Number that the list gives to the first frame: 0 or 1.
    field : str or None
        Info field that numbers the frames; None counts the frames given.
    field_base : int
        Number that the field gives to the first frame.
    missing : {"error", "skip"}
        What to do with a number that no frame has; skipped ones are counted in the
        description.
    """

    path: Path
    list_base: int = 0
    field: str | None = None
    field_base: int = 0
    missing: Literal["error", "skip"] = "error"


SplitSetting = TrainOnAll | FieldSplit | RandomSplit | ListSplit


@dataclass(frozen=True)
class Split:
    """Indices of training and test frames.

    Attributes
    ----------
    train_indices, test_indices : (n,) int64
        Ascending, without common members.
    description : str
        How the split was made, for reports.
    shared_duplicates : int
        Number of test frames whose geometry is also in training.
    """

    train_indices: IndexArray
    test_indices: IndexArray
    description: str
    shared_duplicates: int


def split(frames: Sequence[Frame], setting: SplitSetting) -> Split:
    """Return training and test indices of frames.

    Raises
    ------
    DataError
        If no training frame is left, a frame is in both sets, a field or a listed frame
        does not exist.
    InputError
        If a setting is out of range.
    """
    if not len(frames):
        raise DataError("split: there are no frames, expected at least one")
    if isinstance(setting, FieldSplit):
        train, test, description = _by_field(frames, setting)
    elif isinstance(setting, ListSplit):
        train, description = list_members(frames, setting)
        test = ~train
    elif isinstance(setting, RandomSplit):
        test = _random_test(frames, setting)
        train = ~test
        description = f"random, test fraction {setting.test_fraction}, seed {setting.seed}"
    else:
        train, test = np.ones(len(frames), bool), np.zeros(len(frames), bool)
        description = "all frames for training"
    return _finish(frames, train, test, description)


def folds(frames: Sequence[Frame], n: int, seed: int) -> IndexArray:
    """Return the fold of each frame, for cross-validation.

    Groups are spread over the folds, duplicates stay together, and folds get about the
    same number of atoms.

    Parameters
    ----------
    frames : sequence of Frame
        Training frames.
    n : int
        Number of folds, at least 2.
    seed : int
        Same seed, same folds.

    Returns
    -------
    (n_frames,) int64
        Values 0 to n - 1; every fold has a member.

    Raises
    ------
    InputError
        If ``n`` is below 2.
    DataError
        If there are fewer different frames than folds.
    """
    if n < 2:
        raise InputError(f"folds = {n}, expected at least 2; choose for example 5")
    clusters = _clusters(frames)
    if len(clusters) < n:
        raise DataError(
            f"{len(clusters)} different frames cannot make {n} folds, expected at least "
            "one frame per fold; ask for fewer folds or add frames"
        )
    generator = np.random.default_rng(seed)
    sizes = np.array([len(frame) for frame in frames])
    total = np.zeros(n)
    labels = np.empty(len(frames), dtype=np.int64)
    for stratum in _strata(frames, clusters):
        own = np.zeros(n)
        shuffled = [stratum[i] for i in generator.permutation(len(stratum))]
        for members in sorted(shuffled, key=lambda m: -int(sizes[m].sum())):
            # fewest atoms of this group first, then fewest atoms of all groups
            fold = int(np.lexsort((total, own))[0])
            labels[members] = fold
            own[fold] += sizes[members].sum()
            total[fold] += sizes[members].sum()
    return labels


def _finish(
    frames: Sequence[Frame],
    train: NDArray[np.bool_],
    test: NDArray[np.bool_],
    description: str,
) -> Split:
    both = np.flatnonzero(train & test)
    if len(both):
        raise DataError(
            f"split ({description}): {len(both)} frames are in training and test, first "
            f"{frames[int(both[0])].source}, expected each in one; correct the values"
        )
    if not train.any():
        raise DataError(
            f"split ({description}): no training frame, expected at least one; correct the "
            "values or the fraction"
        )
    groups = duplicate_groups(frames)
    shared = int(np.isin(groups[test], groups[train]).sum())
    text = f"{description}: {train.sum()} training and {test.sum()} test frames"
    if shared:
        text += f", {shared} test frames have the geometry of a training frame"
    return Split(np.flatnonzero(train), np.flatnonzero(test), text, shared)


def _by_field(
    frames: Sequence[Frame], setting: FieldSplit
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], str]:
    values = field_values(frames, setting.field)
    train = np.array([matches(value, setting.train) for value in values])
    if setting.test is None:
        test, rest = ~train, "the others"
    else:
        test = np.array([matches(value, setting.test) for value in values])
        rest = " or ".join(map(str, setting.test))
    for name, wanted, found in (
        ("train", setting.train, train),
        ("test", setting.test, test),
    ):
        if wanted is not None and not found.any():
            met = sorted({str(value) for value in values if value is not None})
            raise DataError(
                f"split: no frame has {setting.field} = {' or '.join(map(str, wanted))} "
                f"({name}); values that exist: {', '.join(met[:8])}"
            )
    trained = " or ".join(map(str, setting.train))
    return train, test, f"{setting.field} = {trained} for training, {rest} for test"


def _random_test(frames: Sequence[Frame], setting: RandomSplit) -> NDArray[np.bool_]:
    """Choose test frames: whole clusters, each group in proportion."""
    if not 0.0 < setting.test_fraction < 1.0:
        raise InputError(
            f"test_fraction = {setting.test_fraction}, expected a number between 0 and 1; "
            "train on all frames if no test is wanted"
        )
    generator = np.random.default_rng(setting.seed)
    test = np.zeros(len(frames), dtype=np.bool_)
    owed = 0.0  # carried from group to group, so that small groups count together
    for stratum in _strata(frames, _clusters(frames)):
        owed += setting.test_fraction * sum(map(len, stratum))
        # One cluster of each group always stays in training.
        for index in generator.permutation(len(stratum))[:-1]:
            if len(stratum[index]) > 2.0 * owed:
                continue
            test[stratum[index]] = True
            owed -= len(stratum[index])
    return test


def _clusters(frames: Sequence[Frame]) -> list[list[int]]:
    """Return the frames of each geometry."""
    clusters: dict[int, list[int]] = {}
    for index, group in enumerate(duplicate_groups(frames).tolist()):
        clusters.setdefault(group, []).append(index)
    return list(clusters.values())


def _strata(frames: Sequence[Frame], clusters: list[list[int]]) -> list[list[list[int]]]:
    """Return the clusters of each config_type, groups with most frames first."""
    strata: dict[str, list[list[int]]] = {}
    for members in clusters:
        strata.setdefault(frames[members[0]].config_type, []).append(members)
    return sorted(strata.values(), key=lambda stratum: -sum(map(len, stratum)))
