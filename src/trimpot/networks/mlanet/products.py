"""Products of features at atoms: channel by channel, coupled to all degrees."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from trimpot.networks.mlanet.coupling import couplings, degree_slices, gaunt


class DegreeLinear(nn.Module):
    """Mixes channels, with other weights for each degree: (n, (l_max + 1)^2, k).

    At first outputs are ``gain`` times as large as inputs.
    """

    def __init__(self, l_max: int, inputs: int, outputs: int, gain: float = 1.0) -> None:
        super().__init__()
        self.slices = degree_slices(l_max)
        scale = gain * inputs**-0.5
        self.weight = nn.Parameter(torch.randn(l_max + 1, inputs, outputs) * scale)

    def forward(self, x: Tensor) -> Tensor:
        """Return x W_l for the components of each degree l."""
        parts = [x[:, s] @ w for s, w in zip(self.slices, self.weight, strict=True)]
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)


class SpeciesProduct(nn.Module):
    """The product of two sets of features, with weights per element, channel, coupling.

    ``out_c = sum_(a b) w_zk(l_a l_b l_c) G_abc x_a y_b``, equation (8).
    """

    table: Tensor

    def __init__(self, l_max: int, channels: int, n_species: int) -> None:
        super().__init__()
        paths = couplings(l_max)
        self.channels, self.size = channels, (l_max + 1) ** 2
        slices, full = degree_slices(l_max), gaunt(l_max)
        columns = []
        order = sorted(range(len(paths)), key=lambda p: paths[p][2])
        for path in order:
            a, b, c = paths[path]
            block = np.zeros_like(full[:, :, slices[c]])
            block[slices[a], slices[b]] = full[slices[a], slices[b], slices[c]]
            # unit variance of the output for independent inputs of unit variance
            norm = np.sqrt((block**2).sum((0, 1)).mean())
            columns.append(block.reshape(self.size**2, -1) / norm)
        self.register_buffer(
            "table", torch.tensor(np.concatenate(columns, 1)), persistent=False
        )
        self.degrees = [paths[p][2] for p in order]
        per_degree = [self.degrees.count(c) for c in range(l_max + 1)]
        self.per_degree = per_degree
        scale = torch.tensor([per_degree[c] ** -0.5 for c in self.degrees])
        weight = torch.randn(n_species, len(order), channels) * scale[:, None]
        self.weight = nn.Parameter(weight)

    def forward(self, x: Tensor, y: Tensor, species: Tensor) -> Tensor:
        """Return the product of x and y, all (n, (l_max + 1)^2, k)."""
        n, size, k = x.shape
        pairs = (x[:, :, None, :] * y[:, None, :, :]).reshape(n, size * size, k)
        table = self.table.to(x.dtype)
        coupled = torch.einsum("nsk,sp->npk", pairs, table)
        weights = self.weight[species]
        parts, column, path = [], 0, 0
        for degree, count in enumerate(self.per_degree):
            width = 2 * degree + 1
            block = coupled[:, column : column + count * width]
            block = block.reshape(n, count, width, k)
            parts.append((block * weights[:, path : path + count, None, :]).sum(1))
            column, path = column + count * width, path + count
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)
