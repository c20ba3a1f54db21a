"""Read the comment line of extended XYZ: key=value pairs and the Properties grammar."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot.errors import DataError

if TYPE_CHECKING:
    from trimpot.data.records import Place, Value

_TOKEN = re.compile(
    r"""([^\s="'{}\[\]]+)                      # key
        (?:\s*=\s*(                            # value:
            "(?:[^"\\]|\\.)*"                  #   "..."
          | '(?:[^'\\]|\\.)*'                  #   '...'
          | \{[^}]*\}                          #   {...}
          | \[.*?\](?=\s|$)                    #   [...]
          | [^\s"'{\[]\S*                      #   bare word
        ))?""",
    re.VERBOSE,
)
_STRUCTURAL = {"lattice": "Lattice", "properties": "Properties", "pbc": "pbc"}
_LOGICAL = {
    "T": True, "True": True, "true": True, "TRUE": True,
    "F": False, "False": False, "false": False, "FALSE": False,
}  # fmt: skip
DEFAULT_PROPERTIES = "species:S:1:pos:R:3"


@dataclass(frozen=True)
class Column:
    """One property of the atom lines: name, kind (S, R, I or L) and width."""

    name: str
    kind: str
    width: int


def read_comment(line: str, place: Place) -> dict[str, Value]:
    """Return the key=value pairs of a comment line with typed values.

    ``Lattice``, ``Properties`` and ``pbc`` are recognised in any case. A comment
    without any ``=`` is free text and gives no pairs.

    Raises
    ------
    DataError
        If a key occurs twice, or quotes are not closed.
    """
    if "=" not in line:
        return {}
    pairs = _TOKEN.findall(line)
    fields: dict[str, Value] = {}
    for key, text in pairs:
        name = _STRUCTURAL.get(key.lower(), key)
        if name in fields:
            raise DataError(
                f"{place}: the key '{name}' occurs twice in the comment line, expected "
                "each key once; delete the one that is wrong"
            )
        fields[name] = _value(text) if name != "Properties" else text.strip("\"'")
    rest = _TOKEN.sub("", line).strip()
    if rest and "Properties" in fields:
        raise DataError(
            f"{place}: the comment line cannot be read near {rest[:40]!r}, expected "
            "key=value pairs; check that quotes and brackets are closed"
        )
    return fields


def read_properties(text: str, place: Place) -> tuple[Column, ...]:
    """Return the columns that ``Properties=name:kind:width:...`` announces.

    Raises
    ------
    DataError
        If the text does not follow that grammar or names a column twice.
    """
    parts = text.split(":")
    triples = list(zip(parts[::3], parts[1::3], parts[2::3], strict=False))
    valid = len(parts) % 3 == 0 and all(
        name and kind.upper() in {"S", "R", "I", "L"} and width.isdigit() and int(width) > 0
        for name, kind, width in triples
    )
    if not valid:
        raise DataError(
            f"{place}: Properties={text} cannot be read, expected name:kind:width triples "
            f"with kind S, R, I or L, for example {DEFAULT_PROPERTIES}:forces:R:3"
        )
    columns = tuple(Column(name, kind.upper(), int(width)) for name, kind, width in triples)
    names = [column.name for column in columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(
            f"{place}: the column '{twice[0]}' occurs twice in Properties, expected each "
            "column once; rename or remove one of them"
        )
    return columns


def _value(text: str) -> Value:
    """Convert the text of a value to a number, logical, array or string."""
    if not text:
        return True  # a bare word is a flag
    if text[0] in "\"'{[":
        text = text[1:-1]
        if "\\" in text:
            text = re.sub(r"\\(.)", r"\1", text)
        if text.startswith("_JSON "):
            return _json_value(text[6:])
        text = text.replace("[", " ").replace("]", " ") if text.startswith("[") else text
    words = text.replace(",", " ").split()
    if len(words) == 1:
        return _scalar(words[0])
    if not words or any("_" in word for word in words):
        return text
    if all(word in _LOGICAL for word in words):
        return np.array([_LOGICAL[word] for word in words])
    try:
        return np.array([float(word) for word in words])
    except ValueError:
        return text


def _scalar(word: str) -> str | int | float | bool:
    """Convert one word; underscores, which Python allows in numbers, make a string."""
    if word in _LOGICAL:
        return _LOGICAL[word]
    if "_" in word:
        return word
    try:
        return int(word)
    except ValueError:
        pass
    try:
        return float(word)
    except ValueError:
        return word


def _json_value(text: str) -> Value:
    """Convert a JSON value as ASE writes it; what is not numeric stays text."""
    try:
        value = json.loads(text)
        array = np.asarray(value)
    except ValueError:
        return text
    if array.dtype.kind == "b" and array.ndim:
        return array.astype(np.bool_)
    if array.dtype.kind in "if" and array.ndim:
        return array.astype(np.float64)
    return value if isinstance(value, int | float | bool | str) else text
