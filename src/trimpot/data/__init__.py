"""Reference data: frames, readers, isolated-atom energies, splits."""

from trimpot.data.baselines import (
    E0s,
    E0Setting,
    isolated_atom_energies,
    isolated_frames,
    resolve_E0s,
)
from trimpot.data.duplicates import duplicate_groups
from trimpot.data.frames import Dataset, Frame
from trimpot.data.labels import LabelKeys
from trimpot.data.reading import read
from trimpot.data.report import FileReport, ReadReport
from trimpot.data.rules import ReadRules
from trimpot.data.splits import (
    FieldSplit,
    ListSplit,
    RandomSplit,
    Split,
    SplitSetting,
    TrainOnAll,
    folds,
    split,
)

__all__ = [
    "Dataset",
    "E0Setting",
    "E0s",
    "FieldSplit",
    "FileReport",
    "Frame",
    "LabelKeys",
    "ListSplit",
    "RandomSplit",
    "ReadReport",
    "ReadRules",
    "Split",
    "SplitSetting",
    "TrainOnAll",
    "duplicate_groups",
    "folds",
    "isolated_atom_energies",
    "isolated_frames",
    "read",
    "resolve_E0s",
    "split",
]
