"""The verdict at the top of a page: checks, properties, errors and cost in one glance."""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import TYPE_CHECKING

from trimpot.reports.numbers import significant
from trimpot.reports.page_parts import Markup
from trimpot.reports.page_tables import NOTHING, Cell, CellTable, cell_table
from trimpot.reports.unit_text import readable_unit
from trimpot.reports.validation.values import MEANING, SYMBOLS, TONES

if TYPE_CHECKING:
    from trimpot.reports.judged import Judged, JudgedModel
    from trimpot.validation.errors import ErrorRow
    from trimpot.validation.suite_results import SuiteResult


def glance(judged: Judged) -> Markup:
    """Return the verdict on the first model in tiles; of several, a table of all."""
    model = judged.models[0]
    tiles = [
        _tile("Physical checks", *_checks(model)),
        _properties(judged.suite, model.name),
        _tile("Error (RMSE)", *_errors(model, judged.data)),
        _tile("Cost", *_cost(model, judged.timed_on)),
    ]
    parts = [f'<p class="verdict">{escape(sentence(judged))}</p>']
    parts.append(f'<div class="tiles">{"".join(tiles)}</div>')
    if len(judged.models) > 1:
        parts.append(cell_table(_comparison(judged)).html)
    return Markup("\n".join(parts))


def sentence(judged: Judged) -> str:
    """Return the verdict on the first model in words."""
    model = judged.models[0]
    parts = []
    if model.checks is not None:
        failed = [v.spec.name for v in model.checks.verdicts if v.failed]
        parts.append(
            f"fails {len(failed)} physical checks ({', '.join(failed[:4])}"
            f"{', ...' if len(failed) > 4 else ''})"
            if failed
            else "passes all physical checks that decide"
        )
    counts = verdict_counts(judged.suite, model.name)
    compared = sum(counts[kind] for kind in MEANING)
    if compared:
        rest = [f"{counts[k]} {k}" for k in ("near", "off", "failed") if counts[k]]
        tail = f", {', '.join(rest)}" if rest else ""
        parts.append(
            f"{counts['within']} of {compared} properties are within tolerance{tail}"
        )
    if not parts:
        return f"{model.name}: neither checks nor properties were asked for."
    return f"{model.name}: {'; '.join(parts)}."


def verdict_counts(suite: SuiteResult | None, name: str) -> Counter[str]:
    """Return how many quantities of a model have which verdict."""
    if suite is None:
        return Counter()
    entries = (row.entries.get(name) for row in suite.rows)
    return Counter(e.verdict for e in entries if e is not None)


def all_frames(model: JudgedModel) -> dict[str, ErrorRow]:
    """Return the errors of a model on all frames, by quantity."""
    rows = () if model.errors is None else model.errors.rows
    return {row.quantity: row for row in rows if row.grouping == "all"}


def rmse_text(row: ErrorRow) -> str:
    """Return an RMSE with its unit."""
    return f"{significant(row.rmse)} {readable_unit(row.unit)}"


def _checks(model: JudgedModel) -> tuple[str, str, str]:
    if model.checks is None:
        return NOTHING, "not made", ""
    counts = model.checks.counts
    made = len(model.checks.verdicts) - counts["not_applicable"]
    notes = [
        f"{counts[kind]} {word}"
        for kind, word in (
            ("failed", "failed"),
            ("advice", "advise caution"),
            ("not_applicable", "not applicable"),
        )
        if counts[kind]
    ]
    tone = "off" if counts["failed"] else "near" if counts["advice"] else "within"
    symbol = {"off": "✗", "near": "≈", "within": "✓"}[tone]
    number = f"{counts['passed']} of {made} passed {symbol}"
    return number, ", ".join(notes) or "none failed", tone


def _properties(suite: SuiteResult | None, name: str) -> str:
    counts = verdict_counts(suite, name)
    compared = sum(counts[kind] for kind in MEANING)
    if not compared:
        note = "measured, without references" if counts else "not measured"
        return _tile("Properties", NOTHING, note, "")
    tone = "off" if counts["off"] + counts["failed"] else "near"
    tone = tone if counts["within"] < compared else "within"
    bar = "".join(
        f'<span class="{TONES[kind]}" style="flex-grow:{counts[kind]}" '
        f'title="{MEANING[kind]}">{counts[kind]} {SYMBOLS[kind]}</span>'
        for kind in MEANING
        if counts[kind]
    )
    note = "; ".join(f"{counts[kind]} {kind}" for kind in MEANING)
    more = counts["measured"]
    note += f"; {more} more without a reference" if more else ""
    number = f"{counts['within']} of {compared} within tolerance"
    return _tile(
        "Properties", number, note, f"{tone} broad", f'<div class="bar">{bar}</div>'
    )


def _errors(model: JudgedModel, data: str) -> tuple[str, str, str]:
    rows = all_frames(model)
    if not rows:
        return NOTHING, "not measured", ""
    first = "forces" if "forces" in rows else next(iter(rows))
    notes = [f"{name} {rmse_text(row)}" for name, row in rows.items() if name != first]
    notes += [f"on {data}"] if data else []
    return f"{first} {rmse_text(rows[first])}", "; ".join(notes), ""


def _cost(model: JudgedModel, timed_on: str) -> tuple[str, str, str]:
    if model.microseconds is None:
        return NOTHING, "not measured", ""
    median, low, high = model.microseconds
    note = f"{significant(low)} to {significant(high)}"
    note += f"; on {timed_on}" if timed_on else ""
    return f"{significant(median)} µs/atom/step", note, ""


def _tile(title: str, number: str, note: str, tone: str, more: str = "") -> str:
    return (
        f'<section class="tile {tone}"><h3>{escape(title)}</h3>'
        f'<p class="number">{escape(number)}</p>{more}'
        f"<p><small>{escape(note)}</small></p></section>"
    )


def _comparison(judged: Judged) -> CellTable:
    """All models: what failed, what is how far off, errors, cost."""
    header = (
        "model",
        "checks failed",
        *MEANING,
        "energy (meV/atom)",
        "forces (meV/Å)",
        "µs/atom/step",
    )
    rows = tuple(_model_row(judged, model) for model in judged.models)
    return CellTable("All models", tuple(map(Cell, header)), rows)


def _model_row(judged: Judged, model: JudgedModel) -> tuple[Cell, ...]:
    counts = verdict_counts(judged.suite, model.name)
    errors = all_frames(model)
    failed = None if model.checks is None else model.checks.counts["failed"]
    checks = (
        Cell(NOTHING)
        if failed is None
        else Cell(f"{failed} {'✗' if failed else '✓'}", tone="off" if failed else "within")
    )
    numbers = [
        Cell(f"{counts[kind]}" if counts else NOTHING, tone=kind if counts[kind] else "")
        for kind in MEANING
    ]
    shown = [
        Cell(significant(errors[q].rmse) if q in errors else NOTHING)
        for q in ("energy", "forces")
    ]
    time = model.microseconds
    cost = Cell(NOTHING if time is None else significant(time[0]))
    return (Cell(model.name), checks, *numbers, *shown, cost)
