"""Results that are kept in folders, so that a benchmark goes on where it was stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from trimpot.files import write_text

RESULT = "result.json"


def key(*facts) -> str:
    """Return a short name of all that a result follows from."""
    return hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()[:10]


def kept(folder: Path, make: Callable[[Path], dict]) -> dict:
    """Return the result in a folder; have it made there if there is none."""
    if not (folder / RESULT).exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / RESULT, json.dumps(make(folder), indent=1) + "\n")
    return json.loads((folder / RESULT).read_text())
