"""The verdict at the top of a page: checks, properties, errors and cost in one glance."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from trimpot.reports.numbers import significant
from trimpot.reports.page_parts import Markup
from trimpot.reports.page_tables import NOTHING, Cell, CellTable, cell_table
from trimpot.reports.unit_text import readable_unit
from trimpot.reports.validation.values import MEANING, SYMBOLS, TONES

if TYPE_CHECKING:
    from trimpot.reports.judged import Judged, JudgedModel
    from trimpot.validation.checks import Examination
    from trimpot.validation.errors import ErrorRow
    from trimpot.validation.suite_results import SuiteResult


COLUMN_UNITS = {"energy": "meV/atom", "forces": "meV/Å", "cost": "µs/atom/step"}
"""Below the names of columns; errors are RMSE."""


def glance(judged: Judged) -> Markup:
    """Return the verdict on the first model in tiles; of several, a table of all."""
    model = judged.models[0]
    tiles = (
        _checks(model),
        _properties(judged.suite, model.name),
        _errors(model, judged.data),
        _cost(model, judged.timed_on),
    )
    parts = [f'<p class="verdict">{escape(sentence(judged))}</p>']
    parts.append(f'<div class="tiles">{"".join(map(_tile, tiles))}</div>')
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
            else _passed(model.checks)
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


def _passed(checks: Examination) -> str:
    advice = checks.counts["advice"]
    if advice:
        return f"passes all physical checks that decide, {advice} advise caution"
    return f"passes all {checks.counts['passed']} physical checks"


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


@dataclass(frozen=True)
class _Tile:
    """A number in a box; ``more`` is finished HTML below it."""

    title: str
    number: str
    note: str
    tone: str = ""
    unit: str = ""
    more: str = ""


def _tile(tile: _Tile) -> str:
    unit = f" <small>{escape(tile.unit)}</small>" if tile.unit else ""
    return (
        f'<section class="tile {tile.tone}"><h3>{escape(tile.title)}</h3>'
        f'<p class="number">{escape(tile.number)}{unit}</p>{tile.more}'
        f"<p><small>{escape(tile.note)}</small></p></section>"
    )


def _checks(model: JudgedModel) -> _Tile:
    title = "Physical checks"
    if model.checks is None:
        return _Tile(title, NOTHING, "not made")
    counts = model.checks.counts
    made = len(model.checks.verdicts) - counts["not_applicable"]
    words = {"failed": "failed", "advice": "advise caution"}
    words["not_applicable"] = "not applicable"
    notes = [f"{counts[kind]} {word}" for kind, word in words.items() if counts[kind]]
    tone = "off" if counts["failed"] else "near" if counts["advice"] else "within"
    number = f"{counts['passed']} of {made} passed\N{NO-BREAK SPACE}{SYMBOLS[tone]}"
    return _Tile(title, number, ", ".join(notes) or "none failed", tone)


def _properties(suite: SuiteResult | None, name: str) -> _Tile:
    counts = verdict_counts(suite, name)
    compared = sum(counts[kind] for kind in MEANING)
    if not compared:
        note = "measured, without references" if counts else "not measured"
        return _Tile("Properties", NOTHING, note)
    tone = "off" if counts["off"] + counts["failed"] else "near"
    tone = tone if counts["within"] < compared else "within"
    bar = "".join(
        f'<span class="{TONES[kind]}" style="flex-grow:{counts[kind]}">'
        f"{counts[kind]} {SYMBOLS[kind]}</span>"
        for kind in MEANING
        if counts[kind]
    )
    note = "; ".join(f"{counts[kind]} {kind}" for kind in MEANING)
    note += f"; {counts['measured']} without a reference" if counts["measured"] else ""
    number = f"{counts['within']} of {compared} within tolerance"
    bar = f'<div class="bar">{bar}</div>'
    return _Tile("Properties", number, note, f"{tone} broad", more=bar)


def _errors(model: JudgedModel, data: str) -> _Tile:
    rows = all_frames(model)
    if not rows:
        return _Tile("Error (RMSE)", NOTHING, "not measured")
    first = "forces" if "forces" in rows else next(iter(rows))
    notes = [f"{name} {rmse_text(row)}" for name, row in rows.items() if name != first]
    notes += [f"on {data}"] if data else []
    number, unit = significant(rows[first].rmse), readable_unit(rows[first].unit)
    return _Tile(f"Error of {first} (RMSE)", number, "; ".join(notes), "broad", unit)


def _cost(model: JudgedModel, timed_on: str) -> _Tile:
    if model.microseconds is None:
        return _Tile("Cost", NOTHING, "not measured")
    median, low, high = model.microseconds
    note = f"{significant(low)} to {significant(high)}"
    note += f"; on {timed_on}" if timed_on else ""
    return _Tile("Cost", significant(median), note, unit="µs/atom/step")


def _comparison(judged: Judged) -> CellTable:
    """All models: what failed, what is how far off, errors, cost; what was measured."""
    columns: dict[str, list[Cell]] = {"checks failed": [_failed(m) for m in judged.models]}
    counts = [verdict_counts(judged.suite, m.name) for m in judged.models]
    for kind in MEANING:
        columns[kind] = [
            Cell(f"{c[kind]}", tone=kind if c[kind] else "") if c else Cell(NOTHING)
            for c in counts
        ]
    for quantity in ("energy", "forces"):
        columns[quantity] = [_rmse(m, quantity) for m in judged.models]
    columns["cost"] = [_microseconds(m) for m in judged.models]
    found = {k: c for k, c in columns.items() if any(x.text != NOTHING for x in c)}
    rows = tuple(
        (Cell(model.name), *(cells[k] for cells in found.values()))
        for k, model in enumerate(judged.models)
    )
    header = (Cell("model"), *(Cell(name, COLUMN_UNITS.get(name, "")) for name in found))
    return CellTable("All models", header, rows)


def _failed(model: JudgedModel) -> Cell:
    if model.checks is None:
        return Cell(NOTHING)
    failed = model.checks.counts["failed"]
    return Cell(f"{failed} {'✗' if failed else '✓'}", tone="off" if failed else "within")


def _rmse(model: JudgedModel, quantity: str) -> Cell:
    row = all_frames(model).get(quantity)
    return Cell(NOTHING if row is None else significant(row.rmse))


def _microseconds(model: JudgedModel) -> Cell:
    time = model.microseconds
    return Cell(NOTHING if time is None else significant(time[0]))
