"""Graphs: atoms of one or many structures, and all pairs closer than a cutoff."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
import torch

from trimpot.elements import SYMBOLS
from trimpot.errors import InputError
from trimpot.neighbors.arrays import native_structure
from trimpot.neighbors.lists import image_list

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from trimpot.contract import IntArray, Structure


@dataclass(frozen=True)
class Graph:
    """Atoms of s structures, one after the other, and e directed edges between them.

    Positions and cells are float64 also for models of lower precision: a difference of
    positions is what may be rounded.

    Attributes
    ----------
    elements : tuple of int
        Atomic numbers that ``species`` refers to, ascending.
    cutoff : float
        All pairs with r < cutoff (angstrom) are edges.
    positions : (n, 3) float64
        In angstrom.
    species : (n,) int64
        Index of each atom's element.
    structures : (n,) int64
        Index of each atom's structure, ascending.
    cells : (s, 3, 3) float64
        Rows are lattice vectors in angstrom.
    edges : (2, e) int64
        Atoms i and j; i ascends. An atom has edges to its own images.
    shifts : (e, 3) int32
        S of ``r_ij = x_j - x_i + S @ cell``.
    """

    elements: tuple[int, ...]
    cutoff: float
    positions: Tensor
    species: Tensor
    structures: Tensor
    cells: Tensor
    edges: Tensor
    shifts: Tensor

    @cached_property
    def offsets(self) -> Tensor:
        """S @ cell of each edge in angstrom, (e, 3) float64."""
        cells = self.cells[self.structures[self.edges[0]]]
        return torch.einsum("ea,eac->ec", self.shifts.to(cells.dtype), cells)

    def displacements(
        self,
        positions: Tensor | None = None,
        strain: Tensor | None = None,
        *,
        edges: Tensor | None = None,
    ) -> Tensor:
        """Return r_ij of edges in angstrom, differentiable in positions and strain.

        Parameters
        ----------
        positions : (n, 3) float64, optional
            Other positions of the atoms.
        strain : (s, 3, 3), optional
            Strain e of each structure: r becomes r (1 + e), of atoms and cell.
        edges : (m,) int64, optional
            Of these edges only.
        """
        x_nc = self.positions if positions is None else positions
        pairs = self.edges if edges is None else self.edges[:, edges]
        offsets = self.offsets if edges is None else self.offsets[edges]
        r_ec = x_nc.index_select(0, pairs[1]) - x_nc.index_select(0, pairs[0]) + offsets
        if strain is None:
            return r_ec
        by_edge = strain.index_select(0, self.structures[pairs[0]])
        return r_ec + torch.einsum("ea,eac->ec", r_ec, by_edge)

    def to(self, device: torch.device | str) -> Graph:
        """Return the graph on a device."""
        return replace(
            self,
            positions=self.positions.to(device),
            species=self.species.to(device),
            structures=self.structures.to(device),
            cells=self.cells.to(device),
            edges=self.edges.to(device),
            shifts=self.shifts.to(device),
        )


def structure_graph(
    structure: Structure, elements: tuple[int, ...], cutoff: float
) -> Graph:
    """Return the graph of one structure, with positions as they are given.

    Parameters
    ----------
    structure : Structure
        Any cell (also smaller than the cutoff), any periodic directions.
    elements : tuple of int
        Atomic numbers that a model describes, ascending.
    cutoff : float
        In angstrom; for an envelope ``envelope.stretch`` times the model's.

    Raises
    ------
    InputError
        For an element outside ``elements``; otherwise as ``neighbors.neighborhood``.
    """
    exact = native_structure(structure)
    species = _species(exact.numbers, elements)
    images = image_list(exact, cutoff)
    around = images.neighborhood
    centers = np.repeat(np.arange(around.n_local), np.diff(around.first))
    edges = np.stack([centers, around.owners[around.neighbors]]).astype(np.int64)
    shifts = images.shifts[around.neighbors] - images.shifts[centers]
    return Graph(
        elements=elements,
        cutoff=float(cutoff),
        positions=torch.tensor(exact.positions),
        species=torch.from_numpy(species),
        structures=torch.zeros(len(exact), dtype=torch.int64),
        cells=torch.tensor(exact.cell)[None],
        edges=torch.from_numpy(edges),
        shifts=torch.from_numpy(shifts),
    )


def join(graphs: Sequence[Graph]) -> Graph:
    """Return one graph of all structures, in this order.

    Raises
    ------
    InputError
        For no graph, or graphs that differ in elements or cutoff.
    """
    if len({(graph.elements, graph.cutoff) for graph in graphs}) != 1:
        raise InputError(
            f"found {len(graphs)} graphs to join, expected at least one and all with the "
            "same elements and cutoff; make them for the same model"
        )
    atoms = [0, *accumulate(len(graph.positions) for graph in graphs)]
    before = [0, *accumulate(len(graph.cells) for graph in graphs)]
    pairs = zip(graphs, atoms, strict=False)
    groups = zip(graphs, before, strict=False)
    return replace(
        graphs[0],
        positions=torch.cat([graph.positions for graph in graphs]),
        species=torch.cat([graph.species for graph in graphs]),
        structures=torch.cat([graph.structures + start for graph, start in groups]),
        cells=torch.cat([graph.cells for graph in graphs]),
        edges=torch.cat([graph.edges + start for graph, start in pairs], dim=1),
        shifts=torch.cat([graph.shifts for graph in graphs]),
    )


def _species(numbers: IntArray, elements: tuple[int, ...]) -> np.ndarray:
    table = np.full(len(SYMBOLS), -1, dtype=np.int64)
    table[list(elements)] = np.arange(len(elements))
    species = table[numbers]
    if (species < 0).any():
        unknown = sorted({SYMBOLS[z] for z in numbers[species < 0]})
        known = ", ".join(SYMBOLS[z] for z in elements)
        raise InputError(
            f"found {', '.join(unknown)}, but this model describes only {known}; "
            "use a model that was trained on these elements"
        )
    return species
