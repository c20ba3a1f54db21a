"""The verb ``learn``: errors against the number of training frames.

Every random order of the frames is gone through once: rows of a frame enter the Gram blocks
of the first size that has it, and of all larger ones by addition. Each fit is recorded at
once, so that a run which was stopped goes on where it was.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from trimpot.config import Config, candidates, config_from, load_config
from trimpot.data.nesting import nested_order
from trimpot.errors import FitError, InputError
from trimpot.files import run_folder, write_text
from trimpot.files.release import release
from trimpot.fitting import refit
from trimpot.reports.document import markdown_table
from trimpot.reports.learning import learning_table, plot_learning
from trimpot.validation.errors import error_tables
from trimpot.validation.learning import trend, verdict_line
from trimpot.validation.predictions import predict
from trimpot.verbs.fitting_cached import require_strengths
from trimpot.verbs.judging import write_figures
from trimpot.verbs.learning_points import (
    POINTS_FILE,
    LearningPoint,
    curves_of,
    read_points,
    write_points,
)
from trimpot.verbs.learning_task import LearningTask, learning_task
from trimpot.verbs.plain import finite_plain
from trimpot.verbs.preparing import spline_settings
from trimpot.verbs.watching import Logged, Silent

if TYPE_CHECKING:
    from trimpot.contract import Potential
    from trimpot.data import Frame
    from trimpot.fitting import Blocks
    from trimpot.validation.learning import LearningCurve
    from trimpot.verbs.watching import Watcher

FRACTIONS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
REPEATS = 3


@dataclass(frozen=True)
class LearnResult:
    """Errors over growing training sets.

    Attributes
    ----------
    points : tuple of LearningPoint
        All fits, by size and repeat.
    output : Path
        Folder of table, figure and log.
    """

    points: tuple[LearningPoint, ...]
    output: Path

    @property
    def curves(self) -> tuple[LearningCurve, ...]:
        """One per quantity with labels."""
        return curves_of(self.points)

    @property
    def verdicts(self) -> tuple[str, ...]:
        """What each curve means, in words."""
        return tuple(verdict_line(curve) for curve in self.curves)

    def to_dict(self) -> dict[str, object]:
        """Return plain values."""
        trends = {c.quantity: trend(c) for c in self.curves}
        return {
            "trimpot": release(),
            "output": str(self.output),
            "points": [asdict(p) for p in self.points],
            "trends": {q: None if t is None else asdict(t) for q, t in trends.items()},
            "verdicts": list(self.verdicts),
        }


def learn(
    config: Config | str | Path | Mapping[str, object],
    overrides: Sequence[str] = (),
    *,
    fractions: Sequence[float] = FRACTIONS,
    repeats: int = REPEATS,
    output: str | Path | None = None,
    watcher: Watcher = Silent(),  # noqa: B008 - has no state
) -> LearnResult:
    """Return errors on the same test frames for fits to growing parts of the training data.

    The terms with their knots, and the energies of isolated atoms, are those of a training
    on all frames; strengths and inequalities are chosen anew for every part. Parts are
    random, nested, and have each ``config_type`` in proportion. The largest part is all
    frames: that fit is the one of ``train``.

    Parameters
    ----------
    config, overrides
        As ``train``; with nothing left to ``choose``.
    fractions
        Of the training frames, above 0 up to 1.
    repeats
        Random orders of the frames: fits of every size below all frames.
    output
        Folder, made if missing; without one ``learning`` in that of the configuration. One
        that holds fits of the same data, model and settings is gone on with.
    watcher
        Told about every fit.

    Raises
    ------
    InputError, DataError, FitError, WriteError
        As ``train``; and without test frames.
    """
    settings = _resolved(config, overrides)
    folder = settings.output / "learning" if output is None else Path(output)
    with run_folder(folder):
        log = Logged(watcher, folder / "log.jsonl")
        task = learning_task(settings, tuple(fractions), repeats, log)
        points = _all_points(task, folder / POINTS_FILE, log)
        result = LearnResult(points, folder)
        if not result.curves:
            raise FitError(
                "the equations of all sizes are singular; use larger ridge and curvature, "
                "fewer knots, or more data"
            )
        _write(result)
    return result


def _all_points(
    task: LearningTask, path: Path, watcher: Watcher
) -> tuple[LearningPoint, ...]:
    """Return the points of all repeats; those that are recorded are not fitted again."""
    recorded = read_points(path)
    wanted = [(r, n) for r in range(task.repeats) for n in task.wanted(r)]
    prints = {task.fingerprint(r, n): (r, n) for r, n in wanted}
    done = {f: p for f, p in recorded.items() if f in prints}
    if done:
        watcher.note(f"{len(done)} of {len(wanted)} fits were done before")
    for repeat in range(task.repeats):
        missing = [
            n for n in task.wanted(repeat) if task.fingerprint(repeat, n) not in done
        ]
        if not missing:
            continue
        order = nested_order(task.data.fitted, task.config.fit.seed + repeat)
        for size, blocks in task.fit.blocks(order, missing, watcher.progress):
            members = sorted(order[:size].tolist())
            part = [task.data.fitted[i] for i in members]
            point = _point(task, repeat, part, blocks)
            done[task.fingerprint(repeat, size)] = point
            write_points(done, path)
            watcher.note(_line(point))
            watcher.progress("fits", len(done), len(wanted))
    return tuple(sorted(done.values(), key=lambda p: (p.frames, p.repeat)))


def _point(
    task: LearningTask, repeat: int, part: Sequence[Frame], blocks: Blocks
) -> LearningPoint:
    start = time.monotonic()
    try:
        fit = refit(
            task.problem.model,
            blocks,
            task.config.fit,
            profile=task.problem.profile,
            threads=task.config.threads,
        )
    except FitError:
        return LearningPoint(repeat, len(part), {}, {}, None, time.monotonic() - start)
    sides = {"train": part, "test": task.data.test}
    rmse: dict[str, float] = {}
    mae: dict[str, float] = {}
    for side, frames in sides.items():
        errors = _errors(fit.potential, frames, task.config.threads)
        rmse |= {f"{side}_{q}": e[0] for q, e in errors.items()}
        mae |= {f"{side}_{q}": e[1] for q, e in errors.items()}
    seconds = round(time.monotonic() - start, 3)
    return LearningPoint(repeat, len(part), rmse, mae, fit.chosen.strengths, seconds)


def _errors(
    potential: Potential, frames: Sequence[Frame], threads: int
) -> dict[str, tuple[float, float]]:
    """Return RMSE and MAE per quantity with labels."""
    plain = [replace(f, config_type="all") for f in frames]
    tables = error_tables(predict(potential, plain, threads=threads), plain)
    rows = [row for row in tables.rows if row.grouping == "all"]
    return {row.quantity: (row.rmse, row.mae) for row in rows}


def _line(point: LearningPoint) -> str:
    head = f"{point.frames} frames, repeat {point.repeat}"
    if not point.rmse:
        return f"{head}: singular equations for all strengths"
    units = {"energy": "meV/atom", "forces": "meV/A", "stress": "GPa"}
    found = [
        f"{q} {point.rmse[f'test_{q}']:.4g} {unit}"
        for q, unit in units.items()
        if f"test_{q}" in point.rmse
    ]
    return f"{head}: test RMSE {', '.join(found)}; {point.seconds:.1f} s"


def _write(result: LearnResult) -> None:
    """Write learning.json, learning.md and the figure."""
    plain = json.dumps(finite_plain(result.to_dict()), indent=1)
    write_text(result.output / "learning.json", plain + "\n")
    table = learning_table(result.curves)
    verdicts = "\n".join(f"- {line}" for line in result.verdicts)
    text = f"**{table.title}**\n\n{markdown_table(table)}\n\n{verdicts}\n"
    write_text(result.output / "learning.md", text)
    write_figures({"learning": plot_learning(result.curves)}, result.output)


def _resolved(
    config: Config | str | Path | Mapping[str, object], overrides: Sequence[str]
) -> Config:
    if isinstance(config, Config):
        if overrides:
            raise InputError(
                "overrides need a file or plain values, found a Config; use "
                "dataclasses.replace on it instead"
            )
        settings = config
    elif isinstance(config, str | Path):
        settings = load_config(config, overrides)
    else:
        settings = config_from(config, overrides)
    spline_settings(settings)
    if candidates(settings):
        raise InputError(
            "the configuration has something to choose, expected one model for all sizes; "
            f"train first and give {settings.output / 'config.yaml'}, which has the choice"
        )
    require_strengths(settings)
    return settings
