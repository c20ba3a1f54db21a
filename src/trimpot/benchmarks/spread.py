"""Several runs in three numbers."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trimpot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Spread:
    """Median and range."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return median and range of at least one value."""
        if not values:
            raise InputError("no runs to summarise; measure at least one repeat")
        return cls(statistics.median(values), min(values), max(values))
