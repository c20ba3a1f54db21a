"""What the fields of settings may hold, from their annotations."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Literal, Union, get_args, get_origin, get_type_hints

from trimpot.config.settings import SPLIT_KINDS
from trimpot.data.frames import Scalar

# Names that settings classes import for type checkers only.
_NAMES = {"Mapping": Mapping, "Sequence": Sequence, "Scalar": Scalar, "Path": Path}

_WORDS = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
    Path: "a path",
    object: "any value",
}


def hints_of(settings: type) -> dict[str, object]:
    """Return the annotation of every field of a settings class."""
    found = get_type_hints(settings, localns=dict(_NAMES))
    return {f.name: found[f.name] for f in fields(settings) if f.name != "kind"}


def required_of(settings: type) -> list[str]:
    """Return the fields without a default."""
    return [
        f.name
        for f in fields(settings)
        if f.default is MISSING and f.default_factory is MISSING
    ]


def kind_of(settings: type) -> str | None:
    """Return what ``kind`` says for this class, None if it has no kind."""
    if settings in SPLIT_KINDS:
        return SPLIT_KINDS[settings]
    return next((str(f.default) for f in fields(settings) if f.name == "kind"), None)


def options(hint: object) -> tuple[object, ...]:
    """Return the members of a union, or the hint itself."""
    if get_origin(hint) in (Union, types.UnionType):
        return tuple(part for member in get_args(hint) for part in options(member))
    return (hint,)


def settings_classes(hint: object) -> dict[str | None, type]:
    """Return the settings classes that a hint allows, by their kind."""
    return {
        kind_of(part): part
        for part in options(hint)
        if isinstance(part, type) and is_dataclass(part)
    }


def element_hint(hint: object) -> object | None:
    """Return what the elements of a list must be, None if the hint is no list."""
    lists = [p for p in options(hint) if get_origin(p) is tuple]
    return get_args(lists[0])[0] if lists else None


def value_hint(hint: object) -> object | None:
    """Return what the values of a mapping must be, None if the hint is no mapping."""
    mappings = [p for p in options(hint) if get_origin(p) is Mapping]
    return get_args(mappings[0])[1] if mappings else None


def describe(hint: object) -> str:
    """Return a hint in words, such as "a number or null"."""
    return " or ".join(dict.fromkeys(_describe_one(part) for part in options(hint)))


def _describe_one(hint: object) -> str:
    origin = get_origin(hint)
    if origin is Literal:
        values = [str(v) for v in get_args(hint)]
        return values[0] if len(values) == 1 else f"one of {', '.join(values)}"
    if origin is tuple:
        return f"a list of ({describe(get_args(hint)[0])})"
    if origin is Mapping:
        return f"a mapping of names to ({describe(get_args(hint)[1])})"
    if isinstance(hint, type) and is_dataclass(hint):
        kind = kind_of(hint)
        return f"settings with kind: {kind}" if kind else "a section"
    return _WORDS.get(hint, str(hint)) if isinstance(hint, type) else str(hint)
