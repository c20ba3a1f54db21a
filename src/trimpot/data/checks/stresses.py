"""Stresses beside energies, along near frames with different cells."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np

from trimpot.data.checks.derivatives import (
    AGREEING,
    FEWEST,
    Work,
    agreement,
    as_work,
    weighted_median,
)
from trimpot.data.checks.findings import Finding, option
from trimpot.data.checks.near_frames import NearPair, strained_pairs
from trimpot.data.checks.scales import stress_causes
from trimpot.data.rules import VOIGT_ORDERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.contract import FloatArray
    from trimpot.data.frames import Frame

_TOLERANCE = 0.2  # of the logarithm of a ratio: units are factors of 10 and more apart
_OFF = 0.4
_LARGE = 1.0  # eV/A^3 = 160 GPa
_SHEARED = 0.5  # of the largest normal strain
_BETTER = 0.3  # of the misfit, for another order of the components to be named


def stress_findings(
    frames: Sequence[Frame], keys: Sequence[str], unit: str | None
) -> tuple[list[Finding], int]:
    """Return findings about stresses, and the number of pairs that tell.

    Parameters
    ----------
    keys
        What gave the stress of each frame: ``stress`` or ``virial``.
    unit
        Unit of stresses that the user stated, if any.
    """
    pairs = [
        (pair, frames[pair.first], frames[pair.second])
        for pair in strained_pairs(frames)
        if _labelled(frames[pair.first]) and _labelled(frames[pair.second])
    ]
    rows = [row for item in pairs if (row := _row(*item)) is not None]
    work = as_work(rows)
    findings: list[Finding] = []
    for key in sorted({keys[int(i)] for i in work.first}):
        own = work.of(np.array([keys[int(i)] == key for i in work.first]))
        if len(own) >= FEWEST:
            findings += _judged(own, key)
    if not findings and "stress" in keys:
        findings = _order(pairs)
    if not findings and unit is None:
        findings = _magnitude(frames)
    return findings, len(work)


def _labelled(frame: Frame) -> bool:
    return frame.stress is not None and frame.energy is not None


def _volume(a: Frame, b: Frame) -> float:
    return 0.5 * (a.structure.volume + b.structure.volume)


def _work_of_forces(pair: NearPair, a: Frame, b: Frame) -> float:
    if a.forces is None or b.forces is None:
        return 0.0
    return -0.5 * float(((a.forces + b.forces) * pair.moves).sum())


def _row(pair: NearPair, a: Frame, b: Frame) -> tuple[float, ...] | None:
    """Return first, second, energy without the work of forces, work, volume."""
    volume = _volume(a, b)
    if a.stress is None or b.stress is None:
        return None
    ends = [volume * float((s * pair.strain).sum()) for s in (a.stress, b.stress)]
    work = 0.5 * sum(ends)
    other = _work_of_forces(pair, a, b)
    energy = b.energy - a.energy  # type: ignore[operator]
    still = float(np.abs(pair.moves).max()) < 0.02
    if not work or abs(work) < 0.3 * abs(ends[0] - ends[1]):
        return None
    if not still and abs(other) > 0.5 * abs(energy - other):
        return None
    return pair.first, pair.second, energy - other, work, volume, abs(work)


def _judged(work: Work, key: str) -> list[Finding]:
    ratio, weight = work.ratio, work.weight
    middle = weighted_median(ratio, weight)
    share = agreement(ratio, weight, middle)
    evidence = (
        f"between {len(work)} pairs of near frames with different cells the energy changes "
        f"by {middle:.4g} times the work of the {key} ({100 * share:.0f} % of it within "
        "15 %), expected 1"
    )
    causes = stress_causes(middle, _TOLERANCE, key=key) if share >= 0.4 else []
    if causes:
        cause = causes[0]
        return [Finding(cause.code, "error", cause.text, evidence, cause.remedy)]
    if (found := _virial(work, key, evidence)) is not None:
        return [found]
    if share >= AGREEING and abs(middle - 1.0) > _OFF:
        title = "stresses are not the derivatives of the energies"
        cure = (
            "compare unit and sign with the calculation; to fit without them: "
            "`--set fit.stress_weight=0`"
        )
        return [Finding("stress-mismatch", "error", title, evidence, cure)]
    return []


def _virial(work: Work, key: str, evidence: str) -> Finding | None:
    """Return the finding where a stress was divided by the volume, or not, in error."""
    weight = work.weight
    if key == "stress":
        for factor, settings in (
            (-work.sizes, ("keys.virial=stress",)),
            (work.sizes, ("keys.virial=stress", "rules.virial_sign=+stress")),
        ):
            if agreement(work.ratio * factor, weight, 1.0) >= AGREEING:
                title = "the key 'stress' holds a virial, in eV"
                return Finding("stress-is-virial", "error", title, evidence,
                               option(*settings))  # fmt: skip
        return None
    for factor, settings in (
        (-1.0 / work.sizes, ("keys.stress=virial",)),
        (1.0 / work.sizes, ("keys.stress=virial", "rules.stress_sign=compression")),
    ):
        if agreement(work.ratio * factor, weight, 1.0) >= AGREEING:
            title = "the key 'virial' holds a stress, in eV/A^3"
            return Finding("virial-is-stress", "error", title, evidence, option(*settings))
    return None


def _order(pairs: Sequence[tuple[NearPair, Frame, Frame]]) -> list[Finding]:
    """Return a finding where another order of the shears fits sheared cells better."""
    normal, shear = [], []
    for pair, a, b in pairs:
        strain = pair.strain
        off = np.array([strain[1, 2], strain[0, 2], strain[0, 1]])
        if np.abs(off).max() < _SHEARED * np.abs(np.diag(strain)).max():
            continue
        stress = 0.5 * (a.stress + b.stress) * _volume(a, b)  # type: ignore[operator]
        rest = b.energy - a.energy - _work_of_forces(pair, a, b)  # type: ignore[operator]
        normal.append(rest - float((np.diag(stress) * np.diag(strain)).sum()))
        components = np.array([stress[1, 2], stress[0, 2], stress[0, 1]])
        shear.append(2.0 * np.outer(components, off))
    if len(normal) < FEWEST:
        return []
    misfit = {order: _misfit(np.array(normal), np.array(shear), order)
              for order in permutations(range(3))}  # fmt: skip
    best = min(misfit, key=lambda order: misfit[order])
    names = {tuple(k - 3 for k in places): name for name, places in VOIGT_ORDERS.items()}
    if best not in names or misfit[best] > _BETTER * misfit[0, 1, 2]:
        return []
    return [
        Finding(
            "stress-order",
            "error",
            f"the shears of the stress seem to be in the order {names[best]}",
            f"{len(normal)} pairs of near frames with sheared cells: in this order the "
            f"work of the stress misses the energies by {misfit[best]:.3g} eV, as read by "
            f"{misfit[0, 1, 2]:.3g} eV",
            option(f'rules.voigt_order="{names[best]}"'),
        )
    ]


def _misfit(normal: FloatArray, shear: FloatArray, order: tuple[int, ...]) -> float:
    """Return the mean of what energies and work differ by, components in an order."""
    work = sum(shear[:, order[k], k] for k in range(3))
    return float(np.abs(normal - work).mean())


def _magnitude(frames: Sequence[Frame]) -> list[Finding]:
    sizes = [float(np.abs(f.stress).max()) for f in frames if f.stress is not None]
    if not sizes or float(np.median(sizes)) <= _LARGE:
        return []
    return [
        Finding(
            "stress-unit",
            "error",
            "stresses look like kbar or GPa",
            f"more than half exceed {_LARGE:g} eV/A^3 (160 GPa); the largest is "
            f"{max(sizes):.4g}",
            f"say the unit: {option('rules.stress_unit=kbar')} (or GPa, or eV/A^3 if it is "
            f"meant), and for VASP's sign {option('rules.stress_sign=compression')}",
        )
    ]
