"""Networks computed by the native kernel, on edges whose weights torch makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from trimpot.networks.autograd import collected, torch_threads, vector_graph
from trimpot.networks.lists import NetworkResults
from trimpot.networks.mlanet.native import native_network
from trimpot.threads import thread_count

if TYPE_CHECKING:
    from trimpot.contract import FloatArray
    from trimpot.networks.lists import EdgeLists
    from trimpot.networks.mlanet.model import MLANet
    from trimpot.networks.potential import NetworkPrecision

ARITHMETIC = {"float32": "single", "float64": "double"}


class CompiledNetwork:
    """A network with its weights, compiled, on the CPU.

    Weights of edges and their slopes are in double precision.

    Parameters
    ----------
    model : MLANet
        In double precision; its weights are used as they are now.
    precision : {"float32", "float64"}
        Arithmetic of the network.
    """

    def __init__(self, model: MLANet, precision: NetworkPrecision) -> None:
        self.pruning = model.pruning.double()
        self.kernel = native_network(model, ARITHMETIC[precision])
        n = len(model.species)
        lonely = np.zeros(n + 1, dtype=np.int64), np.zeros((0, 3)), np.zeros(0)
        kinds = np.arange(n, dtype=np.int32)
        self.alone = self._raw(kinds, np.zeros(0, dtype=np.int32), *lonely, threads=1)[0]

    def evaluate(self, lists: EdgeLists, *, threads: int = 0) -> NetworkResults:
        """Return energies, forces and virials; see ``lists.NetworkKernel``."""
        n, s = len(lists.species), len(lists.first) - 1
        if n == 0:
            return NetworkResults(np.zeros(0), np.zeros((0, 3)), np.zeros((s, 3, 3)))
        with torch_threads(threads), torch.enable_grad():
            graph = vector_graph(lists)
            edges = self.pruning(graph)
            centers, neighbors = edges.atoms.numpy()
            counts = np.bincount(centers, minlength=n)
            raw, *slopes = self._raw(
                lists.species.astype(np.int32),
                neighbors.astype(np.int32),
                np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
                edges.vectors.detach().numpy(),
                edges.weights.detach().numpy(),
                threads=thread_count(threads),
            )
            (by_vectors,) = torch.autograd.grad(
                (edges.vectors, edges.weights),
                graph.vectors,
                tuple(map(torch.from_numpy, slopes)),
            )
        return collected(graph, raw - self.alone[lists.species], by_vectors)

    def _raw(
        self,
        species: np.ndarray,
        neighbors: np.ndarray,
        first: np.ndarray,
        vectors: FloatArray,
        weights: FloatArray,
        *,
        threads: int,
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return energies, and slopes of their sum by vectors and weights of edges."""
        out = np.empty(len(species)), np.empty(vectors.shape), np.empty(len(weights))
        self.kernel.evaluate(species, first, neighbors, vectors, weights, *out, threads)
        return out
