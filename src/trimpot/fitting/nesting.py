"""Fits to growing sets of frames: what was summed for a small one counts for a larger."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from trimpot.data import folds as assign_folds
from trimpot.fitting.blocks import Block, Blocks
from trimpot.fitting.fit import with_anchors
from trimpot.fitting.inequalities import Inequalities
from trimpot.fitting.streaming import accumulate
from trimpot.fitting.targets import part_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from trimpot.contract import IndexArray
    from trimpot.data import Frame
    from trimpot.fitting.fit import Model
    from trimpot.fitting.settings import FitSettings
    from trimpot.fitting.targets import Targets

    Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class GrowingFit:
    """What all sizes share: the model, its targets on all frames, and their folds.

    Folds are those of a fit to all frames, so the largest size is that fit.

    Attributes
    ----------
    model : Model
    frames : sequence of Frame
        All training frames.
    targets : Targets
        Of all training frames.
    settings : FitSettings
    threads : int
    """

    model: Model
    frames: Sequence[Frame]
    targets: Targets
    settings: FitSettings
    threads: int = 0

    @cached_property
    def folds(self) -> IndexArray:
        """Fold of each frame, as in a fit to all frames."""
        n_folds = min(self.settings.folds, len(self.frames))
        return assign_folds(self.frames, n_folds, seed=self.settings.seed)

    def blocks(
        self,
        order: IndexArray,
        sizes: Sequence[int],
        progress: Progress | None = None,
    ) -> Iterator[tuple[int, Blocks]]:
        """Yield each size with the Gram blocks of the first so many frames of an order.

        Rows of a frame are made once.

        Parameters
        ----------
        order : (n_frames,) int
            Indices of the frames.
        sizes
            Ascending numbers of frames, at least 1.
        """
        n = sum(t.n_coefficients for t in self.model.free)
        folds = self.folds
        sums = _none(int(folds.max()) + 1, n)
        begun = 0
        for size in sizes:
            added = np.sort(order[begun:size])
            part = part_of(self.targets, self.frames, added)
            if part.quantities:
                more = accumulate(
                    self.model.free,
                    part,
                    folds[added],
                    threads=self.threads,
                    progress=progress,
                )
                sums = _sum(sums, more)
            begun = size
            yield size, self._finished(sums, np.sort(order[:size]))

    def _finished(self, sums: Blocks, members: IndexArray) -> Blocks:
        """Return the blocks of some frames as ``gather`` would: scales, anchors, folds."""
        part = part_of(self.targets, self.frames, members)
        present = np.unique(self.folds[members])
        blocks = replace(
            sums,
            folds=tuple(
                {q: sums.folds[f][q] for q in part.quantities} for f in present.tolist()
            ),
            scales=dict(part.scales),
        )
        if not self.settings.anchors:
            return blocks
        return with_anchors(
            blocks,
            self.model,
            [self.frames[i] for i in members],
            weights=part.weights["energy"],
            threads=self.threads,
        )


def _none(n_folds: int, n: int) -> Blocks:
    folds: tuple[dict[str, Block], ...] = tuple({} for _ in range(n_folds))
    return Blocks(folds, {}, np.zeros(n), Inequalities.none(n))


def _sum(first: Blocks, second: Blocks) -> Blocks:
    """Return the sums over both; every fold has every quantity of either."""
    n = first.n_columns
    names = {*_names(first), *_names(second)}
    folds = []
    for f, mine in enumerate(first.folds):
        theirs = second.folds[f] if f < len(second.folds) else {}
        folds.append({q: _both(mine.get(q), theirs.get(q), n) for q in names})
    coverage = first.coverage + second.coverage
    return Blocks(tuple(folds), {}, coverage, Inequalities.none(n))


def _names(blocks: Blocks) -> set[str]:
    return {q for fold in blocks.folds for q in fold}


def _both(first: Block | None, second: Block | None, n: int) -> Block:
    if first is None or second is None:
        return first or second or Block.empty(n)
    return first.plus(1.0, second)
