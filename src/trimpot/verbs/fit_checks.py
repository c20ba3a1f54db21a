"""What a quick fit reveals: outliers, groups on other energy scales, units and signs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from trimpot.data.checks import Finding
from trimpot.data.checks.derivatives import weighted_median
from trimpot.data.checks.scales import stress_causes
from trimpot.verbs.fit_outliers import offset_findings, outlier_findings
from trimpot.verbs.fit_scales import scale_of_energies
from trimpot.verbs.quick_fit import (
    FEWEST_FRAMES,
    Judged,
    judged_by,
    quick_fit,
    sample_frames,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trimpot.data import Frame
    from trimpot.verbs.watching import Watcher

_CORRELATED = 0.9
_FEWEST = 20


@dataclass(frozen=True)
class Known:
    """What was found before, so that nothing is said twice.

    Attributes
    ----------
    codes : set of str
        Codes of earlier findings.
    force_pairs, stress_pairs : int
        Near frames that have told about units and signs already.
    sources : set of str
        Frames that other findings name as faulty.
    ratios : mapping
        Smallest distance over covalent radii of each frame, by source.
    """

    codes: set[str] = field(default_factory=set)
    force_pairs: int = 0
    stress_pairs: int = 0
    sources: set[str] = field(default_factory=set)
    ratios: Mapping[str, float] = field(default_factory=dict)


def fit_findings(
    frames: Sequence[Frame], known: Known, *, threads: int, watcher: Watcher
) -> list[Finding]:
    """Return what a quick fit to a part of the frames says about all of them."""
    usable = list(frames)
    if len(usable) < FEWEST_FRAMES:
        return []
    chosen = sample_frames(usable)
    findings: list[Finding] = []
    watcher.progress("quick fit", 0, 3)
    if not _settled(known):
        findings += _ratios(usable, chosen, known, threads)
    watcher.progress("quick fit", 1, 3)
    codes = known.codes | {f.code for f in findings}
    if codes & {"energy-unit", "energy-per-atom", "energy-force-unit", "force-sign"}:
        watcher.progress("quick fit", 3, 3)
        return findings  # the fit mixes units: its errors mean nothing
    potential = quick_fit([usable[i] for i in chosen], threads=threads)
    watcher.progress("quick fit", 2, 3)
    if potential is not None:
        judged = judged_by(potential, usable, threads=threads)
        if known.stress_pairs < 5 and not any(c.startswith("stress") for c in codes):
            findings += _stress_ratio(judged)
        offsets = offset_findings(judged, known.ratios)
        findings += offsets
        if not offsets:
            findings += outlier_findings(judged)
    watcher.progress("quick fit", 3, 3)
    return findings


def _settled(known: Known) -> bool:
    return known.force_pairs >= _FEWEST or bool(
        known.codes & {"energy-per-atom", "energy-force-unit", "force-sign", "energy-unit"}
    )


def _ratios(
    frames: Sequence[Frame], chosen: Sequence[int], known: Known, threads: int
) -> list[Finding]:
    """Return units and signs from a fit to forces alone, whose energies are compared."""
    del known
    fitted = [frames[i] for i in chosen if frames[i].forces is not None]
    potential = quick_fit(fitted, forces_only=True, threads=threads)
    if potential is None:
        return []
    judged = judged_by(potential, fitted, threads=threads)
    return scale_of_energies(judged)


def _stress_ratio(judged: Judged) -> list[Finding]:
    """Return unit or sign of the stresses beside those of a fit without them."""
    pairs = [
        (s.trace() / 3.0, f.stress.trace() / 3.0)
        for f, s in zip(judged.frames, judged.stresses, strict=True)
        if f.stress is not None and s is not None
    ]
    if len(pairs) < 8:
        return []
    x, y = np.array(pairs).T
    x, y = x - np.median(x), y - np.median(y)
    if x.std() == 0.0 or y.std() == 0.0:
        return []
    r = float(np.corrcoef(x, y)[0, 1])
    nonzero = np.abs(x) > 1e-9
    slope = weighted_median(y[nonzero] / x[nonzero], np.abs(x[nonzero]))
    if abs(r) < _CORRELATED or slope * r <= 0.0 or 0.3 < slope < 3.0:
        return []
    causes = stress_causes(1.0 / slope, 0.8, key="stress")
    if not causes:
        return []
    evidence = (
        f"a quick fit to energies and forces predicts pressures that follow the given ones "
        f"(r = {r:.2f}) with a ratio of {slope:.3g}, expected 1"
    )
    return [Finding(causes[0].code, "error", causes[0].text, evidence, causes[0].remedy)]
