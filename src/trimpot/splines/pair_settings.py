"""Settings of the pair term: cutoffs and knots per pair of species."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Literal

import numpy as np

from trimpot.elements import group_name, parse_group
from trimpot.envelopes import EnvelopeSettings
from trimpot.errors import InputError
from trimpot.splines.knots import (
    FROZEN_AT_END,
    Spacing,
    clamped,
    n_basis,
    spaced_breaks,
)
from trimpot.splines.pair import PairCurve, PairTerm
from trimpot.splines.screened import ScreenedPair

if TYPE_CHECKING:
    from trimpot.contract import FloatArray
    from trimpot.splines.profile import PairProfile


@dataclass(frozen=True)
class PairOverride:
    """Settings of one pair of species; None keeps the term's own."""

    cutoff: float | None = None
    intervals: int | None = None
    r_min: float | None = None
    spacing: Spacing | None = None
    breaks: tuple[float, ...] | None = None


@dataclass(frozen=True)
class PairSettings:
    """Settings of a pair term.

    Attributes
    ----------
    cutoff : float
        Upper end of the knots in angstrom.
    intervals : int
        Knot intervals between r_min and cutoff; with r_min 0 also the number of free
        coefficients of a curve.
    r_min : float
        Lower end of the spaced knots in angstrom. Below it the curve goes on to 0 with
        intervals as wide as the first, so that there is no lower edge to fall off.
    spacing : str
        How knots are spread: uniform, square, geometric, inverse.
    breaks : list of float, optional
        Explicit breakpoints instead.
    pairs : mapping
        Overrides per pair, e.g. ``{"Ge-Te": {"cutoff": 6.5}}``.
    leave_out : list of str
        Pairs without a curve.
    repulsive : bool
        Keep V2 falling with r below the shortest distance of the data.
    envelope : envelope settings, optional
        Weigh pairs by what stands between them: a screened channel, mostly beside a plain
        pair term.
    """

    kind: Literal["pair"] = "pair"
    cutoff: float = 6.0
    intervals: int = 30
    r_min: float = 0.0
    spacing: Spacing = "uniform"
    breaks: tuple[float, ...] | None = None
    pairs: Mapping[str, PairOverride] = field(default_factory=dict)
    leave_out: tuple[str, ...] = ()
    repulsive: bool = True
    envelope: EnvelopeSettings | None = None

    def build(
        self, species: tuple[int, ...], profile: PairProfile
    ) -> PairTerm | ScreenedPair:
        """Return the term for these species (atomic numbers, ascending)."""
        term = self._plain(species, profile)
        if self.envelope is None:
            return term
        return ScreenedPair(term, self.envelope.build(species))

    def _plain(self, species: tuple[int, ...], profile: PairProfile) -> PairTerm:
        overrides = {unordered_pair(k, species): v for k, v in self.pairs.items()}
        omitted = {unordered_pair(k, species) for k in self.leave_out}
        curves: list[PairCurve] = []
        first = 0
        for pair in combinations_with_replacement(species, 2):
            if pair in omitted:
                continue
            wall = profile.shortest(*pair) if self.repulsive else 0.0
            curves.append(self._curve(pair, overrides.get(pair), wall, first))
            first += curves[-1].n_free
        return PairTerm(species, tuple(curves))

    def _curve(
        self, pair: tuple[int, int], override: PairOverride | None, wall: float, first: int
    ) -> PairCurve:
        own = {k: v for k, v in vars(override or PairOverride()).items() if v is not None}
        s = replace(self, **own)
        breaks = (
            np.asarray(s.breaks)
            if s.breaks is not None
            else spaced_breaks(s.r_min, s.cutoff, s.intervals, s.spacing)
        )
        knots = clamped(_down_to_zero(breaks))
        columns = np.full(n_basis(knots), -1, dtype=np.int32)
        n_free = len(columns) - FROZEN_AT_END
        columns[:n_free] = first + np.arange(n_free)
        return PairCurve(pair, knots, columns, wall)


def _down_to_zero(breaks: FloatArray) -> FloatArray:
    """Continue breakpoints to r = 0 with intervals as wide as the first one or less.

    A curve that ended above 0 would fall off its lower end.
    """
    if breaks[0] == 0.0:
        return breaks
    count = int(np.ceil(breaks[0] / (breaks[1] - breaks[0])))
    return np.concatenate([np.linspace(0.0, breaks[0], count + 1)[:-1], breaks])


def unordered_pair(text: str, species: tuple[int, ...]) -> tuple[int, int]:
    """Return the ascending pair that a name such as "Te-Ge" means.

    Raises
    ------
    InputError
        If an element is not among the species.
    """
    a, b = sorted(parse_group(text, 2))
    for z in (a, b):
        if z not in species:
            raise InputError(
                f"pair {text!r} names an element outside the model's species "
                f"{group_name(species)}"
            )
    return a, b
