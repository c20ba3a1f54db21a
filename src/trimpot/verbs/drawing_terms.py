"""Densities and envelopes of a spline potential, and its energy by the kind of term."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations, combinations_with_replacement
from typing import TYPE_CHECKING

import numpy as np

from trimpot.elements import group_name
from trimpot.fitting.paths import lattice, scaled
from trimpot.reports.densities import EnergyByTerm, RadialFunctions
from trimpot.reports.envelopes import EnvelopePicture
from trimpot.splines.density import DensityTerm
from trimpot.splines.packing import pack
from trimpot.splines.ranges import largest_arguments
from trimpot.splines.screened import ScreenedTerm
from trimpot.verbs.card import trios_by_limits

if TYPE_CHECKING:
    from trimpot.contract import FloatArray, Structure
    from trimpot.splines.potential import SplinePotential
    from trimpot.splines.term import Term

NAMES = {
    "pair": "pairs and core",
    "zbl": "pairs and core",
    "screened_pair": "screened pairs",
    "triplet": "triplets",
    "screened_triplet": "screened triplets",
    "density": "densities",
    "screened_density": "screened densities",
}
"""What people call kinds of terms."""

LATTICES = ("fcc", "bcc", "sc", "diamond")
COMPOUNDS = ("CsCl", "NaCl", "ZnS")

MOST = 6
"""Panels of a figure."""

POINTS = 300
SCALES = 100

CLOSEST = 0.75
"""Shortest nearest-neighbour distance, over the shortest distance in the data."""

TYPICAL = 2.0
"""Shortest distance where the potential records none, angstrom."""


def radial_functions(potential: SplinePotential) -> list[RadialFunctions]:
    """Return the functions of every density term; pairs that share them together."""
    found = []
    for term in potential.terms:
        inner = _inner(term)
        if not isinstance(inner, DensityTerm):
            continue
        for pairs in _alike(inner):
            i, j = (inner.species.index(z) for z in pairs[0])
            ends = inner.radial.high[i, j], inner.angular.high[i, j]
            r = np.linspace(0.0, max(ends) if inner.angular.n else ends[0], POINTS)
            counts, edges = _data(potential, pairs)
            label = f"{NAMES[term.kind]}: {', '.join(map(group_name, pairs))}"
            found.append(
                RadialFunctions(
                    label,
                    r,
                    inner.radial.values(i, j, r)[0].T,
                    _angular(inner, i, j, r),
                    counts,
                    edges,
                )
            )
    return found[:MOST]


def _angular(term: DensityTerm, i: int, j: int, r: FloatArray) -> FloatArray:
    if term.angular.n == 0:
        return np.zeros((0, len(r)))
    return term.angular.values(i, j, r)[0].T


def _inner(term: Term) -> Term:
    return term.inner if isinstance(term, ScreenedTerm) else term


def _alike(term: DensityTerm) -> list[list[tuple[int, int]]]:
    """Return pairs of species by their radial functions."""
    groups: dict[tuple[float, ...], list[tuple[int, int]]] = defaultdict(list)
    numbered = list(enumerate(term.species))
    for (i, a), (j, b) in combinations_with_replacement(numbered, 2):
        ends = [g[i, j] for x in (term.radial, term.angular) for g in (x.low, x.high)]
        groups[tuple(map(float, ends))].append((a, b))
    return list(groups.values())


def _data(
    potential: SplinePotential, pairs: list[tuple[int, int]]
) -> tuple[FloatArray | None, FloatArray | None]:
    counts = potential.statistics.get("pair_counts")
    if counts is None:
        return None, None
    numbers = [[potential.species.index(z) for z in pair] for pair in pairs]
    together: FloatArray = np.sum([counts[i, j] for i, j in numbers], axis=0)
    cutoff = float(potential.statistics["pair_cutoff"][0])
    return together, np.linspace(0.0, cutoff, len(together) + 1)


def energies_by_term(potential: SplinePotential) -> list[EnergyByTerm]:
    """Return, for every element and every two, the simple crystal of lowest energy.

    Nothing says that the data hold such crystals; what is shown is how terms share the
    energy as surroundings become denser. Only potentials with densities are taken apart.
    """
    if not any(isinstance(_inner(term), DensityTerm) for term in potential.terms):
        return []
    species = potential.species
    kinds = [(z,) for z in species] + list(combinations(species, 2))
    return [_energy_by_term(potential, kind) for kind in kinds[:MOST]]


def _energy_by_term(potential: SplinePotential, kind: tuple[int, ...]) -> EnergyByTerm:
    """Return the crystal of lowest energy where no density is beyond its limit."""
    names = LATTICES if len(kind) == 1 else COMPOUNDS
    found = [_crystal(potential, name, kind) for name in names]
    return min(found, key=lambda crystal: float(crystal.total[crystal.lowest]))


def _crystal(potential: SplinePotential, name: str, kind: tuple[int, ...]) -> EnergyByTerm:
    bound = potential.only(*(part for part in potential.parts if part in NAMES))
    shortest = _shortest(potential, kind)
    r = np.linspace(CLOSEST * (shortest or TYPICAL), potential.cutoff, SCALES)
    crystals = _scaled(name, kind, r)
    parts: dict[str, FloatArray] = {}
    for part in bound.parts:
        energy = _energies(bound.only(part), crystals)
        parts[NAMES[part]] = parts.get(NAMES[part], np.zeros(len(r))) + energy
    label = f"{name} {group_name(kind)}"
    return EnergyByTerm(label, r, parts, shortest, _saturated(bound, crystals))


def _scaled(name: str, kind: tuple[int, ...], r: FloatArray) -> list[Structure]:
    unit = lattice(name, kind)
    return [scaled(unit, float(x)) for x in r]


def _energies(potential: SplinePotential, structures: list[Structure]) -> FloatArray:
    found = potential.evaluate_many(structures, threads=1)
    return np.array([e.energy / len(s) for e, s in zip(found, structures, strict=True)])


def _saturated(potential: SplinePotential, structures: list[Structure]) -> np.ndarray:
    """Return in which structures a density is beyond its limit."""
    beyond = np.zeros(len(structures), dtype=np.bool_)
    for term in potential.terms:
        inner = _inner(term)
        if isinstance(inner, DensityTerm):
            for k, structure in enumerate(structures):
                frames = pack([structure], potential.species)
                found = largest_arguments(term, frames, threads=1)
                beyond[k] |= bool((found > inner.limits).any())
    return beyond


def _shortest(potential: SplinePotential, kind: tuple[int, ...]) -> float:
    """Return the shortest distance of an element or of two in the data; 0: not known."""
    smallest = potential.statistics.get("smallest")
    if smallest is None:
        return 0.0
    found = smallest[potential.species.index(kind[0]), potential.species.index(kind[-1])]
    return float(found) if np.isfinite(found) else 0.0


def envelope_pictures(potential: SplinePotential) -> list[EnvelopePicture]:
    """Return every pair of limits of every envelope, those of several terms once."""
    terms: dict[tuple[object, ...], list[str]] = defaultdict(list)
    limits: dict[tuple[object, ...], EnvelopePicture] = {}
    for term in potential.terms:
        if isinstance(term, ScreenedTerm):
            groups = trios_by_limits(term.envelope)
            for (low, high), trios in groups.items():
                label = trios if len(groups) > 1 else ""
                key = (label, low, high, term.envelope.switch)
                terms[key].append(NAMES[term.kind])
                limits[key] = EnvelopePicture(label, low, high, term.envelope.switch)
    return [
        EnvelopePicture(_title(terms[key], p.label), p.c_min, p.c_max, p.switch)
        for key, p in limits.items()
    ][:MOST]


def _title(terms: list[str], trios: str) -> str:
    names = ", ".join(dict.fromkeys(terms))
    return f"{names}\n{trios}" if trios else names
