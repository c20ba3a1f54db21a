"""Settings of the triplet term: cutoffs, knots, ties and omissions per trio of species."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from itertools import combinations_with_replacement, product
from typing import TYPE_CHECKING, Literal

from trimpot.elements import group_name, parse_group
from trimpot.envelopes import EnvelopeSettings
from trimpot.errors import InputError
from trimpot.splines.knots import FROZEN_AT_END, Spacing, clamped, spaced_breaks
from trimpot.splines.screened import ScreenedTriplet
from trimpot.splines.triplet import Trio, TripletGrid, TripletTerm, grid_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from trimpot.contract import FloatArray
    from trimpot.splines.profile import PairProfile

Tie = Literal["auto", "none", "center", "all"] | tuple[tuple[str, ...], ...]
"""Which trios share a V3."""

DEFAULT_INTERVALS = (13, 12, 11, 10, 9)
"""Knot intervals to choose from, finest first."""

LOWER_END = 0.7
"""Default lower end of the knots over the shortest distance of the data: V3 is zero there
(C2) and free where the data are."""


@dataclass(frozen=True)
class TripletOverride:
    """Settings of one trio; None keeps the term's own."""

    cutoff: float | None = None
    cutoff_jk: float | None = None
    r_min: float | None = None
    r_min_jk: float | None = None
    intervals: int | None = None
    intervals_jk: int | None = None
    spacing: Spacing | None = None


@dataclass(frozen=True)
class TripletSettings:
    """Settings of a triplet term.

    Attributes
    ----------
    cutoff : float
        Upper end of r_ij and r_ik in angstrom.
    cutoff_jk : float, optional
        Upper end of r_jk; default 2 cutoff, so that no triangle is cut.
    r_min, r_min_jk : float, optional
        Lower ends; default 0.7 times the shortest distance of the pairs in the data.
    intervals, intervals_jk : int
        Knot intervals along r_ij and r_ik, and along r_jk. Default: the finest of 13 to 9
        with at most max_coefficients in all; twice as many, less two, along r_jk.
    spacing : str
        How knots are spread: uniform, square, geometric, inverse.
    leading_trim : int
        Coefficients frozen at the lower end: 3 makes V3 vanish there with C2.
    tie : str or list of lists
        ``none``: each trio has its own V3. ``center``: trios with the same central
        element share it. ``all``: one V3. A list of groups such as
        ``[["Ge-Ge-Te", "Ge-Te-Te"]]`` ties those. ``auto``: none if max_coefficients
        allows it at the coarsest default knots, else center.
    max_coefficients : int
        Limit of the automatic choices of tie and intervals.
    leave_out : list of str
        Trios without a V3.
    trios : mapping
        Overrides per trio, e.g. ``{"Te-Ge-Ge": {"cutoff": 5.0}}`` (centre first).
    envelope : envelope settings, optional
        Weigh both legs by what stands between their ends: fewer triplets at a longer
        cutoff.
    """

    kind: Literal["triplet"] = "triplet"
    cutoff: float = 4.5
    cutoff_jk: float | None = None
    r_min: float | None = None
    r_min_jk: float | None = None
    intervals: int | None = None
    intervals_jk: int | None = None
    spacing: Spacing = "uniform"
    leading_trim: int = FROZEN_AT_END
    tie: Tie = "auto"
    max_coefficients: int = 3000
    leave_out: tuple[str, ...] = ()
    trios: Mapping[str, TripletOverride] = field(default_factory=dict)
    envelope: EnvelopeSettings | None = None

    def build(
        self, species: tuple[int, ...], profile: PairProfile
    ) -> TripletTerm | ScreenedTriplet:
        """Return the term for these species (atomic numbers, ascending)."""
        term = self._plain(species, profile)
        if self.envelope is None:
            return term
        return ScreenedTriplet(term, self.envelope.build(species))

    def _plain(self, species: tuple[int, ...], profile: PairProfile) -> TripletTerm:
        ties: tuple[Tie, ...] = ("none", "center") if self.tie == "auto" else (self.tie,)
        finest_first = DEFAULT_INTERVALS if self.intervals is None else (self.intervals,)
        for tie, intervals in product(ties, finest_first):
            term = self._with(tie, intervals, species, profile)
            if term.n_coefficients <= self.max_coefficients:
                break
        return term

    def _with(
        self, tie: Tie, intervals: int, species: tuple[int, ...], profile: PairProfile
    ) -> TripletTerm:
        grids: list[TripletGrid] = []
        first = 0
        for trios in self._groups(tie, species):
            settings = self._for_group(trios, species)
            grids.append(settings._grid(trios, intervals, profile, first))
            first += grids[-1].n_free
        return TripletTerm(species, tuple(grids))

    def _groups(self, tie: Tie, species: tuple[int, ...]) -> list[tuple[Trio, ...]]:
        omitted = {parse_trio(name, species) for name in self.leave_out}
        trios = [
            (a, b, c)
            for a in species
            for b, c in combinations_with_replacement(species, 2)
            if (a, b, c) not in omitted
        ]
        if isinstance(tie, tuple):
            named = [tuple(parse_trio(t, species) for t in group) for group in tie]
            tied = _each_once(trio for group in named for trio in group)
            _require_kept(tied & omitted)
            return [*named, *((t,) for t in trios if t not in tied)]
        shared = {"none": 3, "center": 1, "all": 0}[tie]  # leading elements that must agree
        groups: dict[tuple[int, ...], list[Trio]] = defaultdict(list)
        for trio in trios:
            groups[trio[:shared]].append(trio)
        return [tuple(group) for group in groups.values()]

    def _grid(
        self,
        trios: tuple[Trio, ...],
        intervals: int,
        profile: PairProfile,
        first: int,
    ) -> TripletGrid:
        n = self.intervals or intervals
        leg_j = min(profile.shortest(a, b) for a, b, _ in trios)
        leg_k = min(profile.shortest(a, c) for a, _, c in trios)
        base = min(profile.shortest(b, c) for _, b, c in trios)
        symmetric = any(b == c for _, b, c in trios)
        if symmetric:
            leg_j = leg_k = min(leg_j, leg_k)
        cutoff_jk = self.cutoff_jk if self.cutoff_jk is not None else 2.0 * self.cutoff
        n_jk = self.intervals_jk if self.intervals_jk is not None else 2 * n - 2
        knots = (
            self._knots(self.r_min, leg_j, self.cutoff, n),
            self._knots(self.r_min, leg_k, self.cutoff, n),
            self._knots(self.r_min_jk, base, cutoff_jk, n_jk),
        )
        columns = grid_columns(
            knots, symmetric=symmetric, leading=self.leading_trim, first=first
        )
        return TripletGrid(trios, *knots, columns)

    def _knots(
        self, lower: float | None, shortest: float, upper: float, intervals: int
    ) -> FloatArray:
        start = lower if lower is not None else round(LOWER_END * shortest, 2)
        return clamped(spaced_breaks(start, upper, intervals, self.spacing))

    def _for_group(
        self, trios: tuple[Trio, ...], species: tuple[int, ...]
    ) -> TripletSettings:
        overrides = {parse_trio(k, species): v for k, v in self.trios.items()}
        found = {overrides.get(t) for t in trios}
        if len(found) > 1:
            names = ", ".join(group_name(t) for t in trios)
            raise InputError(
                f"the tied trios {names} have different settings; give them the same, or "
                "untie them (tie: none)"
            )
        override = found.pop()
        own = {k: v for k, v in vars(override).items() if v is not None} if override else {}
        return replace(self, **own)


def parse_trio(text: str, species: tuple[int, ...]) -> Trio:
    """Return (centre, b, c) with b <= c of a name such as "Ge-Te-Te", centre first.

    Raises
    ------
    InputError
        If an element is not among the species.
    """
    center, *ends = parse_group(text, 3)
    b, c = sorted(ends)
    unknown = [z for z in (center, b, c) if z not in species]
    if unknown:
        raise InputError(
            f"trio {text!r} names {group_name(tuple(unknown))}, outside the model's "
            f"species {group_name(species)}"
        )
    return center, b, c


def _each_once(trios: Iterable[Trio]) -> set[Trio]:
    """Return the trios as a set; one that stands in two ties is refused."""
    seen: set[Trio] = set()
    for trio in trios:
        if trio in seen:
            raise InputError(
                f"tie names the trio {group_name(trio)} twice; a trio has one V3, so join "
                "the two groups or name it in one of them"
            )
        seen.add(trio)
    return seen


def _require_kept(trios: set[Trio]) -> None:
    if trios:
        names = ", ".join(group_name(t) for t in sorted(trios))
        raise InputError(
            f"{names} is both tied and left out; drop it from tie or leave_out"
        )
