"""Steps recorded once and replayed: for GPUs, where small batches wait for launches.

All batches of one shape run the same kernels on the same addresses, so that a CUDA graph
can hold a whole step: forces, loss, and its gradients.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from trimpot.networks.training.engine import TorchEngine, of_torch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trimpot.networks.mlanet import MLANet
    from trimpot.networks.training.batches import Batch
    from trimpot.networks.training.supply import AnyBatch
    from trimpot.networks.training.targets import LossParts, Objective

WARM_UP = 3
"""Steps before the recording, in which libraries choose their kernels."""


class RecordedEngine(TorchEngine):
    """An engine that replays its first step on the numbers of each batch.

    Batches of another shape than the first are computed as by ``TorchEngine``. On a CPU
    steps are computed anew, at the same addresses.

    Parameters
    ----------
    model : MLANet
        All its parameters have a ``.grad``, which stays where it is.
    objective : Objective
    virials, forces : bool
        As for ``TorchEngine``.
    """

    def __init__(
        self, model: MLANet, objective: Objective, *, virials: bool, forces: bool = True
    ) -> None:
        super().__init__(model, objective, virials=virials, forces=forces)
        self.inputs: Batch | None = None
        self.graph: torch.cuda.CUDAGraph | None = None
        self.parts: LossParts | None = None

    def loss_and_gradients(self, batch: AnyBatch) -> LossParts:
        """Return the loss of a batch, and add its gradient to ``.grad`` of parameters.

        The loss lies where that of the next batch will be.
        """
        batch = of_torch(batch)
        if self.inputs is None:
            self.inputs = batch.to(self.device)
            self._record()
        elif shapes(batch) != shapes(self.inputs):
            return super().loss_and_gradients(batch)
        else:
            for own, given in zip(tensors(self.inputs), tensors(batch), strict=True):
                own.copy_(given, non_blocking=True)
        if self.graph is None or self.parts is None:
            return super().loss_and_gradients(self.inputs)
        self.graph.replay()
        return self.parts

    def _record(self) -> None:
        """Record a step, which changes no gradient."""
        if self.device.type != "cuda" or self.inputs is None:
            return
        before = [p.grad.clone() for p in self.parameters if p.grad is not None]
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):
                super().loss_and_gradients(self.inputs)
        torch.cuda.current_stream().wait_stream(stream)
        kept = [p.grad for p in self.parameters if p.grad is not None]
        for own, given in zip(kept, before, strict=True):
            own.copy_(given)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.parts = super().loss_and_gradients(self.inputs)


def tensors(batch: Batch) -> Iterator[Tensor]:
    """Yield all tensors of a batch, in one order."""
    yield from (batch.neighbors, batch.kinds)
    for part in (batch.graph, batch.survivors, batch.targets):
        for field in fields(part):
            value = getattr(part, field.name)
            if isinstance(value, Tensor):
                yield value


def shapes(batch: Batch) -> list[torch.Size]:
    """Return the shapes of all tensors of a batch."""
    return [tensor.shape for tensor in tensors(batch)]
