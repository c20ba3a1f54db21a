"""The search of `search.py`, compiled: for graphs on the CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from trimpot import _native
from trimpot.networks.search import Survivors, check_reach, search

if TYPE_CHECKING:
    from torch import Tensor

    from trimpot.networks.graphs import Graph
    from trimpot.networks.screening import Screening


def fastest_search(
    screening: Screening, graph: Graph, r_ec: Tensor, *, cutoff: float
) -> Survivors:
    """Return what ``search`` does: by the kernel on the CPU, in torch elsewhere."""
    if r_ec.device.type == "cpu":
        return native_search(screening, graph, r_ec, cutoff=cutoff)
    return search(screening, graph, r_ec, cutoff=cutoff)


def native_search(
    screening: Screening,
    graph: Graph,
    r_ec: Tensor,
    *,
    cutoff: float,
    threads: int | None = None,
) -> Survivors:
    """Return what ``search`` does, found by the kernel.

    Where atoms almost coincide it may list fewer triplets. Limits are compared to
    rounding, so an edge or triplet at a limit may differ; its weight is then 0, or 1.

    Parameters
    ----------
    screening, graph, r_ec, cutoff
        As for ``search``, on the CPU.
    threads : int, optional
        0: all cores; default: as many as torch uses. The result does not depend on it.

    Raises
    ------
    InputError
        As ``search``.
    """
    check_reach(screening, graph, cutoff)
    with torch.no_grad():
        r_ec = r_ec.detach().double().contiguous()
        count = torch.get_num_threads() if threads is None else threads
        alive, screened, by, x = _partials(screening, graph, r_ec, cutoff, count)
        alive[screened[x <= 0.0]] = False  # with a span the kernel leaves them to us
        alive &= screening.combined(x, screened, len(alive)) > 0.0
        left, places = alive[screened], alive.cumsum(0) - 1
        return Survivors(alive.nonzero()[:, 0], places[screened[left]], by[left])


def _partials(
    screening: Screening, graph: Graph, r_ec: Tensor, cutoff: float, threads: int
) -> tuple[Tensor, ...]:
    """Return which edges nothing screens entirely; ij, ik and x of triplets of these."""
    species = graph.species.int()
    counts = torch.bincount(graph.edges[0], minlength=len(species))
    found = _native.screening_partials(
        screening.envelope.native,
        screening.span,
        torch.cat([counts.new_zeros(1), counts.cumsum(0)]).numpy(),
        r_ec.numpy(),
        species.numpy(),
        species[graph.edges[1]].numpy(),
        cutoff,
        threads,
    )
    return tuple(map(torch.from_numpy, found))
