"""Recipes: which terms a potential has, and how fine each may be, finest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Recipe = Literal["accurate", "balanced", "fast", "plain"]
"""What to weigh most."""

PAIR_SPACING = 0.2
TRIPLET_SPACING, THIRD_SIDE_SPACING = 0.36, 0.58
"""Knots in angstrom where atoms touch at UNIT or more; closer for shorter bonds."""

UNIT, CLOSEST = 2.3, 0.6
"""Bond length in angstrom that the spacings suit, and the smallest factor on them."""

COARSER = (1.0, 1.2, 1.35, 1.5, 1.75, 2.0, 2.4, 3.0)
"""Factors on the spacings, tried in turn."""

PAIR_SHARE, DENSITY_SHARE = 0.4, 0.55
"""Largest shares: of all coefficients, and of those that pairs leave; triplets have the
rest."""

Fineness = tuple[int, int, int, int, bool, bool]
"""functions, order, l_max, angular_functions, triples, mixed of a density."""

ANGULAR: tuple[Fineness, ...] = (
    (9, 3, 3, 4, True, True),
    (6, 3, 3, 4, True, True),
    (9, 2, 3, 3, True, False),
    (6, 2, 3, 3, True, False),
    (6, 3, 3, 3, False, False),
    (4, 3, 3, 3, False, False),
    (6, 2, 3, 3, False, False),
    (6, 2, 3, 2, False, False),
    (5, 2, 3, 2, False, False),
    (4, 2, 3, 2, False, False),
    (3, 2, 3, 2, False, False),
    (3, 2, 2, 1, False, False),
    (2, 2, 2, 1, False, False),
    (2, 2, 0, 0, False, False),
)
"""Densities with directions."""

RADIAL: tuple[Fineness, ...] = tuple(
    (functions, order, 0, 0, False, False)
    for functions, order in ((9, 3), (6, 3), (4, 3), (6, 2), (4, 2), (3, 2), (2, 2))
)
"""Densities without directions."""

MOST_ELEMENTS = {"none": 6, "center": 12, "all": 118}
"""Up to how many elements each way to tie trios is tried."""


@dataclass(frozen=True)
class Parts:
    """What a recipe is made of.

    Attributes
    ----------
    about : str
        In a few words.
    envelope : mapping, optional
        Screening of triplets.
    triplets : str
        ``none``, or whose cutoff they have: ``pairs`` or ``triplets``.
    densities : tuple
        Finest first; empty: none.
    density_reach : str
        Whose cutoff densities have: ``pairs`` or ``triplets``.
    """

    about: str
    envelope: Mapping[str, float] | None
    triplets: Literal["none", "pairs", "triplets"]
    densities: tuple[Fineness, ...]
    density_reach: Literal["pairs", "triplets"] = "pairs"


WIDE = {"c_min": 0.3, "c_max": 1.2}
NARROW = {"c_min": 0.55, "c_max": 1.7}

RECIPES: Mapping[Recipe, Parts] = {
    "accurate": Parts(
        "pairs, screened triplets and densities with directions",
        WIDE,
        "triplets",
        ANGULAR,
    ),
    "balanced": Parts(
        "pairs, narrowly screened triplets and densities",
        NARROW,
        "pairs",
        RADIAL,
        "triplets",
    ),
    "fast": Parts("pairs and densities", None, "none", RADIAL, "triplets"),
    "plain": Parts("pairs and triplets, as exports to LAMMPS hold", None, "triplets", ()),
}
"""The parts of each recipe."""
