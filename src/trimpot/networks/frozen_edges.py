"""Edges of a structure that stays where it is, with the slopes of their weights.

Training frames do not move. What a network needs of them are vectors and weights, and to
turn derivatives by these into forces, the slopes of the weights: worked out once, all the
rest is linear.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from trimpot import _native
from trimpot.networks.weighing import edge_weighing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from trimpot.contract import FloatArray
    from trimpot.networks.edges import EdgePruning
    from trimpot.networks.graphs import Graph


@dataclass(frozen=True)
class FrozenEdges:
    """m weighted edges of n atoms in s structures; t triplets screen some of them in part.

    Attributes
    ----------
    kinds, structures : (n,) int32
        Index of the kind (element, or element and charge) and of the structure of each
        atom.
    n_structures : int
    centers, neighbors : (m,) int32
        Atoms i, ascending, and j.
    first : (n + 1,) int64
        Where the edges of each atom begin.
    vectors : (m, 3)
        r_ij in angstrom.
    weights : (m,)
        w_ij.
    slopes : (m, 3)
        dw_ij / dr_ij in 1/angstrom, where third atoms stay.
    screened : (t,) int64
        Edge that each triplet screens.
    screening : (t,) int32
        Atom k of each triplet.
    to_screening : (t, 3)
        r_ik in angstrom.
    screening_slopes : (t, 3)
        dw_ij / dr_ik in 1/angstrom.
    """

    kinds: np.ndarray
    structures: np.ndarray
    n_structures: int
    centers: np.ndarray
    neighbors: np.ndarray
    first: np.ndarray
    vectors: FloatArray
    weights: FloatArray
    slopes: FloatArray
    screened: np.ndarray
    screening: np.ndarray
    to_screening: FloatArray
    screening_slopes: FloatArray

    def __len__(self) -> int:
        return len(self.kinds)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        values = (getattr(self, field.name) for field in fields(self))
        return sum(value.nbytes for value in values if isinstance(value, np.ndarray))

    def forces(self, by_vectors: FloatArray, by_weights: FloatArray) -> FloatArray:
        """Return -dE/dx of atoms, (n, 3), from dE/dr_ij and dE/dw_ij."""
        pulls, screening_pulls = self._pulls(by_vectors, by_weights)
        centers = self.centers[self.screened]
        return (
            _sums(pulls, self.centers, len(self))
            - _sums(pulls, self.neighbors, len(self))
            + _sums(screening_pulls, centers, len(self))
            - _sums(screening_pulls, self.screening, len(self))
        )

    def virials(self, by_vectors: FloatArray, by_weights: FloatArray) -> FloatArray:
        """Return -dE/d(strain) of structures in eV, (s, 3, 3)."""
        pulls, screening_pulls = self._pulls(by_vectors, by_weights)
        products = self.vectors[:, :, None] * pulls[:, None, :]
        others = self.to_screening[:, :, None] * screening_pulls[:, None, :]
        of_edges = self.structures[self.centers]
        s = self.n_structures
        total = _sums(products.reshape(-1, 9), of_edges, s)
        total += _sums(others.reshape(-1, 9), of_edges[self.screened], s)
        virials = -total.reshape(s, 3, 3)
        return 0.5 * (virials + virials.transpose(0, 2, 1))

    def tangents(
        self, velocities: FloatArray, strains: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Return the change of vectors (m, 3) and weights (m,) where atoms move.

        Parameters
        ----------
        velocities : (n, 3)
            Change of positions, angstrom.
        strains : (s, 3, 3), optional
            Symmetric strain of each structure, of all vectors.
        """
        centers = self.centers[self.screened]
        moved = velocities[self.neighbors] - velocities[self.centers]
        moved_k = velocities[self.screening] - velocities[centers]
        if strains is not None:
            of_edges = strains[self.structures[self.centers]]
            moved = moved + np.einsum("ma,mab->mb", self.vectors, of_edges)
            of_triplets = of_edges[self.screened]
            moved_k = moved_k + np.einsum("ta,tab->tb", self.to_screening, of_triplets)
        changes = np.einsum("mc,mc->m", self.slopes, moved)
        screened = np.einsum("tc,tc->t", self.screening_slopes, moved_k)
        changes += np.bincount(self.screened, screened, minlength=len(changes))
        return moved, changes

    def _pulls(
        self, by_vectors: FloatArray, by_weights: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        pulls = by_vectors + by_weights[:, None] * self.slopes
        return pulls, by_weights[self.screened][:, None] * self.screening_slopes


def freeze(pruning: EdgePruning, graph: Graph, kinds: Tensor | None = None) -> FrozenEdges:
    """Return the edges of a graph as they stand; kinds are elements if none are given."""
    triplet = None if pruning.screening is None else pruning.screening.envelope
    counts = np.bincount(graph.edges[0].numpy(), minlength=len(graph.species))
    species = graph.species.numpy().astype(np.int32)
    found = _native.weighted_edges(
        edge_weighing(pruning.radial, triplet),
        species,
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        graph.edges[1].numpy().astype(np.int32),
        graph.displacements().numpy(),
        1,
    )
    first, _, neighbors, vectors, weights, slopes = found[:6]
    screened, screening, to_screening, screening_slopes = found[6:]
    return FrozenEdges(
        species if kinds is None else kinds.numpy().astype(np.int32),
        graph.structures.numpy().astype(np.int32),
        len(graph.cells),
        np.repeat(np.arange(len(species), dtype=np.int32), np.diff(first)),
        neighbors,
        first,
        vectors,
        weights,
        slopes,
        screened,
        screening,
        to_screening,
        screening_slopes,
    )


def join_frozen(parts: Sequence[FrozenEdges]) -> FrozenEdges:
    """Return the edges of all parts as of one graph, in this order."""
    atoms = [0, *accumulate(len(part) for part in parts)]
    edges = [0, *accumulate(len(part.weights) for part in parts)]
    structures = [0, *accumulate(part.n_structures for part in parts)]
    shifted = list(zip(parts, atoms, edges, structures, strict=False))

    def joined(name: str) -> np.ndarray:
        return np.concatenate([getattr(part, name) for part in parts])

    return FrozenEdges(
        kinds=joined("kinds"),
        structures=np.concatenate([p.structures + np.int32(s) for p, _, _, s in shifted]),
        n_structures=structures[-1],
        centers=np.concatenate([p.centers + np.int32(a) for p, a, _, _ in shifted]),
        neighbors=np.concatenate([p.neighbors + np.int32(a) for p, a, _, _ in shifted]),
        first=np.concatenate([*(p.first[:-1] + e for p, _, e, _ in shifted), edges[-1:]]),
        vectors=joined("vectors"),
        weights=joined("weights"),
        slopes=joined("slopes"),
        screened=np.concatenate([p.screened + e for p, _, e, _ in shifted]),
        screening=np.concatenate([p.screening + np.int32(a) for p, a, _, _ in shifted]),
        to_screening=joined("to_screening"),
        screening_slopes=joined("screening_slopes"),
    )


def _sums(values: FloatArray, groups: np.ndarray, n: int) -> FloatArray:
    """Return the sums of rows by group, (n, columns)."""
    return np.stack(
        [np.bincount(groups, column, minlength=n) for column in values.T], axis=1
    )
