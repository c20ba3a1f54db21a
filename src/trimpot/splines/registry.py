"""The kinds of terms: the one list that files and fits look a kind up in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trimpot.errors import FileFormatError
from trimpot.splines.core import CoreSettings, ZblTerm
from trimpot.splines.density import DensityTerm
from trimpot.splines.density_settings import DensitySettings
from trimpot.splines.one_body import OneBody
from trimpot.splines.pair import PairTerm
from trimpot.splines.pair_settings import PairSettings
from trimpot.splines.screened import ScreenedDensity, ScreenedPair, ScreenedTriplet
from trimpot.splines.state_checks import (
    check_density,
    check_one_body,
    check_pair,
    check_triplet,
    check_zbl,
    screened_by,
)
from trimpot.splines.triplet import TripletTerm
from trimpot.splines.triplet_settings import TripletSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from trimpot.splines.term import Term

TERM_KINDS: dict[str, type[Term]] = {
    term.kind: term
    for term in (
        OneBody,
        PairTerm,
        TripletTerm,
        DensityTerm,
        ZblTerm,
        ScreenedPair,
        ScreenedTriplet,
        ScreenedDensity,
    )
}
"""Class of each kind of term."""

TermSettings = PairSettings | TripletSettings | DensitySettings | CoreSettings
"""Settings that a configuration may list as a term; their ``kind`` tells them apart."""

STATE_CHECKS: dict[str, Callable[[tuple[int, ...], object], dict[str, object]]] = {
    OneBody.kind: check_one_body,
    PairTerm.kind: check_pair,
    TripletTerm.kind: check_triplet,
    ZblTerm.kind: check_zbl,
    DensityTerm.kind: check_density,
    ScreenedDensity.kind: screened_by(check_density, ScreenedDensity.kind),
    ScreenedPair.kind: screened_by(check_pair, ScreenedPair.kind),
    ScreenedTriplet.kind: screened_by(check_triplet, ScreenedTriplet.kind),
}
"""What each kind of term demands of a state from outside."""


def restore_term(kind: str, species: tuple[int, ...], state: object) -> Term:
    """Return the term that a state from a file describes, after checking all of it.

    Raises
    ------
    FileFormatError
        If the kind is unknown or the state is not one that this kind could have written.
    """
    if kind not in TERM_KINDS:
        raise FileFormatError(
            f"unknown kind of term {kind!r}, known: {', '.join(sorted(TERM_KINDS))}; the "
            "file may come from a newer Trimpot, or be damaged"
        )
    return TERM_KINDS[kind].from_state(species, STATE_CHECKS[kind](species, state))
