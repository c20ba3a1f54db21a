"""The result of one physical check."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """A measured deviation beside its bound.

    Attributes
    ----------
    name : str
        What was checked.
    value : float
        Largest deviation found; NaN never passes.
    bound : float
        Largest deviation that passes.
    unit : str
        Unit of value and bound.
    detail : str
        Where the largest deviation was found, for people.
    """

    name: str
    value: float
    bound: float
    unit: str
    detail: str = ""

    @property
    def passed(self) -> bool:
        """Whether the deviation is within its bound."""
        return self.value <= self.bound

    def to_dict(self) -> dict[str, str | float | bool]:
        """Return plain values, ``passed`` included."""
        return {
            "name": self.name,
            "value": self.value,
            "bound": self.bound,
            "unit": self.unit,
            "passed": self.passed,
            "detail": self.detail,
        }

    def __str__(self) -> str:
        verdict = "ok  " if self.passed else "FAIL"
        note = f" ({self.detail})" if self.detail else ""
        return (
            f"{verdict} {self.name}: {self.value:.2e} (bound {self.bound:.0e}) "
            f"{self.unit}{note}"
        )
