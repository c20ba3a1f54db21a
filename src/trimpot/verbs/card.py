"""Facts of a potential for its model card."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

import numpy as np

from trimpot.elements import SYMBOLS, group_name
from trimpot.splines.one_body import OneBody

if TYPE_CHECKING:
    from trimpot.splines.potential import SplinePotential


def card_facts(potential: SplinePotential, name: str) -> dict[str, object]:
    """Return the facts that a model card shows, from the potential alone."""
    provenance = potential.provenance
    facts: dict[str, object] = {
        "name": name,
        "kind": "spline: " + " + ".join(t.kind for t in potential.terms),
        "species": [SYMBOLS[z] for z in potential.species],
        "cutoffs": {t.kind: t.cutoff for t in potential.terms if t.cutoff > 0.0},
        "coefficients": sum(len(c) for c in potential.coefficients),
        "isolated_energies": _isolated(potential),
        "shortest_distances": _shortest(potential),
    }
    version = provenance.get("trimpot")
    if isinstance(version, str):
        facts["version"] = f"trimpot {version}"
    for key in ("data", "fit"):
        if isinstance(provenance.get(key), Mapping):
            facts[key] = provenance[key]
    return {key: value for key, value in facts.items() if value != {}}


def _isolated(potential: SplinePotential) -> dict[str, float]:
    for term, values in zip(potential.terms, potential.coefficients, strict=True):
        if isinstance(term, OneBody):
            return {SYMBOLS[z]: float(e) for z, e in zip(term.species, values, strict=True)}
    return {}


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
