"""What a report is made of: models, with all that was found about each of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimpot.reports.page_parts import Picture
    from trimpot.validation.checks import Examination
    from trimpot.validation.comparisons import Comparison
    from trimpot.validation.errors import ErrorTables
    from trimpot.validation.suite_results import SuiteResult


@dataclass(frozen=True)
class JudgedModel:
    """A model, with what was found about it; what was not asked for is None or empty.

    Attributes
    ----------
    name : str
        Short and unlike the others; as in the results of the suite.
    facts : mapping or None
        Of its card, see ``card_sections``; None for models that are not ours.
    checks : Examination or None
        Physical checks.
    errors : ErrorTables or None
        On the data of the report.
    comparisons : tuple of Comparison
        Predicted beside reference values of the same data, for parity plots.
    microseconds : tuple of float or None
        Median, lowest and highest us/atom/step of dynamics.
    curves : tuple of Picture
        V2, V3, densities, or curves of its training.
    """

    name: str
    facts: Mapping[str, object] | None = None
    checks: Examination | None = None
    errors: ErrorTables | None = None
    comparisons: tuple[Comparison, ...] = ()
    microseconds: tuple[float, float, float] | None = None
    curves: tuple[Picture, ...] = ()


@dataclass(frozen=True)
class Judged:
    """All that a report shows.

    Attributes
    ----------
    title : str
        Heading of the page.
    models : tuple of JudgedModel
        The first one is the subject of the report, others are compared with it.
    suite : SuiteResult or None
        Properties of all models.
    data : str
        What errors were measured on; empty if on nothing.
    timed_on : str
        What times were measured on; empty without times.
    commands : mapping of str to str
        How to measure again, by what: "checks", "errors", "properties", "times", "page".
    machine : mapping of str to str
        Processor, versions, date.
    notes : tuple of str
        What was not done, and why.
    """

    title: str
    models: tuple[JudgedModel, ...]
    suite: SuiteResult | None = None
    data: str = ""
    timed_on: str = ""
    commands: Mapping[str, str] = field(default_factory=dict)
    machine: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
