"""The network: from weighted edges to energies of atoms, or to energies and forces."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

import torch
from torch import Tensor, nn

from trimpot.envelopes.radial import RadialEnvelope
from trimpot.networks.edges import EdgePruning
from trimpot.networks.mlanet.harmonics import harmonics
from trimpot.networks.mlanet.layer import MessageLayer, Surroundings
from trimpot.networks.mlanet.padded import EdgeRows, edge_rows
from trimpot.networks.mlanet.radial import spline_basis
from trimpot.networks.mlanet.readouts import (
    ForceHead,
    Groups,
    Readout,
    balanced,
    pooled,
    shared,
)
from trimpot.networks.mlanet.shapes import readout_inputs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.networks.charges import Kind
    from trimpot.networks.edges import WeightedEdges
    from trimpot.networks.mlanet.settings import MLANetSettings


ALIKE = 0.3
"""How much embeddings of one element differ at first by the charge: it is one element."""


class Outputs(NamedTuple):
    """Energies of atoms in eV, (n,), and direct forces in eV/A, (n, 3), or None."""

    energies: Tensor
    forces: Tensor | None


class MLANet(nn.Module):
    """Energies of atoms, without isolated-atom energies, of a graph.

    An atom without neighbours has energy 0: what the network says of it is taken off. A
    pooled energy is spread evenly over the atoms of a structure.

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
    force_heads: Sequence[ForceHead]

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
            Readout(readout_inputs(settings), settings.readout_hidden)
            for _ in range(settings.layers)
        )
        heads = nn.ModuleList(
            ForceHead(settings.channels, settings.readout_hidden)
            for _ in range(settings.layers if settings.forces == "direct" else 0)
        )
        self.layers = cast("Sequence[MessageLayer]", layers)
        self.readouts = cast("Sequence[Readout]", readouts)
        self.force_heads = cast("Sequence[ForceHead]", heads)
        self.register_buffer("scale", torch.tensor(float(scale)))

    @property
    def n_kinds(self) -> int:
        """Number of kinds of atoms."""
        return len(self.embedding)

    def forward(
        self, edges: WeightedEdges, kinds: Tensor, groups: Groups | None = None
    ) -> Tensor:
        """Return the energy of each atom in eV, (n,)."""
        return self.outputs(edge_rows(edges, len(kinds)), kinds, groups).energies

    def outputs(
        self, rows: EdgeRows, kinds: Tensor, groups: Groups | None = None
    ) -> Outputs:
        """Return energies of atoms, and direct forces if the settings say so.

        Parameters
        ----------
        rows : EdgeRows
        kinds : (n,) int64
        groups : Groups, optional
            Structure of each atom; default: all are of one.
        """
        groups = Groups.one(kinds) if groups is None else groups
        features, alone = self.features(rows, kinds), self.isolated(rows.vectors)
        if self.settings.readout == "pooled":
            around = self.pooled_energies([h[:, 0] for h in features], groups)
            apart = self.pooled_energies([h[kinds, 0] for h in alone], groups)
            energies = shared(around - apart, groups)
        else:
            energies = self.raw(features) - self.raw(alone)[kinds]
        forces = self.direct(features, groups) if len(self.force_heads) else None
        return Outputs(energies, forces)

    def isolated(self, like: Tensor) -> list[Tensor]:
        """Return the features of an atom alone after each layer, per kind."""
        n = self.n_kinds
        kinds = torch.arange(n, device=like.device)
        vectors = like.new_zeros(n, 1, 3)
        vectors[..., 0] = 1.0
        rows = EdgeRows(kinds[:, None], vectors, like.new_zeros(n, 1))
        return self.features(rows, kinds)

    def features(self, rows: EdgeRows, kinds: Tensor) -> list[Tensor]:
        """Return the features after each layer, (n, (l_max + 1)^2, k)."""
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
        found = []
        for layer in self.layers:
            h = layer(h, around)
            found.append(h)
        return found

    def raw(self, features: Sequence[Tensor]) -> Tensor:
        """Return energies of atoms, (n,), those of atoms alone included; equation (12)."""
        energy = features[0].new_zeros(len(features[0]))
        for h, readout in zip(features, self.readouts, strict=True):
            energy = energy + readout(h[:, 0])
        return energy * self.scale

    def pooled_energies(self, scalars: Sequence[Tensor], groups: Groups) -> Tensor:
        """Return one energy of each structure, (s,); equation (14)."""
        energy = scalars[0].new_zeros(groups.n_structures)
        for x, readout in zip(scalars, self.readouts, strict=True):
            energy = energy + readout(pooled(x, groups))
        return energy * self.scale

    def direct(self, features: Sequence[Tensor], groups: Groups) -> Tensor:
        """Return direct forces in eV/A, (n, 3), which add up to 0; equation (17)."""
        forces = features[0].new_zeros(len(features[0]), 3)
        for h, head in zip(features, self.force_heads, strict=True):
            forces = forces + head(h)
        return balanced(forces * self.scale, groups)

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
