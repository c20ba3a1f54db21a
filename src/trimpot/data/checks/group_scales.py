"""Files and config_types whose energies are a unit or a division away from the others."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from trimpot.data.checks.findings import LEAVE_OUT, Finding
from trimpot.data.rules import ENERGY_FACTORS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.contract import FloatArray
    from trimpot.data.frames import Frame

_FEWEST = 6  # frames of a group, and beside it
_SPREAD = 0.1  # of the ratios within a group, and beside it
_NEAR = 0.1  # of a ratio to what explains it
_SEVERAL = 7.5  # atoms: energies of bound and free atoms can be a small factor apart
_BOUND = 1.0  # eV/atom: energies near 0 have no ratio


def group_scale_findings(frames: Sequence[Frame]) -> list[Finding]:
    """Return groups whose energies are per atom, in another unit or of the other sign.

    Those of all other frames, as a sum over elements, say what to expect. Groups are
    config_types, and files where there are several.
    """
    usable = [
        f for f in frames if f.energy is not None and (len(f) > 1 or f.structure.pbc.all())
    ]
    found: list[Finding] = []
    named: set[str] = set()
    for name, members in _groups(usable):
        inside = {f.source for f in members}
        rest = [f for f in usable if f.source not in inside | named]
        if inside & named or len(members) > len(rest):
            continue
        cause = _cause(members, rest)
        if cause:
            found.append(_finding(name, cause, members))
            named |= inside
    return found


def _groups(frames: Sequence[Frame]) -> list[tuple[str, list[Frame]]]:
    """Return config_types and files with several energies, largest first."""
    groups: dict[str, list[Frame]] = defaultdict(list)
    for f in frames:
        groups[f"config_type {f.config_type}"].append(f)
        groups[f.source.rpartition("#")[0]].append(f)
    large = [(name, m) for name, m in groups.items() if _FEWEST <= len(m) < len(frames)]
    return sorted(large, key=lambda group: -len(group[1]))


def _cause(members: Sequence[Frame], rest: Sequence[Frame]) -> str:
    """Return what explains the energies of a group beside the others, or nothing."""
    kinds = sorted({z for f in rest for z in f.structure.numbers.tolist()})
    if len(rest) < _FEWEST or not all(set(f.structure.numbers.tolist()) <= set(kinds)
                                      for f in members):  # fmt: skip
        return ""
    counts = _counts(rest, kinds)
    atoms = counts.sum(axis=1)
    energies = np.array([f.energy for f in rest])
    each = np.linalg.lstsq(counts / atoms[:, None], energies / atoms, rcond=1e-8)[0]
    expected = _counts(members, kinds) @ each
    sizes = np.array([len(f) for f in members], dtype=np.float64)
    if np.median(np.abs(expected) / sizes) < _BOUND or not _steady(
        energies / (counts @ each)
    ):
        return ""
    ratio = np.array([f.energy for f in members]) / expected
    if np.median(sizes) > _SEVERAL and _steady(ratio * sizes) and _is(ratio * sizes, 1.0):
        return "per atom, those of the others total"
    if not _steady(ratio):
        return ""
    if _is(ratio, -1.0):
        return "of the opposite sign beside the others"
    for unit, factor in ENERGY_FACTORS.items():
        if unit != "eV" and _is(ratio, 1.0 / factor):
            return f"in {unit}, those of the others in eV"
    return ""


def _counts(frames: Sequence[Frame], kinds: Sequence[int]) -> FloatArray:
    return np.array(
        [[np.count_nonzero(f.structure.numbers == z) for z in kinds] for f in frames],
        dtype=np.float64,
    )


def _steady(ratios: FloatArray) -> bool:
    """Whether most ratios of a group are about the same."""
    middle = np.median(ratios)
    return bool(1.4826 * np.median(np.abs(ratios - middle)) < _SPREAD * abs(middle))


def _is(ratios: FloatArray, value: float) -> bool:
    return bool(abs(np.median(ratios) / value - 1.0) < _NEAR)


def _finding(name: str, cause: str, members: Sequence[Frame]) -> Finding:
    energy = np.median([f.energy for f in members if f.energy is not None])
    atoms = int(np.median([len(f) for f in members]))
    return Finding(
        "energy-offset",
        "error",
        f"energies of a group of frames seem to be {cause}",
        f"{name}: {len(members)} frames with {energy:.5g} in the median for {atoms} atoms",
        "convert the energies of these frames, in the script that wrote them; " + LEAVE_OUT,
        tuple(f.source for f in members),
        leave_out=True,
    )
