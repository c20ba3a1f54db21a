"""Physical checks on a page: what failed and what it means, then all grades."""

from __future__ import annotations

from collections import Counter
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

from trimpot.reports.page_parts import Fold, Markup
from trimpot.reports.page_tables import NOTHING, Cell, CellTable, cell_table
from trimpot.reports.physical_checks import verdict_word
from trimpot.reports.unit_text import readable_unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.reports.judged import JudgedModel
    from trimpot.reports.page_parts import Part
    from trimpot.validation.checks import Verdict

GRADES = (
    "Grades by value over bound: A to a hundredth, B to a tenth, C within the bound; D up "
    "to ten times, E up to a hundred times beyond it, F the rest. 3A 1B: three A, one B. "
    "✗: a check that decides failed; ≈: one that is only advice."
)


def check_parts(models: Sequence[JudgedModel]) -> tuple[Part, ...]:
    """Return what failed, per model, grades by family, and a table of all checks."""
    judged = [m for m in models if m.checks is not None]
    return (
        *(_failures(m) for m in judged),
        _families(judged),
        Markup(f"<p>{GRADES}</p>"),
        Fold("Value, bound and grade of every check", (_grades(judged),)),
    )


def _families(models: Sequence[JudgedModel]) -> Markup:
    """Rows: families; columns: models; how many passed, and their grades."""
    by_model = [() if m.checks is None else m.checks.verdicts for m in models]
    names = dict.fromkeys(v.family for verdicts in by_model for v in verdicts)
    rows = tuple(
        (
            Cell(name),
            *(_family_cell([v for v in of if v.family == name]) for of in by_model),
        )
        for name in names
    )
    header = (Cell("family of checks"), *(Cell(m.name) for m in models))
    return cell_table(CellTable("Grades by family", header, rows))


def _family_cell(verdicts: Sequence[Verdict]) -> Cell:
    applied = [v for v in verdicts if v.applies]
    if not applied:
        return Cell(NOTHING, "not applicable" if verdicts else "")
    # of equal grades the one that decides stands for the family
    worst = max(applied, key=lambda v: (v.failed, not v.passed, v.grade))
    passed = sum(v.passed for v in applied)
    grades = Counter(v.grade for v in applied)
    note = " ".join(f"{count}{grade}" for grade, count in sorted(grades.items()))
    return Cell(f"{passed} of {len(applied)} {_symbol(worst)}", note, _tone(worst))


def _failures(model: JudgedModel) -> Markup:
    verdicts = () if model.checks is None else model.checks.verdicts
    found = sorted((v for v in verdicts if not v.passed), key=lambda v: not v.failed)
    name = escape(model.name)
    if not found:
        made = sum(v.applies for v in verdicts)
        return Markup(f"<p><b>{name}</b>: all {made} checks passed ✓</p>")
    rows = tuple(_failure(v) for v in found)
    header = tuple(map(Cell, ("check", "value", "bound", "grade", "what it means")))
    return cell_table(CellTable(f"{model.name}: what failed", header, rows, words=True))


def _failure(verdict: Verdict) -> tuple[Cell, ...]:
    unit = readable_unit(verdict.spec.unit)
    return (
        Cell(verdict.spec.title, verdict.spec.name),
        Cell(_number(verdict.value), unit),
        Cell(_number(verdict.bound), unit),
        Cell(f"{verdict.grade} {_symbol(verdict)}", verdict_word(verdict), _tone(verdict)),
        Cell(verdict.spec.meaning, f"Found: {verdict.detail}" if verdict.detail else ""),
    )


def _grades(models: Sequence[JudgedModel]) -> Markup:
    """Rows: checks by family; columns: models. Checks are those of the first model."""
    found = [
        {v.spec.name: v for v in m.checks.verdicts} for m in models if m.checks is not None
    ]
    every = {name: v for by_name in reversed(found) for name, v in by_name.items()}
    order = {name: k for k, name in enumerate(dict.fromkeys(n for f in found for n in f))}
    verdicts = sorted(every.values(), key=lambda v: order[v.spec.name])
    rows: list[tuple[Cell, ...]] = []
    for family, members in groupby(verdicts, key=lambda v: v.family):
        rows.append((Cell(family),))
        rows += [_check_row(v, [f.get(v.spec.name) for f in found]) for v in members]
    header = (Cell("check"), Cell("bound"), *(Cell(m.name) for m in models))
    return cell_table(CellTable("", header, tuple(rows)))


def _check_row(verdict: Verdict, found: Sequence[Verdict | None]) -> tuple[Cell, ...]:
    unit = readable_unit(verdict.spec.unit)
    return (
        Cell(verdict.spec.title, verdict.spec.name),
        Cell(_number(verdict.bound), unit),
        *(
            Cell(NOTHING)
            if v is None
            else Cell(f"{v.grade} {_symbol(v)}", _number(v.value), _tone(v))
            for v in found
        ),
    )


def _tone(verdict: Verdict) -> str:
    if not verdict.applies:
        return ""
    return "within" if verdict.passed else "off" if verdict.failed else "near"


def _symbol(verdict: Verdict) -> str:
    return {"within": "✓", "off": "✗", "near": "≈", "": ""}[_tone(verdict)]


def _number(value: float | None) -> str:
    return (
        "not applicable" if value is None else f"{value:.2g}".replace("-", "\N{MINUS SIGN}")
    )
