"""Time, or train, Trimpot's MLANet in the same way as its peers.

On the CPU its compiled kernel does the work, on a GPU torch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import torch
from ase import Atoms
from driving import Options, Peer, Prediction, Recipe, main

from trimpot.contract import Structure
from trimpot.neighbors import neighborhood
from trimpot.networks import Graph, join, structure_graph
from trimpot.networks.compiled import CompiledNetwork
from trimpot.networks.frozen_edges import FrozenEdges, freeze
from trimpot.networks.mlanet import MLANet, MLANetSettings
from trimpot.networks.training.native_engine import NativeBatch, NativeEngine

PROFILES: dict[str, dict[str, Any]] = {
    "mlanet": {},
    "mlanet-radial": {"envelope": None},
    "mlanet-l1": {"l_max": 1},
    "mlanet-16": {"channels": 16, "l_max": 1},
    "mlanet-64": {"channels": 64},
}
"""What differs from the defaults."""


class EnergiesForces(torch.autograd.Function):
    """Energies and forces by the compiled kernel, differentiable by its parameters."""

    @staticmethod
    def forward(ctx, flat, engine, batch):
        """Return energies and forces."""
        engine.kernel.set_parameters(flat.detach().double().numpy())
        found = engine._found(batch)
        ctx.engine, ctx.batch = engine, batch
        return found.energies, found.forces

    @staticmethod
    def backward(ctx, by_energies, by_forces):
        """Return the gradient by the flat parameters."""
        gradient = ctx.engine.gradient(ctx.batch, by_energies, by_forces, None)
        return torch.from_numpy(gradient).float(), None, None


@dataclass(frozen=True)
class Cell:
    """A structure's graph, and on the CPU its edges as the kernel wants them."""

    structure: Structure
    graph: Graph
    frozen: FrozenEdges | None


class OnCpu(torch.nn.Module):
    """A network that gives energies and forces through the kernel."""

    def __init__(self, model: MLANet, threads: int) -> None:
        super().__init__()
        self.model, self.threads = model, threads
        self.engine: NativeEngine | None = None

    def forward(self, batch: list[Cell]) -> Prediction:
        """Return energies and forces of frames that stay where they are."""
        if self.engine is None:
            self.engine = NativeEngine(
                self.model, None, virials=False, threads=self.threads
            )
        frozen = tuple(cell.frozen for cell in batch)
        atoms = torch.tensor([len(part) for part in frozen])
        structures = torch.repeat_interleave(atoms)
        ready = NativeBatch(frozen, None, len(frozen), len(structures), structures)
        return EnergiesForces.apply(self.engine.flat(), self.engine, ready)


class OnGpu(torch.nn.Module):
    """A network that gives energies and forces through torch."""

    def __init__(self, model: MLANet) -> None:
        super().__init__()
        self.model = model

    def forward(self, graph: Graph) -> Prediction:
        """Return energies and forces, screening included."""
        x = graph.positions.clone().requires_grad_()
        by_atom = self.model(self.model.pruning(graph, x), graph.species).double()
        energies = by_atom.new_zeros(len(graph.cells))
        energies = energies.index_add(0, graph.structures, by_atom)
        slopes = torch.autograd.grad(energies.sum(), x, create_graph=self.training)
        return energies, -slopes[0]


class Mlanet(Peer):
    """MLANet with default settings but for the cutoff and what a profile says."""

    recipe = Recipe(5e-3, 5, 1.0, 10.0, amsgrad=True, average=0.99, clip=10.0)

    def __init__(self, options: Options, species: list[int]) -> None:
        super().__init__(options, species)
        chosen = {"cutoff": options.cutoff, **PROFILES[options.profile]}
        self.settings = MLANetSettings(**chosen)
        self.elements = tuple(sorted(species))
        self.pruning = MLANet(self.settings, self.elements).pruning

    def graph(self, atoms: Atoms) -> Cell:
        """Return the graph of a structure; for training on the CPU with frozen edges."""
        structure = Structure(
            atoms.numbers.astype(np.int32),
            atoms.positions.astype(float),
            np.asarray(atoms.cell, dtype=float),
            np.asarray(atoms.pbc, dtype=bool),
        )
        graph = structure_graph(structure, self.elements, self.pruning.reach)
        if self.options.device != "cpu":
            return Cell(structure, graph, None)
        return Cell(structure, graph, freeze(self.pruning, graph))

    def edges(self, graph: Cell) -> int:
        """Return the number of directed edges within the cutoff, screened ones too."""
        return graph.graph.edges.shape[1]

    def collate(self, graphs: list[Cell]) -> Any:
        """Return the graphs as one."""
        if self.options.device == "cpu":
            return graphs
        return join([cell.graph for cell in graphs]).to(self.options.device)

    def network(self, neighbors: float, scale: float) -> torch.nn.Module:
        """Return the network."""
        mean = 0.3 * neighbors
        model = MLANet(self.settings, self.elements, mean_weight=mean, scale=scale).float()
        if self.options.device == "cpu":
            return OnCpu(model, self.options.threads)
        return OnGpu(model)

    def inference(self, network: torch.nn.Module, example: Any) -> Callable:
        """Return a force call: on the CPU the kernel, with the screening of its edges."""
        if isinstance(network, OnGpu):
            return network
        model = network.model
        state = {k: v.numpy() for k, v in model.state_dict().items() if k != "scale"}
        kernel = CompiledNetwork(
            self.settings,
            self.elements,
            state,
            mean_weight=model.mean_weight,
            scale=float(model.scale),
            precision="float32",
        )
        around = neighborhood(example[0].structure, self.pruning.reach)

        def call(_: Any) -> Prediction:
            found = kernel.evaluate_neighborhood(around, threads=self.options.threads)
            return torch.from_numpy(found.energies.copy()), torch.from_numpy(
                found.forces.copy()
            )

        return call


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "source"


if __name__ == "__main__":
    main(Mlanet, list(PROFILES), {"trimpot": _version("trimpot")})
