"""Edges, weights, triplets and bytes that a scheme leaves of structures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from trimpot.networks import structure_graph

from .materials import facing
from .schemes import Kept, Scheme

INDEX, REAL = 8, 8
"""Bytes of an index (int64) and of a number (float64)."""

EDGE_BYTES = 3 * INDEX + 5 * REAL
"""Which edge, atoms i and j; vector, length and weight."""

TRIPLET_BYTES = 2 * INDEX + REAL
"""Edges ij and ik, cosine of their angle."""

PARTNER_BYTES = 2 * INDEX
"""Two edges: what weights were made from."""


@dataclass(frozen=True)
class Counts:
    """Means per atom over several structures.

    Attributes
    ----------
    edges, most : float
        Edges of weight > 0: mean and largest.
    weight : float
        Sum of the weights of an atom's edges.
    triplets : float
        Unordered pairs of edges of an atom.
    partners : float
        Pairs of edges that the weights were made from.
    """

    edges: float
    most: float
    weight: float
    triplets: float
    partners: float

    @property
    def edge_bytes(self) -> float:
        """Per atom."""
        return self.edges * EDGE_BYTES

    @property
    def triplet_bytes(self) -> float:
        """Per atom; what the weights were made from included."""
        return self.triplets * TRIPLET_BYTES + self.partners * PARTNER_BYTES


def elements_of(structures) -> tuple[int, ...]:
    """Return the atomic numbers that occur, ascending."""
    return tuple(map(int, np.unique(np.concatenate([s.numbers for s in structures]))))


def weighed(scheme: Scheme, structure, elements) -> Kept:
    """Return the edges of one structure."""
    with torch.no_grad():
        return scheme(structure_graph(structure, elements, scheme.reach))


def counts(scheme: Scheme, structures, elements=None) -> Counts:
    """Return the counts of a scheme."""
    elements = elements or elements_of(structures)
    per_atom, weight, partners = [], 0.0, 0
    for structure in structures:
        found = weighed(scheme, structure, elements)
        i = found.edges.atoms[0]
        per_atom.append(torch.bincount(i, minlength=len(structure)).double())
        weight += float(found.edges.weights.sum())
        partners += found.partners
    n_i = torch.cat(per_atom)
    n = len(n_i)
    return Counts(
        edges=float(n_i.mean()),
        most=float(n_i.max()),
        weight=weight / n,
        triplets=float((n_i * (n_i - 1) / 2).mean()),
        partners=partners / n,
    )


def across(scheme: Scheme, structure, upper: np.ndarray) -> tuple[float, float]:
    """Return edges over a gap per atom of the facing surfaces, and the sum of weights."""
    edges = weighed(scheme, structure, elements_of([structure])).edges
    i, j = edges.atoms.numpy()
    surface = facing(structure, upper)
    crossing = (upper[i] != upper[j]) & surface[i]
    n, weights = surface.sum(), edges.weights.numpy()
    return float(crossing.sum() / n), float(weights[crossing].sum() / n)
