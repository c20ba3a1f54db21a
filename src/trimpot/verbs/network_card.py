"""Facts of a network potential for its model card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from trimpot.elements import SYMBOLS
from trimpot.verbs.card import envelope_details, term_facts
from trimpot.verbs.charges import charges_in_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.networks.mlanet.settings import MLANetSettings
    from trimpot.networks.potential import NetworkPotential

SHOWN = ("data", "training")
"""Facts of the provenance that stand on the card as they are."""

NO_GRADES = "It has no extrapolation grades and no uncertainties."


def network_facts(potential: NetworkPotential, name: str) -> dict[str, object]:
    """Return the facts that a model card shows, from the potential alone."""
    prior = () if potential.prior is None else potential.prior.terms
    energies = zip(potential.species, potential.e0s.tolist(), strict=True)
    facts: dict[str, object] = {
        "name": name,
        "kind": " + ".join(["mlanet", *(term.kind for term in prior)]),
        "species": [SYMBOLS[z] for z in potential.species],
        "cutoffs": {
            "network": potential.settings.cutoff,
            **{term.kind: term.cutoff for term in prior},
        },
        "terms": [_network(potential), *(term_facts(term) for term in prior)],
        "coefficients": potential.n_weights,
        "isolated_energies": {SYMBOLS[z]: energy for z, energy in energies},
        "limits": [*_limits(potential.settings), *_charge_limits(potential)],
    }
    version = potential.provenance.get("trimpot")
    if isinstance(version, str):
        facts["version"] = f"trimpot {version}"
    core = potential.prior is not None and "zbl" in potential.prior.parts
    for key in (*SHOWN, "shortest_distances") if core else SHOWN:
        if isinstance(potential.provenance.get(key), Mapping):
            facts[key] = potential.provenance[key]
    return {key: value for key, value in facts.items() if value not in ({}, [])}


def _charge_limits(potential: NetworkPotential) -> list[str]:
    if potential.charges is None:
        return []
    return [
        "It knows total charges of whole structures, and where they are it does not: "
        "charged fragments that move apart keep a part of each other's energy."
    ]


def _limits(settings: MLANetSettings) -> list[str]:
    limits = [NO_GRADES]
    if settings.forces == "direct":
        limits.append(
            "Forces are predicted directly and are not the gradient of the energy: they do "
            "not conserve it, and there is no stress. It is to start from or to compare "
            "with; constant energy and constant pressure are refused."
        )
    if settings.readout == "pooled":
        limits.append(
            "The energy is one function of the features of all atoms, pooled: it is not "
            "extensive, and energies of atoms are equal shares of it. It is for molecules "
            "of the sizes in the data."
        )
    return limits


def _network(potential: NetworkPotential) -> dict[str, object]:
    settings = potential.settings
    details = [
        f"{settings.layers} layers of {settings.channels} channels, l up to "
        f"{settings.l_max}, products of {settings.correlation}",
        f"pooling {', '.join(settings.pooling)}",
        f"{settings.radial} envelope, {potential.precision} arithmetic",
    ]
    if potential.charges is not None:
        details.append(charges_in_words(potential.charges))
    if not settings.attention:
        details.append("without attention")
    if not settings.gate:
        details.append("without the chemical gate")
    if settings.forces == "direct":
        details.append("direct forces, not conservative")
    if settings.readout == "pooled":
        details.append("energy of all atoms pooled, not extensive")
    if settings.envelope is not None:
        details += envelope_details(settings.envelope.build(potential.species))
    return {
        "kind": "network",
        "cutoff": settings.cutoff,
        "coefficients": potential.n_weights,
        "details": details,
    }


def recorded_history(provenance: Mapping[str, object]) -> Sequence[Mapping[str, float]]:
    """Return the history that a potential keeps; empty if there is none."""
    rows = provenance.get("history", [])
    return cast("Sequence[Mapping[str, float]]", rows) if isinstance(rows, list) else []
