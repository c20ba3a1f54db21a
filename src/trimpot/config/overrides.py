"""Overrides from the command line: dotted.key=value with the value as YAML."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

from trimpot.config.plain import to_plain
from trimpot.config.settings import ModelSettings
from trimpot.errors import InputError
from trimpot.files.yaml_text import parse_yaml

Plain = dict[str, object]


def apply_overrides(values: Mapping[str, object], overrides: Sequence[str]) -> Plain:
    """Return a copy of the values with every override set.

    ``model.terms.0.cutoff=5.5`` changes one entry of a list; where the configuration
    leaves the terms out, it changes the default ones.
    ``choose.model.terms.0.cutoff=[5, 6]`` sets the candidates of a setting.

    Raises
    ------
    InputError
        If an override has no equals sign or an index is beyond its list.
    """
    out: Plain = copy.deepcopy(dict(values))
    for text in overrides:
        key, sign, value = text.partition("=")
        if not sign or not key.strip():
            raise InputError(
                f"override {text!r}: expected key=value such as model.terms.0.cutoff=5.5"
            )
        where = f"override {text!r}"
        parts = _parts(key.strip())
        if parts[:2] == ["model", "terms"] and len(parts) > 2:
            _write_default_terms(out)
        set_value(out, parts, parse_yaml(value, where), where)
    return out


def _parts(key: str) -> list[str]:
    """Return the parts of a dotted key; those below ``choose`` are dotted themselves."""
    section, dot, rest = key.partition(".")
    return [section, rest] if section == "choose" and dot else key.split(".")


def _write_default_terms(values: Plain) -> None:
    model = values["model"] = values.get("model") or {}
    if isinstance(model, dict) and not model.get("terms"):
        model["terms"] = to_plain(ModelSettings().terms)


def set_value(node: object, parts: list[str], value: object, where: str) -> None:
    """Set one value in place, in sections and lists of plain values.

    Parameters
    ----------
    parts
        Keys and numbers of list entries, outermost first.
    where
        What asks for it, for errors.

    Raises
    ------
    InputError
        If an index is beyond its list, or a part is below a single value.
    """
    *parents, last = parts
    for part in parents:
        node = _child(node, part, where)
    if isinstance(node, list):
        node[_index(node, last, where)] = value
    elif isinstance(node, dict):
        node[last] = value
    else:
        raise _no_section(parents, where)


def _child(node: object, part: str, where: str) -> object:
    """Return a part of a section or list as something that can be changed in place."""
    if isinstance(node, list):
        index = _index(node, part, where)
        if isinstance(node[index], str):  # the short form of {kind: ...}
            node[index] = {"kind": node[index]}
        return node[index]
    if not isinstance(node, dict):
        raise _no_section([part], where)
    if node.get(part) is None:
        node[part] = {}
    return node[part]


def _index(node: list[object], part: str, where: str) -> int:
    if not part.isdigit() or int(part) >= len(node):
        raise InputError(
            f"{where}: {part!r} is not an entry of a list of {len(node)}; "
            f"use 0 to {len(node) - 1}"
        )
    return int(part)


def _no_section(parts: list[str], where: str) -> InputError:
    return InputError(
        f"{where}: {'.'.join(parts)} is a single value, it has no keys below it"
    )
