"""Where batches come from: prepared frames of training and validation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from trimpot.networks.training.batches import BatchShape, joined
from trimpot.networks.training.native_engine import native_batch
from trimpot.networks.training.targets import Counts, targets_of
from trimpot.networks.training.team import Team

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from trimpot.networks.training.batches import Batch
    from trimpot.networks.training.frames import PreparedFrame
    from trimpot.networks.training.native_engine import NativeBatch
    from trimpot.networks.training.targets import Objective

    AnyBatch = Batch | NativeBatch


@dataclass(frozen=True)
class Supply:
    """Makes batches, of which each process gets its share.

    Attributes
    ----------
    train, valid : tuple of PreparedFrame
    objective : Objective
    elements : tuple of int
        Atomic numbers, ascending.
    cutoff : float
        Of the network, in angstrom.
    batch_size : int
        Frames per batch.
    shape : BatchShape, optional
        Of training batches, where all have one.
    recorded : bool
        Whether steps are to be recorded and replayed.
    team : Team
    native_threads : int
        Threads of the compiled network, for which batches are; 0: they are for torch.
    """

    train: tuple[PreparedFrame, ...]
    valid: tuple[PreparedFrame, ...]
    objective: Objective
    elements: tuple[int, ...]
    cutoff: float
    batch_size: int
    shape: BatchShape | None
    recorded: bool
    team: Team
    native_threads: int = 0

    @property
    def virials(self) -> bool:
        """Whether any frame has a stress."""
        return any(f.labels.virial is not None for f in (*self.train, *self.valid))

    @property
    def forces(self) -> bool:
        """Whether any frame has forces."""
        return any(f.labels.forces is not None for f in (*self.train, *self.valid))

    def batch(self, indices: Sequence[int]) -> tuple[AnyBatch | None, int]:
        """Return this process's part of a batch, if any, and the atoms of the whole."""
        frames = [self.train[index] for index in indices]
        counts = Counts.of(frames)
        mine = self.team.share(frames)
        return self._joined(mine, counts, self.shape) if mine else None, counts.atoms

    def alone(self, index: int) -> AnyBatch:
        """Return a training frame as a batch."""
        frames = [self.train[index]]
        return self._joined(frames, Counts.of(frames), None)

    def validation(self) -> Iterator[tuple[AnyBatch, Tensor]]:
        """Return this process's batches of validation, with volumes in A^3."""
        counts = Counts.of(self.valid)
        starts = range(0, len(self.valid), self.batch_size)
        for start in self.team.share(starts):
            frames = self.valid[start : start + self.batch_size]
            volumes = torch.tensor([f.volume or 1.0 for f in frames], dtype=torch.float64)
            yield self._joined(frames, counts, None), volumes

    def _joined(
        self, frames: Sequence[PreparedFrame], counts: Counts, shape: BatchShape | None
    ) -> AnyBatch:
        size = shape or BatchShape.of(frames)
        targets = targets_of(frames, counts, self.objective, size)
        if self.native_threads:
            return native_batch(frames, targets, self.native_threads)
        return joined(
            frames, targets, elements=self.elements, cutoff=self.cutoff, shape=shape
        )
