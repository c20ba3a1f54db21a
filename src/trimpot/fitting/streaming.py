"""One pass over the frames: design-matrix rows straight into Gram blocks.

Rows of a batch of frames are made by the native core in parallel and added to the fold's
blocks by BLAS (dsyrk); memory does not depend on the number of frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate as running_sums
from typing import TYPE_CHECKING, Protocol

import numpy as np
from scipy.linalg.blas import dsyrk

from trimpot import _native
from trimpot.errors import FitError
from trimpot.fitting.blocks import Block, Blocks
from trimpot.fitting.crossvalidation import parallel_trials
from trimpot.fitting.inequalities import Inequalities
from trimpot.fitting.settings import QUANTITIES
from trimpot.splines.packing import pack
from trimpot.threads import thread_count

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from trimpot.contract import FloatArray, IndexArray
    from trimpot.fitting.targets import Targets
    from trimpot.splines.term import Term

    Progress = Callable[[str, int, int], None]
    """Called with (stage, done, total)."""

BATCH_BYTES = 96 * 2**20
"""Memory of one batch of rows: large enough for BLAS, small beside the blocks."""


@dataclass(frozen=True)
class Sums:
    """What a pass has summed so far.

    Attributes
    ----------
    blocks : Blocks
        Sums over the first frames, fold by fold; the pass goes on adding to them.
    frames : int
        Number of frames that are in them; a batch ends there.
    """

    blocks: Blocks
    frames: int


class Keeper(Protocol):
    """Keeps the sums of a pass, so that one that was stopped can go on."""

    def earlier(self, ends: Collection[int], total: int) -> Sums | None:
        """Return the sums of a stopped pass of the same rows, to be added to.

        ``ends`` are the numbers of frames after which a batch ends, ``total`` that of all.
        """

    def keep(self, sums: Sums, total: int) -> None:
        """Take the sums after a batch; they change with the next one."""


@dataclass(frozen=True)
class Forecast:
    """Memory that a fit will need beside program and frames."""

    n_columns: int
    bytes: int


def forecast(
    n_columns: int, targets: Targets, folds: int, *, inequalities: int = 0, threads: int = 0
) -> Forecast:
    """Return what accumulating and solving will need, before the run.

    Matrices of n_columns squared: the blocks of all folds and their sum, and per trial of
    the cross-validation the blocks of the other folds, their weighted sum and its factor;
    of inequalities: their rows, those on the way to them and those in the solve.
    """
    n_quantities = len(targets.quantities)
    trials = parallel_trials(n_columns, thread_count(threads))
    matrices = (folds + 1 + trials) * n_quantities + 2 * trials
    numbers = matrices * n_columns**2 + 4 * inequalities * n_columns
    return Forecast(n_columns, 8 * numbers + BATCH_BYTES)


def accumulate(
    terms: Sequence[Term],
    targets: Targets,
    folds: IndexArray,
    *,
    threads: int = 0,
    progress: Progress | None = None,
    keeper: Keeper | None = None,
) -> Blocks:
    """Return the Gram blocks of all frames, per fold.

    Batches are summed in one order, whether a pass goes on from kept sums or not, so both
    give the same bits on the same machine with the same number of threads.

    Parameters
    ----------
    terms
        Terms with free coefficients; their columns stand side by side.
    targets
        What the terms must reproduce, per frame.
    folds : (n_frames,) int
        Fold of each frame, 0 .. n - 1.
    keeper
        Has the sums of a pass that was stopped, and takes them after every batch.

    Raises
    ------
    FitError
        If there is nothing to fit.
    """
    native = [t.native(None) for t in terms]
    n = sum(t.n_coefficients for t in terms)
    if n == 0 or not targets.quantities:
        raise FitError("nothing to fit: the model has no free coefficients or no labels")
    batches = list(_all_batches(targets, folds, n))
    ends = list(running_sums(len(batch) for _, batch in batches))
    found = None if keeper is None else keeper.earlier(ends, len(folds))
    blocks = _empty(targets, folds, n) if found is None else found.blocks
    begun = 0 if found is None else found.frames
    for (fold, batch), done in zip(batches, ends, strict=True):
        if done <= begun:
            continue
        _add_batch(native, targets, batch, blocks, fold, threads)
        if keeper is not None:
            keeper.keep(Sums(blocks, done), len(folds))
        if progress is not None:
            progress("rows", done, len(folds))
    return blocks


def _empty(targets: Targets, folds: IndexArray, n: int) -> Blocks:
    """Return the blocks of no frames."""
    n_folds = int(folds.max()) + 1
    blocks = tuple({q: Block.empty(n) for q in targets.quantities} for _ in range(n_folds))
    return Blocks(blocks, dict(targets.scales), np.zeros(n), Inequalities.none(n))


def _all_batches(
    targets: Targets, folds: IndexArray, n: int
) -> Iterator[tuple[int, IndexArray]]:
    """Yield the fold and the frames of every batch, in the order of the sums."""
    for fold in range(int(folds.max()) + 1):
        for batch in _batches(targets, np.flatnonzero(folds == fold), n):
            yield fold, batch


def _batches(targets: Targets, members: IndexArray, n_columns: int) -> Iterator[IndexArray]:
    """Split frames so that the rows of a batch fit into BATCH_BYTES."""
    limit = max(1, BATCH_BYTES // (8 * n_columns))
    rows = 3 * targets.n_atoms[members] + 7
    start = 0
    while start < len(members):
        stop = start + 1
        total = rows[start]
        while stop < len(members) and total + rows[stop] <= limit:
            total += rows[stop]
            stop += 1
        yield members[start:stop]
        start = stop


def _add_batch(
    native: list[_native.Term],
    targets: Targets,
    batch: IndexArray,
    blocks: Blocks,
    fold: int,
    threads: int,
) -> None:
    n = blocks.n_columns
    frames = pack([targets.structures[f] for f in batch], targets.species)
    starts: dict[str, np.ndarray] = {}
    scales: dict[str, FloatArray] = {}
    rows: dict[str, FloatArray] = {}
    values: dict[str, FloatArray] = {}
    for quantity in QUANTITIES:
        starts[quantity], values[quantity], weights = targets.of_batch(quantity, batch)
        scales[quantity] = np.sqrt(weights)
        rows[quantity] = np.empty((len(values[quantity]), n))
    n_frames = len(batch)
    energy_rows = np.empty((n_frames, n))  # of every frame: they tell the coverage
    _native.design_rows(
        native,
        frames.offsets,
        frames.positions,
        frames.species,
        frames.cells,
        frames.pbc,
        np.arange(n_frames, dtype=np.int64),
        starts["forces"],
        starts["stress"],
        np.ones(n_frames),
        scales["forces"],
        scales["stress"],
        energy_rows,
        rows["forces"],
        rows["stress"],
        threads,
    )
    np.add(blocks.coverage, energy_rows.sum(axis=0), out=blocks.coverage)
    labelled = starts["energy"] >= 0
    per_atom = scales["energy"] / targets.n_atoms[batch]
    rows["energy"] = (energy_rows * per_atom[:, None])[labelled]
    for quantity, block in blocks.folds[fold].items():
        _add_rows(block, rows[quantity], values[quantity])
        block.weight += targets.weight_of(quantity, batch)


def _add_rows(block: Block, rows: FloatArray, values: FloatArray) -> None:
    if len(rows) == 0:
        return
    # rows.T is Fortran-ordered (n, rows): dsyrk forms A^T A in place, lower triangle.
    block.gram = dsyrk(1.0, rows.T, beta=1.0, c=block.gram, trans=0, lower=1, overwrite_c=1)
    block.moment += rows.T @ values
    block.square += float(values @ values)
