"""Tables, figures, model card and report page of a training run."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from trimpot.files import write_text
from trimpot.reports.card import card_sections, model_card
from trimpot.reports.page import Picture, html_page
from trimpot.reports.reliability import reliability_lines
from trimpot.reports.scores import plot_cross_validation
from trimpot.verbs.candidates import CANDIDATES_FILE
from trimpot.verbs.drawing import score_curves
from trimpot.verbs.judging import (
    UNCERTAINTY_FILE,
    error_figures,
    write_figures,
    write_tables,
)
from trimpot.verbs.showing import facts_and_figures

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure

    from trimpot.verbs.training import TrainResult
    from trimpot.verbs.training_network import NetworkTrainResult
    from trimpot.verbs.watching import Watcher

    AnyResult: TypeAlias = TrainResult | NetworkTrainResult

CAPTIONS = {
    "parity": (
        "Parity",
        "Predicted beside reference values; insets: distribution of the errors.",
    ),
    "errors_per_group": ("Errors per group", "RMSE per config_type with standard errors."),
    "uncertainty": (
        "Uncertainty on test frames",
        "RMSE of values with about the same predicted standard deviation (on the line: as "
        "foretold), and the largest extrapolation grade of each frame.",
    ),
    "pair_curves": (
        "Pair energies",
        "V2(r) of E = sum over i and j of V2, repulsive core included (half the energy of "
        "a dimer, without densities), over the distances in the training frames. Screened "
        "V2 are drawn before they are multiplied by the weight S of the pair.",
    ),
    "triplet_slices": (
        "Triplet energies",
        "V3 with both legs equal: over leg and opposite side, and over the angle. Screened "
        "V3 are drawn before they are multiplied by the weights of their legs.",
    ),
    "density_functions": (
        "Functions of the densities",
        "What a neighbour at r adds to each density (B) and angular density (R).",
    ),
    "energy_by_term": (
        "Energy by term",
        "Simple crystals of lowest energy, compressed and pulled apart: what each kind of "
        "term contributes. Only the sum is physical. The data need not hold such crystals. "
        "Where densities saturate, the potential extrapolates.",
    ),
    "envelopes": (
        "Screening",
        "Left: weight of a pair beside one third atom; dotted are values of C that whole "
        "shells of crystals have. Right: where that atom stands; inside the full line it "
        "screens entirely, outside the dashed line not at all.",
    ),
    "training": (
        "Training",
        "Loss on training and validation frames, and errors on validation frames, over "
        "epochs and time. The best weights on the validation frames are kept.",
    ),
    "cross_validation": (
        "Cross-validation",
        "Held-out score over curvature at the chosen share of the energies.",
    ),
}


def write_results(result: AnyResult, watcher: Watcher, *, figures: bool) -> None:
    """Write errors and card.md; with figures, also those and report.html."""
    watcher.note(f"writing tables and figures to {result.output}")
    facts, curves = facts_and_figures(result.potential, result.model.name, figures=figures)
    drawn = _figures(result, curves) if figures else {}
    _remove_stale(result, drawn)
    if result.judgements:
        write_tables(result.judgements, result.output)
    write_text(result.output / "card.md", model_card(facts, result.errors))
    if figures:
        write_figures(drawn, result.output)
        page = _page(result, facts, drawn)
        write_text(result.output / "report.html", page)


def _page(
    result: AnyResult, facts: dict[str, object], figures: Mapping[str, Figure]
) -> str:
    pictures = [Picture(*CAPTIONS[name], figure) for name, figure in figures.items()]
    return html_page(
        f"{', '.join(map(str, _symbols(facts)))}: {facts['kind']}",
        card_sections(facts, result.errors),
        pictures,
        lead=_verdict(result),
    )


def _remove_stale(result: AnyResult, figures: Mapping[str, Figure]) -> None:
    """Remove what an earlier run left in the folder and this one did not replace."""
    stale = [f"figures/{name}.png" for name in CAPTIONS if name not in figures]
    stale += [] if figures else ["report.html"]
    stale += [] if result.candidates else [CANDIDATES_FILE]
    stale += [] if result.judgements else ["errors.json", "errors.md"]
    foretold = any(j.reliability is not None for j in result.judgements.values())
    stale += [] if foretold else [UNCERTAINTY_FILE]
    for name in stale:
        (result.output / name).unlink(missing_ok=True)


def _symbols(facts: dict[str, object]) -> list[object]:
    symbols = facts["species"]
    return symbols if isinstance(symbols, list) else [symbols]


def _figures(result: AnyResult, curves: Mapping[str, Figure]) -> dict[str, Figure]:
    figures = error_figures(result.judgements) if result.judgements else {}
    figures |= curves
    fit = getattr(result, "fit", None)
    scores, chosen = ([], None) if fit is None else score_curves(fit.selection)
    if scores:
        figures["cross_validation"] = plot_cross_validation(
            scores, chosen=chosen, strength_label="curvature strength"
        )
    return figures


def closing_lines(result: AnyResult) -> list[str]:
    """Return the summary in plain language: how good, where, what next."""
    page = result.output / "report.html"
    look = f"; open {page} to look" if page.exists() else ""
    return [
        *_chosen(result),
        _verdict(result),
        *_foretold(result),
        f"potential: {result.model}{look}",
        f"next: trimpot show {result.model}; trimpot evaluate {result.model} YOUR_DATA; in "
        f"Python: atoms.calc = trimpot.Calculator(trimpot.load('{result.model}'))",
    ]


def _chosen(result: AnyResult) -> list[str]:
    found = result.candidates
    return [f"chosen from {len(found)} candidates: {found[0].label}"] if found else []


def _foretold(result: AnyResult) -> list[str]:
    judged = [j.reliability for j in result.judgements.values()]
    return [line for r in judged if r is not None for line in reliability_lines(r)]


def _verdict(result: AnyResult) -> str:
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
