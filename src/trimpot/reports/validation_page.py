"""The page of judged models: one HTML file for people who must decide whom to trust."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from trimpot.errors import InputError
from trimpot.reports.card import fact_sections
from trimpot.reports.page import page_of_chapters, section_markup
from trimpot.reports.page_parts import Chapter, Fold, Gallery, Markup
from trimpot.reports.validation.check_tables import check_parts
from trimpot.reports.validation.error_parts import error_parts
from trimpot.reports.validation.glance import glance
from trimpot.reports.validation.heat_map import heat_map
from trimpot.reports.validation.lines import line_styles
from trimpot.reports.validation.pareto import pareto_pictures
from trimpot.reports.validation.property_parts import (
    failure_table,
    property_parts,
    seconds_table,
    stress_table,
)
from trimpot.reports.validation.property_table import is_wide, property_table
from trimpot.reports.validation.reproducing import reproducing_parts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trimpot.reports.judged import Judged, JudgedModel
    from trimpot.reports.page_parts import Part
    from trimpot.reports.validation.lines import LineStyle
    from trimpot.validation.suite_results import SuiteResult


SHOWN = ("Potential", "Data", "Limits")
"""Sections of a card that are open; others are folded."""


def judged_page(judged: Judged) -> str:
    """Return a report as one HTML file: no script, no network, at most 3 MB.

    Figures are drawn coarser where they would not fit, see ``page_of_chapters``.

    Raises
    ------
    InputError
        If there is no model, names repeat, or the suite holds another model than given.
    """
    _check(judged)
    styles = line_styles(_names(judged))
    chapters = [
        *_model_chapters(judged.models),
        *_error_chapters(judged, styles),
        *_check_chapters(judged.models),
        *([] if judged.suite is None else _property_chapters(judged.suite, styles)),
        Chapter("How to reproduce", reproducing_parts(judged)),
    ]
    return page_of_chapters(judged.title, chapters, lead=_lead(judged), top=_top(judged))


def _top(judged: Judged) -> Markup:
    """Return the verdict, and what was not done."""
    items = "".join(f"<li>{escape(note)}</li>" for note in judged.notes)
    notes = f"<p>Not done:</p><ul>{items}</ul>" if items else ""
    return Markup(glance(judged).html + notes)


def _check(judged: Judged) -> None:
    names = [model.name for model in judged.models]
    if not names or len(set(names)) < len(names):
        raise InputError(
            f"the models of a report are called {', '.join(names) or 'nothing'}; expected "
            "at least one, and different names"
        )
    if judged.suite is not None and not set(judged.suite.measured) <= set(names):
        raise InputError(
            f"the suite measured {', '.join(judged.suite.measured)}, the report is of "
            f"{', '.join(names)}; give all models that the suite measured"
        )


def _names(judged: Judged) -> list[str]:
    return [model.name for model in judged.models]


def _lead(judged: Judged) -> str:
    """Return what the page is about: the model, and what it is compared with."""
    model, *others = judged.models
    facts = model.facts or {}
    kind, species = facts.get("kind"), facts.get("species")
    elements = (
        ", ".join(map(str, species)) if isinstance(species, list | tuple) else species
    )
    what = f"{model.name}: {kind} for {elements}" if kind else model.name
    if others:
        what += f"; compared with {', '.join(m.name for m in others)}"
    if judged.suite is not None:
        what += f"; suite {judged.suite.suite.name}"
    return f"{what}."


def _model_chapters(models: Sequence[JudgedModel]) -> list[Chapter]:
    parts: list[Part] = []
    for k, model in enumerate(models):
        card = _card(model)
        if card:
            shown = card if k == 0 else [Fold(f"Card of {model.name}", tuple(card))]
            parts += shown
    return [Chapter("Model", tuple(parts))] if parts else []


def _card(model: JudgedModel) -> list[Part]:
    if model.facts is None:
        return []
    sections = {
        s.title: section_markup(s, heading=True) for s in fact_sections(model.facts)
    }
    shown = [part for title, part in sections.items() if title in SHOWN]
    rest = tuple(part for title, part in sections.items() if title not in SHOWN)
    return [*shown, Fold(f"How {model.name} is made, and its use", rest)]


def _error_chapters(judged: Judged, styles: Mapping[str, LineStyle]) -> list[Chapter]:
    chapters = []
    if any(m.errors is not None or m.comparisons for m in judged.models):
        chapters.append(Chapter("Data and errors", error_parts(judged)))
    pareto = pareto_pictures(judged, styles)
    if pareto:
        chapters.append(Chapter("Error and cost", (Gallery(pareto),)))
    curves = [part for m in judged.models for part in _curves(m, judged.models[0])]
    if curves:
        chapters.append(Chapter("Curves of the model", tuple(curves)))
    return chapters


def _curves(model: JudgedModel, first: JudgedModel) -> list[Part]:
    """Return the curves of a model with headings; those of others folded."""
    parts: list[Part] = []
    for picture in model.curves:
        parts += [Markup(f"<h3>{escape(f'{model.name}: {picture.title}')}</h3>"), picture]
    if model is first or not parts:
        return parts
    return [Fold(f"Curves of {model.name}", tuple(parts))]


def _check_chapters(models: Sequence[JudgedModel]) -> list[Chapter]:
    if all(model.checks is None for model in models):
        return []
    return [Chapter("Physical checks", check_parts(models))]


def _property_chapters(
    result: SuiteResult, styles: Mapping[str, LineStyle]
) -> list[Chapter]:
    table: list[Part] = [*property_table(result), failure_table(result)]
    deviations = heat_map(result)
    stress = stress_table(result)
    chapters = [Chapter("Properties", tuple(table), across=is_wide(result))]
    if deviations is not None:
        chapters.append(Chapter("Deviations", (deviations,)))
    if stress is not None:
        chapters.append(Chapter("Stress tests", (stress,)))
    chapters.append(Chapter("Property by property", property_parts(result, styles)))
    chapters.append(Chapter("Time taken", (seconds_table(result),)))
    return chapters
