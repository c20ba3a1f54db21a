"""Lists of edges as arrays: what a network computes on, whoever computes.

Two things exchange them: a potential, which makes them of neighbourhoods, and a kernel
(`compiled.CompiledNetwork`, `autograd.AutogradNetwork`), which returns energies, forces
and virials.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from trimpot.splines.packing import species_indices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from trimpot.contract import FloatArray, Neighborhood

    Indices = NDArray[np.int64]


@dataclass(frozen=True)
class EdgeLists:
    """Atoms of s structures, one after the other, and all directed pairs within a reach.

    Attributes
    ----------
    elements : tuple of int
        Atomic numbers that ``species`` refers to, ascending.
    reach : float
        All pairs with r < reach (angstrom) are edges.
    first : (s + 1,) int64
        Atoms ``first[k]`` to ``first[k + 1]`` belong to structure k.
    species : (n,) int64
        Index of each atom's element.
    edges : (2, e) int64
        Atoms i and j; i ascends. Images of an atom are the atom itself.
    vectors : (e, 3) float64
        r_ij in angstrom.
    """

    elements: tuple[int, ...]
    reach: float
    first: Indices
    species: Indices
    edges: Indices
    vectors: FloatArray

    @property
    def structures(self) -> Indices:
        """Structure of each atom, (n,)."""
        return np.repeat(np.arange(len(self.first) - 1), np.diff(self.first))

    @property
    def starts(self) -> Indices:
        """Where the edges of each atom begin, (n + 1,)."""
        counts = np.bincount(self.edges[0], minlength=len(self.species))
        return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


@dataclass(frozen=True)
class NetworkResults:
    """What a network says of lists, without isolated-atom energies and prior.

    Attributes
    ----------
    energies : (n,) float64
        In eV.
    forces : (n, 3) float64
        In eV/A.
    virials : (s, 3, 3) float64
        -dE/d(strain) in eV; NaN where forces are not the gradient of the energy.
    """

    energies: FloatArray
    forces: FloatArray
    virials: FloatArray


class NetworkKernel(Protocol):
    """Whoever computes a network."""

    def evaluate(self, lists: EdgeLists, *, threads: int) -> NetworkResults:
        """Return energies, forces and virials; ``threads`` 0: all available cores."""
        ...


def edge_lists(
    around: Sequence[Neighborhood], elements: tuple[int, ...], reach: float
) -> EdgeLists:
    """Return the edges of neighbourhoods, whose lists may reach further.

    Raises
    ------
    InputError
        For an element outside ``elements``.
    """
    first = np.cumsum([0, *(one.n_local for one in around)])
    numbers = np.concatenate([one.numbers[: one.n_local] for one in around])
    parts = [
        _edges(one, reach, int(start)) for one, start in zip(around, first, strict=False)
    ]
    return EdgeLists(
        elements,
        float(reach),
        first.astype(np.int64),
        species_indices(numbers, elements).astype(np.int64),
        np.concatenate([edges for edges, _ in parts], axis=1),
        np.concatenate([vectors for _, vectors in parts]),
    )


def _edges(around: Neighborhood, reach: float, start: int) -> tuple[Indices, FloatArray]:
    """Return edges, atoms counted from ``start``, and their vectors."""
    centers = np.repeat(np.arange(around.n_local), np.diff(around.first))
    x = around.positions
    vectors = x[around.neighbors] - x[centers]
    # what is not a number stays, for all to see
    near = ~(np.einsum("ec,ec->e", vectors, vectors) >= reach**2)
    edges = np.stack([centers[near], around.owners[around.neighbors[near]]])
    return edges.astype(np.int64) + start, vectors[near]
