"""Networks in torch: the only room that imports it.

So far the ground they stand on: graphs of periodic structures (`join`, `structure_graph`)
and their edges with smooth weights, differentiable to any order (`EdgePruning`, and under
a budget `BudgetedPruning`).
"""

try:
    import torch as torch
except ImportError as error:
    raise ImportError(
        "networks need PyTorch, which is not installed; install it with "
        "pip install 'trimpot[torch]'"
    ) from error

from trimpot.networks.budget import BudgetedPruning
from trimpot.networks.edges import EdgePruning, WeightedEdges
from trimpot.networks.graphs import Graph, join, structure_graph
from trimpot.networks.screening import Screening
from trimpot.networks.search import Survivors, search

__all__ = [
    "BudgetedPruning",
    "EdgePruning",
    "Graph",
    "Screening",
    "Survivors",
    "WeightedEdges",
    "join",
    "search",
    "structure_graph",
]
