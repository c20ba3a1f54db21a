"""A network that multiplies features and harmonics on every edge, as NequIP does.

    m_ij^c = w_ij sum_(a, b -> c) R_abc(r_ij) [G_abc h_j^a Y_b(r_ij)],
    A_i^c = sum_j m_ij^c / sqrt(mean weight)

Plain and for measurements only: what an edge costs here, pruning saves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from trimpot.networks import WeightedEdges
from trimpot.networks.mlanet.coupling import couplings, degree_slices, gaunt
from trimpot.networks.mlanet.harmonics import harmonics
from trimpot.networks.mlanet.products import DegreeLinear

L_MAX, CHANNELS = 2, 32
BESSEL, HIDDEN = 8, 64
"""Functions of the distance; width of the network that makes weights of paths of them."""

SLICES = degree_slices(L_MAX)


@dataclass(frozen=True)
class Surroundings:
    """What layers see of m edges: atoms (2, m), weights, Bessel functions, harmonics."""

    atoms: Tensor
    weights: Tensor
    bessel: Tensor
    harmonics: Tensor


def surroundings(edges: WeightedEdges, cutoff: float) -> Surroundings:
    """Return what layers see of edges."""
    orders = torch.arange(1, BESSEL + 1, dtype=edges.lengths.dtype)
    waves = torch.sin(edges.lengths[:, None] * (orders * (np.pi / cutoff)))
    y = harmonics(edges.vectors / edges.lengths[:, None], L_MAX)
    return Surroundings(edges.atoms, edges.weights, 2**0.5 * waves, y)


def coupling(path: tuple[int, int, int]) -> Tensor:
    """Return G of a path, (a, b, c): outputs of independent inputs have variance 1."""
    a, b, c = (SLICES[degree] for degree in path)
    table = gaunt(L_MAX)[a, b, c]
    return torch.from_numpy(table / np.sqrt((table**2).sum() / table.shape[2]))


class EdgeProductLayer(nn.Module):
    """Products on edges, summed at atoms, with a gated update.

    The first layer has the three products that begin with scalars, every other one all
    eleven up to ``L_MAX`` that keep parity.
    """

    def __init__(self, *, first: bool, mean_weight: float) -> None:
        super().__init__()
        self.paths = [path for path in couplings(L_MAX) if not first or path[0] == 0]
        self.scale = mean_weight**-0.5
        for p, path in enumerate(self.paths):
            self.register_buffer(f"coupling_{p}", coupling(path), persistent=False)
        self.radial = nn.Sequential(
            nn.Linear(BESSEL, HIDDEN, bias=False),
            nn.SiLU(),
            nn.Linear(HIDDEN, HIDDEN, bias=False),
            nn.SiLU(),
            nn.Linear(HIDDEN, len(self.paths) * CHANNELS, bias=False),
        )
        self.before = DegreeLinear(L_MAX, CHANNELS, CHANNELS)
        self.after = DegreeLinear(L_MAX, CHANNELS, CHANNELS)
        self.skip = DegreeLinear(L_MAX, CHANNELS, CHANNELS)
        self.gates = nn.Linear(CHANNELS, L_MAX * CHANNELS)

    def forward(self, h_nlk: Tensor, around: Surroundings) -> Tensor:
        """Return new features of atoms, (n, (l_max + 1)^2, channels)."""
        sent = self.before(h_nlk).index_select(0, around.atoms[1])
        by_edge = self.messages(sent, around)
        gathered = torch.zeros_like(h_nlk).index_add(0, around.atoms[0], by_edge)
        made = self.after(gathered * self.scale)
        return self.skip(h_nlk) + self.gated(made)

    def messages(self, sent: Tensor, around: Surroundings) -> Tensor:
        """Return the messages of edges, (m, (l_max + 1)^2, channels)."""
        radial = self.radial(around.bessel) * around.weights[:, None]
        by_path = radial.view(len(sent), len(self.paths), 1, CHANNELS)
        parts = [0.0] * len(SLICES)
        for p, (a, b, c) in enumerate(self.paths):
            table = self.get_buffer(f"coupling_{p}")
            turned = torch.einsum("mb,abc->mca", around.harmonics[:, SLICES[b]], table)
            parts[c] = parts[c] + turned @ (sent[:, SLICES[a]] * by_path[:, p])
        return torch.cat(parts, dim=1)

    def gated(self, made: Tensor) -> Tensor:
        """Return features that scalars open and close."""
        gates = torch.sigmoid(self.gates(made[:, 0])).unflatten(1, (L_MAX, CHANNELS))
        parts = [nn.functional.silu(made[:, :1])]
        parts += [made[:, SLICES[d]] * gates[:, d - 1, None] for d in range(1, L_MAX + 1)]
        return torch.cat(parts, dim=1)


class EdgeProductNetwork(nn.Module):
    """Layers of edge products, and a readout of scalars and squares of the rest."""

    def __init__(
        self, n_species: int, layers: int, *, cutoff: float, mean_weight: float
    ) -> None:
        super().__init__()
        self.cutoff = cutoff
        self.embedding = nn.Parameter(torch.randn(n_species, CHANNELS))
        self.layers = nn.ModuleList(
            EdgeProductLayer(first=t == 0, mean_weight=mean_weight) for t in range(layers)
        )
        self.readout = nn.Linear((L_MAX + 1) * CHANNELS, 1)

    def forward(self, edges: WeightedEdges, species: Tensor) -> Tensor:
        """Return the energy of each atom, (n,)."""
        around = surroundings(edges, self.cutoff)
        scalars = self.embedding[species][:, None]
        h_nlk = nn.functional.pad(scalars, (0, 0, 0, (L_MAX + 1) ** 2 - 1))
        for layer in self.layers:
            h_nlk = layer(h_nlk, around)
        squares = [h_nlk[:, where].square().mean(1) for where in SLICES[1:]]
        return self.readout(torch.cat([h_nlk[:, 0], *squares], dim=1))[:, 0]
