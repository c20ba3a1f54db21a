"""Energies beside forces and stresses, along near frames: units, signs, single faults.

Between two near frames the energy changes by the work of the mean forces and stresses,
dE = -F.dx + V sigma:strain. The ratio of both sides is 1 in good data whatever the
structure; a unit or sign mistake gives the same other ratio everywhere.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from trimpot.data.checks.findings import LEAVE_OUT, Finding, option
from trimpot.data.checks.near_frames import displaced_pairs
from trimpot.data.checks.scales import energy_force_causes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.contract import FloatArray
    from trimpot.data.checks.scales import Cause
    from trimpot.data.frames import Frame

FEWEST = 5
"""Pairs that a ratio needs."""

TOLERANCE = 0.07
"""Of the logarithm of a ratio that units explain."""

AGREEING = 0.5
"""Share of the pairs, by work, that must agree on a ratio."""

_STRAIGHT = 0.4  # work over that of either end, below which a ratio says little
_MOST = 0.6  # of the pairs of a frame, or of a file
_MANY = 12  # pairs of a file
_SMALLEST = 1e-4  # eV of work that says something beside rounding
_NOISE = 4e-3  # eV/atom: smaller contradictions are noise of the calculations
_HEAVIEST = 3.0  # of the median work
_NEAR = 0.15  # of a ratio, for pairs to agree
_BOUND = 0.5  # eV/atom: energies beyond are surely those of bound, or unbound, atoms
_OFF = 0.25  # of 1, beyond which data without a known cause are reported


@dataclass(frozen=True)
class Work:
    """Change of the energy beside the work of the labels, along pairs of frames.

    Attributes
    ----------
    first, second : (p,) int
        Frames of each pair.
    energy : (p,) float64
        Change of the energy in eV.
    work : (p,) float64
        What the labels predict.
    sizes : (p,) float64
        Atoms, or the volume in A^3, that a confusion would multiply with.
    bound : (p,) float64
        Mean of what the labels of either end alone predict, without sign.
    """

    first: np.ndarray
    second: np.ndarray
    energy: FloatArray
    work: FloatArray
    sizes: FloatArray
    bound: FloatArray

    def __len__(self) -> int:
        return len(self.work)

    def of(self, chosen: np.ndarray) -> Work:
        """Return some of the pairs."""
        parts = (self.first, self.second, self.energy, self.work, self.sizes, self.bound)
        return Work(*(part[chosen] for part in parts))

    @property
    def straight(self) -> np.ndarray:
        """Which pairs have about the same labels at both ends."""
        return np.abs(self.work) > _STRAIGHT * self.bound

    @property
    def weight(self) -> FloatArray:
        """Weight of each pair: its work, where that is not far beyond most."""
        size = np.abs(self.work)
        return np.asarray(np.minimum(size, _HEAVIEST * np.median(size)))

    @property
    def ratio(self) -> FloatArray:
        """Ratio of each pair."""
        return self.energy / self.work


def weighted_median(values: FloatArray, weights: FloatArray) -> float:
    """Return the value at which half of the weight is reached."""
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, 0.5 * total[-1])])


def agreement(values: FloatArray, weights: FloatArray, middle: float) -> float:
    """Return the share of the weight within 15 % of a value."""
    near = np.abs(values - middle) <= _NEAR * abs(middle)
    return float(weights[near].sum() / weights.sum())


def force_work(frames: Sequence[Frame]) -> Work:
    """Return energies beside the work of forces, of pairs with equal cells."""
    rows = []
    for pair in displaced_pairs(frames):
        a, b = frames[pair.first], frames[pair.second]
        if a.forces is None or b.forces is None or a.energy is None or b.energy is None:
            continue
        ends = [-float((forces * pair.moves).sum()) for forces in (a.forces, b.forces)]
        bound = 0.5 * (abs(ends[0]) + abs(ends[1]))
        change = b.energy - a.energy
        if bound > _SMALLEST:
            rows.append((pair.first, pair.second, change, 0.5 * sum(ends), len(a), bound))
    return as_work(rows)


def as_work(rows: Sequence[tuple[float, ...]]) -> Work:
    """Return rows of first, second, energy, work, size and bound as one object."""
    table = np.array(rows, dtype=np.float64).reshape(-1, 6)
    first, second = table[:, 0].astype(np.int64), table[:, 1].astype(np.int64)
    return Work(first, second, *table[:, 2:].T)


def force_findings(frames: Sequence[Frame]) -> tuple[list[Finding], int]:
    """Return findings of energies beside forces, and the number of pairs that tell.

    Data are judged file by file, so that one wrong file shows among good ones.
    """
    work = force_work(frames)
    files = np.array([f.source.rpartition("#")[0] for f in frames])
    findings: list[Finding] = []
    good: list[Work] = []
    for name in sorted(set(files[work.first].tolist())) if len(work) else []:
        own = work.of((files[work.first] == name) & (files[work.second] == name))
        telling = own.of(own.straight)
        if len(telling) < FEWEST:
            continue
        here = [f for f, file in zip(frames, files, strict=True) if file == name]
        found = [or_binding_energies(f, here) for f in _judged(telling, name)]
        found = found or _unrelated(own, name)
        findings += found
        if not found:
            good.append(own)
    for own in good:
        findings += _odd_frames(own, frames)
    return findings, int(work.straight.sum())


def _judged(work: Work, name: str) -> list[Finding]:
    ratio, weight = work.ratio, work.weight
    middle = weighted_median(ratio, weight)
    share = agreement(ratio, weight, middle)
    whole = weighted_median(ratio * work.sizes, weight)
    per_atom = agreement(ratio * work.sizes, weight, 1.0)
    evidence = (
        f"{name}: between {len(work)} pairs of near frames the energy changes by "
        f"{middle:.4g} times the work of the forces ({100 * share:.0f} % of it within "
        f"{100 * _NEAR:.0f} %), expected 1"
    )
    causes = energy_force_causes(middle, TOLERANCE) if share >= AGREEING else []
    several = float(np.median(work.sizes)) > 1.5
    if several and per_atom >= 0.6 and abs(whole - 1.0) < 0.06:
        return [per_atom_finding(evidence, causes)]
    if causes:
        cures = " or ".join(cause.remedy for cause in causes)
        texts = ", or ".join(cause.text for cause in causes)
        return [Finding(causes[0].code, "error", texts, evidence, cures)]
    if share >= AGREEING and abs(middle - 1.0) > _OFF:
        cure = "compare units and signs of energies and forces with the calculation"
        title = "forces are not the derivatives of the energies"
        return [Finding("energy-force-mismatch", "error", title, evidence, cure)]
    return []


def _unrelated(work: Work, name: str) -> list[Finding]:
    """Return a finding where most energies have nothing to do with the forces."""
    off = _contradicting(work)
    if len(work) < _MANY or off.mean() < _MOST:
        return []
    title = "forces are not the derivatives of the energies"
    evidence = (
        f"{name}: between {int(off.sum())} of {len(work)} pairs of near frames the energy "
        f"does not change by the work of the forces, in the median by "
        f"{float(np.median(np.abs(work.energy))):.3g} eV instead of "
        f"{float(np.median(np.abs(work.work))):.3g} eV"
    )
    cure = (
        "check that the column of the forces holds forces, and that labels and geometries "
        "are of the same calculations"
    )
    return [Finding("energy-force-mismatch", "error", title, evidence, cure)]


def _contradicting(work: Work) -> np.ndarray:
    """Return pairs whose energies contradict the work of the forces."""
    miss = np.abs(work.energy - work.work)
    return np.asarray((miss > 0.5 * work.bound) & (miss > _NOISE * work.sizes))


def per_atom_finding(evidence: str, causes: Sequence[Cause] = ()) -> Finding:
    """Return the finding of energies divided by the number of atoms.

    ``causes`` explain the numbers as well.
    """
    others = "".join(f"; or, with {c.text}: {c.remedy}" for c in causes)
    title = "energies are per atom, expected total energies"
    return Finding(
        "energy-per-atom",
        "error",
        title + "".join(f"; or {c.text}" for c in causes),
        evidence,
        option("rules.energy_kind=per_atom") + others,
    )


def or_binding_energies(finding: Finding, frames: Sequence[Frame]) -> Finding:
    """Return a finding of a wrong sign, with the other cause unless energies are bound."""
    energies = [f.energy / len(f) for f in frames if f.energy is not None and len(f) > 1]
    if finding.code != "force-sign" or not energies or np.median(energies) < -_BOUND:
        return finding
    title, cure = "energies of the opposite sign", "change the sign of the energies"
    if np.median(energies) > _BOUND:
        title = f"{title} (binding energies), or {finding.title}"
        cure = f"{cure}, which are positive; or, if the forces are wrong: {finding.remedy}"
    else:
        title = f"{finding.title}, or {title}"
        cure = f"{finding.remedy}; or {cure}"
    return replace(finding, title=title, remedy=cure)


def _odd_frames(work: Work, frames: Sequence[Frame]) -> list[Finding]:
    """Return frames that disagree with most near ones, which agree with others."""
    off = _contradicting(work)
    strong = work.bound > 0.3 * float(np.median(work.bound))
    votes: dict[int, list[bool]] = defaultdict(list)
    for a, b, bad, counts in zip(work.first, work.second, off, strong, strict=True):
        if counts:
            votes[int(a)].append(bool(bad))
            votes[int(b)].append(bool(bad))
    suspects = {i for i, all_ in votes.items() if len(all_) >= 2 and np.mean(all_) >= _MOST}
    blamed = Counter(
        s
        for a, b, bad in zip(work.first.tolist(), work.second.tolist(), off, strict=True)
        if bad
        for s, other in ((a, b), (b, a))
        if s in suspects and other not in suspects
    )
    odd = tuple(frames[i].source for i in sorted(suspects) if blamed[i] >= 2)
    if not odd or len(odd) > 0.1 * len(votes):
        return []
    return [
        Finding(
            "label-inconsistent",
            "warning",
            "energy or forces of single frames contradict near frames",
            f"{len(odd)} of {len(votes)} frames with near ones: the energy does not change "
            "by the work of the forces towards most of them",
            "not converged, or labels of another frame: " + LEAVE_OUT,
            odd,
            leave_out=True,
        )
    ]
