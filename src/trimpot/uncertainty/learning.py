"""From a fit and its training frames to what the potential knows about its limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import solve_triangular
from threadpoolctl import threadpool_limits

from trimpot.fitting.solving import data_equations, factorize, penalty_of
from trimpot.splines.trust import QUANTITIES, Trust
from trimpot.threads import thread_count
from trimpot.uncertainty.calibration import variances
from trimpot.uncertainty.extent import Atoms, extent_of
from trimpot.uncertainty.held_out import errors_and_leverages, fits_without

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trimpot import _native
    from trimpot.contract import BoolArray, FloatArray, IndexArray
    from trimpot.fitting import FitResult, FitSettings, Model, Targets
    from trimpot.uncertainty.held_out import Pairs

    Progress = Callable[[str, int, int], None]

MOST_ATOMS = 20_000
"""Atoms that tell the extent; 5 per coefficient where that is more."""

MOST_JUDGED = 6_000
"""Atoms of held-out frames whose force errors are set beside leverages; energies and
stresses, of which there are few, are those of the frames that tell the extent."""


@dataclass(frozen=True)
class Job:
    """A fit and what it was made from.

    Attributes
    ----------
    model : Model
    result : FitResult
    targets : Targets
        What the free terms had to reproduce, per frame.
    folds : (frames,) int
        Fold of each frame.
    settings : FitSettings
    groups : sequence of str
        config_type of each frame; empty: they are all alike.
    """

    model: Model
    result: FitResult
    targets: Targets
    folds: IndexArray
    settings: FitSettings
    groups: Sequence[str] = ()

    @property
    def native(self) -> tuple[_native.Term, ...]:
        """Kernels of the fitted terms."""
        return tuple(t.native(None) for t in self.model.free)


def learning_bytes(n_columns: int, folds: int) -> int:
    """Return the memory that :func:`learn_trust` needs beside the blocks of the fit.

    The second moments of all folds and their factors, the sum, its factor and its inverse.
    """
    return 8 * (2 * folds + 5) * n_columns**2


def learn_trust(job: Job, *, threads: int = 0, progress: Progress | None = None) -> Trust:
    """Return how far a fitted potential can be trusted.

    ``threads`` 0 means all available cores.

    Notes
    -----
    Frames whose labels count are taken at random, with the seed of the folds, some of
    every element, group and fold, up to 20,000 atoms (5 per
    coefficient) for the extent, energies and stresses, and 6,000 for forces.
    """
    rng = np.random.default_rng(job.settings.seed)
    most = max(MOST_ATOMS, 5 * job.result.blocks.n_columns)
    counted = _trusted(job)
    strata = [s[counted] for s in _strata(job) if s[counted].any()]
    chosen = counted[_some_frames(job.targets.n_atoms[counted], most, rng, strata)]
    chosen = chosen[np.argsort(job.folds[chosen], kind="stable")]
    atoms = Atoms(
        job.native,
        job.model.species,
        [job.targets.structures[f] for f in chosen],
        _without_gaps(job.folds[chosen]),
    )
    with threadpool_limits(thread_count(threads), user_api="blas"):
        extent = extent_of(job.model.free, atoms, threads=threads, progress=progress)
        pairs = _judged(job, np.sort(chosen), rng, threads, progress)
        posterior = _posterior(job)
    none = (np.zeros(0), np.zeros(0))
    return Trust(
        extent.factor.astype(np.float32),
        extent.limits,
        job.result.potential.statistics["smallest"],
        posterior.astype(np.float32),
        np.array([variances(*pairs.get(q, none)) for q in QUANTITIES]),
    )


def _some_frames(
    n_atoms: IndexArray,
    most: int,
    rng: np.random.Generator,
    strata: Sequence[BoolArray] = (),
) -> IndexArray:
    """Return random frames with about so many atoms at most, in their order.

    Half of the atoms are shared out among strata (frames that belong together), so that
    small ones are not missed.
    """
    order = rng.permutation(len(n_atoms))
    taken = [_within(order[s[order]], n_atoms, most // (2 * len(strata))) for s in strata]
    first = np.unique(np.concatenate([np.zeros(0, dtype=order.dtype), *taken]))
    rest = order[~np.isin(order, first)]
    left = most - int(n_atoms[first].sum())
    return np.sort(np.concatenate([first, _within(rest, n_atoms, left)]))


def _within(order: IndexArray, n_atoms: IndexArray, most: int) -> IndexArray:
    """Return the first frames of an order with about so many atoms, at least one."""
    if most <= 0:
        return order[:0]
    return order[: int(np.searchsorted(np.cumsum(n_atoms[order]), most)) + 1]


def _strata(job: Job) -> list[BoolArray]:
    """Return the frames that hold each element, of each group, and of each fold."""
    structures = job.targets.structures
    elements = [
        np.array([z in s.numbers for s in structures], dtype=np.bool_)
        for z in job.model.species
    ]
    groups = np.array(job.groups) if job.groups else np.zeros(len(structures))
    return [
        *(e for e in elements if e.any()),
        *(groups == g for g in np.unique(groups)),
        *(job.folds == f for f in np.unique(job.folds)),
    ]


def _trusted(job: Job) -> IndexArray:
    """Return the frames with a label that counted in the fit."""
    counts = np.zeros(len(job.folds), dtype=np.bool_)
    for quantity in job.targets.quantities:
        labelled = [v is not None for v in job.targets.values[quantity]]
        counts |= np.array(labelled) & (job.targets.weights[quantity] > 0.0)
    return np.flatnonzero(counts)


def _without_gaps(folds: IndexArray) -> IndexArray:
    """Return folds numbered from 0 on, all of them with frames."""
    return np.unique(folds, return_inverse=True)[1]


def _judged(
    job: Job,
    chosen: IndexArray,
    rng: np.random.Generator,
    threads: int,
    progress: Progress | None,
) -> Pairs:
    """Return the errors on some held-out frames and the leverages of their rows.

    Nothing where the fit has one fold: then no frame is held out.
    """
    if len(job.result.blocks.folds) == 1:
        return {}
    n_atoms = job.targets.n_atoms
    with_forces = np.zeros(len(n_atoms), dtype=np.bool_)
    with_forces[chosen[_some_frames(n_atoms[chosen], MOST_JUDGED, rng)]] = True
    fits = fits_without(
        job.model.free, job.result.blocks, job.settings, job.result.chosen.strengths
    )
    mine = ((chosen[job.folds[chosen] == fold], fit) for fold, fit in enumerate(fits))
    done = 0

    def tell(more: int) -> None:
        nonlocal done
        done += more
        if progress is not None:
            progress("errors of held-out frames", done, len(chosen))

    return errors_and_leverages(
        job.native,
        job.targets,
        mine,
        with_forces=with_forces,
        threads=threads,
        progress=tell,
    )


def _posterior(job: Job) -> FloatArray:
    """Return W of all frames, upper triangular: W W^T is the inverse of H."""
    blocks, strengths = job.result.blocks, job.result.chosen.strengths
    equations = data_equations(
        blocks.total(), blocks.scales, strengths.kappa, job.settings.stress_weight
    )
    lower = np.tril(factorize(equations, penalty_of(job.model.free), strengths)[0])
    return np.asarray(solve_triangular(lower, np.eye(len(lower)), lower=True).T)
