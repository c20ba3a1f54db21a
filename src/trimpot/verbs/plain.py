"""Facts as JSON wants them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Plain = dict[str, object]


def finite_plain(facts: Mapping[str, object]) -> Plain:
    """Return nested facts with null for numbers that are not finite."""
    return {str(key): _plain(value) for key, value in facts.items()}


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return finite_plain(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
