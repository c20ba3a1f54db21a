"""Kernels of networks that are being trained: their parameters as one tensor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from trimpot.networks.mlanet.kernel import empty_kernel, flat_order

if TYPE_CHECKING:
    from trimpot import _native
    from trimpot.networks.mlanet.model import MLANet


def native_network(model: MLANet, precision: str) -> _native.Network:
    """Return the kernel of a network in ``single`` or ``double``, with its parameters."""
    kernel = empty_kernel(
        model.settings,
        model.n_kinds,
        mean_weight=model.mean_weight,
        scale=float(model.scale),
        precision=precision,
    )
    with torch.no_grad():
        flat = FlatParameters(model, kernel)()
    kernel.set_parameters(flat.double().numpy())
    return kernel


class FlatParameters:
    """Makes the array of the kernel from the parameters of a network, differentiably."""

    def __init__(self, model: MLANet, kernel: _native.Network) -> None:
        self.model = model
        n, elements = len(model.species), model.elements.tolist()
        order = flat_order(model.settings, n, kernel, elements)
        named: dict[str, nn.Parameter] = dict(model.named_parameters())
        self.parameters = [named[name] for name in order.names]
        self.used, self.source = map(torch.from_numpy, (order.used, order.source))
        self.size = order.size

    def __call__(self) -> Tensor:
        """Return all parameters in the order of the kernel, (n,)."""
        tables = [layer.radial() for layer in self.model.layers]
        joined = torch.cat([p.reshape(-1) for p in (*self.parameters, *tables)])
        return joined.new_zeros(self.size).index_copy(
            0, self.used, joined.index_select(0, self.source)
        )
