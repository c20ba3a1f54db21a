"""What is compared: schemes with a parameter that sets the number of edges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .budget import Budget
from .counting import counts
from .schemes import (
    AdaptiveCutoff,
    HardNearest,
    Radial,
    Scheme,
    SoftNearest,
    Triplets,
)

STEPS = 14
"""Of the bisection for a number of edges."""


@dataclass(frozen=True)
class Family:
    """Schemes with a parameter: the larger it is, the more edges are left.

    Attributes
    ----------
    name : str
    make : callable
        Scheme from the parameter and the elements.
    low, high : float
        Range of the parameter; equal where there is none.
    shown : str
        How the parameter is written.
    """

    name: str
    make: Callable[[float, tuple[int, ...]], Scheme]
    low: float = 0.0
    high: float = 0.0
    shown: str = ""

    def at(self, target: float, structures, elements):
        """Return the parameter and the scheme whose mean number of edges is closest."""
        low, high, tried = self.low, self.high, []
        while low < high and len(tried) < STEPS:
            middle = 0.5 * (low + high)
            found = counts(self.make(middle, elements), structures, elements).edges
            tried.append((abs(found - target), middle))
            low, high = (low, middle) if found > target else (middle, high)
        parameter = min(tried)[1] if tried else low
        return parameter, self.make(parameter, elements)


def families(c_min: float) -> list[Family]:
    """Return what is compared; the first is unpruned, the second sets the target."""
    return [
        Family("unpruned", lambda _, __: Radial()),
        Family(
            "triplet envelope",
            lambda _, e: Triplets(c_min, elements=e),
            shown=f"C_min {c_min:g}",
        ),
        Family(
            "triplet envelope, softmin",
            lambda p, e: Triplets(-p, combine="softmin", elements=e),
            *(-c_min - 0.3, -0.01),
            "C_min {:.3f}",
        ),
        Family(
            "triplet envelope, MEAM switch",
            lambda _, e: Triplets(c_min, switch="meam", elements=e),
            shown=f"C_min {c_min:g}",
        ),
        Family(
            "budgeted envelope",
            lambda p, e: Budget(p, elements=e),
            *(4.0, 16.0, "target {:.1f}"),
        ),
        Family("shorter cutoff", lambda p, _: Radial(p), 3.0, 6.0, "{:.2f} Å"),
        Family("K nearest, hard", lambda p, _: HardNearest(p), 4.0, 50.0, "K = {:.0f}"),
        Family("K nearest, soft", lambda p, _: SoftNearest(p), 4.0, 50.0, "K = {:.1f}"),
        Family(
            "adaptive cutoff", lambda p, _: AdaptiveCutoff(p), 3.0, 16.0, "target {:.1f}"
        ),
    ]
