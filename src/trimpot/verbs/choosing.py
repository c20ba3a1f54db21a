"""Choose among settings of the model by their held-out errors on training frames.

Candidates are scored one after the other; each that is done is recorded at once, so that
a run which was stopped goes on where it was. Gram blocks of the best so far are kept, all
others forgotten.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trimpot.config import Config, candidates
from trimpot.errors import FitError
from trimpot.files.blocks_file import load_blocks, stored_key
from trimpot.fitting import relative_error, select, with_anchors
from trimpot.verbs.candidate_tasks import Common, Task, tasks_of, without_anchors
from trimpot.verbs.candidates import (
    CANDIDATES_FILE,
    ScoredCandidate,
    best_first,
    read_candidates,
    write_candidates,
)
from trimpot.verbs.fitting_cached import (
    BLOCKS_FILE,
    Known,
    Problem,
    keep_blocks,
    require_strengths,
    rmse_in_words,
    unfinished_pass,
)
from trimpot.verbs.gathering import gathered
from trimpot.verbs.memory import total_memory
from trimpot.verbs.preparing import prepare_model
from trimpot.verbs.watching import Silent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from trimpot.fitting import Blocks, Selection
    from trimpot.verbs.preparing import PreparedData
    from trimpot.verbs.watching import Watcher


@dataclass(frozen=True)
class Choice:
    """The settings that a run goes on with.

    Attributes
    ----------
    config : Config
        With nothing left to choose.
    problem : Problem
    candidates : tuple of ScoredCandidate
        All that were compared, best first; none where there was no choice.
    known : Known
        What of the fit is done already.
    """

    config: Config
    problem: Problem
    candidates: tuple[ScoredCandidate, ...] = ()
    known: Known = Known()  # noqa: RUF009 - frozen


@dataclass(frozen=True)
class _Attempt:
    """What a fit needs of a candidate; blocks only while they are not in the folder."""

    fingerprint: str
    selection: Selection | None
    blocks: Blocks | None


def choose(config: Config, data: PreparedData, watcher: Watcher) -> Choice:
    """Return the settings with the lowest score; without a choice, the settings.

    Only training frames are looked at.

    Raises
    ------
    InputError, DataError
        Names the candidate whose settings are wrong, before any is fitted.
    FitError
        If a candidate needs too much memory, or the equations of all are singular.
    """
    found = candidates(config)
    if not found:
        return Choice(config, Problem(*prepare_model(config, data)))
    require_strengths(config)
    tasks, common = tasks_of(found, data)
    scored, last = _score_all(tasks, common, watcher)
    ranked = best_first(scored)
    if not ranked[0].rmse:
        raise FitError(
            "the equations of all candidates are singular; use larger ridge and curvature, "
            "fewer knots, or more data"
        )
    task = tasks[scored.index(ranked[0])]
    watcher.note(f"chosen from {len(tasks)} candidates: {task.candidate.label}")
    known = Known()
    if last is not None and last.fingerprint == task.fingerprint:
        known = Known(last.selection, last.blocks)
    return Choice(task.config, task.problem, tuple(ranked), known)


def _score_all(
    tasks: Sequence[Task], common: Common, watcher: Watcher
) -> tuple[list[ScoredCandidate], _Attempt | None]:
    """Return the tasks' scores, and the best of those that were fitted now, if any."""
    folder = tasks[0].config.output
    path = folder / CANDIDATES_FILE
    done = _done_before(tasks, common, path)
    best: _Attempt | None = None
    for number, task in enumerate(_stored_first(tasks, folder), 1):
        title = f"candidate {number} of {len(tasks)}"
        before = " (done before)" if task.fingerprint in done else ""
        watcher.note(f"{title}: {task.candidate.label}{before}")
        if task.fingerprint not in done:
            best = _with_room(best, task)
            lowest = min((c.score for c in done.values()), default=math.inf)
            done[task.fingerprint], better = _fitted(task, lowest, common, watcher)
            best = better or best
            write_candidates(done, path)
            unfinished_pass(task.config, task.rows_key, watcher).forget()
        watcher.note(f"{title}: {_result(done[task.fingerprint])}")
        watcher.progress("candidates", number, len(tasks))
    write_candidates(done, path)
    return [
        replace(done[task.fingerprint], values=task.candidate.values) for task in tasks
    ], best


def _stored_first(tasks: Sequence[Task], folder: Path) -> list[Task]:
    """Return first the task whose blocks are in the folder: others may replace them."""
    stored = stored_key(folder / BLOCKS_FILE)
    return sorted(tasks, key=lambda task: task.key != stored)


def _done_before(
    tasks: Sequence[Task], common: Common, path: Path
) -> dict[str, ScoredCandidate]:
    """Return those of the tasks that an earlier run has recorded."""
    recorded = read_candidates(path)
    scales = common.targets.scales
    return {
        task.fingerprint: replace(
            found,
            values=task.candidate.values,
            score=relative_error(found.rmse, scales),
        )
        for task in tasks
        if (found := recorded.get(task.fingerprint)) is not None
    }


def _with_room(best: _Attempt | None, task: Task) -> _Attempt | None:
    """Return the best so far, without its blocks where memory does not hold both."""
    if best is None or best.blocks is None:
        return best
    held = sum(a.nbytes for a in best.blocks.arrays().values())
    return best if held + task.bytes <= total_memory() else replace(best, blocks=None)


def _fitted(
    task: Task, lowest: float, common: Common, watcher: Watcher
) -> tuple[ScoredCandidate, _Attempt | None]:
    """Return a candidate's score, and what a fit needs of it if it is the lowest."""
    start = time.monotonic()
    blocks = _stored(task)
    if blocks is None:
        config, model = without_anchors(task.config), task.problem.model
        keeper = unfinished_pass(config, task.rows_key, watcher)
        blocks = gathered(config, common.data, model, watcher, keeper=keeper)
    selection = _selection(task, blocks, watcher)
    rmse = {} if selection is None else selection.best.rmse
    scored = ScoredCandidate(
        task.candidate.values,
        blocks.n_columns,
        rmse,
        relative_error(rmse, common.targets.scales),
        None if selection is None else selection.best.strengths,
        round(time.monotonic() - start, 3),
    )
    if scored.score >= lowest:
        return scored, None
    kept = _kept(task, blocks, common)
    return scored, _Attempt(task.fingerprint, selection, kept)


def _stored(task: Task) -> Blocks | None:
    """Return the blocks in the output folder if they are those of the task."""
    path = task.config.output / BLOCKS_FILE
    return load_blocks(path).blocks if stored_key(path) == task.key else None


def _selection(task: Task, blocks: Blocks, watcher: Watcher) -> Selection | None:
    """Return the cross-validation of strengths, None if all equations are singular."""
    try:
        return select(
            task.problem.model,
            blocks,
            task.config.fit,
            threads=task.config.threads,
            progress=watcher.progress,
        )
    except FitError:
        return None


def _kept(task: Task, blocks: Blocks, common: Common) -> Blocks | None:
    """Store the blocks with their anchors; return them if they are too large for that."""
    config, data = task.config, common.data
    if stored_key(config.output / BLOCKS_FILE) == task.key:
        return None
    if config.fit.anchors:
        blocks = with_anchors(
            blocks,
            task.problem.model,
            data.fitted,
            weights=common.targets.weights["energy"],
            threads=config.threads,
        )
    stored = keep_blocks(config, data, task.problem, blocks, Silent())
    return None if stored else blocks


def _result(scored: ScoredCandidate) -> str:
    if not scored.rmse:
        return "singular equations for all strengths"
    return (
        f"score {scored.score:.4g}, held-out RMSE: {rmse_in_words(scored.rmse)}, "
        f"{scored.seconds:.0f} s"
    )
