"""Edges with smooth weights: what a network sees of a structure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from trimpot.networks.native_search import fastest_search
from trimpot.networks.radial import radial_weights
from trimpot.networks.screening import Screening
from trimpot.networks.search import Survivors, all_within

if TYPE_CHECKING:
    from trimpot.envelopes.radial import RadialEnvelope
    from trimpot.envelopes.triplet import TripletEnvelope
    from trimpot.networks.graphs import Graph


@dataclass(frozen=True)
class WeightedEdges:
    """m edges that are left of a graph, in its order, with w_ij = f(r_ij) S_ij.

    Attributes
    ----------
    index : (m,) int64
        Which edges of the graph they are.
    atoms : (2, m) int64
        Atoms i and j; i ascends.
    vectors : (m, 3)
        r_ij in angstrom.
    lengths : (m,)
        Their lengths in angstrom.
    weights : (m,)
        w_ij in [0, 1].
    """

    index: Tensor
    atoms: Tensor
    vectors: Tensor
    lengths: Tensor
    weights: Tensor


class EdgeParts(NamedTuple):
    """Edges, and r_ik in angstrom of the triplets that screen them in part, (t, 3)."""

    edges: WeightedEdges
    to_screening: Tensor


class EdgePruning(nn.Module):
    """Weights of edges; edges of weight 0 are left out.

    Vectors and weights are differentiable to any order in positions and strain, as far as
    the envelopes are, and come in the precision of the module (float64 when made). What
    is left out had weight 0 with all its slopes: energies are conserved.

    Parameters
    ----------
    radial : RadialEnvelope
        f(r) and the cutoff.
    triplet : TripletEnvelope, optional
        S; without one, S is 1.

    Attributes
    ----------
    reach : float
        Cutoff in angstrom that graphs need.
    """

    _precision: Tensor

    def __init__(
        self, radial: RadialEnvelope, triplet: TripletEnvelope | None = None
    ) -> None:
        super().__init__()
        self.radial = radial
        self.screening = None if triplet is None else Screening(triplet)
        self.reach = radial.cutoff * (1.0 if triplet is None else triplet.stretch)
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
            A search at these positions, where it was done elsewhere.

        Raises
        ------
        InputError
            If the edges do not reach far enough, or the elements differ.
        """
        if survivors is None:
            survivors = self.survivors(graph, positions, strain)
        return self.parts(graph, survivors, positions, strain).edges

    def parts(
        self,
        graph: Graph,
        survivors: Survivors,
        positions: Tensor | None = None,
        strain: Tensor | None = None,
        *,
        leaves: bool = False,
    ) -> EdgeParts:
        """Return the edges of a search, and the vectors that their weights depend on.

        With ``leaves``, weights can be differentiated by the vectors, not by positions.
        """
        index, kind = survivors.edges, self._precision.dtype
        atoms = graph.edges[:, index]
        vectors = graph.displacements(positions, strain, edges=index).to(kind)
        to_k = graph.displacements(positions, strain, edges=survivors.screening).to(kind)
        if leaves:
            vectors = vectors.detach().requires_grad_()
            to_k = to_k.detach().requires_grad_()
        lengths = torch.linalg.vector_norm(vectors, dim=1)
        weights = radial_weights(self.radial, lengths)
        if self.screening is not None:
            trios = self.screening.trios(graph, survivors)
            screened = survivors.screened
            weights = weights * self.screening(vectors, screened, to_k, trios)
        return EdgeParts(WeightedEdges(index, atoms, vectors, lengths, weights), to_k)

    def survivors(
        self, graph: Graph, positions: Tensor | None = None, strain: Tensor | None = None
    ) -> Survivors:
        """Return which edges are left, and the triplets that screen them in part."""
        with torch.no_grad():
            r_ec = graph.displacements(positions, strain)
        cutoff = self.radial.cutoff
        if self.screening is None:
            return all_within(graph, r_ec, cutoff=cutoff)
        return fastest_search(self.screening, graph, r_ec, cutoff=cutoff)
