"""What computes energies, forces, virials, and gradients of the loss.

A training knows only `LossEngine`. `TorchEngine` differentiates twice by autograd, once
where forces are direct or not to be learned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import torch
from torch import Tensor

from trimpot.networks.mlanet.padded import EdgeRows
from trimpot.networks.mlanet.readouts import Groups
from trimpot.networks.training.batches import Batch
from trimpot.networks.training.targets import loss_of

if TYPE_CHECKING:
    from trimpot.networks.mlanet import MLANet
    from trimpot.networks.mlanet.model import Outputs
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
        Whether any frame has a stress; otherwise, and with direct forces, none is worked
        out.
    forces : bool
        Whether any frame has forces; otherwise those of the network are taken as 0.
    """

    def __init__(
        self, model: MLANet, objective: Objective, *, virials: bool, forces: bool = True
    ) -> None:
        self.model, self.objective = model, objective
        self.direct = model.settings.forces == "direct"
        self.virials, self.forces = virials and not self.direct, forces
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
        """Return energies and their slopes; ``again``: all can be differentiated."""
        if self.direct or not (self.forces or self.virials):
            with torch.set_grad_enabled(again):
                return self._undifferentiated(batch)
        x = batch.graph.positions.clone().requires_grad_()
        inputs, strain = [x], None
        if self.virials:
            strain = torch.zeros_like(batch.graph.cells).requires_grad_()
            inputs.append(strain)
        energies = structure_energies(self.model, batch, x, strain)
        slopes = torch.autograd.grad(energies.sum(), inputs, create_graph=again)
        return Predictions(energies, -slopes[0], -slopes[1] if self.virials else None)

    def _undifferentiated(self, batch: Batch) -> Predictions:
        """Return energies and forces without slopes: direct ones, or 0."""
        found = network_outputs(self.model, batch)
        energies = energy_sums(found, batch)
        if found.forces is None:
            return Predictions(energies, torch.zeros_like(batch.graph.positions), None)
        return Predictions(energies, found.forces.double(), None)


def of_torch(batch: AnyBatch) -> Batch:
    """Return a batch that is for engines of torch."""
    if not isinstance(batch, Batch):
        raise TypeError("found a batch of frozen edges, expected one of graphs")
    return batch


def structure_energies(
    model: MLANet, batch: Batch, positions: Tensor, strain: Tensor | None = None
) -> Tensor:
    """Return the energy of each structure in eV, (s,) float64, without isolated atoms."""
    return energy_sums(network_outputs(model, batch, positions, strain), batch)


def network_outputs(
    model: MLANet,
    batch: Batch,
    positions: Tensor | None = None,
    strain: Tensor | None = None,
) -> Outputs:
    """Return energies of atoms and direct forces; positions are the batch's by default."""
    graph = batch.graph
    edges = model.pruning(graph, positions, strain, survivors=batch.survivors)
    shape = batch.neighbors.shape
    rows = EdgeRows(
        batch.neighbors, edges.vectors.reshape(*shape, 3), edges.weights.reshape(shape)
    )
    return model.outputs(rows, batch.kinds, Groups(graph.structures, len(graph.cells)))


def energy_sums(found: Outputs, batch: Batch) -> Tensor:
    """Return the energy of each structure, (s,) float64."""
    graph, by_atom = batch.graph, found.energies.double()
    return by_atom.new_zeros(len(graph.cells)).index_add(0, graph.structures, by_atom)
