"""One energy model for all schemes, linear in its coefficients, and its fit.

    E = sum_i c . phi_i,
    phi_i = (1, sum_j w_ij B_m(r_ij), sum_m A_nlm A_n'lm, A_n00 A_n'00 A_n''00)

with A_inlm = sum_j w_ij B_n(r_ij) Y_lm(r_ij) and B-splines B. The weights w are all that
schemes may choose; their slopes are part of the forces.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
import torch
from torch import Tensor

from trimpot.networks import Graph, join, structure_graph

from .schemes import Scheme

NEAREST = 1.8
"""Where the splines begin, A."""

PAIR, RADIAL, L_MAX = 16, 6, 3
CUBIC = 4
"""Splines of the pair part, of densities, and of densities that are taken three times."""

ENERGY_SCALE, FORCE_SCALE = 0.005, 0.10
"""Errors that weigh alike: eV/atom and eV/A."""

STRENGTHS = tuple(10.0**k for k in range(-13, -2))
FOLDS = 5
ATOMS_AT_ONCE = 300


def splines(r: Tensor, count: int, longest: float) -> Tensor:
    """Return ``count`` uniform cubic B-splines on [NEAREST, longest] at r, (m, count)."""
    spacing = (longest - NEAREST) / (count - 3)
    places = torch.arange(count, dtype=r.dtype) - 1.0
    x = ((r[:, None] - NEAREST) / spacing - places).abs()
    inner = 2 / 3 - x**2 + 0.5 * x**3
    return torch.where(x < 1.0, inner, (2.0 - x).clamp_min(0.0) ** 3 / 6)


def harmonics(unit: Tensor) -> Tensor:
    """Return real harmonics up to l = 3, (m, 16); for each l their squares add up to 1."""
    x, y, z = unit.unbind(1)
    xx, yy, zz = x * x, y * y, z * z
    h = 3**0.5 / 2
    parts = [torch.ones_like(x), x, y, z]
    parts += [2 * h * x * y, 2 * h * y * z, 1.5 * zz - 0.5, 2 * h * x * z, h * (xx - yy)]
    a, b, c = (5 / 8) ** 0.5, 15**0.5, (3 / 8) ** 0.5
    parts += [
        *(a * y * (3 * xx - yy), b * x * y * z, c * y * (5 * zz - 1)),
        0.5 * z * (5 * zz - 3),
        *(c * x * (5 * zz - 1), 0.5 * b * z * (xx - yy), a * x * (xx - 3 * yy)),
    ]
    return torch.stack(parts, dim=1)


LEVEL = torch.tensor([lm for lm in range(L_MAX + 1) for _ in range(2 * lm + 1)])
TWICE = tuple(np.transpose(list(combinations_with_replacement(range(RADIAL), 2))))
THRICE = tuple(np.transpose(list(combinations_with_replacement(range(CUBIC), 3))))

KIND = np.concatenate(
    [
        np.zeros(1, int),
        np.tile(np.arange(1, L_MAX + 2), len(TWICE[0])),
        np.full(len(THRICE[0]), L_MAX + 2),
        np.full(PAIR, L_MAX + 3),
    ]
)
"""Of each coefficient: constant, power spectrum of each l, three densities, pairs."""


def features(scheme: Scheme, graph: Graph, positions: Tensor | None = None) -> Tensor:
    """Return the sums of phi over the atoms of each structure, (s, p)."""
    edges = scheme(graph, positions).edges
    n, w = len(graph.positions), edges.weights[:, None]
    pair = w * splines(edges.lengths, PAIR, scheme.longest)
    radial = w * splines(edges.lengths, RADIAL, scheme.longest)
    angular = harmonics(edges.vectors / edges.lengths[:, None])
    by_edge = (radial[:, :, None] * angular[:, None, :]).flatten(1)
    i = edges.atoms[0]
    density = by_edge.new_zeros((n, by_edge.shape[1])).index_add(0, i, by_edge)
    density = density.view(n, RADIAL, -1)
    products = density[:, TWICE[0]] * density[:, TWICE[1]]
    power = products.new_zeros((n, products.shape[1], L_MAX + 1)).index_add(
        2, LEVEL, products
    )
    scalar = density[:, :CUBIC, 0]
    cubes = scalar[:, THRICE[0]] * scalar[:, THRICE[1]] * scalar[:, THRICE[2]]
    per_atom = torch.cat([torch.ones(n, 1).double(), power.flatten(1), cubes], dim=1)
    n_structures = len(graph.cells)
    total = per_atom.new_zeros((n_structures, per_atom.shape[1]))
    pairs = pair.new_zeros((n_structures, PAIR))
    return torch.cat(
        [
            total.index_add(0, graph.structures, per_atom),
            pairs.index_add(0, graph.structures[i], pair),
        ],
        dim=1,
    )


@dataclass(frozen=True)
class Rows:
    """Rows of a design matrix and their labels, of several frames.

    Attributes
    ----------
    energy : (s, p) and energy_labels (s,)
        Per atom, eV.
    forces : (3n, p) and force_labels (3n,)
        eV/A.
    frame : (3n,)
        Which frame each force belongs to.
    """

    energy: np.ndarray
    energy_labels: np.ndarray
    forces: np.ndarray
    force_labels: np.ndarray
    frame: np.ndarray

    def of(self, chosen: np.ndarray) -> Rows:
        """Return the rows of some frames (bool per frame)."""
        atoms = chosen[self.frame]
        return Rows(
            self.energy[chosen],
            self.energy_labels[chosen],
            self.forces[atoms],
            self.force_labels[atoms],
            np.cumsum(chosen)[self.frame[atoms]] - 1,
        )

    def gram(self) -> tuple[np.ndarray, np.ndarray, float]:
        """Return X^T X, X^T y and y^T y of weighted rows, per row."""
        x = np.concatenate([self.energy / ENERGY_SCALE, self.forces / FORCE_SCALE])
        y = np.concatenate(
            [self.energy_labels / ENERGY_SCALE, self.force_labels / FORCE_SCALE]
        )
        return x.T @ x, x.T @ y, float(y @ y)


def joined(scheme_reach: float, structures, elements=(74,)) -> list[Graph]:
    """Return the structures as few graphs of some hundred atoms."""
    found, batch, atoms = [], [], 0
    for structure in structures:
        batch.append(structure_graph(structure, elements, scheme_reach))
        atoms += len(structure)
        if atoms > ATOMS_AT_ONCE:
            found.append(join(batch))
            batch, atoms = [], 0
    return [*found, join(batch)] if batch else found


def rows(scheme: Scheme, frames) -> Rows:
    """Return the design matrix: one backward pass per coefficient and batch."""
    energy, forces = [], []
    for graph in joined(scheme.reach, [frame.structure for frame in frames]):
        x = graph.positions.clone().requires_grad_()
        phi = features(scheme, graph, x)
        energy.append((phi / torch.bincount(graph.structures)[:, None]).detach())
        columns = [
            torch.autograd.grad(column, x, retain_graph=True, allow_unused=True)[0]
            for column in phi.sum(0).unbind()
        ]
        none = torch.zeros_like(x)
        slopes = [none if c is None else c for c in columns]
        forces.append(-torch.stack(slopes, dim=2).flatten(0, 1).detach())
    return Rows(
        torch.cat(energy).numpy(),
        np.array([f.energy / len(f) for f in frames]),
        torch.cat(forces).numpy(),
        np.concatenate([f.forces.ravel() for f in frames]),
        np.repeat(np.arange(len(frames)), [3 * len(f) for f in frames]),
    )


def predictions(
    scheme: Scheme, frames, coefficients
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return energies per atom and forces of all frames, for each set of coefficients."""
    found = [([], []) for _ in coefficients]
    for graph in joined(scheme.reach, [frame.structure for frame in frames]):
        x = graph.positions.clone().requires_grad_()
        phi = features(scheme, graph, x)
        for c, (energy, forces) in zip(coefficients, found, strict=True):
            e = phi @ torch.from_numpy(c)
            slope = torch.autograd.grad(e.sum(), x, retain_graph=True)[0]
            energy.append((e / torch.bincount(graph.structures)).detach().numpy())
            forces.append(-slope.numpy())
    return [(np.concatenate(energy), np.concatenate(forces)) for energy, forces in found]


def fit(training: Rows) -> np.ndarray:
    """Return coefficients; the ridge is the best of five folds over frames.

    Columns of one kind share a scale, so that splines without data stay at zero.
    """
    n = len(training.energy)
    fold = np.random.default_rng(0).permutation(n) % FOLDS
    parts = [training.of(fold == k).gram() for k in range(FOLDS)]
    a = sum(part[0] for part in parts)
    b = sum(part[1] for part in parts)
    mean = np.bincount(KIND, np.diag(a)) / np.bincount(KIND)
    scale = 1.0 / np.sqrt(mean[KIND])
    scores = np.zeros(len(STRENGTHS))
    for a_k, b_k, y_k in parts:
        for at, c in enumerate(_solutions(a - a_k, b - b_k, scale)):
            scores[at] += c @ a_k @ c - 2 * b_k @ c + y_k
    return _solutions(a, b, scale)[int(np.argmin(scores))]


def _solutions(a, b, scale) -> list[np.ndarray]:
    """Return ridge solutions of every strength."""
    values, vectors = np.linalg.eigh(a * scale[:, None] * scale)
    turned = vectors.T @ (b * scale)
    top = values.max()
    return [
        scale * (vectors @ (turned / (np.maximum(values, 0.0) + s * top)))
        for s in STRENGTHS
    ]


@dataclass(frozen=True)
class LinearModel:
    """A fitted model: energies and their slopes through the weights of its scheme."""

    scheme: Scheme
    coefficients: Tensor

    def energy(self, graph: Graph, positions: Tensor) -> Tensor:
        """Return the energy of one structure in eV."""
        return (features(self.scheme, graph, positions) @ self.coefficients).sum()

    def graph(self, structure) -> Graph:
        return structure_graph(structure, (74,), self.scheme.reach)

    def energy_forces(self, structure) -> tuple[float, np.ndarray]:
        """Return the energy in eV and the forces in eV/A."""
        graph = self.graph(structure)
        x = graph.positions.clone().requires_grad_()
        energy = self.energy(graph, x)
        return float(energy.detach()), -torch.autograd.grad(energy, x)[0].numpy()
