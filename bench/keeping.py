"""Results that are kept in folders, so that a benchmark goes on where it was stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from trimpot.files import write_text

RESULT = "result.json"

ADDED = {"forces": "gradient", "readout": "sum", "start": None}
"""Settings that are younger than some results, and what these results had."""


def key(*facts) -> str:
    """Return a short name of all that a result follows from."""
    facts = [as_before(fact) for fact in facts]
    return hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()[:10]


def as_before(fact):
    """Return a fact without added settings where they are as they were."""
    if not isinstance(fact, dict):
        return fact
    return {k: v for k, v in fact.items() if k not in ADDED or v != ADDED[k]}


def kept(folder: Path, make: Callable[[Path], dict]) -> dict:
    """Return the result in a folder; have it made there if there is none."""
    if not (folder / RESULT).exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / RESULT, json.dumps(make(folder), indent=1) + "\n")
    return json.loads((folder / RESULT).read_text())
