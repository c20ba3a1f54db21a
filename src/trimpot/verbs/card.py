"""Facts of a potential for its model card."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

import numpy as np

from trimpot.elements import SYMBOLS, group_name
from trimpot.splines.density import UNLIMITED, DensityTerm
from trimpot.splines.one_body import OneBody
from trimpot.splines.screened import ScreenedTerm
from trimpot.splines.trust import QUANTITIES, trust_of
from trimpot.verbs.candidates import candidate_facts, recorded_candidates

if TYPE_CHECKING:
    from trimpot.envelopes import TripletEnvelope
    from trimpot.splines.potential import SplinePotential
    from trimpot.splines.term import Term

FEW = 2
"""More trios than this are not listed one by one if others have other limits."""


def card_facts(potential: SplinePotential, name: str) -> dict[str, object]:
    """Return the facts that a model card shows, from the potential alone."""
    provenance = potential.provenance
    facts: dict[str, object] = {
        "name": name,
        "kind": "spline: " + " + ".join(t.kind for t in potential.terms),
        "species": [SYMBOLS[z] for z in potential.species],
        "cutoffs": {t.kind: t.cutoff for t in potential.terms if t.cutoff > 0.0},
        "terms": [term_facts(t) for t in potential.terms],
        "coefficients": sum(len(c) for c in potential.coefficients),
        "isolated_energies": _isolated(potential),
        "shortest_distances": _shortest(potential),
        "limits": _trusted(potential),
    }
    version = provenance.get("trimpot")
    if isinstance(version, str):
        facts["version"] = f"trimpot {version}"
    for key in ("data", "fit"):
        if isinstance(provenance.get(key), Mapping):
            facts[key] = provenance[key]
    facts["choice"] = candidate_facts(recorded_candidates(provenance))
    return {key: value for key, value in facts.items() if value not in ({}, [])}


def term_facts(term: Term) -> dict[str, object]:
    """Return kind, cutoff, number of coefficients and details of a term."""
    details: list[str] = []
    inner = term
    if isinstance(term, ScreenedTerm):
        inner = term.inner
        details += envelope_details(term.envelope)
    if isinstance(inner, DensityTerm):
        details += _densities(inner)
    return {
        "kind": term.kind,
        "cutoff": inner.cutoff,
        "coefficients": term.n_coefficients,
        "details": details,
    }


def _densities(term: DensityTerm) -> list[str]:
    details = [f"{term.radial.n} densities per element, products of up to {term.order}"]
    if term.angular.n:
        products = ["mixed products"] * term.mixed + ["triples"] * term.triples
        details.append(
            f"{term.angular.n} angular densities per element, l up to {term.l_max}"
            + (f", with {' and '.join(products)}" if products else "")
        )
    if (term.limits < UNLIMITED).all():
        details.append("densities saturate beyond the training data")
    return details


def envelope_details(envelope: TripletEnvelope) -> list[str]:
    """Return limits of C, how third atoms act, and which of them do not."""
    kind = f"{envelope.switch}, {envelope.combine}"
    details = [f"screened: {limits_in_words(envelope)} ({kind})"]
    silent = [
        SYMBOLS[z]
        for k, z in enumerate(envelope.species)
        if not envelope.screens[:, :, k].any()
    ]
    if silent:
        details.append(f"never screening: {', '.join(silent)}")
    if envelope.outer > 0.0:
        details.append(
            f"no screening below {envelope.inner:g} Å, in full from {envelope.outer:g} Å"
        )
    if envelope.stretch > 1.0:
        farther = 100.0 * (envelope.stretch - 1.0)
        details.append(f"screening atoms act from {farther:.0f} % beyond the cutoff")
    return details


def limits_in_words(envelope: TripletEnvelope) -> str:
    """Return C_min and C_max; by trio, screening atom in the middle, where they differ."""
    groups = trios_by_limits(envelope)
    texts = [f"C {low:g} to {high:g}" for low, high in groups]
    if len(groups) == 1:
        return texts[0]
    named = zip(groups.values(), texts, strict=True)
    return "; ".join(f"{trios}: {text}" for trios, text in named)


def trios_by_limits(envelope: TripletEnvelope) -> dict[tuple[float, float], str]:
    """Return which trios have each (C_min, C_max), the screening atom in the middle."""
    groups: dict[tuple[float, float], list[str]] = defaultdict(list)
    numbered = list(enumerate(envelope.species))
    for (i, a), (j, b) in combinations_with_replacement(numbered, 2):
        for k, z in numbered:
            if envelope.screens[i, j, k]:
                ends = float(envelope.c_min[i, j, k]), float(envelope.c_max[i, j, k])
                groups[ends].append(group_name((a, z, b)))
    most = max(groups.values(), key=len, default=[])
    return {
        ends: "all other trios" if trios is most and len(trios) > FEW else ", ".join(trios)
        for ends, trios in groups.items()
    }


def _isolated(potential: SplinePotential) -> dict[str, float]:
    for term, values in zip(potential.terms, potential.coefficients, strict=True):
        if isinstance(term, OneBody):
            return {SYMBOLS[z]: float(e) for z, e in zip(term.species, values, strict=True)}
    return {}


def _trusted(potential: SplinePotential) -> list[str]:
    """Return what the potential knows of its own limits, in sentences."""
    trust = trust_of(potential.statistics)
    if trust is None:
        return ["It has no extrapolation grades and no uncertainties."]
    known = [q for q, v in zip(QUANTITIES, trust.variances, strict=True) if v.any()]
    grades = "Extrapolation grades of atoms: 98 % of held-out training frames are below 1."
    if not known:
        return [grades]
    return [
        grades,
        f"Uncertainty of {', '.join(known)}: 95 % of held-out errors lie within 1.96 "
        "standard deviations.",
    ]


def _shortest(potential: SplinePotential) -> dict[str, float]:
    smallest = potential.statistics.get("smallest")
    if smallest is None:
        return {}
    numbered = enumerate(potential.species)
    return {
        group_name((a, b)): float(smallest[i, j])
        for (i, a), (j, b) in combinations_with_replacement(list(numbered), 2)
        if np.isfinite(smallest[i, j])
    }
