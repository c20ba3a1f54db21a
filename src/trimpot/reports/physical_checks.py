"""Physical checks for people: a table for a terminal, a page in Markdown."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from trimpot.reports.document import TextTable, markdown_table

if TYPE_CHECKING:
    from trimpot.validation.checks import Examination, Verdict

HEADER = ("check", "value", "bound", "unit", "grade", "verdict")

COLOURS = {**dict.fromkeys("ABC", "green"), **dict.fromkeys("DEF", "red"), "-": "dim"}
"""Of grades. Green passed, red failed; a failure that is only advice is yellow."""


def verdict_word(verdict: Verdict) -> str:
    """Return ok, FAILED, advice or not applicable."""
    if not verdict.applies:
        return "not applicable"
    if verdict.passed:
        return "ok"
    return "FAILED" if verdict.failed else "advice"


def colour(verdict: Verdict) -> str:
    """Return the colour of a verdict."""
    if not verdict.passed and not verdict.failed:
        return "yellow"
    return COLOURS[verdict.grade]


def checks_table(checks: Examination) -> Table:
    """Return all checks for a terminal, by families."""
    shown = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in HEADER:
        numbers = name in {"value", "bound"}
        shown.add_column(name, justify="right" if numbers else "left", overflow="fold")
    for family, verdicts in groupby(checks.verdicts, key=lambda v: v.family):
        shown.add_row(Text(family, style="bold"))
        for verdict in verdicts:
            cells = _cells(verdict)
            style = colour(verdict)
            shown.add_row(
                f"  {cells[0]}", *cells[1:4], *(Text(c, style=style) for c in cells[4:])
            )
    return shown


def failure_lines(checks: Examination) -> list[str]:
    """Return what was found and what it means, for each check that did not pass."""
    lines = []
    for verdict in checks.verdicts:
        if verdict.passed:
            continue
        found = f": {verdict.detail}" if verdict.detail else ""
        lines += [
            f"{verdict_word(verdict)}: {verdict.spec.name} ({verdict.spec.title}){found}",
            f"  {verdict.spec.meaning}",
        ]
    return lines


def closing_line(checks: Examination, seconds: float) -> str:
    """Return how many checks passed, failed, advise, or do not apply."""
    counts = checks.counts
    made = len(checks.verdicts) - counts["not_applicable"]
    parts = [f"{counts['passed']} of {made} checks passed"]
    parts += [f"{counts['failed']} FAILED"] if counts["failed"] else []
    parts += [f"{counts['advice']} advise caution"] if counts["advice"] else []
    if counts["not_applicable"]:
        parts.append(f"{counts['not_applicable']} not applicable")
    return f"{', '.join(parts)} ({seconds:.1f} s)"


def checks_markdown(checks: Examination, title: str) -> str:
    """Return all checks as a page, with what failures mean."""
    rows = tuple((v.family, *_cells(v), _one_line(v.detail)) for v in checks.verdicts)
    table = TextTable("", ("family", *HEADER, "where"), rows)
    parts = [f"# {title}", markdown_table(table).strip()]
    failures = failure_lines(checks)
    if failures:
        parts.append("## What failed")
        pairs = zip(failures[::2], failures[1::2], strict=True)
        parts.append("\n".join(f"- {_one_line(a)}. {b.strip()}" for a, b in pairs))
    return "\n\n".join(parts) + "\n"


def _cells(verdict: Verdict) -> tuple[str, ...]:
    value = "-" if verdict.value is None else _number(verdict.value)
    return (
        verdict.spec.name,
        value,
        _number(verdict.bound),
        verdict.spec.unit,
        verdict.grade,
        verdict_word(verdict),
    )


def _number(value: float) -> str:
    return f"{value:.2g}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
