"""Frames and groups of frames that a quick fit to all others contradicts."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot.data.checks import Finding
from trimpot.data.checks.findings import LEAVE_OUT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trimpot.contract import FloatArray
    from trimpot.verbs.quick_fit import Judged

_BEYOND = 12.0  # robust deviations of an outlier
_GAP = 2.5  # an outlier stands so many times farther than any frame that is none
_ENERGY_LEAST, _FORCE_LEAST = 0.02, 0.5  # eV/atom, and of the forces
_FORCE_SMALL = 0.3  # eV/A
_DISTANCES = 1.14  # and of smallest distances
_MANY = 8  # frames of a group
_COMMON = 5  # frames of one composition
_FEW = 0.04  # share of the frames that can be outliers
_OFFSET = 0.7  # eV/atom between groups
_OFFSET_SPREADS = 8.0
_DENSITIES = 1.5  # largest ratio of volumes per atom of groups that are compared
_FEWEST = 20  # frames of a group that can have outliers


@dataclass(frozen=True)
class _Group:
    """Frames of one file and config_type: what they hold and how far off they are."""

    name: str
    members: tuple[int, ...]
    elements: frozenset[int]
    volume: float  # A^3 per atom; 0 where not periodic
    distance: float  # smallest, over covalent radii
    center: float  # eV/atom
    spread: float
    force: float  # eV/A


def offset_findings(judged: Judged, ratios: Mapping[str, float]) -> list[Finding]:
    """Return groups whose energies are shifted although their forces fit.

    Each is compared with the largest group of the same elements at similar densities and
    distances: a fit knows little of what is elsewhere.

    Parameters
    ----------
    ratios
        Smallest distance over covalent radii, by the source of a frame.
    """
    groups = sorted(_groups(judged, ratios), key=lambda group: -len(group.members))
    typical = _median(judged.force_error)
    found, sources = [], []
    for group in groups:
        main = next(other for other in groups if _alike(group, other))
        offset = group.center - main.center
        noise = max(group.spread, main.spread, 1e-3)
        if abs(offset) < max(_OFFSET, _OFFSET_SPREADS * noise):
            continue
        if np.isfinite(group.force) and group.force > 2.5 * typical + 0.05:
            continue  # out of the reach of the fit
        found.append(f"{group.name}: {offset:+.3g} eV/atom beside {main.name}")
        sources += [judged.frames[i].source for i in group.members]
    if not found:
        return []
    return [
        Finding(
            "energy-offset",
            "error",
            "groups of frames are on different energy scales: levels of theory are mixed, "
            "or total with atomisation energies",
            "; ".join(found[:4]),
            "fit them apart, for example `--set 'data.where={config_type: [NAMES]}'`, or "
            "shift their energies; " + LEAVE_OUT,
            tuple(sources),
            leave_out=True,
        )
    ]


def _groups(judged: Judged, ratios: Mapping[str, float]) -> list[_Group]:
    """Return the groups with several energies."""
    members: dict[str, list[int]] = defaultdict(list)
    for i, f in enumerate(judged.frames):
        if np.isfinite(judged.energy_error[i]):
            members[f"{f.source.rpartition('#')[0]}, {f.config_type}"].append(i)
    return [
        _group(name, tuple(m), judged, ratios)
        for name, m in members.items()
        if len(m) >= _MANY
    ]


def _group(
    name: str, members: tuple[int, ...], judged: Judged, ratios: Mapping[str, float]
) -> _Group:
    frames = [judged.frames[i] for i in members]
    errors = judged.energy_error[list(members)]
    center = float(np.median(errors))
    volumes = [
        f.structure.volume / len(f) if f.structure.pbc.all() else 0.0 for f in frames
    ]
    return _Group(
        name,
        members,
        frozenset(z for f in frames for z in f.structure.numbers.tolist()),
        float(np.median(volumes)),
        float(np.median([ratios[f.source] for f in frames])),
        center,
        1.4826 * float(np.median(np.abs(errors - center))),
        _median(judged.force_error[list(members)]),
    )


def _alike(a: _Group, b: _Group) -> bool:
    """Whether groups hold the same elements at similar densities and distances."""
    low, high = sorted((a.volume, b.volume))
    near, far = sorted((a.distance, b.distance))
    similar = high <= _DENSITIES * low and far <= _DISTANCES * near
    return similar and a.elements == b.elements


def outlier_findings(judged: Judged) -> list[Finding]:
    """Return frames far beyond all others of their group, with a gap between."""
    findings = []
    size = np.array([
        np.nan if f.forces is None else np.sqrt(np.mean(f.forces**2)) for f in judged.frames
    ])  # fmt: skip
    energy = np.abs(judged.energy_error)
    force = judged.force_error / (_median(judged.force_error) + 0.3 * size)
    groups = [f.config_type for f in judged.frames]
    rare = _rare(judged)
    energy[rare], force[rare] = np.nan, np.nan
    for what, values, least, unit in (
        ("energy", energy, _ENERGY_LEAST, "eV/atom"),
        ("force", force, _FORCE_LEAST, "eV/A"),
    ):
        odd = _isolated(values, groups, least, signed=what == "energy")
        odd = [i for i in odd if what == "energy" or judged.force_error[i] > _FORCE_SMALL]
        if not odd:
            continue
        worst = max(odd, key=lambda i: values[i])
        error = judged.energy_error if what == "energy" else judged.force_error
        findings.append(
            Finding(
                f"{what}-outlier",
                "warning",
                f"{what} labels far from what a quick fit to all others says",
                f"{judged.frames[worst].source}: off by {error[worst]:.3g} {unit}, where "
                f"half of the frames are within {_median(np.abs(error)):.2g}; "
                f"{len(odd)} such frames",
                "not converged, another level of theory, or damaged: " + LEAVE_OUT,
                tuple(judged.frames[i].source for i in odd),
                leave_out=True,
            )
        )
    return findings


def _median(values: FloatArray) -> float:
    """Return the median of the finite values, NaN without any."""
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else float("nan")


def _rare(judged: Judged) -> np.ndarray:
    """Return which frames have a composition that few others have: a fit knows it badly."""
    kinds = [np.sort(f.structure.numbers).tobytes() for f in judged.frames]
    count = Counter(kinds)
    return np.array([count[kind] < _COMMON for kind in kinds], dtype=np.bool_)


def _isolated(
    values: FloatArray, groups: Sequence[str], least: float, *, signed: bool
) -> list[int]:
    """Return indices far beyond a gap above all other values of their group."""
    members: dict[str, list[int]] = defaultdict(list)
    for i, name in enumerate(groups):
        if np.isfinite(values[i]):
            members[name].append(i)
    odd: list[int] = []
    for indices in members.values():
        if len(indices) < _FEWEST:
            continue
        own = values[indices]
        middle = float(np.median(own))
        scale = middle if signed else 1.4826 * float(np.median(np.abs(own - middle)))
        base = 0.0 if signed else middle
        far = (own - base) / max(scale, 1e-6)
        order = np.argsort(-far)
        for k in range(1, max(2, int(_FEW * len(indices))) + 1):
            if k >= len(indices):
                break
            edge, rest = far[order[k - 1]], far[order[k]]
            far_off = own[order[k - 1]] > max(least, _GAP * middle)
            if edge > _BEYOND and far_off and edge > _GAP * rest:
                odd += [indices[i] for i in order[:k]]
                break
    return odd
