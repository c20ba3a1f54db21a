"""Frames with the same geometry: plain duplicates, and such with different labels."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from trimpot.data.checks.findings import LEAVE_OUT, Finding
from trimpot.data.duplicates import duplicate_groups

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.data.frames import Frame

_ENERGY = 5e-3  # eV/atom between labels of one geometry
_FORCE = 0.05  # eV/A
_STRESS = 0.01  # eV/A^3
_STRESS_SHARE = 0.1  # of most stresses, which may be in another unit
_SERIOUS = 4.0  # times these


def repeat_findings(frames: Sequence[Frame]) -> list[Finding]:
    """Return duplicates (a note) and geometries with labels that disagree (an error)."""
    groups: dict[int, list[int]] = defaultdict(list)
    for index, group in enumerate(duplicate_groups(frames).tolist()):
        groups[group].append(index)
    repeated = [members for members in groups.values() if len(members) > 1]
    if not repeated:
        return []
    sources: list[str] = []
    worst = 0.0
    stress = _stress_limit(frames)
    for members in repeated:
        gap = max(_gap(frames[members[0]], frames[i], stress) for i in members[1:])
        if gap > 1.0:
            sources += [frames[i].source for i in members]
            worst = max(worst, gap)
    extra = tuple(frames[i].source for members in repeated for i in members[1:])
    findings = [
        Finding(
            "duplicates",
            "note",
            "frames repeat the geometry of another",
            f"{len(extra)} of {len(frames)} frames",
            "none needed: random splits and folds keep them together",
            extra,
        )
    ]
    if sources:
        findings.append(
            Finding(
                "labels-conflict",
                "error" if worst > _SERIOUS else "warning",
                "one geometry has different labels: two levels of theory, or a mistake",
                f"{len(sources)} frames; {_difference(frames, repeated, stress)}",
                "keep one level of theory, for example " + _WHERE + "; " + LEAVE_OUT,
                tuple(sources),
                leave_out=True,
            )
        )
    return findings


_WHERE = "`--set 'data.where={config_type: [NAMES]}'`"


def _stress_limit(frames: Sequence[Frame]) -> float:
    """Return how far stresses of one geometry may be apart, in their unit."""
    sizes = [float(np.abs(f.stress).max()) for f in frames if f.stress is not None]
    return max(_STRESS, _STRESS_SHARE * float(np.median(sizes)) if sizes else 0.0)


def _gap(a: Frame, b: Frame, stress: float) -> float:
    """Return the largest difference of the labels over what rounding can do."""
    gaps = [0.0]
    if a.energy is not None and b.energy is not None:
        gaps.append(abs(a.energy - b.energy) / len(a) / _ENERGY)
    same_order = np.array_equal(a.structure.numbers, b.structure.numbers) and np.allclose(
        a.structure.positions, b.structure.positions, atol=1e-4
    )
    if same_order and a.forces is not None and b.forces is not None:
        gaps.append(float(np.abs(a.forces - b.forces).max()) / _FORCE)
    if a.stress is not None and b.stress is not None:
        gaps.append(float(np.abs(a.stress - b.stress).max()) / stress)
    return max(gaps)


def _difference(frames: Sequence[Frame], repeated: list[list[int]], stress: float) -> str:
    """Return the worst pair of a geometry with its energies per atom."""
    pairs = [(frames[m[0]], frames[i]) for m in repeated for i in m[1:]]
    a, b = max(pairs, key=lambda pair: _gap(pair[0], pair[1], stress))
    energies = [
        "none" if f.energy is None else f"{f.energy / len(f):.5f} eV/atom" for f in (a, b)
    ]
    return f"{a.source} has {energies[0]}, {b.source} has {energies[1]}"
