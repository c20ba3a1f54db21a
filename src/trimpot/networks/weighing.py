"""Weights of edges, compiled: what `edges.EdgePruning` leaves, without torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from trimpot import _native
from trimpot.envelopes.radial import Kind

if TYPE_CHECKING:
    from trimpot.envelopes.radial import RadialEnvelope
    from trimpot.envelopes.triplet import TripletEnvelope

RADIAL: tuple[str, ...] = get_args(Kind)


def edge_weighing(
    radial: RadialEnvelope, triplet: TripletEnvelope | None
) -> _native.EdgeWeighing:
    """Return what weighs edges by f(r) and, where there is a triplet envelope, by S."""
    return _native.EdgeWeighing(
        RADIAL.index(radial.kind),
        radial.cutoff,
        int(radial.power),
        None if triplet is None else triplet.native,
    )
