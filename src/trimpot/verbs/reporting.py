"""Tables, figures, model card and report page of a training run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trimpot.files import write_text
from trimpot.reports.card import card_sections, model_card
from trimpot.reports.page import Picture, html_page
from trimpot.reports.scores import plot_cross_validation
from trimpot.verbs.card import card_facts
from trimpot.verbs.drawing import score_curves
from trimpot.verbs.judging import write_figures, write_judgements
from trimpot.verbs.showing import curve_figures

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from trimpot.verbs.training import TrainResult
    from trimpot.verbs.watching import Watcher

CAPTIONS = {
    "parity": (
        "Parity",
        "Predicted beside reference values; insets: distribution of the errors.",
    ),
    "errors_per_group": ("Errors per group", "RMSE per config_type with standard errors."),
    "pair_curves": (
        "Pair energies",
        "V2(r) of E = sum over i and j of V2, repulsive core included (half the energy of "
        "a dimer), over the distances in the training frames.",
    ),
    "triplet_slices": (
        "Triplet energies",
        "V3 with both legs equal: over leg and opposite side, and over the angle.",
    ),
    "cross_validation": (
        "Cross-validation",
        "Held-out score over curvature at the chosen share of the energies.",
    ),
}


def write_results(result: TrainResult, watcher: Watcher) -> None:
    """Write errors, figures, card.md and report.html into the output folder."""
    watcher.note(f"writing tables and figures to {result.output}")
    figures = _figures(result)
    facts = card_facts(result.potential, result.model.name)
    write_text(result.output / "card.md", model_card(facts, result.errors))
    pictures = [Picture(*CAPTIONS[name], figure) for name, figure in figures.items()]
    page = html_page(
        f"{', '.join(map(str, _symbols(facts)))}: {facts['kind']}",
        card_sections(facts, result.errors),
        pictures,
        lead=" ".join(closing_lines(result)[:1]),
    )
    write_text(result.output / "report.html", page)


def _symbols(facts: dict[str, object]) -> list[object]:
    symbols = facts["species"]
    return symbols if isinstance(symbols, list) else [symbols]


def _figures(result: TrainResult) -> dict[str, Figure]:
    figures: dict[str, Figure] = {}
    if result.judgements:
        figures |= write_judgements(result.judgements, result.output)
    own = curve_figures(result.potential)
    curves, chosen = score_curves(result.fit.selection)
    if curves:
        own["cross_validation"] = plot_cross_validation(
            curves, chosen=chosen, strength_label="curvature strength"
        )
    write_figures(own, result.output)
    return figures | own


def closing_lines(result: TrainResult) -> list[str]:
    """Return the summary in plain language: how good, where, what next."""
    lines = [_verdict(result)]
    lines.append(f"potential: {result.model}; open {result.output / 'report.html'} to look")
    lines.append(
        f"next: trimpot show {result.model}; trimpot evaluate {result.model} YOUR_DATA; in "
        f"Python: atoms.calc = trimpot.Calculator(trimpot.load('{result.model}'))"
    )
    return lines


def _verdict(result: TrainResult) -> str:
    name = "test" if "test" in result.errors else "train"
    if name not in result.errors:
        return "fitted again without data: judge it with `trimpot evaluate`"
    tables = result.errors[name]
    parts = [
        f"{quantity} {row.rmse:.4g} {row.unit}"
        for quantity in ("energy", "forces", "stress")
        for row in tables.select(quantity, "all")
    ]
    where = f"{tables.frames} {name} frames"
    caution = "" if name == "test" else " (no test frames: these errors flatter)"
    return f"RMSE on {where}: {', '.join(parts)}{caution}"
