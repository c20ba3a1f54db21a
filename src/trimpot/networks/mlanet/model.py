"""The network: from weighted edges to energies of atoms."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from trimpot.envelopes.radial import RadialEnvelope
from trimpot.networks.edges import EdgePruning
from trimpot.networks.mlanet.harmonics import harmonics
from trimpot.networks.mlanet.layer import MessageLayer, Surroundings
from trimpot.networks.mlanet.padded import EdgeRows, edge_rows
from trimpot.networks.mlanet.radial import spline_basis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.networks.charges import Kind
    from trimpot.networks.edges import WeightedEdges
    from trimpot.networks.mlanet.settings import MLANetSettings


ALIKE = 0.3
"""How much embeddings of one element differ at first by the charge: it is one element."""


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


class MLANet(nn.Module):
    """Energies of atoms, without isolated-atom energies, of a graph.

    An atom without neighbours has energy 0: what the network says of it is taken off.

    Parameters
    ----------
    settings : MLANetSettings
    species : tuple of int
        Atomic numbers, ascending.
    mean_weight : float
        Mean sum of the weights of an atom's edges in the training data.
    scale : float
        eV of a unit of the readout.
    kinds : tuple of (int, int)
        Atomic number and total charge of the structure, for each kind of atom that has an
        embedding of its own; empty: elements are the kinds.
    """

    elements: Tensor
    scale: Tensor
    layers: Sequence[MessageLayer]
    readouts: Sequence[Readout]

    def __init__(
        self,
        settings: MLANetSettings,
        species: tuple[int, ...],
        *,
        mean_weight: float = 1.0,
        scale: float = 1.0,
        kinds: tuple[Kind, ...] = (),
    ) -> None:
        super().__init__()
        self.settings, self.species, self.mean_weight = settings, species, mean_weight
        self.radial = RadialEnvelope(settings.cutoff, settings.radial)
        triplet = None if settings.envelope is None else settings.envelope.build(species)
        self.pruning = EdgePruning(self.radial, triplet)
        n = len(species)
        elements = torch.tensor([species.index(z) for z, _ in kinds] or list(range(n)))
        self.register_buffer("elements", elements, persistent=False)
        embedding = torch.randn(n, settings.channels)
        if kinds:
            own = torch.randn(len(kinds), settings.channels)
            embedding = embedding[elements] + ALIKE * own
        self.embedding = nn.Parameter(embedding)
        layers = nn.ModuleList(
            MessageLayer(settings, n, first=t == 0, mean_weight=mean_weight)
            for t in range(settings.layers)
        )
        readouts = nn.ModuleList(
            Readout(settings.channels, settings.readout_hidden)
            for _ in range(settings.layers)
        )
        self.layers = cast("Sequence[MessageLayer]", layers)
        self.readouts = cast("Sequence[Readout]", readouts)
        self.register_buffer("scale", torch.tensor(float(scale)))

    @property
    def n_kinds(self) -> int:
        """Number of kinds of atoms."""
        return len(self.embedding)

    def forward(self, edges: WeightedEdges, kinds: Tensor) -> Tensor:
        """Return the energy of each atom in eV, (n,)."""
        return self.energies(edge_rows(edges, len(kinds)), kinds)

    def energies(self, rows: EdgeRows, kinds: Tensor) -> Tensor:
        """Return the energy of each atom in eV, (n,); equation (12)."""
        alone = self.isolated(rows.vectors)
        return self.raw(rows, kinds) - alone[kinds]

    def isolated(self, like: Tensor) -> Tensor:
        """Return what the network says of an atom alone, per kind."""
        n = self.n_kinds
        kinds = torch.arange(n, device=like.device)
        vectors = like.new_zeros(n, 1, 3)
        vectors[..., 0] = 1.0
        return self.raw(EdgeRows(kinds[:, None], vectors, like.new_zeros(n, 1)), kinds)

    def raw(self, rows: EdgeRows, kinds: Tensor) -> Tensor:
        """Return energies before those of isolated atoms are taken off."""
        around = self.surroundings(rows, self.elements[kinds])
        size = (self.settings.l_max + 1) ** 2
        scalars = self.embedding[kinds]
        h = torch.cat(
            [
                scalars[:, None],
                scalars.new_zeros(len(kinds), size - 1, self.settings.channels),
            ],
            dim=1,
        )
        energy = scalars.new_zeros(len(kinds))
        for layer, readout in zip(self.layers, self.readouts, strict=True):
            h = layer(h, around)
            energy = energy + readout(h[:, 0])
        return energy * self.scale

    def surroundings(self, rows: EdgeRows, species: Tensor) -> Surroundings:
        """Return harmonics and radial functions of the edges."""
        lengths = torch.linalg.vector_norm(rows.vectors, dim=-1)
        units = rows.vectors / lengths[..., None]
        degrees = rows.weights.sum(1, keepdim=True) / self.mean_weight
        return Surroundings(
            rows.neighbors,
            rows.weights,
            spline_basis(lengths, self.settings.cutoff, self.settings.knots),
            harmonics(units, self.settings.l_max),
            degrees,
            species,
        )
