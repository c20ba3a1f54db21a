"""What is checked, what was found, and the grade of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trimpot.validation.checks.judged import Judged

GRADES = (("A", 1e-2), ("B", 1e-1), ("C", 1.0), ("D", 1e1), ("E", 1e2))
"""Largest value / bound of each grade; F above, and for what is not a number."""


@dataclass(frozen=True)
class Spec:
    """What a check asserts.

    Attributes
    ----------
    name : str
        How it is chosen, for example ``net-force``.
    title : str
        What was compared, for people.
    unit : str
        Of value and bound; "" for numbers.
    bound : float
        Largest value that passes in double arithmetic.
    meaning : str
        What it means if the check fails, one sentence.
    single : float, optional
        Bound in single arithmetic; None: the same.
    sharp : bool
        The check looks at the function behind the numbers: where a potential can compute
        in double arithmetic besides its own, that is judged.
    mandatory : bool
        Whether a failure makes the whole fail.
    """

    name: str
    title: str
    unit: str
    bound: float
    meaning: str
    single: float | None = None
    sharp: bool = False
    mandatory: bool = True


@dataclass(frozen=True)
class Measured:
    """The largest deviation found, and where."""

    value: float
    detail: str = ""


@dataclass(frozen=True)
class NotApplicable:
    """Why a check cannot be made of this potential."""

    reason: str


Found = Measured | NotApplicable


@dataclass(frozen=True)
class Family:
    """Checks that are made together, from the same evaluations.

    Attributes
    ----------
    title : str
        What they have in common.
    specs : tuple of Spec
    measure : callable
        Returns what was found, by the name of the check; names may be left out only if an
        error ends the measurement.
    """

    title: str
    specs: tuple[Spec, ...]
    measure: Callable[[Judged], Mapping[str, Found]]


@dataclass(frozen=True)
class Verdict:
    """One check of one potential: value, bound, grade.

    Attributes
    ----------
    spec : Spec
    bound : float
        That of the arithmetic that was judged.
    value : float or None
        NaN never passes; None where the check does not apply.
    detail : str
        Where the largest deviation was found, or why the check does not apply.
    family : str
        Title of its family.
    """

    spec: Spec
    bound: float
    value: float | None
    detail: str
    family: str

    @property
    def applies(self) -> bool:
        """Whether the check could be made."""
        return self.value is not None

    @property
    def passed(self) -> bool:
        """Whether nothing was found against the potential."""
        return self.value is None or self.value <= self.bound

    @property
    def failed(self) -> bool:
        """Whether this makes the whole fail."""
        return self.spec.mandatory and not self.passed

    @property
    def grade(self) -> str:
        """A to F by value / bound (``grade_of``); "-" where the check does not apply."""
        return "-" if self.value is None else grade_of(self.value, self.bound)

    def to_dict(self) -> dict[str, object]:
        """Return plain values."""
        return {
            "name": self.spec.name,
            "title": self.spec.title,
            "family": self.family,
            "mandatory": self.spec.mandatory,
            "applies": self.applies,
            "value": self.value,
            "bound": self.bound,
            "unit": self.spec.unit,
            "passed": self.passed,
            "grade": self.grade,
            "detail": self.detail,
            "meaning": self.spec.meaning,
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Verdict:
        """Return the verdict that ``to_dict`` turned into plain values.

        A value that was no number, which JSON does not have, is NaN again.
        """
        bound = float(plain["bound"])
        spec = Spec(
            str(plain["name"]),
            str(plain["title"]),
            str(plain["unit"]),
            bound,
            str(plain["meaning"]),
            mandatory=bool(plain["mandatory"]),
        )
        given = math.nan if plain["value"] is None else float(plain["value"])
        value = given if plain["applies"] else None
        return cls(spec, bound, value, str(plain["detail"]), str(plain["family"]))


def grade_of(value: float, bound: float) -> str:
    """Return A to F: C is within the bound, B ten, A a hundred times below it.

    D is up to ten, E up to a hundred times above it, F is the rest and what is not a
    number. Where the bound is 0, 0 is A and everything else F.
    """
    if not math.isfinite(value):
        return "F"
    if bound == 0.0:
        return "A" if value <= 0.0 else "F"
    return next((grade for grade, most in GRADES if value <= most * bound), "F")


def worst(found: list[Measured]) -> Measured:
    """Return the largest; what is not a number is larger than any number."""
    return max(found, key=lambda m: math.inf if math.isnan(m.value) else m.value)
