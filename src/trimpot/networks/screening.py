"""The triplet envelope in torch: weights of edges, differentiable to any order.

Formulas: `envelopes.triplet`; specification in NumPy: `envelopes.reference`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from trimpot.networks.switches import log_switch

if TYPE_CHECKING:
    from trimpot.envelopes.triplet import TripletEnvelope
    from trimpot.networks.graphs import Graph
    from trimpot.networks.search import Survivors

BESIDE = 1e30
"""C of an atom that is not between the ends."""

NEVER_MIN, NEVER_MAX = -2e6, -1e6
"""C lies above both, whatever is added to them: limits of an atom that does not screen."""


def ellipsoid(u_tc: Tensor, v_tc: Tensor) -> Tensor:
    """Return C_ikj of triplets with r_ij = u and r_ik = v, (t,); ``BESIDE`` beside."""
    square = (u_tc * u_tc).sum(-1)
    t = (u_tc * v_tc).sum(-1) / square
    between = (t > 0.0) & (t < 1.0)
    q_tc = v_tc - t[:, None] * u_tc
    scale = torch.where(between, square * t * (1.0 - t), 1.0)
    return torch.where(between, (q_tc * q_tc).sum(-1) / scale, BESIDE)


class Screening(nn.Module):
    """S of edges from the triplets that screen them in part.

    Tables move and change precision with the module; they are not part of its state, for
    the envelope is a setting and not a parameter.

    Parameters
    ----------
    envelope : TripletEnvelope
        The envelope; its species are the elements of the graphs.
    span : float
        The most that will be added to C_min and C_max (by a budget).

    Attributes
    ----------
    widest : float
        The largest C_max, with ``span``.
    stretch : float
        See ``TripletEnvelope.stretch``; with ``span``.
    """

    c_min: Tensor
    c_max: Tensor

    def __init__(self, envelope: TripletEnvelope, span: float = 0.0) -> None:
        super().__init__()
        self.envelope, self.span = envelope, span
        c_min = np.where(envelope.screens, envelope.c_min, NEVER_MIN)
        c_max = np.where(envelope.screens, envelope.c_max, NEVER_MAX)
        self.stretch = replace(envelope, c_max=envelope.c_max + span).stretch
        self.widest = float(c_max.max(initial=0.0)) + span
        self.register_buffer("c_min", torch.from_numpy(c_min).ravel(), persistent=False)
        self.register_buffer("c_max", torch.from_numpy(c_max).ravel(), persistent=False)

    def forward(
        self, r_mc: Tensor, screened: Tensor, v_tc: Tensor, trios: Tensor
    ) -> Tensor:
        """Return S of each edge, (m,).

        Parameters
        ----------
        r_mc : (m, 3)
            r_ij of the edges in angstrom.
        screened : (t,) int64
            Edge of each triplet, an index into ``r_mc``.
        v_tc : (t, 3)
            r_ik of each triplet in angstrom.
        trios : (t,) int64
            Species of each triplet, see ``trio``.
        """
        u_tc = r_mc.index_select(0, screened)
        r_t = torch.linalg.vector_norm(u_tc, dim=1) if self.envelope.outer else None
        x_t = self.share(ellipsoid(u_tc, v_tc), r_t, trios)
        return self.combined(x_t, screened, len(r_mc))

    def trio(self, i: Tensor, j: Tensor, k: Tensor) -> Tensor:
        """Return the entry of the tables for ends i, j and a screening atom k."""
        n = len(self.envelope.species)
        return (i * n + j) * n + k

    def trios(self, graph: Graph, survivors: Survivors) -> Tensor:
        """Return the entries of the tables of all triplets of a search, (t,)."""
        i, j = graph.edges[:, survivors.edges[survivors.screened]]
        k = graph.edges[1, survivors.screening]
        return self.trio(graph.species[i], graph.species[j], graph.species[k])

    def share(
        self, c: Tensor, r: Tensor | None, trios: Tensor, shift: Tensor | float = 0.0
    ) -> Tensor:
        """Return x of triplets, (t,): screened entirely at x <= 0, not at all at x >= 1.

        ``r`` is the length of the pair; not needed without inner and outer radius. The
        shift of each triplet, 0 to ``span``, is added to C_min and C_max.
        """
        c_min = self.c_min.to(c.dtype)[trios]
        c_max = self.c_max.to(c.dtype)[trios]
        if r is not None:
            c = c + (c_max + shift) * self._relief(r)
        return (c - c_min - shift) / (c_max - c_min)

    def _relief(self, r: Tensor) -> Tensor:
        inner, outer = self.envelope.inner, self.envelope.outer
        return log_switch("bump", (outer - r) / (outer - inner)).exp()

    def combined(self, x_t: Tensor, screened: Tensor, n: int) -> Tensor:
        """Return S of n edges from x of their triplets."""
        kind = self.envelope.switch
        if self.envelope.combine == "product":
            logs = log_switch(kind, x_t)
            return logs.new_zeros(n).index_add(0, screened, logs).exp()
        shortfall = 1.0 - x_t.clamp(0.0, 1.0)
        return log_switch(kind, 1.0 - _fourth_norm(shortfall, screened, n)).exp()


def _fourth_norm(shortfall: Tensor, screened: Tensor, n: int) -> Tensor:
    """Return (sum of shortfall^4)^(1/4) of each edge, (n,).

    Each sum is taken in units of its largest term, which keeps slopes finite where all are
    small. The norm does not depend on the unit, which is therefore a constant.
    """
    none = shortfall.new_zeros(n)
    largest = none.scatter_reduce(0, screened, shortfall.detach(), "amax")
    unit = torch.where(largest > 0.0, largest, 1.0)
    sums = none.index_add(0, screened, (shortfall / unit[screened]) ** 4)
    return largest * sums.clamp_min(0.5) ** 0.25  # a sum is 0, for no term, or >= 1
