"""Ways to keep fewer edges: weights of edges, differentiable twice, and 0 for the rest.

Small and for comparison only. Every scheme gives w_ij of directed edges; the model and
everything else is the same for all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor

from trimpot.envelopes import EnvelopeSettings, RadialEnvelope
from trimpot.networks import EdgePruning, Graph, WeightedEdges
from trimpot.networks.radial import radial_weights
from trimpot.networks.switches import log_switch

CUTOFF = 6.0
WIDTH = 0.8
"""C_max - C_min of all triplet envelopes here, as in the default settings."""


class Scheme(Protocol):
    """Anything that weighs the edges of a graph.

    Attributes
    ----------
    reach : float
        Cutoff in A that graphs need.
    longest : float
        Distance in A beyond which every weight is 0.
    """

    reach: float
    longest: float

    def __call__(self, graph: Graph, positions: Tensor | None = None) -> Kept: ...


@dataclass(frozen=True)
class Kept:
    """Edges that are left, and how many pairs of edges their weights were made from."""

    edges: WeightedEdges
    partners: int


def kept(graph: Graph, positions, index: Tensor, weigh, partners: int = 0) -> Kept:
    """Return edges of the graph with the weights ``weigh(lengths)``."""
    vectors = graph.displacements(positions, edges=index)
    lengths = torch.linalg.vector_norm(vectors, dim=1)
    atoms = graph.edges[:, index]
    return Kept(
        WeightedEdges(index, atoms, vectors, lengths, weigh(lengths, atoms[0])), partners
    )


def lengths_of(graph: Graph, positions) -> Tensor:
    """Return all lengths in A, without slopes."""
    with torch.no_grad():
        return torch.linalg.vector_norm(graph.displacements(positions), dim=1)


def rise(x: Tensor) -> Tensor:
    """Return the C-infinity switch from 0 at x = -1 to 1 at x = 1."""
    return log_switch("bump", 0.5 * (x + 1.0)).exp()


def neighbour_rows(graph: Graph, r_e: Tensor) -> tuple[Tensor, Tensor]:
    """Return edges and lengths of each atom in rows, nearest first; infinity at the end."""
    counts = torch.bincount(graph.edges[0], minlength=len(graph.positions))
    places = torch.arange(int(counts.max()))
    held = places < counts[:, None]
    edges = torch.where(held, (counts.cumsum(0) - counts)[:, None] + places, 0)
    r, order = torch.where(held, r_e[edges], torch.inf).sort(dim=1, stable=True)
    return edges.gather(1, order), r


@dataclass(frozen=True)
class Radial:
    """w = f(r): the unpruned model, and a plain shorter cutoff."""

    longest: float = CUTOFF

    @property
    def reach(self) -> float:
        return self.longest

    def __call__(self, graph: Graph, positions: Tensor | None = None) -> Kept:
        index = (lengths_of(graph, positions) < self.longest).nonzero()[:, 0]
        envelope = RadialEnvelope(self.longest)
        return kept(graph, positions, index, lambda r, _: radial_weights(envelope, r))


@dataclass(frozen=True)
class HardNearest:
    """The K nearest neighbours with w = f(r): others are dropped as they are."""

    number: float
    reach: float = CUTOFF
    longest: float = CUTOFF

    def __call__(self, graph: Graph, positions: Tensor | None = None) -> Kept:
        edges, r = neighbour_rows(graph, lengths_of(graph, positions))
        near = edges[:, : round(self.number)][r[:, : round(self.number)] < self.longest]
        envelope = RadialEnvelope(self.longest)
        return kept(
            graph, positions, near.sort().values, lambda r, _: radial_weights(envelope, r)
        )


@dataclass(frozen=True)
class SoftNearest:
    """w = f(r) s(rank): ranks are smooth counts of nearer neighbours.

    rank_ij = sum_k h((r_ij - r_ik) / blur), with h rising from 0 at -1 to 1 at 1; weights
    fall from 1 to 0 over ranks number - fade .. number + fade, fade = share * number.
    """

    number: float
    blur: float = 0.4
    share: float = 0.35
    reach: float = CUTOFF
    longest: float = CUTOFF

    def __call__(self, graph: Graph, positions: Tensor | None = None) -> Kept:
        edges, r = neighbour_rows(graph, lengths_of(graph, positions))
        shift = (r[:, :, None] - r[:, None, :]) / self.blur
        itself = torch.eye(r.shape[1], dtype=bool)
        count = torch.where(itself, 0.0, rise(shift.nan_to_num(-2.0))).sum(2)
        fade = self.share * self.number
        alive = (count < self.number + fade) & (r < self.longest)
        index, order = edges[alive].sort()
        place = torch.full_like(edges, -1)
        place[alive] = order.argsort()
        close = (shift.abs() < 1.0) & ~itself & alive[:, :, None]
        row, j, k = close.nonzero(as_tuple=True)
        nearer = (shift >= 1.0).sum(2)[alive][order].double()
        others = graph.displacements(positions, edges=edges[row, k])
        r_k = torch.linalg.vector_norm(others, dim=1)
        envelope = RadialEnvelope(self.longest)

        def weigh(r: Tensor, _: Tensor) -> Tensor:
            of = place[row, j]
            rank = nearer.index_add(0, of, rise((r[of] - r_k) / self.blur))
            return radial_weights(envelope, r) * rise((self.number - rank) / fade)

        return kept(graph, positions, index, weigh, len(row))


@dataclass(frozen=True)
class AdaptiveCutoff:
    """w_ij = f(r_ij / R_i) with a cutoff R_i of each atom.

    sum_j f(r_ij / R_i) + target (R_i / reach)^12 = target: R_i is smooth and below reach.
    """

    target: float
    reach: float = CUTOFF
    longest: float = CUTOFF

    def __call__(self, graph: Graph, positions: Tensor | None = None) -> Kept:
        r_e, i_e = lengths_of(graph, positions), graph.edges[0]
        n = len(graph.positions)
        with torch.no_grad():
            none, most = torch.zeros(n).double(), torch.full((n,), self.reach).double()
            root = bisected(lambda R: self._excess(R, r_e, i_e), none, most)
        index = (r_e < root[i_e]).nonzero()[:, 0]

        def weigh(r: Tensor, i: Tensor) -> Tensor:
            cutoff = followed(lambda R: self._excess(R, r, i), root)
            return self._envelope(r / cutoff[i])

        return kept(graph, positions, index, weigh)

    @staticmethod
    def _envelope(x: Tensor) -> Tensor:
        return radial_weights(RadialEnvelope(1.0), x)

    def _excess(self, cutoff: Tensor, r_e: Tensor, i_e: Tensor) -> Tensor:
        phantom = self.target * (cutoff / self.reach) ** 12 - self.target
        return phantom.index_add(0, i_e, self._envelope(r_e / cutoff[i_e]))


def bisected(excess, low: Tensor, high: Tensor, steps: int = 16) -> Tensor:
    """Return roots of increasing functions, one per atom; `followed` makes them exact."""
    for _ in range(steps):
        middle = 0.5 * (low + high)
        over = excess(middle) > 0.0
        low, high = torch.where(over, low, middle), torch.where(over, middle, high)
    return 0.5 * (low + high)


def followed(excess, root: Tensor) -> Tensor:
    """Return exact roots that know their first and second derivatives.

    A step of Newton squares the error; two more, differentiated, bring the derivatives.
    """
    for step in range(3):
        if step == 1:
            root = root.detach()
        at = root if root.requires_grad else root.detach().requires_grad_()
        with torch.enable_grad():
            value = excess(at)
            slope = torch.autograd.grad(value.sum(), at, create_graph=True)[0]
        root = at - value / slope
    return root


@dataclass(frozen=True)
class Triplets:
    """w = f(r) S: the triplet envelope of `trimpot.networks`."""

    c_min: float
    switch: str = "smooth"
    combine: str = "product"
    width: float = WIDTH
    elements: tuple[int, ...] = (74,)
    longest: float = CUTOFF
    never_screen: tuple[str, ...] = ()

    @cached_property
    def pruning(self) -> EdgePruning:
        c_max = self.c_min + self.width
        settings = EnvelopeSettings(
            self.c_min, c_max, self.switch, self.combine, self.never_screen
        )
        return EdgePruning(RadialEnvelope(self.longest), settings.build(self.elements))

    @property
    def reach(self) -> float:
        return self.pruning.reach

    def __call__(self, graph: Graph, positions: Tensor | None = None) -> Kept:
        survivors = self.pruning.survivors(graph, positions)
        edges = self.pruning(graph, positions, survivors=survivors)
        return Kept(edges, len(survivors.screened))
