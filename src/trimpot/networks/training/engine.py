"""What computes energies, forces, virials, and gradients of the loss.

A training knows only `LossEngine`. `TorchEngine` differentiates twice by autograd.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import torch
from torch import Tensor

from trimpot.networks.mlanet.padded import EdgeRows
from trimpot.networks.training.batches import Batch
from trimpot.networks.training.targets import loss_of

if TYPE_CHECKING:
    from trimpot.networks.mlanet import MLANet
    from trimpot.networks.training.supply import AnyBatch
    from trimpot.networks.training.targets import LossParts, Objective


class Predictions(NamedTuple):
    """Energies (s,), forces (n, 3), virials (s, 3, 3) or None; float64, on the device."""

    energies: Tensor
    forces: Tensor
    virials: Tensor | None


class LossEngine(Protocol):
    """Computes what a step of a training needs, with the parameters of a network."""

    def loss_and_gradients(self, batch: AnyBatch) -> LossParts:
        """Return the loss of a batch, and add its gradient to ``.grad`` of parameters."""
        ...

    def predictions(self, batch: AnyBatch) -> Predictions:
        """Return what the network says of a batch; gradients stay as they are."""
        ...


class TorchEngine:
    """The engine of autograd, on the device and in the precision of the network.

    Parameters
    ----------
    model : MLANet
    objective : Objective
    virials : bool
        Whether any frame has a stress; otherwise none is worked out.
    """

    def __init__(self, model: MLANet, objective: Objective, *, virials: bool) -> None:
        self.model, self.objective, self.virials = model, objective, virials
        self.parameters = list(model.parameters())
        self.device = self.parameters[0].device

    def loss_and_gradients(self, batch: AnyBatch) -> LossParts:
        """Return the loss of a batch, and add its gradient to ``.grad`` of parameters."""
        batch = of_torch(batch).to(self.device)
        found = self._differentiated(batch, again=True)
        loss, parts = loss_of(batch.targets, self.objective, *found)
        loss.backward(inputs=self.parameters)  # type: ignore[no-untyped-call]
        return parts

    def predictions(self, batch: AnyBatch) -> Predictions:
        """Return what the network says of a batch; gradients stay as they are."""
        found = self._differentiated(of_torch(batch).to(self.device), again=False)
        virials = found.virials
        return Predictions(
            found.energies.detach(),
            found.forces.detach(),
            None if virials is None else virials.detach(),
        )

    def _differentiated(self, batch: Batch, *, again: bool) -> Predictions:
        """Return energies and their slopes; ``again``: slopes can be differentiated."""
        x = batch.graph.positions.clone().requires_grad_()
        inputs, strain = [x], None
        if self.virials:
            strain = torch.zeros_like(batch.graph.cells).requires_grad_()
            inputs.append(strain)
        energies = structure_energies(self.model, batch, x, strain)
        slopes = torch.autograd.grad(energies.sum(), inputs, create_graph=again)
        return Predictions(energies, -slopes[0], -slopes[1] if self.virials else None)


def of_torch(batch: AnyBatch) -> Batch:
    """Return a batch that is for engines of torch."""
    if not isinstance(batch, Batch):
        raise TypeError("found a batch of frozen edges, expected one of graphs")
    return batch


def structure_energies(
    model: MLANet, batch: Batch, positions: Tensor, strain: Tensor | None = None
) -> Tensor:
    """Return the energy of each structure in eV, (s,) float64, without isolated atoms."""
    graph = batch.graph
    edges = model.pruning(graph, positions, strain, survivors=batch.survivors)
    shape = batch.neighbors.shape
    rows = EdgeRows(
        batch.neighbors, edges.vectors.reshape(*shape, 3), edges.weights.reshape(shape)
    )
    by_atom = model.energies(rows, batch.kinds).double()
    return by_atom.new_zeros(len(graph.cells)).index_add(0, graph.structures, by_atom)
