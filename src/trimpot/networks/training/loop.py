"""The loop of a training: steps, validations, checkpoints."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from trimpot.errors import FitError
from trimpot.networks.training.checkpoints import Tally, write_checkpoint
from trimpot.networks.training.data import LiveWatcher
from trimpot.networks.training.judging import judged
from trimpot.networks.training.logs import left, sentence
from trimpot.networks.training.stopping import held_back

if TYPE_CHECKING:
    from pathlib import Path

    from trimpot.networks.training.checkpoints import Fingerprint
    from trimpot.networks.training.data import Watcher
    from trimpot.networks.training.engine import LossEngine
    from trimpot.networks.training.judging import Judgement
    from trimpot.networks.training.logs import TrainingLog
    from trimpot.networks.training.parameters import Descent
    from trimpot.networks.training.schedule import Schedule
    from trimpot.networks.training.stopping import StopRequest
    from trimpot.networks.training.supply import Supply
    from trimpot.networks.training.team import Team

STAGE = "training"
JUDGING_SHARE = 0.1
"""Of the time; where validations would take more, some are left out."""

UNCHECKED = 50
"""Steps on a GPU between looks at the loss, for each look waits for the GPU."""

LIVE_SECONDS = 1.0


@dataclass(frozen=True)
class Means:
    """What a loop works with.

    Attributes
    ----------
    supply : Supply
        Makes batches.
    engine : LossEngine
    descent : Descent
    schedule : Schedule
    team : Team
    watcher : Watcher
    log : TrainingLog, optional
        None in processes that do not write.
    folder : Path
        Of checkpoints.
    marks : dict
        Fingerprint of the training.
    """

    supply: Supply
    engine: LossEngine
    descent: Descent
    schedule: Schedule
    team: Team
    watcher: Watcher
    log: TrainingLog | None
    folder: Path
    marks: Fingerprint


class Loop:
    """A training that is under way.

    Parameters
    ----------
    means : Means
    tally : Tally
        Where it begins.
    losses : (4,) float64 tensor
        Sums of loss parts since the last validation.
    """

    def __init__(self, means: Means, tally: Tally, losses: torch.Tensor) -> None:
        self.means, self.tally, self.losses = means, tally, losses
        self.started = time.monotonic() - tally.seconds
        self.shown = time.monotonic()
        self.saved = tally.seconds
        self.unchecked: list[tuple[int, torch.Tensor]] = []
        self.whole = True

    def run(self) -> Tally:
        """Train to the end of the schedule; return how far it came.

        Raises
        ------
        FitError
            If a loss is not finite.
        """
        with held_back() as request:
            try:
                while not self.tally.over:
                    self.turn(request)
            except (KeyboardInterrupt, SystemExit):
                if self.whole and self.means.team.size == 1:
                    self.save()
                raise
        return self.tally

    def turn(self, request: StopRequest) -> None:
        """Do what is due, then a step."""
        means, schedule = self.means, self.means.schedule
        clock = time.monotonic() - self.started
        seconds, number = means.team.agree(clock, request.number)
        self.tally = replace(self.tally, seconds=seconds)
        if number:
            self.save()
            means.watcher.note(f"stopped after step {self.tally.step}: checkpoint written")
            self.whole = False  # what is to be written has been
            request.deliver(number)
        fraction = schedule.fraction(self.tally.step, seconds)
        due = schedule.validations_due(self.tally.step, seconds)
        if due > self.tally.validations and self.affordable(fraction):
            self.validate(due)
        patience = schedule.settings.patience
        if fraction >= 1.0 or (patience is not None and self.tally.stale >= patience):
            self.finish()
            return
        if seconds >= self.saved + schedule.settings.checkpoint_seconds:
            self.save()
        self.step(fraction)
        self.show()

    def affordable(self, fraction: float) -> bool:
        """Return whether there is time for a validation; by epochs always."""
        tally, by_step = self.tally, self.means.schedule.n_steps is not None
        within = tally.judging <= JUDGING_SHARE * tally.seconds
        return by_step or fraction >= 1.0 or within

    def step(self, fraction: float) -> None:
        """Take one step."""
        means, step = self.means, self.tally.step
        batch, atoms = means.supply.batch(means.schedule.frames(step))
        self.whole = False
        means.descent.begin()
        if batch is not None:
            parts = means.engine.loss_and_gradients(batch)
            self.losses += torch.stack(list(parts))
        means.team.add_up(means.descent.parameters.gradient)
        norm = means.descent.parameters.clip(means.schedule.settings.clip)
        self.unchecked.append((step, norm))
        if norm.device.type == "cpu" or len(self.unchecked) >= UNCHECKED:
            self.check()
        rate = means.schedule.rate(step, fraction)
        means.descent.advance(step, rate, means.schedule.decay(step))
        self.tally = replace(self.tally, step=step + 1, atoms=self.tally.atoms + atoms)
        self.whole = True

    def check(self) -> None:
        """Raise ``FitError`` if the gradient of a step was not finite."""
        if not self.unchecked:
            return
        finite = torch.isfinite(torch.stack([norm for _, norm in self.unchecked]))
        steps = [step for step, _ in self.unchecked]
        self.unchecked = []
        if not bool(finite.all()):
            self.whole = False
            raise FitError(self.explained(steps[finite.tolist().index(False)]))

    def explained(self, step: int) -> str:
        """Return which frames a step failed on, and what to do."""
        means = self.means
        frames = means.schedule.frames(step)
        bad = [index for index in frames if not self.is_finite(index)]
        which = bad if bad and len(bad) < len(frames) else frames
        rate = means.schedule.settings.learning_rate
        return (
            f"the gradient of step {step + 1} (epoch {means.schedule.epoch(step):.1f}) is "
            f"not finite, in training frames {', '.join(map(str, sorted(set(which))))} "
            "(counted from 0); look there for atoms that almost coincide, or lower "
            f"learning_rate (now {rate:g}) or clip"
        )

    def is_finite(self, index: int) -> bool:
        """Return whether energies and forces of a frame are finite."""
        batch = self.means.supply.alone(index)
        found = self.means.engine.predictions(batch)
        finite = [bool(torch.isfinite(v).all()) for v in (found.energies, found.forces)]
        return all(finite)

    def validate(self, count: int) -> None:
        """Judge the moving average, keep it if it is the best, and write a row."""
        self.check()
        means = self.means
        start = time.monotonic()
        with means.descent.averaged():
            found = means.supply.validation()
            judgement = judged(means.engine, found, means.supply.objective, means.team)
        if not math.isfinite(judgement.loss):
            raise FitError(
                f"the loss of validation is not finite after step {self.tally.step}; look "
                "for frames with atoms that almost coincide, or lower learning_rate"
            )
        self.whole = False  # what is kept and what is written belong together
        if not means.supply.valid or judgement.loss < (self.tally.best or math.inf):
            means.descent.keep()
            self.tally = replace(self.tally, best=judgement.loss, stale=0)
        else:
            self.tally = replace(self.tally, stale=self.tally.stale + 1)
        spent, _ = means.team.agree(time.monotonic() - start, 0)
        self.record(judgement, count, spent)
        self.whole = True

    def record(self, judgement: Judgement, count: int, judging: float) -> None:
        """Write a row of the log, and begin to count anew."""
        means, tally = self.means, self.tally
        before = tally.history[-1]["step"] if tally.history else 0
        losses = means.team.add_up(self.losses.clone()) / max(1, tally.step - before)
        names = ("loss", "energy_loss", "force_loss", "stress_loss")
        spent = max(tally.seconds - tally.since, 1e-9)
        fraction = means.schedule.fraction(tally.step, tally.seconds)
        row = {
            "step": tally.step,
            "epoch": means.schedule.epoch(tally.step),
            "seconds": tally.seconds,
            "rate": means.schedule.rate(tally.step, fraction),
            **dict(zip(names, losses.tolist(), strict=True)),
            **(judgement.row() if means.supply.valid else {}),
            "microseconds_per_atom": 1e6 * spent / max(1, tally.atoms),
        }
        self.losses.zero_()
        self.tally = replace(
            tally,
            validations=count,
            judging=tally.judging + judging,
            since=tally.seconds + judging,
            atoms=0,
            history=(*tally.history, row),
        )
        if means.log is not None:
            means.log.add(row)
        epochs = means.schedule.settings.epochs
        planned = f" of {epochs}" if epochs else f", {left(tally.seconds)}"
        means.watcher.note(sentence(row, planned))

    def save(self) -> None:
        """Write a checkpoint."""
        self.check()
        means = self.means
        losses = means.team.add_up(self.losses.clone())
        if means.team.leads:
            tensors = means.descent.tensors() | {"losses": losses}
            write_checkpoint(means.folder, means.marks, self.tally, tensors)
        self.saved = self.tally.seconds

    def finish(self) -> None:
        """End the training; what is best stays in the checkpoint."""
        self.tally = replace(self.tally, over=True)
        self.save()
        total = self.total()
        self.means.watcher.progress(STAGE, total, total)

    def total(self) -> int:
        """Return what progress counts up to: steps, or seconds."""
        schedule = self.means.schedule
        return schedule.n_steps or max(1, round(schedule.settings.seconds or 0))

    def show(self) -> None:
        """Tell the watcher how far it is."""
        means, tally = self.means, self.tally
        by_step = means.schedule.n_steps is not None
        done = tally.step if by_step else int(tally.seconds)
        means.watcher.progress(STAGE, min(done, self.total() - 1), self.total())
        now = time.monotonic()
        if now - self.shown < LIVE_SECONDS or not isinstance(means.watcher, LiveWatcher):
            return
        self.shown = now
        spent = now - self.started - tally.since
        speed = f"{tally.atoms / spent:.0f} atoms/s"
        whole = tally.seconds / means.schedule.fraction(tally.step, tally.seconds)
        line = f"{speed}, {left(whole - tally.seconds)} left"
        means.watcher.live(STAGE, line, speed)
