"""Results of verbs as they are printed."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.console import Console

from trimpot.reports.check_data import finding_lines, group_table, verdict
from trimpot.reports.choice import choice_summary
from trimpot.reports.comparison import comparison_table, group_tables
from trimpot.reports.learning import learning_table
from trimpot.reports.reliability import reliability_lines
from trimpot.reports.tables import rich_table, rich_tables, summary_table
from trimpot.reports.timings import case_lines, peak_line
from trimpot.verbs.candidates import candidate_facts
from trimpot.verbs.reporting import closing_lines
from trimpot.verbs.singlepoint_rows import detail_lines, table_of
from trimpot.verbs.singlepoints import summary_lines
from trimpot.verbs.training_network import NetworkTrainResult

if TYPE_CHECKING:
    from trimpot.verbs import EvaluateResult, TrainResult
    from trimpot.verbs.benchmark_results import BenchResult
    from trimpot.verbs.checking import CheckResult
    from trimpot.verbs.comparing import CompareResult
    from trimpot.verbs.learning import LearnResult
    from trimpot.verbs.singlepoints import SinglePointResult


WIDTH_OF_FILES = 110
"""Columns where the output is no terminal: tables in logs keep their lines whole."""


def console_of_results() -> Console:
    """Return a console on stdout, of a fixed width where nobody looks."""
    console = Console(highlight=False, soft_wrap=True)
    return (
        console
        if console.is_terminal
        else Console(highlight=False, soft_wrap=True, width=WIDTH_OF_FILES)
    )


def show_training(result: TrainResult | NetworkTrainResult) -> None:
    """Print the errors and the closing summary; nothing beside a process that leads."""
    if isinstance(result, NetworkTrainResult) and not result.judgements:
        return
    console = console_of_results()
    if result.candidates:
        table = choice_summary(candidate_facts(result.candidates))
        console.print(rich_table(table))
    if result.errors:
        console.print(rich_table(summary_table(result.errors)))
    for line in closing_lines(result):
        console.print(line, markup=False)


def show_evaluation(result: EvaluateResult) -> None:
    """Print the error tables and where figures are."""
    console = console_of_results()
    for table in rich_tables(result.tables):
        console.print(table)
    if result.judgement.reliability is not None:
        for line in reliability_lines(result.judgement.reliability):
            console.print(line, markup=False)
    if result.output is not None:
        console.print(f"tables and figures: {result.output}", markup=False)


def show_check(result: CheckResult) -> None:
    """Print what was read, what is in it, and every finding with its remedy."""
    console = console_of_results()
    for line in result.report.lines():
        console.print(line, markup=False)
    if result.groups:
        console.print(rich_table(group_table(result.groups)))
    for finding in result.findings:
        for line in finding_lines(finding):
            console.print(line, markup=False)
        console.print()
    console.print(verdict(result.findings), markup=False)
    if result.command is not None:
        console.print(f"try: {result.command}", markup=False)
    for what, path in (
        ("findings and figure", result.output),
        ("frames without fault", result.clean),
    ):
        if path is not None:
            console.print(f"{what}: {path}", markup=False)


def show_single_points(result: SinglePointResult, most: int) -> None:
    """Print all about one frame, or a table of at most so many rows (0: all)."""
    console = console_of_results()
    if len(result.points) == 1:
        for line in detail_lines(result.points[0]):
            console.print(line, markup=False)
    else:
        table = table_of(result.points, most=most)
        console.print(rich_table(table))
        for line in summary_lines(result, shown=len(table.rows)):
            console.print(line, markup=False)
    if result.output is not None:
        console.print(
            f"frames with energy, forces and stress: {result.output}", markup=False
        )


def show_comparison(result: CompareResult) -> None:
    """Print the errors of several models, overall and per group."""
    console = console_of_results()
    for table in (comparison_table(result.models), *group_tables(result.models)):
        console.print(rich_table(table))
    if result.timed_on:
        console.print(f"times: {result.timed_on}", markup=False)
    if result.output is not None:
        console.print(f"tables and figures: {result.output}", markup=False)


def show_learning(result: LearnResult) -> None:
    """Print errors over training frames and what they mean."""
    console = console_of_results()
    console.print(rich_table(learning_table(result.curves)))
    for line in result.verdicts:
        console.print(line, markup=False)
    console.print(f"table and figure: {result.output}", markup=False)


def show_bench(result: BenchResult) -> None:
    """Print the tables of a comparison, what explains them, and what was left out."""
    console = console_of_results()
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


def training_document(result: TrainResult | NetworkTrainResult) -> dict[str, object]:
    """Return what ``train --json`` prints."""
    document: dict[str, object] = {
        "model": str(result.model),
        "output": str(result.output),
        "errors": {name: table.to_dict() for name, table in result.errors.items()},
        **_made(result),
    }
    if result.candidates:
        document["candidates"] = candidate_facts(result.candidates)
    return document


def _made(result: TrainResult | NetworkTrainResult) -> dict[str, object]:
    """Return how the potential was fitted or trained."""
    if isinstance(result, NetworkTrainResult):
        training = result.training
        return {
            "training": {
                "epochs": training.epochs,
                "steps": training.steps,
                "seconds": training.seconds,
                "history": training.history,
            }
        }
    return {
        "fit": {
            "strengths": asdict(result.fit.chosen.strengths),
            "held_out_rmse": result.fit.chosen.rmse,
            "conditions": asdict(result.fit.conditions),
            "choices": len(result.fit.selection.trials),
        }
    }
