"""Kill runs at random instants, start them again, and look for what was lost."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from interrupted_runs import Attempt, Job, emptied, run, run_and_kill
from whole_files import damaged, leftovers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np


MOST_KILLS = 12
"""Of one run, before it may end."""

WRITING_SHARE = 0.3
"""Of the kills, that come while results are written."""


@dataclass(frozen=True)
class Lost:
    """Work that was done twice, and how much of it one interval allows."""

    amount: float
    allowed: float


@dataclass(frozen=True)
class Judge:
    """How the runs of a job are judged.

    Attributes
    ----------
    begun : callable
        Whether an attempt came to work that could be lost.
    kept : callable
        How far the run in an output folder can go on from; None where only the next
        attempt tells.
    lost : callable
        What a killed attempt had done that the next one did again; None: cannot be told.
    different : callable
        What two finished output folders do not share.
    """

    begun: Callable[[Attempt], bool]
    kept: Callable[[Path], float | None]
    lost: Callable[[Attempt, Attempt], Lost | None]
    different: Callable[[Path, Path], list[str]]


@dataclass
class Killed:
    """What became of the runs of one job.

    Attributes
    ----------
    job : Job
    kills, runs : int
        Processes killed; runs that ended.
    stages : Counter
        Kills by where they came.
    losses : list of Lost
        One per kill after which the next attempt told where it went on.
    faults : list of str
        Damaged files, losses beyond an interval, results that differ. Empty is good.
    """

    job: Job
    kills: int = 0
    runs: int = 0
    stages: Counter = field(default_factory=Counter)
    losses: list[Lost] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def to_dict(self) -> dict:
        """Return plain values."""
        losses = [[loss.amount, loss.allowed] for loss in self.losses]
        counts = {"kills": self.kills, "runs": self.runs, "stages": dict(self.stages)}
        return {"job": self.job.name, **counts, "losses": losses, "faults": self.faults}

    @staticmethod
    def of(plain: dict, job: Job) -> Killed:
        """Return what ``to_dict`` gave."""
        losses = [Lost(*pair) for pair in plain["losses"]]
        stages = Counter(plain["stages"])
        counts = plain["kills"], plain["runs"]
        return Killed(job, *counts, stages, losses, list(plain["faults"]))


def kill_often(
    job: Job,
    folder: Path,
    kills: int,
    rng: np.random.Generator,
    *,
    judge: Judge,
) -> Killed:
    """Return what became of a job that is killed so many times in all.

    A run is killed at instants spread evenly over the time that it takes, some while it
    writes its results, and started again until it ends by itself.
    """
    events = folder / "events.jsonl"
    reference = run(job, emptied(folder / "whole"), events)
    if reference.code != 0:
        raise RuntimeError(f"{job.name} failed:\n{reference.printed}")
    times = Times.of(reference, job)
    done = Killed(job)
    while done.kills < kills:
        place = emptied(folder / "killed")
        _one_run(job, place, events, times=times, rng=rng, done=done, judge=judge)
        done.runs += 1
        done.faults += judge.different(folder / "whole" / job.output, place / job.output)
        done.faults += [f"left over: {name}" for name in leftovers(place / job.output)]
    return done


@dataclass(frozen=True)
class Times:
    """Seconds of a run that nothing stops: of all, and of writing its results."""

    whole: float
    writing: float

    @staticmethod
    def of(attempt: Attempt, job: Job) -> Times:
        """Take them from an attempt."""
        event = next(e for e in attempt.events if job.writes_from in json.dumps(e))
        return Times(attempt.seconds, attempt.seconds - event["t"])


def _one_run(job, place, events, *, times: Times, rng, done: Killed, judge: Judge) -> None:
    """Kill and start a run until it ends."""
    before: Attempt | None = None
    for number in range(MOST_KILLS + 1):
        if number == MOST_KILLS:
            attempt = run(job, place, events)
        else:
            writing = bool(rng.uniform() < WRITING_SHARE)
            delay = rng.uniform(0.0, times.writing if writing else times.whole)
            attempt = run_and_kill(job, place, events, delay, writing=writing)
        if before is not None:
            found = judge.lost(before, attempt)
            if found is not None:
                done.losses.append(found)
                if found.amount > found.allowed:
                    done.faults.append(
                        f"lost {found.amount:.3g}, allowed {found.allowed:.3g}"
                    )
                before = None
        done.faults += damaged(place / job.output)
        if attempt.code is not None:
            if attempt.code != 0:
                done.faults.append(f"exit code {attempt.code}: {attempt.printed[-500:]}")
            return
        done.kills += 1
        attempt.kept = judge.kept(place / job.output)
        done.stages[attempt.stage] += 1
        before = attempt if judge.begun(attempt) else before
        if job.is_complete(place):
            # killed after its last file: a lock that nobody holds means nothing
            (place / job.output / ".lock").unlink(missing_ok=True)
            return
