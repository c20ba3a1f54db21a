"""Terms that a file format of another code cannot hold, and what to do about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trimpot.errors import InputError
from trimpot.splines.density import DensityTerm
from trimpot.splines.screened import ScreenedDensity, ScreenedPair, ScreenedTriplet

if TYPE_CHECKING:
    from collections.abc import Collection

    from trimpot.splines.potential import SplinePotential


def refuse_others(
    potential: SplinePotential, known: Collection[str], format_: str, holds: str
) -> None:
    """Raise unless every kind of term is among the known ones.

    Parameters
    ----------
    format_ : str
        Name of the format, with an article.
    holds : str
        What it holds, in words.

    Raises
    ------
    InputError
        Names all terms that do not fit, and says how to train or run without the format.
    """
    others = [term for term in potential.terms if term.kind not in known]
    if not others:
        return
    remedies = []
    if any(isinstance(term, ScreenedPair | ScreenedTriplet) for term in others):
        remedies.append("without `envelope`")
    if any(isinstance(term, DensityTerm | ScreenedDensity) for term in others):
        remedies.append("without the density term")
    kinds = list(dict.fromkeys(term.kind for term in others))
    *first, last = kinds
    named = f"{', '.join(first)} and {last}" if first else last
    terms = f"{named} term{'s' * bool(first)}"
    raise InputError(
        f"{format_} cannot hold the {terms} of this potential, only {holds}; train a "
        f"potential {' and '.join(remedies) or 'without it'}, or run this one in Trimpot "
        "(trimpot md, or trimpot.Calculator in ASE)"
    )
