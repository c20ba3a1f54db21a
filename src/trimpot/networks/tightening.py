"""Weights of edges under pressure: how a budget tightens an envelope.

Formulas: `envelopes.budget`; why: docs/theory/envelopes.md, section 7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from trimpot.networks.radial import radial_weights
from trimpot.networks.screening import Screening

if TYPE_CHECKING:
    from trimpot.envelopes.budget import BudgetedEnvelope


@dataclass(frozen=True)
class Links:
    """Which edges are whose, and what may screen them.

    Attributes
    ----------
    n : int
        Number of atoms.
    atoms : (m,) int64
        Atom i of each edge.
    screened : (t,) int64
        Edge of each triplet.
    trios : (t,) int64
        Species of each triplet, see ``Screening.trio``.
    """

    n: int
    atoms: Tensor
    screened: Tensor
    trios: Tensor

    def around(self, chosen: Tensor) -> tuple[Links, Tensor, Tensor]:
        """Return links of chosen atoms, (n,) bool, and the places of edges and triplets."""
        left = chosen[self.atoms]
        edges = left.nonzero()[:, 0]
        triplets = left[self.screened].nonzero()[:, 0]
        atom_places, edge_places = chosen.cumsum(0) - 1, left.cumsum(0) - 1
        links = Links(
            int(chosen.sum()),
            atom_places[self.atoms[edges]],
            edge_places[self.screened[triplets]],
            self.trios[triplets],
        )
        return links, edges, triplets


class Tightening(nn.Module):
    """w = f(lambda(p) r) S(sigma(p)) of edges, and its sums around atoms.

    Parameters
    ----------
    envelope : BudgetedEnvelope
        The envelope; its species are the elements of the graphs.
    """

    def __init__(self, envelope: BudgetedEnvelope) -> None:
        super().__init__()
        self.envelope = envelope
        self.screening = Screening(envelope.triplet, envelope.span)

    def forward(self, r_m: Tensor, c_t: Tensor, links: Links, p_m: Tensor) -> Tensor:
        """Return the weights of edges, (m,).

        Parameters
        ----------
        r_m : (m,)
            Lengths of the edges in angstrom.
        c_t : (t,)
            C of the triplets.
        links : Links
            What belongs together.
        p_m : (m,)
            Pressures of the edges.
        """
        r_t = r_m[links.screened] if self.envelope.triplet.outer else None
        shift = -self.envelope.span * torch.expm1(-p_m)
        x_t = self.screening.share(c_t, r_t, links.trios, shift[links.screened])
        f_m = radial_weights(
            self.envelope.radial, torch.exp(self.envelope.shrink * p_m) * r_m
        )
        return f_m * self.screening.combined(x_t, links.screened, len(r_m))

    def sums(self, r_m: Tensor, c_t: Tensor, links: Links, p_n: Tensor) -> Tensor:
        """Return N of atoms, (n,), if all edges of an atom have its pressure."""
        w_m: Tensor = self(r_m, c_t, links, p_n[links.atoms])
        return w_m.new_zeros(links.n).index_add(0, links.atoms, w_m)
