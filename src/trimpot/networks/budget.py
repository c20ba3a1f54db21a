"""Edges with smooth weights whose sum around an atom stays below a target.

The budgeted envelope of `envelopes.budget` (its specification in NumPy), where
`networks.edges` has the plain one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from trimpot.networks.edges import WeightedEdges
from trimpot.networks.native_search import fastest_search
from trimpot.networks.pressure import joint, pressures
from trimpot.networks.screening import ellipsoid
from trimpot.networks.search import Survivors
from trimpot.networks.tightening import Links, Tightening

if TYPE_CHECKING:
    from trimpot.envelopes.budget import BudgetedEnvelope
    from trimpot.networks.graphs import Graph


class BudgetedPruning(nn.Module):
    """Weights of edges under a budget; edges of weight 0 are left out.

    As ``EdgePruning``: vectors and weights are differentiable to any order, as far as the
    envelopes are, and come in the precision of the module (float64 when made). Pressures
    are always found in double precision.

    Parameters
    ----------
    envelope : BudgetedEnvelope
        Radial and triplet envelope, and the target.

    Attributes
    ----------
    reach : float
        Cutoff in angstrom that graphs need.
    """

    _precision: Tensor

    def __init__(self, envelope: BudgetedEnvelope) -> None:
        super().__init__()
        self.tightening = Tightening(envelope)
        self.reach = envelope.reach
        one = torch.ones((), dtype=torch.float64)
        self.register_buffer("_precision", one, persistent=False)

    def forward(
        self,
        graph: Graph,
        positions: Tensor | None = None,
        strain: Tensor | None = None,
        *,
        survivors: Survivors | None = None,
    ) -> WeightedEdges:
        """Return the edges that are left.

        Parameters
        ----------
        graph : Graph
            Edges up to ``reach``, on the device of the module.
        positions, strain
            As ``Graph.displacements``.
        survivors : Survivors, optional
            What ``survivors`` returned at these positions.

        Raises
        ------
        InputError
            If the edges do not reach far enough, or the elements differ, or an atom cannot
            come below the target because others sit at the same place.
        """
        if survivors is None:
            survivors = self.survivors(graph, positions, strain)
        kind = self._precision.dtype
        atoms = graph.edges[:, survivors.edges]
        vectors = graph.displacements(positions, strain, edges=survivors.edges).to(kind)
        to_k = graph.displacements(positions, strain, edges=survivors.screening).to(kind)
        lengths = torch.linalg.vector_norm(vectors, dim=1)
        weights = self._weights(
            lengths,
            ellipsoid(vectors.index_select(0, survivors.screened), to_k),
            atoms[1],
            Links(
                len(graph.positions),
                atoms[0],
                survivors.screened,
                self.tightening.screening.trios(graph, survivors),
            ),
        )
        left = (~(weights <= 0.0)).nonzero()[:, 0]
        return WeightedEdges(
            survivors.edges[left],
            atoms[:, left],
            vectors[left],
            lengths[left],
            weights[left],
        )

    def survivors(
        self, graph: Graph, positions: Tensor | None = None, strain: Tensor | None = None
    ) -> Survivors:
        """Return what is left without pressure, and what may screen it under any."""
        with torch.no_grad():
            r_ec = graph.displacements(positions, strain)
        cutoff = self.tightening.envelope.radial.cutoff
        return fastest_search(self.tightening.screening, graph, r_ec, cutoff=cutoff)

    def _weights(self, r_m: Tensor, c_t: Tensor, ends: Tensor, links: Links) -> Tensor:
        p_n = pressures(self.tightening, links, r_m, c_t)
        p_m = joint(p_n.index_select(0, links.atoms), p_n.index_select(0, ends))
        weights: Tensor = self.tightening(r_m, c_t, links, p_m.to(r_m.dtype))
        return weights
