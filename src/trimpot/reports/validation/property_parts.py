"""Properties one by one: figures, all values, notes, what failed, how long it took."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from trimpot.reports.page_parts import Block, Flow, Fold, Gallery, Markup
from trimpot.reports.page_tables import NOTHING, Cell, CellTable, cell_table
from trimpot.reports.unit_text import readable_unit
from trimpot.reports.validation.curve_figures import curve_pictures
from trimpot.reports.validation.phase_figures import phase_pictures
from trimpot.reports.validation.phonon_figures import (
    BANDS,
    DRAWN_HERE,
    phonon_pictures,
)
from trimpot.reports.validation.values import number_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimpot.reports.page_parts import Part, Picture
    from trimpot.reports.validation.lines import LineStyle
    from trimpot.validation.properties.outcome import Outcome, Value
    from trimpot.validation.suite_results import SuiteResult
    from trimpot.validation.suites import Property


RUNS = ("stable_runs", "runs", "survived")
COUNTED = (*RUNS, "stable_ps", "extrapolated")
"""Values that every stress test has."""


def property_parts(
    result: SuiteResult, styles: Mapping[str, LineStyle]
) -> tuple[Part, ...]:
    """Return headings, figures and values of every property; without figures come last."""
    tabled = {q.property for q in result.suite.quantities.values()}
    shown: list[Block] = []
    folds: list[Block] = []
    for asked in result.suite.properties.values():
        outcomes = outcomes_of(result, asked.name)
        if not outcomes:
            continue
        pictures = _pictures(asked, outcomes, styles)
        drawn = (Gallery(pictures),) if pictures else ()
        # numbers that stand in the table above are folded
        folded = bool(pictures) or asked.name in tabled
        values: tuple[Part, ...] = _values(outcomes)
        values = (Fold("All values and notes", values),) if folded else values
        broad = len(pictures) > 1 or not folded
        block = Block((Markup(_heading(asked)), *drawn, *values), broad)
        (shown if pictures or not folded else folds).append(block)
    phases = phase_pictures(result)
    if phases:
        heading = Markup("<h3>phases <small>energies over volume</small></h3>")
        shown.insert(0, Block((heading, Gallery(phases)), broad=True))
    return (Flow((*shown, *folds)),)


def outcomes_of(result: SuiteResult, name: str) -> dict[str, Outcome]:
    """Return what was found of a property, by model."""
    return {
        model: by_name[name].outcome
        for model, by_name in result.measured.items()
        if name in by_name
    }


def failure_table(result: SuiteResult) -> Markup:
    """Return which model failed in which property, and why."""
    if not result.failures:
        return Markup("<p>Every protocol came to its end for every model.</p>")
    rows = tuple(
        (Cell(model), Cell(name.replace("_", " ")), Cell(readable_unit(reason)))
        for model, name, reason in result.failures
    )
    header = tuple(map(Cell, ("model", "property", "why")))
    return cell_table(CellTable("What failed", header, rows, words=True))


def seconds_table(result: SuiteResult) -> Markup:
    """Return how long each property took for each model when it was measured."""
    models = list(result.measured)
    names = [n for n in result.suite.properties if outcomes_of(result, n)]
    rows = [
        (
            Cell(name.replace("_", " ")),
            *(
                _seconds(result.measured[m][name].seconds)
                if name in result.measured[m]
                else Cell(NOTHING)
                for m in models
            ),
        )
        for name in names
    ]
    totals = (
        _seconds(sum(found.seconds for found in result.measured[m].values()))
        for m in models
    )
    rows.append((Cell("all"), *totals))
    header = (Cell("property"), *(Cell(m) for m in models))
    return cell_table(CellTable("Seconds per property", header, tuple(rows)))


def _seconds(value: float) -> Cell:
    return Cell(f"{value:.0f}" if value >= 100 else f"{value:.1f}")


def _heading(asked: Property) -> str:
    title = escape(asked.name.replace("_", " "))
    protocol = asked.protocol.name.replace("_", " ")
    what = f"of {asked.phase.name}"
    if protocol != asked.name.replace("_", " "):
        what = f"{protocol} {what}"
    return f"<h3>{title} <small>{escape(what)}</small></h3>"


def _pictures(
    asked: Property, outcomes: Mapping[str, Outcome], styles: Mapping[str, LineStyle]
) -> tuple[Picture, ...]:
    title = asked.name.replace("_", " ")
    if any(BANDS in o.curves for o in outcomes.values()):
        bands = phonon_pictures(outcomes, styles)
        return bands + curve_pictures(title, outcomes, styles, DRAWN_HERE)
    return curve_pictures(title, outcomes, styles)


def _values(outcomes: Mapping[str, Outcome]) -> tuple[Markup, ...]:
    names = dict.fromkeys(name for o in outcomes.values() for name in o.values)
    rows = tuple(
        (
            Cell(name.replace("_", " "), readable_unit(_unit(outcomes, name))),
            *(_value(o.values.get(name), failed=o.fails(name)) for o in outcomes.values()),
        )
        for name in names
    )
    header = (Cell("value"), *(Cell(model) for model in outcomes))
    table = (cell_table(CellTable("", header, rows)),) if rows else ()
    notes = [f"<li>{escape(readable_unit(line))}</li>" for line in _notes(outcomes)]
    lists = (Markup(f"<ul class='soft'>{''.join(notes)}</ul>"),) if notes else ()
    return (*table, *lists) or (Markup("<p>No values.</p>"),)


def _notes(outcomes: Mapping[str, Outcome]) -> list[str]:
    """Return every note with the models that it is of, failures last."""
    of: dict[str, list[str]] = {}
    for model, outcome in outcomes.items():
        for note in outcome.notes:
            of.setdefault(note, []).append(model)
    lines = [
        note if len(models) == len(outcomes) else f"{', '.join(models)}: {note}"
        for note, models in of.items()
    ]
    return lines + [f"{m} failed: {o.failure}" for m, o in outcomes.items() if o.failure]


def _unit(outcomes: Mapping[str, Outcome], name: str) -> str:
    return next(o.values[name].unit for o in outcomes.values() if name in o.values)


def _value(value: Value | None, *, failed: bool) -> Cell:
    if value is None:
        return Cell("failed" if failed else NOTHING, tone="failed" if failed else "")
    text = number_text(value.value, value.error, None)
    return Cell("failed", text, "failed") if failed else Cell(text)


def stress_table(result: SuiteResult) -> Markup | None:
    """Return runs that stayed stable and how far they came, or None without such tests."""
    models = list(result.measured)
    rows = []
    for name in result.suite.properties:
        outcomes = outcomes_of(result, name)
        if any("stable_runs" in o.values for o in outcomes.values()):
            cells = (_stress(outcomes.get(model)) for model in models)
            rows.append((Cell(name.replace("_", " ")), *cells))
    if not rows:
        return None
    header = (Cell("test"), *(Cell(m) for m in models))
    return cell_table(CellTable("Runs that stayed stable", header, tuple(rows)))


def _stress(outcome: Outcome | None) -> Cell:
    if outcome is None or "stable_runs" not in outcome.values:
        return Cell(
            "failed" if outcome is not None else NOTHING,
            tone="failed" if outcome is not None else "",
        )
    stable, runs = outcome.values["stable_runs"], outcome.values.get("runs")
    total = stable.value if runs is None else runs.value
    whole = stable.value >= total
    tone = "within" if whole else "near" if stable.value > 0 else "off"
    # what was reached stands before what all such tests have
    names = sorted(outcome.values, key=lambda name: name in COUNTED)
    notes = [_stress_note(n, outcome.values[n]) for n in names if n not in RUNS]
    symbol = {"within": "✓", "near": "≈", "off": "✗"}[tone]
    return Cell(f"{stable.value:.0f} of {total:.0f} {symbol}", "; ".join(notes), tone)


def _stress_note(name: str, value: Value) -> str:
    if name == "extrapolated":
        return f"{100.0 * value.value:.0f} % of steps extrapolated"
    if name == "stable_ps":
        return f"stable for {number_text(value.value, value.error, None)} ps"
    text = f"{name.replace('_', ' ')} {number_text(value.value, value.error, None)}"
    return f"{text} {readable_unit(value.unit)}".strip()
