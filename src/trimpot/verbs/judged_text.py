"""A judgement as text: tables for terminals and Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trimpot.reports.comparison import ComparedModel, comparison_table
from trimpot.reports.document import Section, TextTable, markdown
from trimpot.reports.numbers import significant
from trimpot.reports.physical_checks import checks_markdown
from trimpot.reports.property_tables import LEGEND, property_table, published_columns
from trimpot.validation.properties.outcome import NOT_MEASURED

if TYPE_CHECKING:
    from trimpot.reports.judged import Judged


def check_counts(judged: Judged) -> TextTable | None:
    """Return how many checks each model passed; None if none was made."""
    rows = []
    for model in judged.models:
        if model.checks is not None:
            counts = model.checks.counts
            rows.append((model.name, *(str(counts[kind]) for kind in counts)))
    header = ("model", "passed", "failed", "advice", "not applicable")
    return TextTable("physical checks", header, tuple(rows)) if rows else None


def error_table(judged: Judged) -> TextTable | None:
    """Return errors of all frames, a column per model; None without data."""
    found = [m for m in judged.models if m.errors is not None]
    if not found:
        return None
    rows = comparison_table(
        [ComparedModel(m.name, m.errors, 0.0) for m in found if m.errors is not None]
    )
    kept = tuple(r for r in rows.rows if r[0] not in ("coefficients", "cutoff (Å)"))
    return TextTable(f"errors on {judged.data}", rows.header, kept)


def time_table(judged: Judged) -> TextTable | None:
    """Return us/atom/step with the range of repeats; None if nothing was timed."""
    rows = tuple(
        (m.name, *(significant(us, 3) for us in m.microseconds))
        for m in judged.models
        if m.microseconds is not None
    )
    header = ("us/atom/step", "median", "lowest", "highest")
    return TextTable(f"times: {judged.timed_on}", header, rows) if rows else None


def failure_texts(judged: Judged) -> list[str]:
    """Return a line for each property that failed, with the reason."""
    failures = () if judged.suite is None else judged.suite.failures
    return [f"{model}: {name} {_said(reason)}" for model, name, reason in failures]


def _said(reason: str) -> str:
    return reason if reason.startswith(NOT_MEASURED) else f"failed: {reason}"


def judged_markdown(judged: Judged) -> str:
    """Return the whole judgement as a page in Markdown."""
    sections = []
    if judged.suite is not None:
        columns = published_columns(judged.suite)
        table = property_table(judged.suite, list(judged.suite.measured), columns)
        sections.append(Section("Properties", (), (LEGEND,), (table,)))
        failures = tuple(failure_texts(judged))
        if failures:
            sections.append(Section("Properties that failed", paragraphs=failures))
    tables = [check_counts(judged), error_table(judged), time_table(judged)]
    for title, found in zip(("Checks", "Errors", "Times"), tables, strict=True):
        if found is not None:
            sections.append(Section(title, tables=(found,)))
    if judged.notes:
        sections.append(Section("Notes", paragraphs=judged.notes))
    sections.append(Section("Machine", facts=tuple(judged.machine.items())))
    lines = "\n".join(f"{command} # {what}" for what, command in judged.commands.items())
    again = f"\n## How to measure again\n\n```sh\n{lines}\n```\n"
    return markdown(judged.title, tuple(sections)) + again


def judged_checks_markdown(judged: Judged) -> str:
    """Return all checks of all models as a page in Markdown."""
    return "\n".join(
        checks_markdown(m.checks, f"Physical checks of {m.name}")
        for m in judged.models
        if m.checks is not None
    )
