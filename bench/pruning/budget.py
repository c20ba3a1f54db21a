"""The budgeted envelope in torch: `trimpot.envelopes.budget`, for comparisons only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from trimpot.envelopes import EnvelopeSettings, RadialEnvelope
from trimpot.networks import Graph, Screening, WeightedEdges
from trimpot.networks.radial import radial_weights
from trimpot.networks.screening import ellipsoid
from trimpot.networks.search import search
from trimpot.networks.switches import log_switch

from .schemes import CUTOFF, WIDTH, Kept, bisected, followed

MOST_PRESSURE = 60.0


@dataclass(frozen=True)
class Budget:
    """A triplet envelope that tightens where weights would add up to more than ``target``.

    Formulas: docs/theory/envelopes.md, section 7.
    """

    target: float
    c_min: float = 0.1
    tightest: float = 2.0
    shrink: float = 0.05
    margin: float = 0.1
    elements: tuple[int, ...] = (74,)
    reach: float = CUTOFF
    longest: float = CUTOFF

    @cached_property
    def _screening(self) -> Screening:
        """All that may screen under any pressure, of edges that are left without."""
        return Screening(EnvelopeSettings(self.c_min, self.tightest).build(self.elements))

    def __call__(self, graph: Graph, positions: Tensor | None = None) -> Kept:
        with torch.no_grad():
            r_ec = graph.displacements(positions)
        found = search(self._screening, graph, r_ec, cutoff=self.longest)
        vectors = graph.displacements(positions, edges=found.edges)
        lengths = torch.linalg.vector_norm(vectors, dim=1)
        to_k = graph.displacements(positions, edges=found.screening)
        c_t = ellipsoid(vectors[found.screened], to_k)
        i, j = graph.edges[:, found.edges]
        n = len(graph.positions)

        def weight(p: Tensor) -> Tensor:
            shift = (WIDTH + self.c_min - self.tightest) * torch.expm1(-p)
            x = (c_t - self.c_min - shift[found.screened]) / WIDTH
            logs = torch.zeros_like(lengths).index_add(
                0, found.screened, log_switch("smooth", x)
            )
            f = radial_weights(
                RadialEnvelope(self.longest), lengths * torch.exp(self.shrink * p)
            )
            return f * logs.exp()

        def total(w: Tensor) -> Tensor:
            return w.new_zeros(n).index_add(0, i, w)

        allowed = self._allowed(total(weight(torch.zeros_like(lengths))))

        def excess(p: Tensor) -> Tensor:
            return allowed - total(weight(p[i]))

        with torch.no_grad():
            none, most = torch.zeros(n).double(), torch.full((n,), MOST_PRESSURE).double()
            room = excess(none) >= 0.0
            root = torch.where(room, 0.0, bisected(excess, none, most))
        p = followed(excess, root)
        w = weight(_joint(p[i], p[j]))
        left = (w > 0.0).nonzero()[:, 0]
        edges = WeightedEdges(
            found.edges[left],
            graph.edges[:, found.edges[left]],
            vectors[left],
            lengths[left],
            w[left],
        )
        return Kept(edges, len(found.screened))

    def _allowed(self, n: Tensor) -> Tensor:
        z = ((n / self.target - 1.0) / self.margin + 1.0).clamp_min(1e-3)
        return n - self.margin * self.target * z * torch.exp(-1.0 / z)


def _joint(p_i: Tensor, p_j: Tensor) -> Tensor:
    """Return (p_i^8 + p_j^8)^(1/8); 0 without slopes where both are 0."""
    none = (p_i == 0.0) & (p_j == 0.0)
    p_i, p_j = torch.where(none, 1.0, p_i), torch.where(none, 1.0, p_j)
    return torch.where(none, 0.0, (p_i**8 + p_j**8) ** 0.125)
