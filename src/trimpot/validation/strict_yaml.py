"""YAML files of suites and of rivals: strict about keys, clear about what is wrong."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from trimpot.errors import InputError
from trimpot.files.yaml_text import parse_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

T = TypeVar("T")


def read_yaml(path: str | Path) -> object:
    """Return the plain values of a YAML file.

    Raises
    ------
    InputError
        If it cannot be read or is no YAML; names the line.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {error}; see that it is there") from error
    return parse_yaml(text, str(path))


def keys_of(
    value: object, where: str, *, needed: Sequence[str] = (), others: Sequence[str] = ()
) -> Mapping[str, object]:
    """Return a mapping whose keys are the known ones.

    Raises
    ------
    InputError
        If it is none, lacks a needed key, or has an unknown one.
    """
    known = [*needed, *others]
    if not isinstance(value, dict):
        raise InputError(
            f"{where}: found {_shown(value)}, expected keys and values ({', '.join(known)})"
        )
    for key in value:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise InputError(
                f"{where}: unknown key {key!r}, expected one of {', '.join(known)}{hint}"
            )
    missing = [key for key in needed if key not in value]
    if missing:
        raise InputError(f"{where}: found no {', '.join(missing)}; add it")
    return value


def named(value: object, where: str) -> Mapping[str, object]:
    """Return a mapping from names that a user chose.

    Raises
    ------
    InputError
        If it is none.
    """
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise InputError(f"{where}: found {_shown(value)}, expected names with values")
    return value


def texts(value: object, where: str, example: str) -> tuple[str, ...]:
    """Return a list of texts.

    Raises
    ------
    InputError
        If it is none.
    """
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise InputError(
            f"{where}: found {_shown(value)}, expected a list of texts; for example "
            f"{example}"
        )
    return tuple(value)


def text(value: object, where: str) -> str:
    """Return a text.

    Raises
    ------
    InputError
        If it is none.
    """
    if not isinstance(value, str):
        raise InputError(f"{where}: found {_shown(value)}, expected a text; put quotes")
    return value


def number(value: object, where: str) -> float:
    """Return a number.

    Raises
    ------
    InputError
        If it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{where}: found {_shown(value)}, expected a number")
    return float(value)


def number_or_none(value: object, where: str) -> float | None:
    """Return a number, or None where there is none.

    Raises
    ------
    InputError
        If it is something else.
    """
    return None if value is None else number(value, where)


def fraction_or_number(value: object, of: float | None, where: str) -> float | None:
    """Return a number; "8 %" is that share of another one.

    Raises
    ------
    InputError
        If it is something else, or a share of nothing.
    """
    if not isinstance(value, str):
        return number_or_none(value, where)
    share = re.fullmatch(r"([0-9.]+) ?%", value)
    if share is None or of is None:
        raise InputError(
            f"{where}: found {value!r}, expected a number, or a share such as 8 % of a "
            "reference that is there"
        )
    return float(share[1]) / 100.0 * abs(of)


def one_of(name: object, known: Mapping[str, T], where: str) -> T:
    """Return what a name stands for.

    Raises
    ------
    InputError
        If the name is none of the known ones.
    """
    if not isinstance(name, str) or name not in known:
        raise InputError(
            f"{where}: found {name!r}, expected one of {', '.join(known) or 'none'}"
        )
    return known[name]


def true_or_false(value: object, where: str) -> bool:
    """Return a truth value.

    Raises
    ------
    InputError
        If it is none.
    """
    if not isinstance(value, bool):
        raise InputError(f"{where}: found {_shown(value)}, expected true or false")
    return value


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) < 60 else f"{text[:57]}..."
