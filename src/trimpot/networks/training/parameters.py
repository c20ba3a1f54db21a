"""Parameters of a network as one array: one kernel per step, one message, one tensor."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor, nn

    from trimpot.networks.training.settings import TrainingSettings

BETAS = (0.9, 0.999)
EPSILON = 1e-8
"""Constants of Adam, as everybody has them."""


class Parameters:
    """All parameters of a network and their gradients; the network's become views.

    Attributes
    ----------
    values, gradient : (p,)
        Parameters one after the other, and ``.grad`` of all of them.
    """

    def __init__(self, model: nn.Module) -> None:
        parts = list(model.parameters())
        self.values = torch.cat([part.detach().reshape(-1) for part in parts])
        self.gradient = torch.zeros_like(self.values)
        start = 0
        for part in parts:
            stop = start + part.numel()
            part.data = self.values[start:stop].view_as(part)
            part.grad = self.gradient[start:stop].view_as(part)
            start = stop

    def clip(self, largest: float) -> Tensor:
        """Scale the gradient down to a norm; return the norm it had."""
        norm: Tensor = torch.linalg.vector_norm(self.gradient)
        self.gradient.mul_((largest / (norm + 1e-6)).clamp_max(1.0))
        return norm


class Descent:
    """Parameters on their way down: moments of Adam, the moving average, the best so far.

    With g the gradient, m and v moving averages of g and g^2 without bias, a step is

        values <- (1 - rate * weight_decay) values - rate * m / (sqrt(v) + epsilon),

    where amsgrad takes the largest v so far (before its bias is taken off).

    Parameters
    ----------
    model : Module
        On its device, in its precision.
    settings : TrainingSettings

    References
    ----------
    Loshchilov and Hutter, arXiv:1711.05101, algorithm 2; Reddi et al., arXiv:1904.09237,
    algorithm 2.
    """

    def __init__(self, model: nn.Module, settings: TrainingSettings) -> None:
        self.parameters, self.settings = Parameters(model), settings
        self.average, self.best = self.values.clone(), self.values.clone()
        self.mean = torch.zeros_like(self.values)
        self.square = torch.zeros_like(self.values)
        self.largest = torch.zeros_like(self.values)

    @property
    def values(self) -> Tensor:
        """The parameters, (p,)."""
        return self.parameters.values

    def begin(self) -> None:
        """Set the gradient to 0."""
        self.parameters.gradient.zero_()

    @torch.no_grad()
    def advance(self, step: int, rate: float, decay: float) -> None:
        """Take a step along the gradient, the first one with ``step`` 0.

        ``decay`` is that of the moving average of the parameters.
        """
        gradient = self.parameters.gradient
        self.mean.lerp_(gradient, 1.0 - BETAS[0])
        self.square.mul_(BETAS[1]).addcmul_(gradient, gradient, value=1.0 - BETAS[1])
        square = self.square
        if self.settings.optimizer == "amsgrad":
            square = torch.maximum(self.largest, square, out=self.largest)
        bias = 1.0 - BETAS[1] ** (step + 1)
        divisor = square.sqrt().div_(bias**0.5).add_(EPSILON)
        self.values.mul_(1.0 - rate * self.settings.weight_decay)
        size = rate / (1.0 - BETAS[0] ** (step + 1))
        self.values.addcdiv_(self.mean, divisor, value=-size)
        self.average.lerp_(self.values, 1.0 - decay)

    def keep(self) -> None:
        """Keep the moving average as the best so far."""
        self.best.copy_(self.average)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Run a block with the moving average in place of the parameters."""
        before = self.values.clone()
        self.values.copy_(self.average)
        try:
            yield
        finally:
            self.values.copy_(before)

    def tensors(self) -> dict[str, Tensor]:
        """Return all that a later run needs to go on, by name."""
        return {
            "values": self.values,
            "average": self.average,
            "best": self.best,
            "mean": self.mean,
            "square": self.square,
            "largest": self.largest,
        }

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from what ``tensors`` returned."""
        for name, own in self.tensors().items():
            own.copy_(tensors[name])
