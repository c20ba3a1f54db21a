"""Edges as rows: one row of places per atom, so that sums over neighbours are products.

A row has as many places as the atom with most edges needs. Places without an edge have
weight 0 and point to the atom itself from one angstrom away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from trimpot.networks.edges import WeightedEdges


@dataclass(frozen=True)
class EdgeRows:
    """Weighted edges of n atoms in rows of p places.

    Attributes
    ----------
    neighbors : (n, p) int64
        Atom j.
    vectors : (n, p, 3)
        r_ij in angstrom.
    weights : (n, p)
        w_ij; 0 in places without an edge.
    """

    neighbors: Tensor
    vectors: Tensor
    weights: Tensor


def row_places(atoms: Tensor, n: int, *, multiple: int = 1) -> tuple[Tensor, int]:
    """Return the place of each edge in rows laid end to end, (m,), and their length.

    ``atoms`` (2, m) ascend in their first row. Lengths are multiples of ``multiple``.
    """
    counts = torch.bincount(atoms[0], minlength=n)
    longest = max(1, int(counts.max()) if n else 0)
    longest = -(-longest // multiple) * multiple
    first = counts.cumsum(0) - counts
    slots = torch.arange(atoms.shape[1], device=atoms.device) - first[atoms[0]]
    return atoms[0] * longest + slots, longest


def edge_rows(edges: WeightedEdges, n: int, *, multiple: int = 1) -> EdgeRows:
    """Return the edges of n atoms in rows; differentiable in vectors and weights."""
    places, p = row_places(edges.atoms, n, multiple=multiple)
    own = torch.arange(n, device=places.device)[:, None].expand(n, p).reshape(-1)
    neighbors = own.clone()
    neighbors[places] = edges.atoms[1]
    empty = edges.vectors.new_zeros(n * p, 3)
    empty[:, 0] = 1.0
    return EdgeRows(
        neighbors.reshape(n, p),
        empty.index_copy(0, places, edges.vectors).reshape(n, p, 3),
        edges.weights.new_zeros(n * p).index_copy(0, places, edges.weights).reshape(n, p),
    )
