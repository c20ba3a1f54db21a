"""Batches: frames joined, their edges in rows of equally many places per atom.

Places without an edge hold an edge of an atom to itself, twice as long as the cutoff, so
that weight and slopes are 0. So no step asks how many edges there are, and batches that
are filled up to one shape run the same kernels on the same sizes.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor

from trimpot.networks.graphs import Graph
from trimpot.networks.search import Survivors
from trimpot.networks.training.targets import Targets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.networks.training.frames import PreparedFrame

ROUND_TRIPLETS = 64
"""Triplets of a shape are a multiple of this."""


@dataclass(frozen=True)
class BatchShape:
    """Sizes that a batch is filled up to.

    Attributes
    ----------
    structures : int
        One more than frames: atoms that fill up belong to the last.
    atoms, places, triplets : int
        Atoms in all, edges per atom, triplets in all.
    """

    structures: int
    atoms: int
    places: int
    triplets: int

    @classmethod
    def of(cls, frames: Sequence[PreparedFrame]) -> BatchShape:
        """Return the smallest shape of one batch."""
        return cls(
            structures=len(frames),
            atoms=sum(f.atoms for f in frames),
            places=max([1, *(f.places for f in frames)]),
            triplets=sum(f.triplets for f in frames),
        )

    @classmethod
    def largest(cls, frames: Sequence[PreparedFrame], batch_size: int) -> BatchShape:
        """Return the shape that any batch of so many of the frames fits into."""
        atoms = sorted((f.atoms for f in frames), reverse=True)[:batch_size]
        triplets = sum(sorted((f.triplets for f in frames), reverse=True)[:batch_size])
        return cls(
            structures=batch_size + 1,
            atoms=sum(atoms),
            places=max([1, *(f.places for f in frames)]),
            triplets=-(-triplets // ROUND_TRIPLETS) * ROUND_TRIPLETS,
        )


@dataclass(frozen=True)
class RowGraph(Graph):
    """A graph whose edges are rows of places, then the edges ik of triplets.

    Attributes
    ----------
    row_offsets : (e, 3) float64
        S @ cell in angstrom; places without an edge have a vector of their own.
    """

    row_offsets: Tensor

    @property
    def offsets(self) -> Tensor:
        """S @ cell of each edge in angstrom, (e, 3) float64."""
        return self.row_offsets


@dataclass(frozen=True)
class Batch:
    """Frames joined, with what the network should say of them.

    Attributes
    ----------
    graph : RowGraph
        n atoms in s structures; n p places, then t edges of triplets.
    survivors : Survivors
        All places, and the triplets.
    neighbors : (n, p) int64
        Atom j of each place; the atom itself without an edge.
    kinds : (n,) int64
        Index of each atom's kind: element, or element and charge.
    targets : Targets
        Labels and what an error counts.
    frames, atoms : int
        How many there are, what fills up not counted.
    """

    graph: RowGraph
    survivors: Survivors
    neighbors: Tensor
    kinds: Tensor
    targets: Targets
    frames: int
    atoms: int

    @property
    def structures(self) -> Tensor:
        """Frame of each atom, (n,) int64."""
        return self.graph.structures

    def to(self, device: torch.device) -> Batch:
        """Return the batch on a device; copies to a GPU do not wait for it."""
        if device == self.neighbors.device or device.type == "cpu":
            return self
        return replace(
            self,
            graph=_moved(self.graph, device),
            survivors=_moved(self.survivors, device),
            neighbors=_sent(self.neighbors, device),
            kinds=_sent(self.kinds, device),
            targets=_moved(self.targets, device),
        )


def joined(
    frames: Sequence[PreparedFrame],
    targets: Targets,
    *,
    elements: tuple[int, ...],
    cutoff: float,
    shape: BatchShape | None = None,
) -> Batch:
    """Return a batch of frames, at least one.

    Parameters
    ----------
    frames : sequence of PreparedFrame
    targets : Targets
        Of the same frames, in the same shape.
    elements : tuple of int
        Atomic numbers that the species refer to.
    cutoff : float
        Of the network, in angstrom.
    shape : BatchShape, optional
        What to fill up to; default: the smallest shape.
    """
    full = shape or BatchShape.of(frames)
    starts = [0, *accumulate(f.atoms for f in frames)]
    edges = _edges(frames, starts, full, cutoff)
    positions = torch.zeros(full.atoms, 3, dtype=torch.float64)
    species, kinds = torch.zeros(2, full.atoms, dtype=torch.int64)
    structures = torch.full((full.atoms,), full.structures - 1, dtype=torch.int64)
    positions[: starts[-1]] = torch.cat([f.positions for f in frames])
    species[: starts[-1]] = torch.cat([f.species for f in frames])
    kinds[: starts[-1]] = torch.cat([f.kinds for f in frames])
    for index in range(len(frames)):
        structures[starts[index] : starts[index + 1]] = index
    graph = RowGraph(
        elements=elements,
        cutoff=cutoff,
        positions=positions,
        species=species,
        structures=structures,
        cells=positions.new_zeros(full.structures, 3, 3),
        edges=edges.atoms,
        shifts=edges.atoms.new_zeros(0, 3, dtype=torch.int32),
        row_offsets=edges.offsets,
    )
    neighbors = edges.atoms[1, : full.atoms * full.places].reshape(full.atoms, full.places)
    survivors = Survivors(
        torch.arange(full.atoms * full.places),
        edges.screened,
        torch.arange(full.triplets) + full.atoms * full.places,
    )
    return Batch(graph, survivors, neighbors, kinds, targets, len(frames), starts[-1])


@dataclass(frozen=True)
class _Edges:
    """Atoms (2, e) and offsets (e, 3) of places and triplets, places of triplets (t,)."""

    atoms: Tensor
    offsets: Tensor
    screened: Tensor


def _edges(
    frames: Sequence[PreparedFrame], starts: list[int], full: BatchShape, cutoff: float
) -> _Edges:
    parts = [f.edges for f in frames]
    counts = torch.cat([part.counts for part in parts]).long()
    owners = torch.repeat_interleave(counts)
    first = counts.cumsum(0) - counts
    n_places = full.atoms * full.places
    place = owners * full.places + (torch.arange(len(owners)) - first[owners])
    centers = torch.arange(full.atoms).repeat_interleave(full.places)
    atoms = torch.zeros(2, n_places + full.triplets, dtype=torch.int64)
    atoms[0, :n_places] = centers
    atoms[1, :n_places] = centers
    offsets = torch.zeros(n_places + full.triplets, 3, dtype=torch.float64)
    offsets[:n_places, 0] = 2.0 * cutoff
    pairs = list(zip(parts, starts, strict=False))
    atoms[1, place] = torch.cat([part.neighbors + start for part, start in pairs]).long()
    offsets[place] = torch.cat([f.edges.shifts.double() @ f.cell for f in frames])
    before = [0, *accumulate(len(part.neighbors) for part in parts)]
    edge = torch.cat([p.screened + m for p, m in zip(parts, before, strict=False)])
    # Triplets that fill up have r_ik = 0, which is not between the ends of any pair.
    screened = torch.arange(full.triplets) % n_places
    screened[: len(edge)] = place[edge]
    stop = n_places + len(edge)
    atoms[:, n_places:] = screened // full.places
    atoms[1, n_places:stop] = torch.cat([part.partners + start for part, start in pairs])
    offsets[n_places:stop] = torch.cat(
        [f.edges.partner_shifts.double() @ f.cell for f in frames]
    )
    return _Edges(atoms, offsets, screened)


Moved = TypeVar("Moved", RowGraph, Survivors, Targets)


def _moved(values: Moved, device: torch.device) -> Moved:
    """Return a dataclass with its tensors on a device."""
    parts: dict[str, Any] = {f.name: getattr(values, f.name) for f in fields(values)}
    tensors = {k: _sent(v, device) for k, v in parts.items() if isinstance(v, Tensor)}
    moved: Moved = replace(values, **(parts | tensors))
    return moved


def _sent(values: Tensor, device: torch.device) -> Tensor:
    return values.pin_memory().to(device, non_blocking=True)
