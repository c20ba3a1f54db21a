"""MLANet: an equivariant network with dual-path dynamic attention.

Equations: docs/theory/mlanet.md. Messages are scalars times harmonics, products of
irreducible parts are taken at atoms, and every edge carries its weight, so that energy is
extensive, conserved, and smooth where an edge appears or disappears.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trimpot.networks.mlanet.settings import MLANetSettings

if TYPE_CHECKING:
    from trimpot.networks.mlanet.model import MLANet

__all__ = ["MLANet", "MLANetSettings"]


def __getattr__(name: str) -> object:
    """Import the network on first use (PEP 562): its settings do without torch."""
    if name != "MLANet":
        raise AttributeError(f"module 'trimpot.networks.mlanet' has no attribute {name!r}")
    from trimpot.networks import require_torch

    require_torch()
    from trimpot.networks.mlanet.model import MLANet

    globals()[name] = MLANet
    return MLANet
