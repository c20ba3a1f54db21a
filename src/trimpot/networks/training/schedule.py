"""Which frames come when, and how large steps are: functions of settings and step alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trimpot.networks.training.settings import TrainingSettings


@dataclass(frozen=True)
class Schedule:
    """How a training goes, from settings and the number of frames.

    Frames are one endless stream, each epoch in an order of its own; a batch takes the
    next ``batch_size`` of it. So all batches are of one size, and no frame is left out.

    Attributes
    ----------
    settings : TrainingSettings
    n_frames : int
        Training frames.
    """

    settings: TrainingSettings
    n_frames: int

    @property
    def batch_size(self) -> int:
        """Frames per step, at most all of them."""
        return min(self.settings.batch_size, self.n_frames)

    @property
    def n_steps(self) -> int | None:
        """Steps in all, where epochs and not seconds are given."""
        if self.settings.epochs is None:
            return None
        return -(-self.settings.epochs * self.n_frames // self.batch_size)

    def epoch(self, step: int) -> float:
        """Return how often frames have been seen after so many steps."""
        return step * self.batch_size / self.n_frames

    def fraction(self, step: int, seconds: float) -> float:
        """Return how much of the training is over, 0 to 1."""
        if self.n_steps is not None:
            return min(1.0, step / self.n_steps)
        return min(1.0, seconds / (self.settings.seconds or math.inf))

    def validations_due(self, step: int, seconds: float) -> int:
        """Return how many validations should be over by now."""
        if self.n_steps is not None:
            return min(step, self.n_steps) * self.settings.validations // self.n_steps
        return int(self.fraction(step, seconds) * self.settings.validations)

    def rate(self, step: int, fraction: float) -> float:
        """Return the learning rate of a step: a rise, then a cosine."""
        s = self.settings
        rise = min(1.0, (step + 1) / max(1, s.warmup_steps))
        cosine = 0.5 * (1.0 + math.cos(math.pi * fraction))
        return s.learning_rate * rise * (s.final_rate + (1.0 - s.final_rate) * cosine)

    def decay(self, step: int) -> float:
        """Return the decay of the moving average; less at first, to forget the start."""
        return min(self.settings.ema, (1 + step) / (10 + step))

    def frames(self, step: int) -> list[int]:
        """Return which frames a step takes."""
        start, found = step * self.batch_size, []
        for place in range(start, start + self.batch_size):
            epoch, index = divmod(place, self.n_frames)
            found.append(int(epoch_order(self.settings.seed, epoch, self.n_frames)[index]))
        return found


@lru_cache(maxsize=4)
def epoch_order(seed: int, epoch: int, n_frames: int) -> NDArray[np.int64]:
    """Return the order of frames in an epoch."""
    return np.random.default_rng([seed, epoch]).permutation(n_frames)
