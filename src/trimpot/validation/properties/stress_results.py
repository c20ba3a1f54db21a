"""The outcome of stress tests: counts of stable runs, where and why others ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trimpot.validation.properties.outcome import Curve, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from trimpot.contract import FloatArray
    from trimpot.engines.md_samples import Sample
    from trimpot.validation.properties.judges import Nearest
    from trimpot.validation.properties.watching import WatchedRun

MOST_POINTS = 200
"""Of a curve."""

TOLD = 4
"""Ends that are told one by one."""


def counted(runs: Sequence[WatchedRun]) -> dict[str, Value]:
    """Return how many runs there were, how many came to their end, and for how long."""
    stable = sum(run.end is None for run in runs)
    values = {
        "runs": Value(float(len(runs)), ""),
        "stable_runs": Value(float(stable), ""),
        "survived": Value(stable / len(runs), ""),
        "stable_ps": Value(float(np.mean([run.time_ps for run in runs])), "ps"),
    }
    graded = [run.grades for run in runs if run.grades is not None and run.grades.looks]
    if graded:
        share = sum(g.above for g in graded) / sum(g.looks for g in graded)
        values["extrapolated"] = Value(share, "")
    return values


def closest(nearest: Sequence[Nearest]) -> dict[str, Value]:
    """Return the shortest distance of two atoms in any run (A), if it was seen."""
    pair = min((one.shortest for one in nearest), key=lambda pair: pair.share)
    return {"closest": Value(pair.distance, "A")} if np.isfinite(pair.distance) else {}


def failure_of(
    runs: Sequence[WatchedRun], where: Callable[[WatchedRun], str]
) -> str | None:
    """Return how many runs ended early, and why the first of them did.

    Parameters
    ----------
    runs
        All of them.
    where
        Returns the place on the way, such as "2,100 K".
    """
    ended = [run for run in runs if run.end is not None]
    if not ended:
        return None
    first = ended[0]
    return f"{len(ended)} of {len(runs)} runs unstable, {_told(first, where)}"


def notes_of(
    runs: Sequence[WatchedRun], where: Callable[[WatchedRun], str]
) -> tuple[str, ...]:
    """Return how further runs ended, and where the model began to extrapolate."""
    ended = [run for run in runs if run.end is not None]
    notes = [_told(run, where) for run in ended[1:TOLD]]
    if len(ended) > TOLD:
        notes.append(f"{len(ended) - TOLD} more ended early")
    return (*notes, *_extrapolation(runs))


def _told(run: WatchedRun, where: Callable[[WatchedRun], str]) -> str:
    return f"seed {run.seed} after {run.time_ps:.3g} ps ({where(run)}): {run.end}"


def _extrapolation(runs: Sequence[WatchedRun]) -> tuple[str, ...]:
    known = [run.grades for run in runs if run.grades is not None]
    firsts = [g.first_ps for g in known if g.first_ps is not None]
    if not known:
        return ("the model has no grades, so nobody knows when it extrapolates",)
    if not firsts:
        return ("no atom was ever beyond the training data (grade 1)",)
    largest = max(g.largest for g in known)
    return (f"beyond the training data from {min(firsts):.3g} ps on, grade {largest:.3g}",)


def curves_of(
    runs: Sequence[WatchedRun],
    x: tuple[str, Callable[[Sample], float | None]],
    columns: Mapping[str, tuple[str, Callable[[Sample], float | None]]],
) -> dict[str, Curve]:
    """Return curves with one column per run, NaN where a run has ended.

    Parameters
    ----------
    runs
        All of them; the longest gives the abscissae.
    x
        Name with unit, and what it is of a sample.
    columns
        The same of each curve, by its name; one that is unknown throughout is left out.
    """
    longest = max(runs, key=lambda run: len(run.samples)).samples
    if not longest:
        return {}
    chosen = _chosen(len(longest))
    places = _column(longest, x[1])[chosen]
    found = {}
    for name, (title, of) in columns.items():
        y = np.full((len(longest), len(runs)), np.nan)
        for k, run in enumerate(runs):
            y[: len(run.samples), k] = _column(run.samples, of)
        if np.isfinite(y).any():
            found[name] = Curve(places, y[chosen], x[0], title)
    return found


def _chosen(n: int) -> FloatArray:
    return np.unique(np.linspace(0, n - 1, min(n, MOST_POINTS)).round().astype(np.int64))


def _column(samples: Sequence[Sample], of: Callable[[Sample], float | None]) -> FloatArray:
    values = [of(sample) for sample in samples]
    return np.array([np.nan if v is None else v for v in values], dtype=np.float64)
