"""What a fit will take, before it starts: coefficients, memory, time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot.fitting import make_targets
from trimpot.fitting.streaming import accumulate
from trimpot.verbs.gathering import need_of, targets_of

if TYPE_CHECKING:
    from trimpot.config import Config
    from trimpot.data import Frame
    from trimpot.fitting import Model
    from trimpot.verbs.preparing import PreparedData

SAMPLE_ATOMS = 400
"""Rows of so many atoms are made to see how long one takes."""

TRIALS, FLOPS_PER_SECOND = 60, 2e10
"""Trials of strengths, and arithmetic of a solve on a plain core: a guess."""


@dataclass(frozen=True)
class FitForecast:
    """What a fit will take.

    Attributes
    ----------
    coefficients, rows : int
    bytes : int
        Memory beside the program and the frames.
    seconds : float
        Rows, cross-validation and solve on this machine as busy as it was; a guess.
    """

    coefficients: int
    rows: int
    bytes: int
    seconds: float

    @property
    def text(self) -> str:
        """The numbers in one line."""
        return f"{self.size} and, on this machine as it is now, {self._time}"

    @property
    def size(self) -> str:
        """What does not depend on the machine."""
        return (
            f"{self.coefficients} coefficients from {self.rows} labels; memory of the fit "
            f"about {self.bytes / 1e9:.2g} GB"
        )

    @property
    def _time(self) -> str:
        if self.seconds < 90.0:
            return f"{max(5, 5 * round(self.seconds / 5)):d} seconds"
        return f"{self.seconds / 60.0:.0f} minutes"


def fit_forecast(config: Config, data: PreparedData, model: Model) -> FitForecast:
    """Return what a fit will take, from the time that a few rows take."""
    targets = targets_of(config, data, model)
    need = need_of(config, data, model, targets)
    rows = sum(targets.rows(q) for q in targets.quantities)
    folds = min(config.fit.folds, len(data.fitted))
    solves = TRIALS * folds * need.n_columns**3 / 3.0 / FLOPS_PER_SECOND
    per_row = _seconds_per_row(config, _sample(data.fitted), model)
    return FitForecast(need.n_columns, rows, need.bytes, rows * per_row + solves)


def _sample(frames: tuple[Frame, ...]) -> tuple[Frame, ...]:
    """Return frames spread over all of them, with few atoms in sum."""
    order = np.random.default_rng(0).permutation(len(frames))
    atoms = np.cumsum([len(frames[i]) for i in order])
    count = max(1, int(np.searchsorted(atoms, SAMPLE_ATOMS)))
    return tuple(frames[i] for i in order[:count])


def _seconds_per_row(config: Config, frames: tuple[Frame, ...], model: Model) -> float:
    targets = make_targets(
        frames, model.species, model.fixed, config.fit, threads=config.threads
    )
    if not targets.quantities:
        return 0.0
    start = time.perf_counter()
    one_fold = np.zeros(len(frames), dtype=np.int64)
    accumulate(model.free, targets, one_fold, threads=config.threads)
    passed = time.perf_counter() - start
    return passed / sum(targets.rows(q) for q in targets.quantities)
