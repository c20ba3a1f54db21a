"""Settings as plain values: what a configuration file would say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path

import yaml

from trimpot.config.hints import kind_of


def to_plain(value: object) -> object:
    """Return dataclasses as mappings, tuples as lists, paths as text.

    What belongs to models of other kinds (``Config.foreign``) is left out.
    """
    if is_dataclass(value) and not isinstance(value, type):
        kind = kind_of(type(value))
        start: dict[str, object] = {} if kind is None else {"kind": kind}
        silent = ("kind", *getattr(value, "foreign", ()))
        own = {
            f.name: to_plain(getattr(value, f.name))
            for f in fields(value)
            if f.name not in silent
        }
        return {**start, **own}
    if isinstance(value, Mapping):
        return {str(k): to_plain(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [to_plain(v) for v in value]
    return str(value) if isinstance(value, Path) else value


def one_line(value: object) -> str:
    """Return plain values as YAML on one line, such as ``{c_min: 0.3, c_max: 1.2}``."""
    text: str = yaml.safe_dump(
        to_plain(value),
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=True,
        width=float("inf"),
    )
    return text.removesuffix("...\n").strip()


def to_yaml(value: object) -> str:
    """Return settings as YAML that loads to equal settings."""
    text: str = yaml.safe_dump(
        to_plain(value), sort_keys=False, allow_unicode=True, default_flow_style=None
    )
    return text
