"""Results of verbs as they are printed."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.console import Console

from trimpot.reports.choice import choice_summary
from trimpot.reports.tables import rich_table, rich_tables, summary_table
from trimpot.reports.timings import case_lines, peak_line
from trimpot.verbs.candidates import candidate_facts
from trimpot.verbs.reporting import closing_lines

if TYPE_CHECKING:
    from trimpot.verbs import EvaluateResult, TrainResult
    from trimpot.verbs.benchmark_results import BenchResult


WIDTH_OF_FILES = 110
"""Columns where the output is no terminal: tables in logs keep their lines whole."""


def _console() -> Console:
    console = Console(highlight=False, soft_wrap=True)
    return (
        console
        if console.is_terminal
        else Console(highlight=False, soft_wrap=True, width=WIDTH_OF_FILES)
    )


def show_training(result: TrainResult) -> None:
    """Print the errors and the closing summary."""
    console = _console()
    if result.candidates:
        table = choice_summary(candidate_facts(result.candidates))
        console.print(rich_table(table))
    if result.errors:
        console.print(rich_table(summary_table(result.errors)))
    for line in closing_lines(result):
        console.print(line, markup=False)


def show_evaluation(result: EvaluateResult) -> None:
    """Print the error tables and where figures are."""
    console = _console()
    for table in rich_tables(result.tables):
        console.print(table)
    if result.output is not None:
        console.print(f"tables and figures: {result.output}", markup=False)


def show_bench(result: BenchResult) -> None:
    """Print the tables of a comparison, what explains them, and what was left out."""
    console = _console()
    for table, case in zip(result.tables, result.cases, strict=False):
        console.print(rich_table(table))
        for line in case_lines(case):
            console.print(f"  {line}", markup=False)
        console.print()
    for table in result.tables[len(result.cases) :]:
        console.print(rich_table(table))
    console.print(peak_line(result.peaks), markup=False)
    if result.output is not None:
        console.print(f"tables and figures: {result.output}", markup=False)


def training_document(result: TrainResult) -> dict[str, object]:
    """Return what ``train --json`` prints."""
    document: dict[str, object] = {
        "model": str(result.model),
        "output": str(result.output),
        "errors": {name: table.to_dict() for name, table in result.errors.items()},
        "fit": {
            "strengths": asdict(result.fit.chosen.strengths),
            "held_out_rmse": result.fit.chosen.rmse,
            "conditions": asdict(result.fit.conditions),
            "choices": len(result.fit.selection.trials),
        },
    }
    if result.candidates:
        document["candidates"] = candidate_facts(result.candidates)
    return document
