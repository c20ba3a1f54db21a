"""Networks in torch: the only room that imports it.

The ground they stand on: graphs of periodic structures (`join`, `structure_graph`) and
their edges with smooth weights, differentiable to any order (`EdgePruning`, and under a
budget `BudgetedPruning`). On it `mlanet`, a network, and `NetworkPotential`, a potential
made of one. Names are imported on first use: settings and potentials, which compiled code
computes, do without torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from trimpot.errors import MissingPartError

if TYPE_CHECKING:
    from trimpot.networks.budget import BudgetedPruning
    from trimpot.networks.edges import EdgePruning, WeightedEdges
    from trimpot.networks.graphs import Graph, join, structure_graph
    from trimpot.networks.potential import NetworkPotential
    from trimpot.networks.screening import Screening
    from trimpot.networks.search import Survivors

__all__ = [
    "BudgetedPruning",
    "EdgePruning",
    "Graph",
    "NetworkPotential",
    "Screening",
    "Survivors",
    "WeightedEdges",
    "join",
    "require_torch",
    "structure_graph",
]

_HOMES = {
    "BudgetedPruning": "trimpot.networks.budget",
    "EdgePruning": "trimpot.networks.edges",
    "Graph": "trimpot.networks.graphs",
    "NetworkPotential": "trimpot.networks.potential",
    "Screening": "trimpot.networks.screening",
    "Survivors": "trimpot.networks.search",
    "WeightedEdges": "trimpot.networks.edges",
    "join": "trimpot.networks.graphs",
    "structure_graph": "trimpot.networks.graphs",
}

_WITHOUT_TORCH = ("NetworkPotential",)


def require_torch() -> None:
    """Raise ``MissingPartError`` if PyTorch is not installed."""
    try:
        import_module("torch")
    except ImportError as error:
        raise MissingPartError(
            "networks need PyTorch, which is not installed; install it with "
            "pip install 'trimpot[torch]'"
        ) from error


def __getattr__(name: str) -> object:
    """Import a name of this package on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'trimpot.networks' has no attribute {name!r}")
    if name not in _WITHOUT_TORCH:
        require_torch()
    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted({*globals(), *__all__})
