"""Frames made ready once: the edges a network sees of each, and its labels."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import torch

from trimpot.networks.charges import kinds_of
from trimpot.networks.frozen_edges import freeze
from trimpot.networks.graphs import structure_graph

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch import Tensor

    from trimpot.contract import Structure
    from trimpot.networks.charges import Kind
    from trimpot.networks.edges import EdgePruning
    from trimpot.networks.frozen_edges import FrozenEdges
    from trimpot.networks.training.data import TrainingData

WEIGHED = 500
"""Frames, evenly spread, of which the mean weight of an atom is taken."""


@dataclass(frozen=True)
class FrameEdges:
    """The m edges of a frame that survive, and the t triplets that screen them in part.

    In small integers, for all frames of a training are in memory.

    Attributes
    ----------
    counts : (n,) int32
        Edges of each atom; edges are in the order of atoms.
    neighbors : (m,) int32
        Atom j.
    shifts : (m, 3) int8 or int32
        S of r_ij.
    screened : (t,) int32
        Edge of each triplet.
    partners : (t,) int32
        Atom k.
    partner_shifts : (t, 3) int8 or int32
        S of r_ik.
    """

    counts: Tensor
    neighbors: Tensor
    shifts: Tensor
    screened: Tensor
    partners: Tensor
    partner_shifts: Tensor

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(getattr(self, field.name).nbytes for field in fields(self))


@dataclass(frozen=True)
class Labels:
    """What is known of a frame; None: no label.

    Attributes
    ----------
    energy : float, optional
        Total, in eV.
    forces : (n, 3) float64, optional
        In eV/A.
    virial : (3, 3) float64, optional
        -dE/d(strain) in eV.
    weight : float
        Weight of the frame in the loss.
    """

    energy: float | None
    forces: Tensor | None
    virial: Tensor | None
    weight: float = 1.0


@dataclass(frozen=True)
class PreparedFrame:
    """A frame ready for batches.

    Attributes
    ----------
    positions : (n, 3) float64
        In angstrom.
    species, kinds : (n,) int64
        Index of each atom's element, and of its kind: element and charge of the frame.
    cell : (3, 3) float64
        Rows are lattice vectors in angstrom.
    volume : float
        In A^3; 0 without a cell.
    edges : FrameEdges
    labels : Labels
    places, triplets : int
        Most edges of an atom, and triplets.
    frozen : FrozenEdges, optional
        Vectors and weights of the edges, where a kernel wants them.
    """

    positions: Tensor
    species: Tensor
    kinds: Tensor
    cell: Tensor
    volume: float
    edges: FrameEdges
    labels: Labels
    places: int
    triplets: int
    frozen: FrozenEdges | None = None

    @property
    def atoms(self) -> int:
        """Number of atoms."""
        return len(self.species)


def prepared(
    data: TrainingData,
    species: tuple[int, ...],
    pruning: EdgePruning,
    *,
    group_weights: Mapping[str, float],
    kinds: tuple[Kind, ...] = (),
    frozen: bool = False,
) -> Iterator[PreparedFrame]:
    """Yield all frames of the data, with the edges that a pruning leaves.

    Parameters
    ----------
    data : TrainingData
    species : tuple of int
        Atomic numbers, ascending.
    pruning : EdgePruning
        In double precision, on the CPU.
    group_weights : mapping
        Weights of groups; 1 for others.
    kinds : tuple of (int, int)
        Atomic number and total charge of the kinds of atoms; empty: elements are kinds.
    frozen : bool
        Whether a kernel wants vectors and weights of the edges.
    """
    for index, structure in enumerate(data.structures):
        weight = group_weights.get(data.groups[index], 1.0)
        labels = _labels(data, index, weight)
        yield prepared_frame(
            structure, labels, species, pruning, kinds=kinds, frozen=frozen
        )


def prepared_frame(
    structure: Structure,
    labels: Labels,
    species: tuple[int, ...],
    pruning: EdgePruning,
    *,
    kinds: tuple[Kind, ...] = (),
    frozen: bool = False,
) -> PreparedFrame:
    """Return one frame with its edges; see ``prepared``."""
    graph = structure_graph(structure, species, pruning.reach)
    of_atoms = graph.species
    if kinds:
        of_atoms = torch.from_numpy(kinds_of(structure.numbers, structure.charge, kinds))
    left = pruning.survivors(graph)
    atoms, partners = graph.edges[:, left.edges], graph.edges[1, left.screening]
    counts = torch.bincount(atoms[0], minlength=len(graph.species))
    edges = FrameEdges(
        counts=counts.int(),
        neighbors=atoms[1].int(),
        shifts=_small(graph.shifts[left.edges]),
        screened=left.screened.int(),
        partners=partners.int(),
        partner_shifts=_small(graph.shifts[left.screening]),
    )
    return PreparedFrame(
        positions=graph.positions,
        species=graph.species,
        kinds=of_atoms,
        cell=graph.cells[0],
        volume=structure.volume,
        edges=edges,
        labels=labels,
        places=int(counts.max()),
        triplets=len(left.screened),
        frozen=freeze(pruning, graph, of_atoms) if frozen else None,
    )


def _small(shifts: Tensor) -> Tensor:
    """Return shifts in one byte each, where they fit."""
    fits = not shifts.numel() or int(shifts.abs().max()) <= torch.iinfo(torch.int8).max
    return shifts.to(torch.int8) if fits else shifts


def _labels(data: TrainingData, index: int, weight: float) -> Labels:
    energy, forces = float(data.energies[index]), data.forces[index]
    virial = data.virial(index)
    return Labels(
        energy=None if math.isnan(energy) else energy,
        forces=None if forces is None else torch.tensor(forces, dtype=torch.float64),
        virial=None if virial is None else torch.tensor(virial, dtype=torch.float64),
        weight=weight,
    )


def label_scale(frames: Sequence[PreparedFrame]) -> float:
    """Return the root mean square of all forces, or of energies per atom without forces.

    1 where all of them are 0.
    """
    forces = [f.labels.forces for f in frames if f.labels.forces is not None]
    if forces:
        square = sum(float(f.square().sum()) for f in forces)
        rms = math.sqrt(square / sum(f.numel() for f in forces))
    else:
        given = [(f.labels.energy, f.atoms) for f in frames]
        per_atom = [e / n for e, n in given if e is not None]
        rms = float(np.sqrt(np.mean(np.square(per_atom)))) if per_atom else 0.0
    return rms if rms > 0.0 else 1.0


def evenly(count: int, most: int = WEIGHED) -> range:
    """Return at most so many of the first ``count`` numbers, evenly spread."""
    return range(0, count, max(1, -(-count // most)))
