"""Judgements as they are printed: a table of properties, checks, errors, times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from trimpot.cli.shown import console_of_results
from trimpot.reports.physical_checks import checks_table, closing_line, failure_lines
from trimpot.reports.property_tables import LEGEND, property_table, published_columns
from trimpot.reports.tables import rich_table
from trimpot.verbs.judged_text import check_counts, error_table, failure_texts, time_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from trimpot.reports.judged import Judged, JudgedModel
    from trimpot.validation.suite_results import SuiteResult
    from trimpot.verbs.listing_suites import SuitesResult
    from trimpot.verbs.reporting_judged import ReportResult
    from trimpot.verbs.validating import ValidateResult

COLOURS = {"within": "green", "near": "yellow", "off": "red", "failed": "bold red"}
"""Of verdicts; all else has none."""

BETWEEN = 3
"""Characters between columns."""


def show_validation(result: ValidateResult) -> None:
    """Print all that was found, what failed and why, and where everything is."""
    console = console_of_results()
    judged = result.judged
    _show_checks(console, judged, result.seconds)
    for table in (error_table(judged), time_table(judged)):
        if table is not None:
            console.print(rich_table(table))
    if judged.suite is not None:
        _show_properties(console, judged, judged.suite)
    for note in result.notes:
        console.print(note, markup=False, style="yellow")
    if result.output is not None:
        console.print(f"results: {result.output}", markup=False)
        console.print(f"page: {result.output / 'report.html'}", markup=False)


def show_report(result: ReportResult) -> None:
    """Print where the page is."""
    console = console_of_results()
    for note in result.notes:
        console.print(note, markup=False, style="yellow")
    console.print(f"page: {result.page}", markup=False)


def show_suites(result: SuitesResult, *, whole: bool) -> None:
    """Print suites, a line each; if whole, also what they measure."""
    console = console_of_results()
    table = Table(box=SIMPLE_HEAD)
    for title in ("suite", "for", "what"):
        table.add_column(title)
    for suite in result.suites:
        table.add_row(suite.name, ", ".join(suite.elements), suite.description)
    console.print(table)
    for suite in result.suites if whole else ():
        short = [name for name in suite.properties if name not in suite.long]
        console.print(f"measures {', '.join(short)}", markup=False)
        if suite.long:
            console.print(f"with --long also {', '.join(suite.long)}", markup=False)
    for path in result.written:
        console.print(f"written: {path}", markup=False)


def property_tables(result: SuiteResult, width: int) -> list[Table]:
    """Return tables of properties that are at most so wide: measured columns first."""
    measured = list(result.measured)
    published = published_columns(result)
    columns = [(name, False) for name in measured] + [(name, True) for name in published]
    tables: list[Table] = []
    while columns:
        count = len(columns)
        while count > 1 and _width(result, columns[:count]) > width:
            count -= 1
        tables.append(_table(result, columns[:count]))
        columns = columns[count:]
    return tables


def _table(result: SuiteResult, columns: Sequence[tuple[str, bool]]) -> Table:
    names, published = _split(columns)
    text = property_table(result, names, published)
    shown = Table(
        title=text.title,
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    for place, name in enumerate(text.header):
        style = "dim" if place >= 3 + len(names) else None
        justify = "left" if place < 2 else "right"
        shown.add_column(Text(name), justify=justify, style=style, no_wrap=True)  # type: ignore[arg-type]
    for row, cells in zip(result.rows, text.rows, strict=True):
        if not any(cells[3:]):
            continue
        verdicts = [row.entries[name].verdict for name in names]
        styles = [COLOURS.get(verdict, "") for verdict in verdicts]
        coloured = [Text(c, style=s) for c, s in zip(cells[3:], styles, strict=False)]
        rest = [Text(cell) for cell in cells[3 + len(names) :]]
        shown.add_row(*(Text(cell) for cell in cells[:3]), *coloured, *rest)
    return shown


def _split(columns: Sequence[tuple[str, bool]]) -> tuple[list[str], list[str]]:
    return [n for n, p in columns if not p], [n for n, p in columns if p]


def _width(result: SuiteResult, columns: Sequence[tuple[str, bool]]) -> int:
    names, published = _split(columns)
    text = property_table(result, names, published)
    cells = zip(text.header, *text.rows, strict=True)
    return sum(max(len(cell) for cell in column) + BETWEEN for column in cells)


def _show_checks(console: Console, judged: Judged, seconds: float) -> None:
    """Print every check of one model; of several, counts and what did not pass."""
    checked = [model for model in judged.models if model.checks is not None]
    if len(checked) == 1:
        (model,) = checked
        if model.checks is not None:
            console.print(checks_table(model.checks))
            _show_failures(console, model)
            style = "green" if model.checks.passed else "red"
            line = closing_line(model.checks, seconds)
            console.print(line, markup=False, style=style)
        return
    counts = check_counts(judged)
    if counts is not None:
        console.print(rich_table(counts))
    for model in checked:
        if model.checks is not None and failure_lines(model.checks):
            console.print(f"{model.name}:", markup=False)
            _show_failures(console, model)


def _show_failures(console: Console, model: JudgedModel) -> None:
    for line in failure_lines(model.checks) if model.checks is not None else ():
        style = {"F": "red", "a": "yellow"}.get(line[0])
        console.print(line, markup=False, style=style)


def _show_properties(console: Console, judged: Judged, suite: SuiteResult) -> None:
    for table in property_tables(suite, console.width):
        console.print(table)
    console.print(LEGEND, markup=False, style="dim")
    for line in failure_texts(judged):
        console.print(line, markup=False, style="red")
