"""Networks computed by torch: derivatives by automatic differentiation."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from trimpot.errors import InputError
from trimpot.networks.graphs import Graph
from trimpot.networks.lists import NetworkResults, edge_lists
from trimpot.networks.mlanet.model import MLANet
from trimpot.networks.mlanet.padded import edge_rows
from trimpot.networks.mlanet.readouts import Groups
from trimpot.networks.mlanet.shapes import check_state
from trimpot.threads import thread_count

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

    from trimpot.contract import FloatArray, Neighborhood
    from trimpot.networks.lists import EdgeLists
    from trimpot.networks.mlanet.settings import MLANetSettings

SCALE = "scale"
"""The one part of a state that is no weight."""


@dataclass(frozen=True)
class VectorGraph(Graph):
    """A graph whose edges are given by their vectors, whatever made them.

    Attributes
    ----------
    vectors : (e, 3) float64
        r_ij in angstrom; displacements are differentiable in these.
    """

    vectors: Tensor

    def displacements(
        self,
        positions: Tensor | None = None,
        strain: Tensor | None = None,
        *,
        edges: Tensor | None = None,
    ) -> Tensor:
        """Return r_ij of edges in angstrom; they know neither positions nor strain."""
        if positions is not None or strain is not None:
            raise InputError("edges that are given by vectors have no positions or strain")
        return self.vectors if edges is None else self.vectors.index_select(0, edges)


class AutogradNetwork:
    """A network with its weights, on the CPU.

    Parameters
    ----------
    model : MLANet
        In single or double precision; not trained any more.
    """

    def __init__(self, model: MLANet) -> None:
        self.model = model.eval().requires_grad_(requires_grad=False)

    def evaluate(self, lists: EdgeLists, *, threads: int = 0) -> NetworkResults:
        """Return energies, forces and virials; see ``lists.NetworkKernel``."""
        n, s = len(lists.species), len(lists.first) - 1
        if n == 0:
            return NetworkResults(np.zeros(0), np.zeros((0, 3)), np.zeros((s, 3, 3)))
        if self.model.settings.forces == "direct":
            return self._direct(lists, threads)
        with torch_threads(threads), torch.enable_grad():
            graph = vector_graph(lists)
            edges = self.model.pruning(graph)
            energies = self.model(edges, graph.species, Groups(graph.structures, s))
            (slopes,) = torch.autograd.grad(energies.double().sum(), graph.vectors)
        return collected(graph, energies.detach().double().numpy(), slopes)

    def evaluate_neighborhood(
        self, around: Neighborhood, *, threads: int = 0
    ) -> NetworkResults:
        """Return energies, forces and the virial, (1, 3, 3), of one structure.

        Raises
        ------
        InputError
            For an element that the network does not know.
        """
        lists = edge_lists([around], self.model.species, self.model.pruning.reach)
        return self.evaluate(lists, threads=threads)

    def _direct(self, lists: EdgeLists, threads: int) -> NetworkResults:
        """Return energies and direct forces, which have no virials: these are NaN."""
        s = len(lists.first) - 1
        with torch_threads(threads), torch.no_grad():
            graph = vector_graph(lists)
            rows = edge_rows(self.model.pruning(graph), len(graph.species))
            groups = Groups(graph.structures, s)
            energies, forces = self.model.outputs(rows, graph.species, groups)
        if forces is None:
            raise TypeError("found a network without direct forces")
        virials = np.full((s, 3, 3), np.nan)
        return NetworkResults(energies.double().numpy(), forces.double().numpy(), virials)


def collected(graph: VectorGraph, energies: FloatArray, slopes: Tensor) -> NetworkResults:
    """Return forces and virials of dE/dr_ij, (e, 3), with the energies of atoms."""
    i, j = graph.edges
    forces = slopes.new_zeros(len(energies), 3)
    forces = forces.index_add(0, i, slopes).index_add(0, j, -slopes)
    outer = torch.einsum("ea,eb->eab", graph.vectors.detach(), slopes)
    virials = torch.zeros_like(graph.cells).index_add(0, graph.structures[i], -outer)
    return NetworkResults(energies, forces.numpy(), virials.numpy())


def vector_graph(lists: EdgeLists) -> VectorGraph:
    """Return the graph of lists; its vectors take gradients."""
    n, s = len(lists.species), len(lists.first) - 1
    return VectorGraph(
        elements=lists.elements,
        cutoff=lists.reach,
        positions=torch.zeros(n, 3, dtype=torch.float64),
        species=torch.from_numpy(lists.species),
        structures=torch.from_numpy(lists.structures),
        cells=torch.zeros(s, 3, 3, dtype=torch.float64),
        edges=torch.from_numpy(lists.edges),
        shifts=torch.zeros(0, 3, dtype=torch.int32),
        vectors=torch.from_numpy(lists.vectors).requires_grad_(),
    )


def restored(
    settings: MLANetSettings,
    species: tuple[int, ...],
    state: Mapping[str, np.ndarray],
    *,
    mean_weight: float,
    scale: float,
    precision: str,
) -> MLANet:
    """Return the network of a state, in ``float32`` or ``float64``.

    Raises
    ------
    InputError
        If names or shapes of the state are not those of the network.
    """
    check_state(settings, species, state)
    with torch.random.fork_rng(devices=[]), torch.device("cpu"):
        model = MLANet(settings, species, mean_weight=mean_weight, scale=scale)
    model = model.to({"float32": torch.float32, "float64": torch.float64}[precision])
    tensors = {name: torch.tensor(values) for name, values in state.items()}
    tensors[SCALE] = torch.tensor(float(scale), dtype=torch.float64)
    model.load_state_dict(tensors)
    return model


@contextmanager
def torch_threads(requested: int) -> Iterator[None]:
    """Let torch use so many threads, 0 for all available cores, as long as this lasts."""
    before, wanted = torch.get_num_threads(), thread_count(requested)
    if wanted == before:
        yield
        return
    torch.set_num_threads(wanted)
    try:
        yield
    finally:
        torch.set_num_threads(before)
