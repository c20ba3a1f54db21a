"""Which of several keys holds the reference labels, where they disagree.

Files of potentials under work often carry predictions under the plain name and the
reference under a marked one, such as ``energy`` and ``REF_energy``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trimpot.data.labels import ROLES, LabelKeys, pick, plan_labels
from trimpot.data.reading import files_of, format_of, raw_frames
from trimpot.data.rules import ReadRules
from trimpot.data.selection import Selection
from trimpot.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.data.records import RawFrame

_MARKS = ("ref", "dft", "qm")


def reference_keys(paths: Sequence[str]) -> LabelKeys:
    """Return the marked keys of labels that two keys give differently; often none.

    Looks at the first frame of each file.
    """
    chosen: dict[str, str] = {}
    for path in files_of(paths):
        everything = Selection.build(None, None)
        frames = raw_frames(path, format_of(path), everything, ReadRules())
        first = next((raw for raw in frames if raw is not None), None)
        if first is not None:
            chosen = _of_frame(first) | chosen
    return LabelKeys(**chosen)


def _of_frame(raw: RawFrame) -> dict[str, str]:
    """Return the key of each label whose candidates disagree, if one alone is marked."""
    found: dict[str, str] = {}
    for role, candidates in plan_labels(raw, LabelKeys()).candidates.items():
        try:
            pick(raw, role, candidates)
        except DataError:
            marked = [c.key for c in candidates if is_marked(c.key)]
            if role in ROLES and len(marked) == 1:
                found[role] = marked[0]
    return found


def is_marked(key: str) -> bool:
    """Whether a key says that it holds the reference: ``REF_energy``, ``dft_forces``."""
    parts = key.lower().split("_")
    return any(part.startswith(_MARKS) for part in parts)
