"""Errors on data: all models beside each other, groups of frames, parity."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from trimpot.reports.numbers import with_error
from trimpot.reports.page_parts import Fold, Gallery, Markup, Picture
from trimpot.reports.page_tables import NOTHING, Cell, CellTable, cell_table, text_table
from trimpot.reports.parity import AXIS_UNITS, ParitySet, plot_parity
from trimpot.reports.tables import text_tables
from trimpot.reports.unit_text import readable_unit
from trimpot.reports.validation.glance import all_frames

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.reports.judged import Judged, JudgedModel
    from trimpot.reports.page_parts import Part
    from trimpot.validation.errors import ErrorRow
    from trimpot.validation.suites import Suite

CONSTANT = 0.9
"""Share of the bias in an RMSE above which the rest is small."""

NOTE = (
    "Energies per atom; forces and stresses per component. ± is one standard error with "
    "frames as independent samples."
)


def error_parts(judged: Judged) -> tuple[Part, ...]:
    """Return the table of all models, parity plots, and tables by group of frames."""
    models = [m for m in judged.models if m.errors is not None]
    data = f"On {judged.data}. " if judged.data else ""
    parts: list[Part] = [Markup(f"<p>{escape(data + NOTE)}</p>"), _summary(models)]
    parts += _shifted(models)
    if judged.suite is not None:
        parts += _published(judged.suite.suite)
    compared = [m for m in judged.models if m.comparisons]
    for k, model in enumerate(compared):
        gallery = Gallery(parity_pictures(model))
        parts.append(
            gallery
            if k == 0
            else Fold(f"Parity of {model.name}", (gallery,), printed=False)
        )
    for model in models:
        if model.errors is not None:
            tables = tuple(text_table(t) for t in text_tables(model.errors))
            parts.append(
                Fold(
                    f"Errors of {model.name} by group of frames",
                    tables,
                    printed=model is models[0],
                )
            )
    return tuple(parts)


def parity_pictures(model: JudgedModel) -> tuple[Picture, ...]:
    """Return a figure for each quantity that has labels."""
    return tuple(
        Picture(
            f"{model.name}: {comparison.quantity}",
            f"Predicted over reference {comparison.quantity} "
            f"({AXIS_UNITS[comparison.quantity]}), {len(comparison.reference)} values; "
            "inset: distribution of the errors, logarithmic.",
            plot_parity([ParitySet("", (comparison,))], alone=True),
        )
        for comparison in model.comparisons
        if len(comparison.reference)
    )


def _summary(models: Sequence[JudgedModel]) -> Markup:
    found = [all_frames(m) for m in models]
    quantities = list(dict.fromkeys(q for rows in found for q in rows))
    units = {q: readable_unit(r.unit) for rows in found for q, r in rows.items()}
    header = [Cell("model")]
    for quantity in quantities:
        header += [Cell(f"{quantity} {kind}", units[quantity]) for kind in ("RMSE", "MAE")]
    rows = tuple(
        (Cell(m.name), *(c for q in quantities for c in _cells(rows.get(q))))
        for m, rows in zip(models, found, strict=True)
    )
    return cell_table(CellTable("All frames", tuple(header), rows))


def _shifted(models: Sequence[JudgedModel]) -> list[Part]:
    """Return a caution on models whose energies are off by little but a constant."""
    names = [
        m.name
        for m in models
        for row in [all_frames(m).get("energy")]
        if row is not None and abs(row.bias) > CONSTANT * row.rmse
    ]
    if not names:
        return []
    text = (
        f"Energies of {', '.join(names)} are off by little but a constant: probably "
        "another zero of energy, not a wrong model. Judge these by forces."
    )
    return [Markup(f"<p>{escape(text)}</p>")]


def _published(suite: Suite) -> list[Part]:
    """Return the errors and costs that others published, as they stand there."""
    columns = [column for column in suite.published if column.errors]
    if not columns:
        return []
    header = (
        Cell("model"),
        Cell("energy RMSE", readable_unit("meV/atom")),
        Cell("force RMSE", readable_unit("eV/A")),
        Cell("cost", suite.cost_unit),
    )
    rows = tuple(
        (
            Cell(column.name),
            _number(column.errors.get("energy")),
            _number(column.errors.get("force")),
            _number(column.cost),
        )
        for column in columns
    )
    sources = ", ".join(dict.fromkeys(column.source for column in columns))
    return [
        cell_table(CellTable("Published errors (not measured here)", header, rows)),
        Markup(
            f"<p>{escape(f'Source: {sources}. Errors are on the data named there.')}</p>"
        ),
    ]


def _number(value: float | None) -> Cell:
    return Cell(NOTHING if value is None else f"{value:g}")


def _cells(row: ErrorRow | None) -> tuple[Cell, Cell]:
    if row is None:
        return Cell(NOTHING), Cell(NOTHING)
    return (
        Cell(with_error(row.rmse, row.rmse_standard_error)),
        Cell(with_error(row.mae, row.mae_standard_error)),
    )
