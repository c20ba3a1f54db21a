"""Build settings objects from plain values; every mistake is reported with its path."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeVar, cast, get_origin

from pydantic import ConfigDict, TypeAdapter, ValidationError

from trimpot.config.hints import (
    describe,
    element_hint,
    hints_of,
    kind_of,
    options,
    required_of,
    settings_classes,
    value_hint,
)
from trimpot.config.settings import default_of
from trimpot.errors import InputError

Settings = TypeVar("Settings")

_STRICT = ConfigDict(strict=True, allow_inf_nan=False)

OFF = ("off", False)
"""Ways to switch off an optional section, besides null."""


class _Refused(Exception):
    """A value that was reported already."""


def build(settings: type[Settings], values: object, where: str = "") -> Settings:
    """Return settings from plain mappings, lists, numbers and strings.

    Raises
    ------
    InputError
        Lists all unknown keys (with the nearest valid one), wrong types and missing
        values, each with its dotted path.
    """
    problems: list[str] = []
    try:
        return _section(settings, values, where, problems)
    except _Refused:
        raise InputError("\n".join(problems)) from None


def _section(
    settings: type[Settings], values: object, where: str, problems: list[str]
) -> Settings:
    given = _as_mapping(settings, values, where, problems)
    hints = hints_of(settings)
    built: dict[str, object] = {}
    before = len(problems)
    for key, value in given.items():
        path = f"{where}.{key}" if where else str(key)
        if key not in hints:
            problems.append(_unknown(str(key), path, settings))
            continue
        try:
            usual = type(default_of(settings, str(key)))
            built[str(key)] = _value(hints[key], value, path, problems, usual)
        except _Refused:
            continue
    for name in required_of(settings):
        if name not in given:
            path = f"{where}.{name}" if where else name
            problems.append(f"{path} is missing, expected {describe(hints[name])}")
    if len(problems) > before:
        raise _Refused
    try:
        return settings(**built)
    except InputError as error:
        problems.append(f"{where or 'configuration'}: {error}")
        raise _Refused from error


def _as_mapping(
    settings: type, values: object, where: str, problems: list[str]
) -> dict[object, object]:
    """Return a section's keys without its kind; a missing section has none."""
    if isinstance(values, str) and values == kind_of(settings):
        return {}
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        problems.append(
            f"{where or 'configuration'}: found {values!r}, expected a section with keys "
            f"such as {', '.join(list(hints_of(settings))[:4])}"
        )
        raise _Refused
    given = dict(values)
    kind = given.pop("kind", None)
    if kind is not None and kind != kind_of(settings):
        path = f"{where}.kind" if where else "kind"
        problems.append(f"{path}: found {kind!r}, expected {kind_of(settings)!r}")
        raise _Refused
    return given


def _value(
    hint: object,
    value: object,
    where: str,
    problems: list[str],
    usual: type | None = None,
) -> object:
    """Return a value as its hint wants it; ``usual`` is the class of its default."""
    classes = settings_classes(hint)
    if isinstance(value, str) and Path in options(hint) and value not in (*classes, *OFF):
        return Path(value)
    if classes:
        off = value is None or (len(classes) == 1 and value in OFF)
        if off and type(None) in options(hint):
            return None
        chosen = _choose(classes, value, where, problems, usual)
        return _section(chosen, value, where, problems)
    values = value_hint(hint)
    if value is None and values is not None:
        return {}
    if isinstance(value, Mapping) and values is not None:
        items = ((str(k), v, f"{where}.{k}") for k, v in value.items())
        return {k: _value(values, v, path, problems) for k, v, path in items}
    elements = element_hint(hint)
    if elements is not None:
        if isinstance(value, list):
            items_ = enumerate(value)
            return tuple(_value(elements, v, f"{where}.{n}", problems) for n, v in items_)
        named = any(get_origin(part) is Literal for part in options(hint))
        if settings_classes(elements) or not (named or _fits(hint, value)):
            return (_value(elements, value, where, problems),)
    if not _fits(hint, value):
        problems.append(f"{where}: found {value!r}, expected {describe(hint)}")
        raise _Refused
    return _converted(hint, value)


def _fits(hint: object, value: object) -> bool:
    """Whether a scalar is what the hint says, without conversions except int to float."""
    try:
        _converted(hint, value)
    except ValidationError:
        return False
    return True


def _converted(hint: object, value: object) -> object:
    if hint is Path and isinstance(value, str):
        return Path(value)
    adapter = TypeAdapter(cast("type[object]", hint), config=_STRICT)
    return adapter.validate_python(value)


def _choose(
    classes: Mapping[str | None, type],
    value: object,
    where: str,
    problems: list[str],
    usual: type | None,
) -> type:
    """Return the class that ``kind`` names, the usual one where nothing does."""
    if len(classes) == 1:
        return next(iter(classes.values()))
    kind = value.get("kind") if isinstance(value, Mapping) else value
    if not isinstance(kind, str) and usual in classes.values():
        return cast("type", usual)
    if isinstance(kind, str) and kind in classes:
        return classes[kind]
    known = ", ".join(str(k) for k in classes)
    if kind is None or not isinstance(kind, str):
        problems.append(f"{where}.kind is missing, expected one of {known}")
    else:
        near = difflib.get_close_matches(kind, [str(k) for k in classes], n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        problems.append(f"{where}.kind: found {kind!r}, expected one of {known}{hint}")
    raise _Refused


def _unknown(key: str, path: str, settings: type) -> str:
    known = list(hints_of(settings))
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    if near:
        parent = path[: len(path) - len(key)]
        return f"unknown key {path}; did you mean {parent}{near[0]}?"
    return f"unknown key {path}; known here: {', '.join(known)}"
