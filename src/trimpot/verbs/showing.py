"""The verb ``show``: model card and figures of the terms of a potential."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trimpot.errors import InputError
from trimpot.files import load, make_folder, write_text
from trimpot.networks.potential import NetworkPotential
from trimpot.reports.card import model_card
from trimpot.reports.curves import plot_pair_curves
from trimpot.reports.densities import plot_energies_by_term, plot_radial_functions
from trimpot.reports.envelopes import plot_envelopes
from trimpot.reports.slices import plot_triplet_slices
from trimpot.reports.training import plot_training
from trimpot.splines.potential import SplinePotential
from trimpot.verbs.card import card_facts
from trimpot.verbs.drawing import pair_curves, triplet_slices
from trimpot.verbs.drawing_terms import (
    energies_by_term,
    envelope_pictures,
    radial_functions,
)
from trimpot.verbs.judging import recorded_errors, write_figures
from trimpot.verbs.network_card import network_facts, recorded_history

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from trimpot.contract import Potential


@dataclass(frozen=True)
class ShowResult:
    """What a potential is.

    Attributes
    ----------
    card : str
        Model card, Markdown.
    facts : dict
        The facts of the card, JSON-compatible.
    output : Path or None
        Folder of card and figures, if they were written.
    """

    card: str
    facts: dict[str, object]
    output: Path | None


def show(model: str | Path | Potential, *, output: str | Path | None = None) -> ShowResult:
    """Return the model card of a potential; with a folder, write it with its curves.

    Parameters
    ----------
    model
        A potential or the path of its file.
    output
        Folder for card.md and figures of what the potential has: pair_curves.png,
        triplet_slices.png, density_functions.png, energy_by_term.png, envelopes.png;
        training.png of a network.

    Raises
    ------
    InputError, FileFormatError
        If the file cannot be used.
    """
    potential = load(model) if isinstance(model, str | Path) else model
    if not isinstance(potential, SplinePotential | NetworkPotential):
        raise InputError(f"cannot show a potential of type {type(potential).__name__}")
    name = Path(model).name if isinstance(model, str | Path) else "potential"
    drawn = output is not None
    facts, figures = facts_and_figures(potential, name, figures=drawn)
    card = model_card(facts, recorded_errors(potential.provenance))
    if output is None:
        return ShowResult(card, facts, None)
    folder = make_folder(output)
    write_text(folder / "card.md", card)
    write_figures(figures, folder)
    return ShowResult(card, facts, folder)


def facts_and_figures(
    potential: SplinePotential | NetworkPotential, name: str, *, figures: bool
) -> tuple[dict[str, object], dict[str, Figure]]:
    """Return the facts of the card and, if asked for, figures of what a potential has."""
    if isinstance(potential, SplinePotential):
        return card_facts(potential, name), curve_figures(potential) if figures else {}
    history = recorded_history(potential.provenance)
    drawn = {"training": plot_training(history)} if figures and history else {}
    return network_facts(potential, name), drawn


def curve_figures(potential: SplinePotential) -> dict[str, Figure]:
    """Return figures of the terms, of those that the potential has."""
    found: dict[str, Figure] = {}
    if pairs := pair_curves(potential):
        found["pair_curves"] = plot_pair_curves(pairs)
    if slices := triplet_slices(potential):
        found["triplet_slices"] = plot_triplet_slices(slices)
    if functions := radial_functions(potential):
        found["density_functions"] = plot_radial_functions(functions)
    if crystals := energies_by_term(potential):
        found["energy_by_term"] = plot_energies_by_term(crystals)
    if envelopes := envelope_pictures(potential):
        found["envelopes"] = plot_envelopes(envelopes)
    return found
