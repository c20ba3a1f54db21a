"""How far a trained potential can be trusted, kept in its file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trimpot.errors import FileFormatError
from trimpot.files.trust_checks import check_trust
from trimpot.fitting import folds_of
from trimpot.splines.trust import QUANTITIES
from trimpot.uncertainty import Job, learn_trust
from trimpot.verbs.gathering import targets_of

if TYPE_CHECKING:
    from trimpot.fitting import FitResult
    from trimpot.verbs.choosing import Choice
    from trimpot.verbs.preparing import PreparedData
    from trimpot.verbs.watching import Watcher


def with_trust(
    result: FitResult, choice: Choice, data: PreparedData, watcher: Watcher
) -> FitResult:
    """Return the fit, its potential with grades and uncertainties if they are wanted."""
    config, model = choice.config, choice.problem.model
    if not config.uncertainty:
        return result
    job = Job(
        model,
        result,
        targets_of(config, data, model),
        folds_of(data.fitted, config.fit),
        config.fit,
        [f.config_type for f in data.fitted],
    )
    trust = learn_trust(job, threads=config.threads, progress=watcher.progress)
    known = [q for q, v in zip(QUANTITIES, trust.variances, strict=True) if v.any()]
    watcher.note(
        "uncertainty calibrated on held-out frames: grades of atoms"
        + "".join(f", {quantity}" for quantity in known)
    )
    potential = result.potential
    statistics = {**potential.statistics, **trust.statistics()}
    try:
        check_trust(statistics, len(potential.species), potential.terms)
    except FileFormatError as error:
        watcher.note(f"warning: no grades and no uncertainties ({error})")
        return result
    return replace(result, potential=replace(potential, statistics=statistics))
