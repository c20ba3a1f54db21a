"""Edges of centres as matrices: which atoms lie in the ellipsoids of which pairs.

With w = r_ik^2 / r_ij^2 and t = r_ij . r_ik / r_ij^2, k is inside the ellipsoid C = c of
the pair where

    w - t^2 < c (t - t^2),

so that small matrix products test all pairs of edges of a centre.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from trimpot.networks.graphs import Graph

BLOCKS = (12, 12, 12, 32)
"""Neighbours per block, nearest first; the last one repeats."""

FAR = 1e30
"""Squared distance of places that hold no edge, and what keeps edges out of a test."""

ROUNDING = 1e-12
"""Relative error of the quadratic form, rounded up."""

NEAR_ENDS = 1e-5
"""t (1 - t) of an atom in the ellipsoid that almost coincides with an end."""


@dataclass(frozen=True)
class Rows:
    """Edges of several centres, nearest first: a row per centre, filled up to one length.

    Attributes
    ----------
    edges : (c, p) int64
        Edges of the graph; any edge in places that hold none.
    square : (c, p)
        r^2 in A^2; ``FAR`` in places that hold no edge.
    vectors : (c, p, 3)
        r_ij in angstrom.
    centers, ends : (c, 1), (c, p) int64
        Species of i and j.
    """

    edges: Tensor
    square: Tensor
    vectors: Tensor
    centers: Tensor
    ends: Tensor

    def reach(self, stretch: float) -> Tensor:
        """Return how many places, nearest first, can hold an atom that screens, (c, p)."""
        if stretch == 1.0:
            return torch.arange(self.square.shape[1], device=self.square.device)[None]
        farthest = self.square * (stretch**2 * (1.0 + ROUNDING))
        return torch.searchsorted(self.square, farthest)


def rows_of(graph: Graph, r_ec: Tensor, limit: int) -> Iterator[Rows]:
    """Yield all edges; a row times a block, summed over rows, is within the limit."""
    counts = torch.bincount(graph.edges[0], minlength=len(graph.positions))
    first = counts.cumsum(0) - counts
    longest = int(counts.max()) if len(counts) else 0
    if longest == 0:
        return
    several = max(1, limit // (longest * max(BLOCKS)))
    square = r_ec.square().sum(1)
    for begin in range(0, len(counts), several):
        count = counts[begin : begin + several, None]
        places = torch.arange(int(count.max()), device=r_ec.device)
        held = places < count
        edges = torch.where(held, first[begin : begin + several, None] + places, 0)
        sorted_square, order = torch.where(held, square[edges], FAR).sort(dim=1)
        edges = edges.gather(1, order)
        yield Rows(
            edges,
            sorted_square,
            r_ec[edges],
            graph.species[begin : begin + several, None],
            graph.species[graph.edges[1][edges]],
        )


def blocks(n: int) -> Iterator[slice]:
    """Yield the blocks of n neighbours."""
    start, number = 0, 0
    while start < n:
        size = BLOCKS[min(number, len(BLOCKS) - 1)]
        yield slice(start, min(n, start + size))
        start, number = start + size, number + 1


@dataclass(frozen=True)
class Packed:
    """Places of marked edges of each row, (c, a), and which of them hold one."""

    places: Tensor
    held: Tensor

    @classmethod
    def of(cls, marked: Tensor) -> Packed:
        """Pack what is marked, (c, p) bool."""
        number = marked.cumsum(1)
        longest = int(number[:, -1].max())
        c, j = marked.nonzero(as_tuple=True)
        places = number.new_zeros((len(marked), longest))
        places[c, number[c, j] - 1] = j
        numbers = torch.arange(longest, device=marked.device)
        return cls(places, numbers < number[:, -1:])


@dataclass(frozen=True)
class Inside:
    """Triplets within the widest ellipsoid.

    Attributes
    ----------
    screened, screening : (h,) int64
        Places of ij and ik in all rows.
    c : (h,)
        C_ikj.
    between : (h,) bool
        Whether k is between i and j.
    doubtful : (h,) bool
        Whether k is so close to i or j that C is inaccurate; the weights will tell.
    """

    screened: Tensor
    screening: Tensor
    c: Tensor
    between: Tensor
    doubtful: Tensor


@dataclass(frozen=True)
class Forms:
    """The quadratic form as matrices: t = v . u / u^2 and w - widest t.

    A fifth column adds what excludes an edge. What is left, (widest - 1) t^2, is added
    later.

    Attributes
    ----------
    screening : (c, p, 5)
        v, v^2 and 1.
    screened : (c, p, 5)
        -widest u / u^2, 1 / u^2 and 0.
    along : (c, p, 3)
        u / u^2.
    widest : float
        The largest C_max.
    """

    screening: Tensor
    screened: Tensor
    along: Tensor
    widest: float

    @classmethod
    def of(cls, rows: Rows, widest: float) -> Forms:
        """Return the forms of all edges."""
        square = rows.square[..., None]
        inverse = torch.where(square > 0.0, 1.0 / square, 0.0)
        along = rows.vectors * inverse
        one = torch.ones_like(square)
        return cls(
            torch.cat([rows.vectors, square, one], dim=2),
            torch.cat([-widest * along, inverse, torch.zeros_like(one)], dim=2),
            along,
            widest,
        )

    def inside(self, block: slice, packed: Packed) -> Inside:
        """Return what of a block lies within the widest ellipsoid of the packed edges."""
        screened = _gathered(self.screened, packed.places)
        screened[..., 4] = torch.where(packed.held, 0.0, FAR)
        screening = self.screening[:, block]
        form = torch.bmm(screening, screened.mT)
        along = _gathered(self.along, packed.places)
        t = torch.bmm(screening[..., :3], along.mT)
        form.addcmul_(t, t, value=self.widest - 1.0)
        hits = (form < ROUNDING * max(1.0, self.widest)).view(-1).nonzero()[:, 0]
        length = self.along.shape[1]
        # In order: row, neighbour of the block, packed edge.
        pair = hits.div(form.shape[2], rounding_mode="floor")
        row = pair.div(form.shape[1], rounding_mode="floor")
        edge = hits - pair * form.shape[2] + row * form.shape[2]
        j = packed.places.take(edge) + row * length
        k = pair - row * (form.shape[1] - length) + block.start
        t = t.take(hits)
        scale = t * (1.0 - t)
        doubtful = scale.abs() < NEAR_ENDS
        between = ((scale > 0.0) | doubtful) & (k != j)
        return Inside(j, k, form.take(hits) / scale + self.widest, between, doubtful)


def _gathered(values: Tensor, places: Tensor) -> Tensor:
    index = places[..., None].expand(-1, -1, values.shape[2])
    return values.gather(1, index)
