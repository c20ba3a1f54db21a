"""Cross-validation of the strengths from the Gram blocks alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from trimpot.errors import FitError
from trimpot.fitting.solving import data_equations, solve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trimpot.fitting.blocks import Blocks
    from trimpot.fitting.settings import FitSettings, Strengths
    from trimpot.fitting.solving import Penalty

SCORED = ("energy", "forces")
"""Quantities whose held-out errors decide (stress where neither has labels)."""


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


def cross_validate(
    blocks: Blocks,
    penalty: Penalty,
    settings: FitSettings,
    *,
    threads: int = 2,
    progress: Callable[[str, int, int], None] | None = None,
) -> Selection:
    """Return the held-out errors of every choice of strengths.

    Raises
    ------
    FitError
        If every choice is singular.
    """
    n_folds = len(blocks.folds)
    choices = settings.choices()
    tasks = [(fold, kappa) for kappa in settings.kappa for fold in range(n_folds)]
    errors: dict[Strengths, list[dict[str, tuple[float, float]] | None]] = {
        c: [None] * n_folds for c in choices
    }

    def run(task: tuple[int, float]) -> None:
        fold, kappa = task
        mine = [c for c in choices if c.kappa == kappa]
        for choice, found in _held_out(blocks, penalty, settings, fold, mine):
            errors[choice][fold] = found

    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(max(1, threads)) as pool:
        for done, _ in enumerate(pool.map(run, tasks), start=1):
            if progress is not None:
                progress("cross-validation", done, len(tasks))
    selection = Selection(tuple(_trial(c, errors[c], blocks) for c in choices))
    if not np.isfinite(selection.best.score):
        raise FitError(
            "every choice of strengths gives singular equations; use larger ridge and "
            "curvature, fewer knots, or more data"
        )
    return selection


def _held_out(
    blocks: Blocks,
    penalty: Penalty,
    settings: FitSettings,
    fold: int,
    choices: Sequence[Strengths],
) -> list[tuple[Strengths, dict[str, tuple[float, float]] | None]]:
    """Return (squared error, weight) per quantity on one fold, trained on the others."""
    others = [f for f in range(len(blocks.folds)) if f != fold] or [fold]
    equations = data_equations(blocks, others, choices[0].kappa, settings.stress_weight)
    out: list[tuple[Strengths, dict[str, tuple[float, float]] | None]] = []
    for choice in choices:
        try:
            c = solve(equations, penalty, choice)
        except FitError:
            out.append((choice, None))
            continue
        out.append(
            (choice, {q: (b.squared_error(c), b.weight) for q, b in blocks.folds[fold].items()})
        )
    return out


def _trial(
    strengths: Strengths,
    folds: Sequence[dict[str, tuple[float, float]] | None],
    blocks: Blocks,
) -> Trial:
    usable = [f for f in folds if f is not None]
    if len(usable) < len(folds):
        return Trial(strengths, {}, float("inf"))
    rmse = {}
    for quantity in blocks.quantities:
        weight = sum(f[quantity][1] for f in usable)
        if weight > 0.0:
            rmse[quantity] = float(np.sqrt(sum(f[quantity][0] for f in usable) / weight))
    scored = [q for q in SCORED if q in rmse] or list(rmse)
    relative = [max(rmse[q] / blocks.scales[q], 1e-12) for q in scored]
    return Trial(strengths, rmse, float(np.exp(np.mean(np.log(relative)))))
