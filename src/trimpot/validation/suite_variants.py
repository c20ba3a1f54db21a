"""Variants of a suite: the same list of properties for other elements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trimpot.errors import InputError
from trimpot.validation.strict_yaml import keys_of, named

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KEYS = ("elements", "phases", "properties", "quantities", "published", "description")
"""What a variant may say otherwise than its suite."""

OF_A_REFERENCE = ("uncertainty", "tolerance", "source", "theory")
"""What a quantity has only with a reference."""


def variant_names(plain: Mapping[str, object], where: str) -> tuple[str, ...]:
    """Return the names of the variants of a suite; none if it has no variants.

    Raises
    ------
    InputError
        If they are no mapping.
    """
    return tuple(named(plain.get("variants", {}), f"{where}: variants"))


def chosen_variant(
    plain: Mapping[str, object], asked: str, elements: Sequence[str], where: str
) -> str | None:
    """Return the variant to take: the one that is asked for, else the one of a model.

    Parameters
    ----------
    plain
        The suite as it was read.
    asked
        Its name, or nothing.
    elements
        What a model knows. A variant fits whose elements are all among them.
    where
        Name of the suite, for errors.

    Returns
    -------
    str or None
        None: the suite has no variants.

    Raises
    ------
    InputError
        If there is no such variant, or not exactly one fits.
    """
    names = variant_names(plain, where)
    if not names:
        if asked:
            raise InputError(f"{where}: found no variants, expected no ':{asked}'")
        return None
    if asked:
        if asked not in names:
            raise InputError(
                f"{where}: found no variant {asked!r}, expected one of {', '.join(names)}"
            )
        return asked
    fitting = [n for n in names if elements and set(_elements(plain, n)) <= set(elements)]
    if len(fitting) == 1:
        return fitting[0]
    raise InputError(f"{where}: {_why_not(names, fitting, elements)}")


def with_variant(plain: Mapping[str, object], name: str, where: str) -> dict[str, object]:
    """Return a suite without variants: what the variant says is put into the suite.

    Mappings are merged key by key, everything else is replaced. What a variant gives no
    reference for has no tolerance and no source either.

    Raises
    ------
    InputError
        If the variant has an unknown key.
    """
    variant = keys_of(_variant(plain, name), f"{where}: variants: {name}", others=KEYS)
    common = {key: value for key, value in plain.items() if key != "variants"}
    merged = _merged(common, variant)
    merged["elements"] = _elements(plain, name)
    quantities = merged.get("quantities", {})
    if isinstance(quantities, dict):
        merged["quantities"] = {key: _bare(value) for key, value in quantities.items()}
    return merged


def _why_not(names: Sequence[str], fitting: Sequence[str], known: Sequence[str]) -> str:
    if fitting:
        return (
            f"found several variants for a model of {', '.join(known)}; "
            f"name one, for example :{fitting[0]} (of {', '.join(fitting)})"
        )
    model = f"; the model knows {', '.join(known)}" if known else ""
    return (
        f"found no variant, expected one of {', '.join(names)}{model}; "
        f"name one, for example :{names[0]}"
    )


def _variant(plain: Mapping[str, object], name: str) -> object:
    variants = plain["variants"]
    return variants[name] if isinstance(variants, dict) else None


def _elements(plain: Mapping[str, object], name: str) -> list[object]:
    """Return its elements: its own, else those of the suite, else its name is one."""
    variant = _variant(plain, name)
    own = variant.get("elements") if isinstance(variant, dict) else None
    found = own or plain.get("elements") or [name]
    return list(found) if isinstance(found, list) else [found]


def _merged(common: Mapping[str, object], own: Mapping[str, object]) -> dict[str, object]:
    merged = dict(common)
    for key, value in own.items():
        old = merged.get(key)
        both = isinstance(old, dict) and isinstance(value, dict)
        merged[key] = _merged(old, value) if both else value  # type: ignore[arg-type]
    return merged


def _bare(quantity: object) -> object:
    if not isinstance(quantity, dict) or quantity.get("reference") is not None:
        return quantity
    return {k: v for k, v in quantity.items() if k not in OF_A_REFERENCE}
