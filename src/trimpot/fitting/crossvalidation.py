"""Cross-validation of the strengths from the Gram blocks alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from trimpot.errors import FitError
from trimpot.fitting.settings import Strengths
from trimpot.fitting.solving import data_equations, solve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from trimpot.fitting.blocks import Block, Blocks
    from trimpot.fitting.settings import FitSettings
    from trimpot.fitting.solving import Penalty

    Errors = dict[str, tuple[float, float]]
    """Squared error and weight per quantity."""

SCORED = ("energy", "forces")
"""Quantities whose held-out errors decide (all others where neither has labels)."""

GRID_FLOPS = 2e12
"""Most arithmetic spent on trying all combinations; beyond it each strength in turn."""

PARALLEL_COLUMNS = 2000
"""Up to here trials run side by side, one thread each; beyond, BLAS uses the threads."""

MOST_TRIALS = 8
"""Most trials side by side: each holds a few matrices."""


def parallel_trials(n_columns: int, threads: int) -> int:
    """Return how many trials run side by side."""
    return min(max(1, threads), MOST_TRIALS) if n_columns <= PARALLEL_COLUMNS else 1


@dataclass(frozen=True)
class Trial:
    """Held-out errors of one choice of strengths.

    Attributes
    ----------
    strengths : Strengths
    rmse : dict
        Root mean square error per quantity: eV/atom, eV/A, eV/A^3.
    score : float
        Geometric mean of rmse over spread; smaller is better; infinity if singular.
    """

    strengths: Strengths
    rmse: dict[str, float]
    score: float


@dataclass(frozen=True)
class Selection:
    """All trials and the best one."""

    trials: tuple[Trial, ...]

    @property
    def best(self) -> Trial:
        """Trial with the smallest score."""
        return min(self.trials, key=lambda t: t.score)


@dataclass(frozen=True)
class _Problem:
    blocks: Blocks
    penalty: Penalty
    total: dict[str, Block]
    stress_weight: float
    threads: int


def cross_validate(
    blocks: Blocks,
    penalty: Penalty,
    settings: FitSettings,
    *,
    total: dict[str, Block] | None = None,
    threads: int = 2,
    progress: Callable[[str, int, int], None] | None = None,
) -> Selection:
    """Return the held-out errors of the choices of strengths.

    All combinations are tried where that is cheap; else curvature, kappa and ridge in
    turn, each at the best of the others so far.

    Raises
    ------
    FitError
        If every choice is singular.
    """
    problem = _Problem(
        blocks, penalty, total or blocks.total(), settings.stress_weight, threads
    )
    cost = len(settings.choices()) * len(blocks.folds) * blocks.n_columns**3 / 3.0
    trials: dict[Strengths, Trial] = {}
    rounds = _everything if cost <= GRID_FLOPS else _one_by_one
    expected = _number_of_trials(settings, everything=cost <= GRID_FLOPS)
    for choices in rounds(settings, trials):
        new = [c for c in choices if c not in trials]
        for trial in _try(problem, new):
            trials[trial.strengths] = trial
            if progress is not None:
                progress("cross-validation", len(trials), expected)
    selection = Selection(tuple(trials.values()))
    if not np.isfinite(selection.best.score):
        raise FitError(
            "every choice of strengths gives singular equations; use larger ridge and "
            "curvature, fewer knots, or more data"
        )
    return selection


def _everything(
    settings: FitSettings, trials: dict[Strengths, Trial]
) -> Iterator[list[Strengths]]:
    del trials
    yield settings.choices()


def _one_by_one(
    settings: FitSettings, trials: dict[Strengths, Trial]
) -> Iterator[list[Strengths]]:
    best = Strengths(
        *(c[len(c) // 2] for c in (settings.kappa, settings.ridge, settings.curvature))
    )
    yield [replace(best, curvature=c) for c in settings.curvature]
    best = Selection(tuple(trials.values())).best.strengths
    yield [replace(best, kappa=k) for k in settings.kappa]
    best = Selection(tuple(trials.values())).best.strengths
    yield [replace(best, ridge=r) for r in settings.ridge]


def _number_of_trials(settings: FitSettings, *, everything: bool) -> int:
    sizes = [len(settings.kappa), len(settings.ridge), len(settings.curvature)]
    return int(np.prod(sizes)) if everything else sum(sizes) - 2


def _try(problem: _Problem, choices: Sequence[Strengths]) -> Iterator[Trial]:
    """Yield the trials; those of one kappa share the summed equations of a fold."""
    n_folds = len(problem.blocks.folds)
    workers = parallel_trials(problem.blocks.n_columns, problem.threads)
    blas_threads = max(1, problem.threads // workers)
    with (
        threadpool_limits(blas_threads, user_api="blas"),
        ThreadPoolExecutor(workers) as pool,
    ):
        by_kappa = {c.kappa: [d for d in choices if d.kappa == c.kappa] for c in choices}
        pending = {
            kappa: [pool.submit(_held_out, problem, fold, mine) for fold in range(n_folds)]
            for kappa, mine in by_kappa.items()
        }
        for kappa, mine in by_kappa.items():
            per_fold = [future.result() for future in pending[kappa]]
            for index, choice in enumerate(mine):
                yield _trial(choice, [errors[index] for errors in per_fold], problem.blocks)


def _held_out(
    problem: _Problem, fold: int, choices: Sequence[Strengths]
) -> list[Errors | None]:
    """Return the errors on one fold of fits to all others; None where singular."""
    blocks = problem.blocks
    mine = blocks.folds[fold]
    single = len(blocks.folds) == 1
    others = {
        q: total if single else total.plus(-1.0, mine[q])
        for q, total in problem.total.items()
    }
    equations = data_equations(
        others, blocks.scales, choices[0].kappa, problem.stress_weight
    )
    del others
    out: list[Errors | None] = []
    for choice in choices:
        try:
            c = solve(equations, problem.penalty, choice)
        except FitError:
            out.append(None)
            continue
        out.append({q: (b.squared_error(c), b.weight) for q, b in mine.items()})
    return out


def relative_error(rmse: Mapping[str, float], scales: Mapping[str, float]) -> float:
    """Return the geometric mean of rmse over scales of the quantities that decide.

    Infinity without errors, which is what singular equations have.
    """
    scored = [q for q in SCORED if q in rmse] or list(rmse)
    if not scored:
        return float("inf")
    relative = [max(rmse[q] / scales[q], 1e-12) for q in scored]
    return float(np.exp(np.mean(np.log(relative))))


def _trial(strengths: Strengths, folds: Sequence[Errors | None], blocks: Blocks) -> Trial:
    usable = [f for f in folds if f is not None]
    if len(usable) < len(folds):
        return Trial(strengths, {}, float("inf"))
    rmse = {}
    for quantity in blocks.quantities:
        weight = sum(f[quantity][1] for f in usable)
        if weight > 0.0:
            rmse[quantity] = float(np.sqrt(sum(f[quantity][0] for f in usable) / weight))
    return Trial(strengths, rmse, relative_error(rmse, blocks.scales))
