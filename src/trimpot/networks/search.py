"""The search: which edges survive a triplet envelope, and what screens them in part.

Nothing here is differentiated. Neighbours are taken in blocks, nearest first; in between,
edges leave that are screened entirely, and those whose ellipsoid reaches no further atom.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from trimpot.errors import InputError
from trimpot.networks.rows import ROUNDING, Forms, Packed, blocks, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trimpot.networks.graphs import Graph
    from trimpot.networks.rows import Inside, Rows
    from trimpot.networks.screening import Screening

CANDIDATES = {"cpu": 2**19, "cuda": 2**23}
"""Pairs of edges that are tested at a time: bounds memory, 20 to 150 bytes each."""

ALMOST_NONE = 1.0 - 1e-9
"""x of a triplet that is handed to the weights, without taking the edge away."""


@dataclass(frozen=True)
class Survivors:
    """Edges with S > 0, and the triplets on which their S depend.

    Attributes
    ----------
    edges : (m,) int64
        Edges of the graph that survive, ascending.
    screened : (t,) int64
        Edge ij of each triplet as an index into ``edges``, ascending.
    screening : (t,) int64
        Edge ik of each triplet as an index into the edges of the graph; it need not
        survive itself. Triplets have C_min < C < C_max + ``span`` (C as ``inner`` and
        ``outer`` of the envelope raise it); where atoms almost coincide there may be more.
    """

    edges: Tensor
    screened: Tensor
    screening: Tensor


def all_within(graph: Graph, r_ec: Tensor, *, cutoff: float) -> Survivors:
    """Return the edges shorter than the cutoff, which nothing screens; see ``search``."""
    if graph.cutoff < cutoff:
        raise InputError(
            f"found edges up to {graph.cutoff:g} A, expected {cutoff:g} A, the cutoff; "
            "make longer lists"
        )
    none = torch.zeros(0, dtype=torch.int64, device=r_ec.device)
    return Survivors(_within(r_ec, cutoff).nonzero()[:, 0], none, none)


def search(
    screening: Screening,
    graph: Graph,
    r_ec: Tensor,
    *,
    cutoff: float,
    candidates: int | None = None,
) -> Survivors:
    """Return the edges shorter than the cutoff that survive, and what screens them in part.

    In double precision, whatever the precision of weights, on the device of the graph.

    Parameters
    ----------
    screening : Screening
        The envelope, on the same device.
    graph : Graph
        Edges up to ``envelope.stretch`` times the cutoff, at least.
    r_ec : (e, 3)
        r_ij of all edges in angstrom.
    cutoff : float
        In angstrom.
    candidates : int, optional
        Pairs of edges to test at a time; default by device. Only speed and memory depend
        on it.

    Raises
    ------
    InputError
        If the edges do not reach as far as atoms screen, or the elements differ.
    """
    check_reach(screening, graph, cutoff)
    with torch.no_grad():
        r_ec = r_ec.detach().double()
        limit = candidates or CANDIDATES.get(r_ec.device.type, CANDIDATES["cpu"])
        alive = _within(r_ec, cutoff)
        found = [_Triplets.none(r_ec)]
        for rows in rows_of(graph, r_ec, limit):
            found += _sweep(screening, rows, cutoff, alive)
        return _settled(screening, _Triplets.joined(found), alive)


@dataclass(frozen=True)
class _Triplets:
    """Edges ij and ik of the graph, and x of each triplet."""

    screened: Tensor
    screening: Tensor
    x: Tensor

    @classmethod
    def none(cls, like: Tensor) -> _Triplets:
        empty = torch.zeros(0, dtype=torch.int64, device=like.device)
        return cls(empty, empty, like.new_zeros(0))

    @classmethod
    def joined(cls, parts: list[_Triplets]) -> _Triplets:
        return cls(
            torch.cat([part.screened for part in parts]),
            torch.cat([part.screening for part in parts]),
            torch.cat([part.x for part in parts]),
        )

    def where(self, keep: Tensor) -> _Triplets:
        return _Triplets(self.screened[keep], self.screening[keep], self.x[keep])


def _within(r_ec: Tensor, cutoff: float) -> Tensor:
    """Return which edges are not too long; those of NaN stay, for all to see."""
    return ~(r_ec.square().sum(1) >= cutoff**2)


def _sweep(
    screening: Screening, rows: Rows, cutoff: float, alive: Tensor
) -> Iterator[_Triplets]:
    """Yield what screens in part; take edges that are gone out of ``alive``."""
    envelope = screening.envelope
    reach = rows.reach(screening.stretch)
    active = (rows.square < cutoff**2) & (rows.square > envelope.inner**2)
    forms = Forms.of(rows, screening.widest)
    for block in blocks(rows.square.shape[1]):
        active &= reach > block.start
        packed = Packed.of(active)
        if packed.places.shape[1] == 0:
            return
        inside = forms.inside(block, packed)
        x, tightest = _shares(screening, rows, inside)
        gone = inside.screened[inside.between & (x <= 0.0)]
        active.view(-1)[gone] = False
        alive[rows.edges.view(-1)[gone]] = False
        partly = (inside.between & (x > 0.0) & (tightest < 1.0)).nonzero()[:, 0]
        edges = rows.edges.take(torch.stack([inside.screened, inside.screening])[:, partly])
        yield _Triplets(edges[0], edges[1], x[partly])


def _shares(screening: Screening, rows: Rows, inside: Inside) -> tuple[Tensor, Tensor]:
    """Return x of triplets as they are, and with ``span`` added to the limits."""
    j, k = inside.screened, inside.screening
    ends = rows.ends
    trios = screening.trio(rows.centers.expand_as(ends).take(j), ends.take(j), ends.take(k))
    r = rows.square.take(j).sqrt() if screening.envelope.outer else None
    x = screening.share(inside.c, r, trios)
    x = torch.where(inside.doubtful, ALMOST_NONE, x)
    if screening.span == 0.0:
        return x, x
    tightest = screening.share(inside.c, r, trios, screening.span)
    return x, torch.where(inside.doubtful, ALMOST_NONE, tightest)


def _settled(screening: Screening, found: _Triplets, alive: Tensor) -> Survivors:
    found = found.where(alive[found.screened])
    alive = alive & (screening.combined(found.x, found.screened, len(alive)) > 0.0)
    found = found.where(alive[found.screened])
    order = (found.screened * len(alive) + found.screening).argsort()
    places = alive.cumsum(0) - 1
    return Survivors(
        alive.nonzero()[:, 0],
        places[found.screened[order]],
        found.screening[order],
    )


def check_reach(screening: Screening, graph: Graph, cutoff: float) -> None:
    """Raise ``InputError`` if a graph does not suit a search; see ``search``."""
    envelope = screening.envelope
    if envelope.species != graph.elements:
        raise InputError(
            f"found a graph of elements {graph.elements} and an envelope of "
            f"{envelope.species}, expected the same; build both for one model"
        )
    needed = screening.stretch * cutoff
    if graph.cutoff < needed * (1.0 - ROUNDING):
        raise InputError(
            f"found edges up to {graph.cutoff:g} A, expected {needed:g} A: with C_max "
            f"{screening.widest:g} atoms screen from {screening.stretch:.4g} times the "
            f"length of a pair, here up to {cutoff:g} A; make longer lists, or choose "
            "C_max of 2 or less"
        )
