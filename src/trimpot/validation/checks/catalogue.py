"""All checks, in the order in which they are made."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from trimpot.errors import InputError
from trimpot.validation.checks import (
    cells,
    consistency,
    derivative,
    dynamics,
    guards,
    memory,
    repulsion,
    separation,
    smooth,
    symmetries,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.validation.checks.verdict import Family

FAMILIES: tuple[Family, ...] = (
    derivative.FAMILY,
    symmetries.FAMILY,
    cells.FAMILY,
    separation.FAMILY,
    *smooth.FAMILIES,
    *repulsion.FAMILIES,
    guards.FAMILY,
    consistency.FAMILY,
    memory.FAMILY,
    dynamics.FAMILY,
)

NAMES = tuple(spec.name for family in FAMILIES for spec in family.specs)


def chosen_names(only: Sequence[str]) -> frozenset[str]:
    """Return the names of checks for names of checks or families; all if none is given.

    Raises
    ------
    InputError
        For a name that is neither.
    """
    if not only:
        return frozenset(NAMES)
    families: dict[str, list[str]] = {}
    for family in FAMILIES:
        names = [spec.name for spec in family.specs]
        families[family.title] = [*families.get(family.title, []), *names]
    known = list(dict.fromkeys([*families, *NAMES]))
    for name in only:
        if name not in known:
            near = get_close_matches(name, known, n=3)
            hint = f"did you mean {' or '.join(near)}?" if near else "see the list below"
            raise InputError(
                f"there is no check {name!r}; {hint} Families: {', '.join(families)}. "
                f"Checks: {', '.join(NAMES)}"
            )
    return frozenset(one for name in only for one in families.get(name, [name]))
