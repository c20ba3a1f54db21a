"""What is made of the features: energies of atoms, of all atoms pooled, direct forces."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn


class Groups(NamedTuple):
    """Which structure each atom belongs to, (n,) int64, and how many structures."""

    structures: Tensor
    n_structures: int

    @classmethod
    def one(cls, species: Tensor) -> Groups:
        """Return atoms that are all of one structure."""
        return cls(torch.zeros_like(species), 1)

    def sizes(self, like: Tensor) -> Tensor:
        """Return the number of atoms of each structure, (s, 1), of the kind of a tensor."""
        ones = like.new_ones(len(self.structures), 1)
        return like.new_zeros(self.n_structures, 1).index_add(0, self.structures, ones)


class Readout(nn.Module):
    """An energy of the scalar features of one layer."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.first = nn.Linear(inputs, hidden)
        self.second = nn.Linear(hidden, 1, bias=False)
        self.linear = nn.Linear(inputs, 1, bias=False)

    def forward(self, scalars: Tensor) -> Tensor:
        """Return (n,)."""
        hidden: Tensor = self.second(nn.functional.silu(self.first(scalars)))
        linear: Tensor = self.linear(scalars)
        return (hidden + linear)[:, 0]


class ForceHead(nn.Module):
    """A vector of the features of one layer: degree 1, weighed by scalars."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.first = nn.Linear(channels, hidden)
        self.second = nn.Linear(hidden, channels)

    def forward(self, h: Tensor) -> Tensor:
        """Return (n, 3) in x, y, z of features (n, (l_max + 1)^2, k); equation (16)."""
        weights: Tensor = self.second(nn.functional.silu(self.first(h[:, 0])))
        y_z_x = (h[:, 1:4] * weights[:, None]).sum(-1)  # m = -1, 0, 1
        return torch.roll(y_z_x, 1, dims=-1)


def pooled(scalars: Tensor, groups: Groups) -> Tensor:
    """Return mean and log-mean-exp of the scalars of each structure, (s, 2 k).

    Equation (15). Both are 0 where a structure has no atoms.
    """
    where = groups.structures
    sizes = groups.sizes(scalars)
    empty, divisor = sizes == 0.0, sizes.clamp_min(1.0)
    none = scalars.new_zeros(groups.n_structures, scalars.shape[1])
    means = none.index_add(0, where, scalars) / divisor
    top = _largest(scalars.detach(), groups)  # any constant gives the same, and its slopes
    grown = torch.exp(scalars - top[where])
    sums = none.index_add(0, where, grown) / divisor
    soft = top + torch.log(torch.where(empty, torch.ones_like(sums), sums))
    return torch.cat([means, soft], dim=1)


def _largest(scalars: Tensor, groups: Groups) -> Tensor:
    """Return the largest of each scalar in each structure, (s, k); 0 without atoms."""
    where = groups.structures[:, None].expand_as(scalars)
    none = scalars.new_zeros(groups.n_structures, scalars.shape[1])
    return none.scatter_reduce(0, where, scalars, "amax", include_self=False)


def shared(energies: Tensor, groups: Groups) -> Tensor:
    """Return the energies of structures, (s,), spread evenly over their atoms, (n,)."""
    sizes = groups.sizes(energies)[:, 0].clamp_min(1.0)
    return (energies / sizes)[groups.structures]


def balanced(vectors: Tensor, groups: Groups) -> Tensor:
    """Return vectors of atoms, (n, 3), less their mean over the structure."""
    sums = vectors.new_zeros(groups.n_structures, 3).index_add(
        0, groups.structures, vectors
    )
    means = sums / groups.sizes(vectors).clamp_min(1.0)
    return vectors - means[groups.structures]
