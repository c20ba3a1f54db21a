"""Cutoffs from the shells of neighbours: so many neighbours, then a gap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trimpot.config.proposals.shells import Shells

TOLERANCE = 0.15
"""A gap is looked for up to this share beyond the shortest cutoff that is far enough."""

STEP = 0.05
"""Cutoffs are rounded to this, in angstrom."""


@dataclass(frozen=True)
class Aim:
    """Where a cutoff shall end.

    Attributes
    ----------
    neighbours : float
        Within the cutoff, at least.
    shells : float
        The cutoff over the distance of the first shell, at least.
    past : float
        How far past the gap, in angstrom: wide knots leave a function almost nothing on its
        last stretch, where the flank of a shell still is.
    low, high : float
        Bounds in angstrom.
    most_alone : float
        Upper bound where no frame is periodic: distances end with the molecule.
    """

    neighbours: float
    shells: float
    past: float
    low: float
    high: float
    most_alone: float


PAIRS = Aim(45.0, 2.15, 0.0, 4.5, 8.0, 6.0)
"""Pairs and densities: fcc, bcc and diamond beyond their fifth shell."""

TRIPLETS = Aim(25.0, 0.0, 0.15, 3.5, 6.5, 4.5)
"""Triplets: fcc, bcc and diamond beyond their third shell."""

LARGEST = PAIRS.high * (1.0 + TOLERANCE)
"""Largest distance that the shells must reach."""


@dataclass(frozen=True)
class Cutoff:
    """A cutoff in angstrom and the reason for it."""

    value: float
    why: str


def cutoff_of(shells: Shells, aim: Aim, *, periodic: bool) -> Cutoff:
    """Return the cutoff that holds enough neighbours and ends between shells.

    Parameters
    ----------
    shells
        Of the training frames, at least to ``LARGEST``.
    aim
    periodic
        Whether any frame is.
    """
    high = aim.high if periodic else aim.most_alone
    enough = max(shells.holding(aim.neighbours), aim.shells * shells.nearest)
    bounded = min(max(enough, aim.low), high)
    if bounded != enough:
        return Cutoff(bounded, f"{_within(shells, bounded)}, {_bound(bounded, aim)}")
    gap = shells.gap_from(bounded, TOLERANCE)
    if gap is None:
        value = _rounded(bounded)
        return Cutoff(value, f"{_within(shells, value)}; no gap between shells follows")
    value = _rounded(gap + aim.past)
    where = f"{aim.past:g} A past a gap" if aim.past else "in a gap"
    return Cutoff(value, f"{_within(shells, value)}, {where} between shells")


def _within(shells: Shells, distance: float) -> str:
    return f"{shells.within(distance):.0f} neighbours within {distance:g} A"


def _bound(distance: float, aim: Aim) -> str:
    if distance == aim.low:
        return "the shortest cutoff that is proposed"
    if distance == aim.most_alone:
        return "the longest cutoff that is proposed without a periodic cell"
    return "the longest cutoff that is proposed"


def _rounded(distance: float) -> float:
    return round(round(distance / STEP) * STEP, 2)
