"""One round of messages: from features of neighbours to new features of each atom."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from trimpot.networks.mlanet.coupling import degree_slices
from trimpot.networks.mlanet.products import DegreeLinear, SpeciesProduct
from trimpot.networks.mlanet.radial import RadialNetwork
from trimpot.networks.mlanet.shapes import poolings, radial_widths

if TYPE_CHECKING:
    from trimpot.networks.mlanet.settings import MLANetSettings

FADING = 0.3
"""How much less each further order of products counts before training.

Products of many features are large where these are, and a network that begins with large
forces learns late.
"""

SCORE_LIMIT = 8.0
"""Scores stay between -8 and 8, by tanh: attention stays finite and smooth."""


class Surroundings(NamedTuple):
    """What all layers see of the edges, in rows of p places per atom.

    neighbors (n, p), weights (n, p), splines (n, p, q), harmonics (n, p, (l_max + 1)^2),
    degrees (n, 1): sum of weights over its mean in the training data; species (n,).
    """

    neighbors: Tensor
    weights: Tensor
    splines: Tensor
    harmonics: Tensor
    degrees: Tensor
    species: Tensor


class MessageLayer(nn.Module):
    """Dual-path attention, products at atoms, gated update; equations (3) to (11).

    Parameters
    ----------
    settings : MLANetSettings
    n_species : int
    first : bool
        Whether features are scalars only, so that none of higher degree are passed on.
    mean_weight : float
        Mean sum of weights of an atom in the training data.
    """

    def __init__(
        self, settings: MLANetSettings, n_species: int, *, first: bool, mean_weight: float
    ) -> None:
        super().__init__()
        k, l_max = settings.channels, settings.l_max
        self.settings, self.first, self.mean_weight = settings, first, mean_weight
        self.slices = degree_slices(l_max)
        self.pooling = poolings(settings)
        self.heads = self.pooling.count("attention")
        self.degrees_passed = 0 if first else l_max
        self.widths = radial_widths(settings, first=first)
        self.radial = RadialNetwork(settings, sum(self.widths))
        self.value = nn.Linear(k, k, bias=False)
        if self.degrees_passed:
            self.passed = DegreeLinear(l_max, k, k)
        if self.heads:
            self.query = DegreeLinear(l_max, k, self.heads)
            self.key = nn.Linear(k, self.heads)
        if settings.gate:
            self.gate_center = nn.Linear(k, settings.gate_hidden)
            self.gate_neighbor = nn.Linear(k, settings.gate_hidden, bias=False)
            self.gate_out = nn.Linear(settings.gate_hidden, k)
        self.mix = DegreeLinear(l_max, k, k)
        orders = settings.correlation
        self.products = nn.ModuleList(
            SpeciesProduct(l_max, k, n_species) for _ in range(orders - 1)
        )
        self.out = nn.ModuleList(
            DegreeLinear(l_max, k, k, gain=FADING**order) for order in range(orders)
        )
        self.skip = DegreeLinear(l_max, k, k)
        self.scalars = nn.Linear(k + 1, k * (1 + l_max))

    def forward(self, h: Tensor, around: Surroundings) -> Tensor:
        """Return new features (n, (l_max + 1)^2, k); equations (7) and (9)."""
        a = self.mix(self.messages(h, around))
        power, message = a, self.out[0](a)
        for product, out in zip(self.products, self.out[1:], strict=True):
            power = product(power, a, around.species)
            message = message + out(power)
        return self.update(h, message, around)

    def messages(self, h: Tensor, around: Surroundings) -> Tensor:
        """Return sums of messages over neighbours, (n, (l_max + 1)^2, k); equation (3)."""
        s = self.settings
        n, p = around.neighbors.shape
        flat = around.neighbors.reshape(-1)
        radial = around.splines @ self.radial()
        to_harmonics, to_passed, to_scores, to_gate = radial.split(self.widths, dim=-1)
        scalars = h[:, 0]
        factor = self.shares(h, to_scores, around)
        if s.gate:
            factor = factor * self.gate(scalars, to_gate, around)
        values = self.value(scalars).index_select(0, flat).reshape(n, p, -1) * factor
        parts = []
        for degree, where in enumerate(self.slices):
            r = to_harmonics[..., degree * s.channels : (degree + 1) * s.channels]
            y = around.harmonics[..., where]
            parts.append(y.transpose(1, 2) @ (values * r))
        if self.degrees_passed:
            sent = self.passed(h)
            for degree in range(1, s.l_max + 1):
                where = self.slices[degree]
                part = sent[:, where].index_select(0, flat)
                part = part.reshape(n, p, 2 * degree + 1, s.channels)
                r = to_passed[..., (degree - 1) * s.channels : degree * s.channels]
                parts[degree] = parts[degree] + (part * (r * factor)[:, :, None]).sum(1)
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)

    def shares(self, h: Tensor, to_scores: Tensor, around: Surroundings) -> Tensor:
        """Return what share of each edge each channel takes, (n, p, k); equation (5)."""
        w = around.weights[..., None]
        total = w.sum(1, keepdim=True)
        share = {"sum": w / self.mean_weight**0.5}
        share["mean"] = (
            w * ((1.0 + self.mean_weight) / (1.0 + total)) / (self.mean_weight**0.5)
        )
        if self.heads:
            grown = w * torch.exp(self.scores(h, to_scores, around))
            share["attention"] = (
                grown / (1.0 + grown.sum(1, keepdim=True)) * self.mean_weight**0.5
            )
        width = self.settings.channels // len(self.pooling)
        columns, head = [], 0
        for kind in self.pooling:
            part = share[kind]
            if kind == "attention":
                part, head = part[..., head : head + 1], head + 1
            columns.append(part.expand(*part.shape[:2], width))
        return torch.cat(columns, dim=-1)

    def scores(self, h: Tensor, to_scores: Tensor, around: Surroundings) -> Tensor:
        """Return bounded scores of each head, (n, p, heads); equation (4)."""
        n, p = around.neighbors.shape
        query = self.query(h)
        parts = [around.harmonics[..., where] @ query[:, where] for where in self.slices]
        match = torch.stack(parts, dim=-2)
        radial = to_scores.reshape(n, p, len(self.slices), self.heads)
        keys = self.key(h[:, 0])[around.neighbors]
        score = (match * radial).sum(-2) + keys
        return SCORE_LIMIT * torch.tanh(score / SCORE_LIMIT)

    def gate(self, scalars: Tensor, to_gate: Tensor, around: Surroundings) -> Tensor:
        """Return the chemical gate of each edge and channel, (n, p, k); equation (6)."""
        hidden = (
            self.gate_center(scalars)[:, None]
            + self.gate_neighbor(scalars)[around.neighbors]
            + to_gate
        )
        gates: Tensor = self.gate_out(nn.functional.silu(hidden))
        return 2.0 * gates.sigmoid()

    def update(self, h: Tensor, message: Tensor, around: Surroundings) -> Tensor:
        """Return features renewed by a gated message; equations (10) and (11)."""
        k = self.settings.channels
        made = self.scalars(torch.cat([message[:, 0], around.degrees], dim=-1))
        parts = [nn.functional.silu(made[:, None, :k])]
        for degree, where in list(enumerate(self.slices))[1:]:
            open_ = 2.0 * torch.sigmoid(made[:, None, degree * k : (degree + 1) * k])
            parts.append(message[:, where] * open_)
        fresh = parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)
        kept: Tensor = self.skip(h)
        return kept + fresh
