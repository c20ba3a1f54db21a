"""Units and signs from a fit to forces alone, whose energies are compared with the given.

The given energies are exact beside those of a rough fit, so that predictions are regressed
on them: the other way round, the noise of the fit would make the ratio too small. Forces
say little about energies of other volumes; what depends on the volume is taken out.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from math import gcd, log, sqrt
from typing import TYPE_CHECKING

import numpy as np

from trimpot.data.checks import Finding
from trimpot.data.checks.derivatives import (
    or_binding_energies,
    per_atom_finding,
    weighted_median,
)
from trimpot.data.checks.scales import Cause, energy_force_causes
from trimpot.data.distances import complete_cell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.contract import FloatArray
    from trimpot.data import Frame
    from trimpot.verbs.quick_fit import Judged

_FEWEST = 15  # degrees of freedom
_MOVED = 0.05  # A, root mean square: forces tell of moves of atoms against each other
_SAME_VOLUME = 1e-4
_AGREEING = 0.7  # of the logarithm, between mean and median ratio
_GOOD, _GOOD_MISFIT = 0.9, 0.4  # correlation, and error of the forces over their size
_FAIR, _FAIR_T = 0.6, 7.0  # correlation, and its Student t
_FAIR_TOLERANCE = 1.1  # of log(ratio) of fair fits
_QUIET = {True: 0.92, False: 1.9}


@dataclass(frozen=True)
class _Ratio:
    """Given over predicted changes of the energy, with what decides how much it says."""

    value: float
    whole: float  # of energies times the number of atoms
    r: float
    good: bool
    misfit: float

    @property
    def expected(self) -> bool:
        """Whether the ratio may be 1."""
        return self.value > 0.0 and abs(log(self.value)) < _QUIET[self.good]

    @property
    def tolerance(self) -> float:
        """Of the logarithm of the ratio."""
        return min(0.45, 0.15 + 0.9 * self.misfit) if self.good else _FAIR_TOLERANCE


def scale_of_energies(judged: Judged) -> list[Finding]:
    """Return units, signs or divisors of energies or forces that a fit to forces shows.

    Parameters
    ----------
    judged
        Frames beside the predictions of a potential fitted to their forces alone.
    """
    groups = _compositions(judged)
    ratio = _ratio(judged, groups)
    if ratio is None or ratio.expected:
        return []
    frames = [judged.frames[i] for members in groups for i in members]
    causes = _causes(ratio, frames)
    evidence = (
        f"a quick fit to the forces of {len(judged.frames)} frames predicts energies that "
        f"follow the given ones (r = {abs(ratio.r):.2f}) with a ratio of {ratio.value:.3g} "
        f"within a factor of {np.exp(ratio.tolerance):.2g}, expected 1"
    )
    if _is_per_atom(ratio, frames):
        return [per_atom_finding(evidence, causes[:2])]
    if not causes:
        return []
    texts = ", or ".join(cause.text for cause in causes[:4])
    cures = " or ".join(cause.remedy for cause in causes[:4])
    found = Finding(causes[0].code, "error", texts, evidence, cures)
    return [or_binding_energies(found, frames)]


def _compositions(judged: Judged) -> list[list[int]]:
    """Return frames of equal composition whose atoms move against each other."""
    groups: dict[bytes, list[int]] = defaultdict(list)
    for i, f in enumerate(judged.frames):
        if f.energy is not None and len(f) > 1:
            groups[np.sort(f.structure.numbers).tobytes()].append(i)
    return [m for m in groups.values() if _move([judged.frames[i] for i in m]) > _MOVED]


def _move(frames: Sequence[Frame]) -> float:
    """Return the median of how far atoms are from where the first frame has them, in A.

    Not from strains, and only where the atoms have the same order.
    """
    first = frames[0].structure
    cell = complete_cell(first)
    scaled = first.positions @ np.linalg.inv(cell)
    moves = []
    for other in (f.structure for f in frames[1:]):
        if not np.array_equal(other.numbers, first.numbers):
            return np.inf
        own = other.positions @ np.linalg.inv(
            complete_cell(other) if other.pbc.any() else cell
        )
        change = own - scaled
        change -= np.round(change) * first.pbc
        moves.append(np.sqrt((((change - change.mean(axis=0)) @ cell) ** 2).sum(1).mean()))
    return float(np.median(moves)) if moves else 0.0


def _ratio(judged: Judged, groups: Sequence[list[int]]) -> _Ratio | None:
    """Return given over predicted changes, or None where the fit does not tell."""
    parts = [found for m in groups if (found := _changes(judged, m)) is not None]
    if not parts:
        return None
    x, y = (np.concatenate([p[k] for p in parts]) for k in (0, 1))
    n = np.concatenate([np.full(len(p[0]), float(p[3])) for p in parts])
    freedom = len(x) - sum(p[2] for p in parts)
    if freedom < _FEWEST or x.std() == 0.0 or y.std() == 0.0:
        return None
    r, whole_r = (float(np.corrcoef(x, given)[0, 1]) for given in (y, y * n))
    if whole_r > abs(r):  # as where energies per atom stand for different sizes
        r = whole_r
    if abs(r) < _FAIR or abs(r) * sqrt(freedom / max(1.0 - r * r, 1e-9)) < _FAIR_T:
        return None
    inverse, whole = _inverse(x, y), _inverse(x, y * n)
    if inverse == 0.0 or whole == 0.0:
        return None
    size = np.median([np.sqrt((f.forces**2).mean()) for f in judged.frames])  # type: ignore[operator]
    misfit = float(np.nanmedian(judged.force_error) / max(size, 1e-9))
    good = abs(r) > _GOOD and misfit < _GOOD_MISFIT
    return _Ratio(1.0 / inverse, 1.0 / whole, r, good, misfit)


def _inverse(x: FloatArray, y: FloatArray) -> float:
    """Return the ratio of x to y, where mean and median agree; else 0."""
    given = np.abs(y) > 1e-6 * np.abs(y).max()
    median = weighted_median(x[given] / y[given], np.abs(y[given]))
    mean = float((x * y).sum() / (y * y).sum())
    if median * mean <= 0.0 or abs(log(median / mean)) > _AGREEING:
        return 0.0
    return median


def _changes(
    judged: Judged, members: Sequence[int]
) -> tuple[FloatArray, FloatArray, int, int] | None:
    """Return predicted and given energies without their mean and trend over the volume.

    Also how many numbers were taken out, and of how many atoms. None with too few frames.
    """
    columns = [np.ones(len(members))]
    volumes = np.array([judged.frames[i].structure.volume for i in members])
    spread = volumes - volumes.mean()
    if np.abs(spread).max() > _SAME_VOLUME * max(volumes.mean(), 1e-9):
        spread /= np.abs(spread).max()
        columns += [spread, spread**2]
    if len(members) < len(columns) + 3:
        return None
    table = np.array(columns).T
    both = np.array([judged.energies[members], judged.given_energies[members]]).T
    both -= np.median(both, axis=0)
    rest = both - table @ np.linalg.lstsq(table, both, rcond=1e-10)[0]
    return rest[:, 0], rest[:, 1], len(columns), len(judged.frames[members[0]])


def _is_per_atom(ratio: _Ratio, frames: Sequence[Frame]) -> bool:
    n = float(np.median([len(f) for f in frames]))
    return n > 2 and ratio.value > 0 and abs(log(ratio.whole)) < ratio.tolerance


def _causes(ratio: _Ratio, frames: Sequence[Frame]) -> list[Cause]:
    """Return what explains a ratio beside energies per atom, best first."""
    causes = energy_force_causes(ratio.value, ratio.tolerance)
    m = gcd(*(_formula_units(f) for f in frames))
    whole = 1 < m < min(len(f) for f in frames) and ratio.value > 0
    if whole and abs(log(ratio.value * m)) < 0.5 * ratio.tolerance:
        text = f"energies per formula unit (of which frames hold {m})"
        cure = f"if they are per formula unit, multiply the energies by {m}"
        causes.insert(min(1, len(causes)), Cause("energy-force-unit", text, cure))
    return causes


def _formula_units(frame: Frame) -> int:
    """Return how often a compound has its formula; 1 for elements."""
    counts = np.unique(frame.structure.numbers, return_counts=True)[1].tolist()
    return gcd(*counts) if len(counts) > 1 else 1
