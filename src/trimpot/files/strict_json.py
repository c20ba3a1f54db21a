"""JSON objects of other programs, without the liberties that parsers take."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NoReturn

from trimpot.errors import FileFormatError
from trimpot.files.uf3_text import text_of

if TYPE_CHECKING:
    from pathlib import Path


def strict_json(path: str | Path, expected: str) -> dict[str, object]:
    """Return the object of a JSON file: no key twice, no NaN, no infinity.

    Parameters
    ----------
    path
        File to read.
    expected
        What it should be, for messages.

    Raises
    ------
    InputError
        If the file cannot be opened.
    FileFormatError
        If it is not such a document.
    """
    text = text_of(path, expected)
    try:
        parsed = json.loads(text, object_pairs_hook=_distinct_keys, parse_constant=_refuse)
    except RecursionError as error:
        raise FileFormatError(f"{path} is nested too deeply for {expected}") from error
    except ValueError as error:
        raise FileFormatError(
            f"{path} is not {expected}: {error}; copy it again"
        ) from error
    if not isinstance(parsed, dict):
        raise FileFormatError(
            f"{path} holds a JSON {type(parsed).__name__}, expected an object: {expected}"
        )
    return parsed


def _distinct_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"key {twice!r} comes twice")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"found {constant}, expected finite numbers")
