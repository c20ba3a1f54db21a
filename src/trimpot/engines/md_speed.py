"""How fast a run goes, and when it will be over."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True)
class Speed:
    """Wall time of the steps, output included."""

    seconds: float
    us_per_atom_step: float
    ns_per_day: float

    @classmethod
    def of(cls, seconds: float, *, steps: int, n_atoms: int, timestep_fs: float) -> Speed:
        """Return the speed of so many steps; zeros if there were none."""
        if steps == 0 or seconds <= 0.0:
            return cls(seconds, 0.0, 0.0)
        per_step = seconds / steps
        return cls(
            seconds=seconds,
            us_per_atom_step=1e6 * per_step / n_atoms,
            ns_per_day=86400.0 / per_step * timestep_fs * 1e-6,
        )


@runtime_checkable
class LiveWatcher(Protocol):
    """A watcher that also shows how fast things go (``cli.terminal.Terminal`` does)."""

    def live(self, stage: str, line: str, short: str) -> None:
        """Take a line that replaces the last one of a stage, and its speed alone."""
        ...


class Pace:
    """Speed and remaining time of a run that is on its way.

    Parameters
    ----------
    n_atoms, timestep_fs
        Of the run.
    step, steps
        Where it starts or goes on, and where it ends.
    """

    def __init__(self, n_atoms: int, timestep_fs: float, *, step: int, steps: int) -> None:
        self.n_atoms = n_atoms
        self.timestep_fs = timestep_fs
        self.first = step
        self.steps = steps
        self.started = time.perf_counter()

    def speed(self, step: int) -> Speed:
        """Return the speed up to a step."""
        return Speed.of(
            time.perf_counter() - self.started,
            steps=step - self.first,
            n_atoms=self.n_atoms,
            timestep_fs=self.timestep_fs,
        )

    def lines(self, step: int) -> tuple[str, str]:
        """Return step, speed and remaining time in words, and the speed alone."""
        speed = self.speed(step)
        left = speed.seconds / max(1, step - self.first) * (self.steps - step)
        short = f"{speed.us_per_atom_step:.3g} us/atom/step, {speed.ns_per_day:.3g} ns/day"
        return f"step {step} of {self.steps}, {short}, {clock(left)} left", short


def clock(seconds: float) -> str:
    """Return hours, minutes and seconds."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
