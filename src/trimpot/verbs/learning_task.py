"""What a learning curve is made of: the model, the sizes, and what tells its fits apart."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trimpot.data import Dataset, ReadReport
from trimpot.errors import DataError, InputError
from trimpot.files.release import release
from trimpot.fitting.nesting import GrowingFit
from trimpot.verbs.fitting_cached import Problem, key_of
from trimpot.verbs.gathering import need_of, targets_of
from trimpot.verbs.memory import require_memory
from trimpot.verbs.preparing import prepare_data, prepare_model

if TYPE_CHECKING:
    from trimpot.config import Config
    from trimpot.verbs.preparing import PreparedData
    from trimpot.verbs.watching import Watcher


@dataclass(frozen=True)
class LearningTask:
    """What all fits share."""

    config: Config
    data: PreparedData
    problem: Problem
    fit: GrowingFit
    sizes: tuple[int, ...]
    repeats: int
    key: str

    def fingerprint(self, repeat: int, size: int) -> str:
        """Return a digest of all that decides a fit and its errors."""
        whole = size == len(self.data.fitted)
        part = [self.key, 0 if whole else repeat, size]
        return hashlib.sha256(json.dumps(part).encode()).hexdigest()[:32]

    def wanted(self, repeat: int) -> list[int]:
        """Return the sizes of a repeat: all frames only once."""
        n = len(self.data.fitted)
        return [size for size in self.sizes if size < n or repeat == 0]


def learning_task(
    config: Config, fractions: tuple[float, ...], repeats: int, watcher: Watcher
) -> LearningTask:
    """Return what is to be fitted, after all that can be checked before.

    Raises
    ------
    InputError, DataError, FitError
        For fractions, data or settings that cannot be used, or too little memory.
    """
    if repeats < 1 or not fractions or not all(0.0 < f <= 1.0 for f in fractions):
        raise InputError(
            f"repeats {repeats} and fractions {list(fractions)}: expected at least one "
            "repeat, and fractions above 0 up to 1"
        )
    data = prepare_data(config, watcher)
    if not data.test:
        raise DataError(
            "there are no test frames, expected some to measure errors on; set data.split, "
            "for example {kind: random, test_fraction: 0.1}, or data.test"
        )
    problem = Problem(*prepare_model(config, data))
    targets = targets_of(config, data, problem.model)
    need = need_of(config, data, problem.model, targets)
    require_memory(2 * need.bytes, need.n_columns)
    fit = GrowingFit(problem.model, data.fitted, targets, config.fit, config.threads)
    n = len(data.fitted)
    least = min(n, max(2, config.fit.folds))
    sizes = sorted({max(least, round(f * n)) for f in fractions})
    strengths = [config.fit.kappa, config.fit.ridge, config.fit.curvature]
    tests = Dataset(data.test, ReadReport(())).fingerprint
    parts = [
        key_of(config, data, problem), strengths, config.fit.stress_weight, tests, release()
    ]  # fmt: skip
    watcher.note(
        f"{len(sizes)} sizes from {sizes[0]} to {sizes[-1]} of {n} frames, {repeats} "
        f"repeats; errors on {len(data.test)} test frames"
    )
    return LearningTask(
        config, data, problem, fit, tuple(sizes), repeats, json.dumps(parts)
    )
