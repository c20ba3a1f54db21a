"""Terms of a recipe, as fine as a number of coefficients allows."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from trimpot.config.building import build
from trimpot.config.proposals.choice import Choice
from trimpot.config.proposals.cutoffs import PAIRS, TRIPLETS, cutoff_of
from trimpot.config.proposals.recipes import (
    CLOSEST,
    COARSER,
    DENSITY_SHARE,
    MOST_ELEMENTS,
    PAIR_SHARE,
    PAIR_SPACING,
    RECIPES,
    THIRD_SIDE_SPACING,
    TRIPLET_SPACING,
    UNIT,
)
from trimpot.elements import SYMBOLS
from trimpot.splines.density_settings import DensitySettings
from trimpot.splines.pair_settings import PairSettings
from trimpot.splines.registry import TermSettings
from trimpot.splines.triplet_settings import TripletSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from trimpot.config.proposals.cutoffs import Cutoff
    from trimpot.config.proposals.recipes import Fineness, Parts, Recipe
    from trimpot.config.proposals.shells import Shells
    from trimpot.splines.profile import PairProfile

    Plain = dict[str, object]

LEGS_FROM, THIRD_SIDE_FROM = 0.37, 0.43
"""Lower ends of triplet knots over the shortest distance: far below all data, so that
nothing forces V3 towards zero where the data begin."""

TIES = (("none", 1.75), ("center", 1.75), ("all", 3.0))
"""Which trios share a function, and how coarse it gets before more of them do."""

_CLASSES: dict[str, type[TermSettings]] = {
    "pair": PairSettings,
    "triplet": TripletSettings,
    "density": DensitySettings,
}

FEWEST = 4
"""Fewest knot intervals."""


@dataclass(frozen=True)
class Setting:
    """What the terms are chosen from.

    Attributes
    ----------
    profile : PairProfile
        Distances of the training frames.
    shells : Shells
    periodic : bool
        Whether any frame is.
    budget : int
        Coefficients that the terms may have in all.
    limit : str
        What sets it.
    """

    profile: PairProfile
    shells: Shells
    periodic: bool
    budget: int
    limit: str

    @property
    def unit(self) -> float:
        """Factor on the spacings of knots: short bonds need closer ones."""
        return min(1.0, max(CLOSEST, self.shells.nearest / UNIT))


def propose_terms(recipe: Recipe, setting: Setting) -> tuple[Choice, ...]:
    """Return the terms of a recipe, each with its reasons."""
    parts = RECIPES[recipe]
    far = cutoff_of(setting.shells, PAIRS, periodic=setting.periodic)
    near = cutoff_of(setting.shells, TRIPLETS, periodic=setting.periodic)
    chosen = [_pairs(setting, far)]
    left = setting.budget - _count("pair", chosen[0][0], setting)
    if parts.densities:
        share = int(DENSITY_SHARE * left) if parts.triplets != "none" else left
        reach = far if parts.density_reach == "pairs" else near
        density = _densities(setting, parts, reach, share)
        left -= _count("density", density[0], setting) if density[0] else 0
    if parts.triplets != "none":
        legs = far if parts.triplets == "pairs" else near
        chosen.append(_triplets(setting, parts, legs, left))
    if parts.densities:
        chosen.append(density)
    kept = [(values, why) for values, why in chosen if values]
    left_out = [why for values, why in chosen if not values]
    choices = [Choice(f"model.terms.{i}", v, w) for i, (v, w) in enumerate(kept)]
    return tuple(choices) + tuple(Choice("model.terms", None, why) for why in left_out)


def _pairs(setting: Setting, cutoff: Cutoff) -> tuple[Plain, str]:
    values, limited = _finest(
        "pair", _pair_options(setting, cutoff), setting, int(PAIR_SHARE * setting.budget)
    )
    spacing = cutoff.value / float(str(values["intervals"]))
    why = f"Pairs: {cutoff.why}. Knots every {spacing:.2f} A"
    return values, _ended(why, limited, setting)


def _pair_options(setting: Setting, cutoff: Cutoff) -> Iterator[Plain]:
    for factor in COARSER:
        spacing = PAIR_SPACING * setting.unit * factor
        intervals = max(FEWEST, ceil(cutoff.value / spacing - 1e-9))
        yield {"kind": "pair", "cutoff": cutoff.value, "intervals": intervals}


def _triplets(
    setting: Setting, parts: Parts, cutoff: Cutoff, most: int
) -> tuple[Plain, str]:
    options = _triplet_options(setting, parts, cutoff)
    values, limited = _finest("triplet", options, setting, most)
    if not values:
        return values, _without("triplets", most, setting)
    why = f"Triplets: {cutoff.why}"
    if parts.envelope is not None:
        why += (
            ". Neighbours behind others are screened, so that fewer triplets are left to "
            "compute"
        )
    if "never_screen" in str(values):
        why += "; hydrogen screens nothing, or it would cut hydrogen bonds"
    tie = values.get("tie")
    if tie == "center":
        why += ". Trios with the same centre share one function"
    elif tie == "all":
        why += ". All trios share one function"
    return values, _ended(why, limited, setting)


def _triplet_options(setting: Setting, parts: Parts, cutoff: Cutoff) -> Iterator[Plain]:
    """Yield triplet terms: a function of its own for each trio, then shared ones."""
    n = len(setting.profile.species)
    ties = [(tie, c) for tie, c in TIES if n <= MOST_ELEMENTS[tie]]
    for tie, coarsest in ties if n > 1 else TIES[-1:]:
        own = {"tie": tie} if n > 1 else {}
        for factor in COARSER[: 1 + COARSER.index(coarsest)]:
            yield {**_grid(setting, cutoff, factor), **own, **_envelope(setting, parts)}


def _grid(setting: Setting, cutoff: Cutoff, factor: float) -> Plain:
    scale = setting.unit * factor
    shortest = setting.shells.shortest
    r_min = round(LEGS_FROM * shortest, 1)
    r_min_jk = round(THIRD_SIDE_FROM * shortest, 1)
    legs = (cutoff.value - r_min) / (TRIPLET_SPACING * scale)
    third = (2.0 * cutoff.value - r_min_jk) / (THIRD_SIDE_SPACING * scale)
    return {
        "kind": "triplet",
        "cutoff": cutoff.value,
        "intervals": max(FEWEST, ceil(legs)),
        "intervals_jk": max(FEWEST + 1, ceil(third)),
        "r_min": r_min,
        "r_min_jk": r_min_jk,
    }


def _envelope(setting: Setting, parts: Parts) -> Plain:
    if parts.envelope is None:
        return {}
    hydrogen = {"never_screen": ["H"]} if 1 in setting.profile.species else {}
    return {"envelope": {**parts.envelope, **hydrogen}}


def _densities(
    setting: Setting, parts: Parts, cutoff: Cutoff, most: int
) -> tuple[Plain, str]:
    options = (
        _density(fineness, cutoff)
        for fineness in parts.densities
        if _worth_counting(fineness, len(setting.profile.species), most)
    )
    values, _ = _finest("density", options, setting, most)
    if not values:
        return values, _without("densities", most, setting)
    finest = _density(parts.densities[0], cutoff)
    why = f"Densities, of how crowded an atom is: {cutoff.why}"
    if values.get("l_max"):
        why += ". Directions up to degree " + str(values["l_max"])
    return values, _ended(why, values != finest, setting)


def _density(fineness: Fineness, cutoff: Cutoff) -> Plain:
    functions, order, l_max, angular, triples, mixed = fineness
    values: Plain = {
        "kind": "density",
        "cutoff": cutoff.value,
        "functions": functions,
        "order": order,
    }
    if l_max:
        values |= {
            "l_max": l_max,
            "angular_functions": angular,
            "triples": triples,
            "mixed": mixed,
        }
    return values


def _worth_counting(fineness: Fineness, n_species: int, most: int) -> bool:
    """Whether a part of the products leaves a chance; to count all of many is slow."""
    functions, _, _, angular, triples, _ = fineness
    pairs = functions * n_species * (functions * n_species + 1) // 2
    at_least = pairs + (2 * (angular * n_species) ** 3 if triples else 0)
    return n_species * at_least <= most


def _finest(
    kind: str, options: Iterable[Plain], setting: Setting, most: int
) -> tuple[Plain, bool]:
    """Return the first option that has few enough coefficients; whether some had more.

    For pairs, which nothing replaces, the coarsest where all have too many.
    """
    values: Plain = {}
    for number, values in enumerate(options):
        if _count(kind, values, setting) <= most:
            return values, number > 0
    return (values, True) if kind == "pair" else ({}, True)


def _count(kind: str, values: Mapping[str, object], setting: Setting) -> int:
    """Return the coefficients of a term."""
    settings: TermSettings = build(_CLASSES[kind], values)
    return settings.build(setting.profile.species, setting.profile).n_coefficients


def _ended(why: str, limited: bool, setting: Setting) -> str:
    if not limited:
        return why + "."
    return f"{why}. Coarser than usual: {setting.limit}."


def _without(what: str, most: int, setting: Setting) -> str:
    left = f"the {max(most, 0)} coefficients left"
    return f"No {what}: the coarsest need more than {left}; {setting.limit}."


def symbols_of(profile: PairProfile) -> list[str]:
    """Return the symbols of a profile's species."""
    return [SYMBOLS[z] for z in profile.species]
