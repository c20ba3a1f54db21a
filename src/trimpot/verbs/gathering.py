"""Gram blocks of a model and the training frames, if there is memory for them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trimpot.fitting import Model, forecast, gather, make_targets
from trimpot.fitting.anchors import MOST_ROWS
from trimpot.uncertainty import learning_bytes
from trimpot.verbs.memory import require_memory
from trimpot.verbs.room import warn_of_little_room

if TYPE_CHECKING:
    from trimpot.config import Config
    from trimpot.fitting import Blocks, Forecast, Keeper, Targets
    from trimpot.verbs.preparing import PreparedData
    from trimpot.verbs.watching import Watcher


def gathered(
    config: Config,
    data: PreparedData,
    model: Model,
    watcher: Watcher,
    *,
    keeper: Keeper | None = None,
) -> Blocks:
    """Return the blocks; tells what they take. With a keeper, a stopped pass goes on.

    Raises
    ------
    FitError
        If there is not enough memory, or nothing to fit.
    """
    targets = targets_of(config, data, model)
    need = need_of(config, data, model, targets)
    rows = sum(targets.rows(q) for q in targets.quantities)
    watcher.note(
        f"{need.n_columns} coefficients, {rows} rows ({', '.join(targets.quantities)}); "
        f"the fit needs about {need.bytes / 1e9:.2f} GB of memory"
    )
    require_memory(need.bytes, need.n_columns)
    matrices = min(config.fit.folds, len(data.fitted)) * len(targets.quantities)
    warn_of_little_room(config.output, 8 * matrices * need.n_columns**2, watcher)
    return gather(
        model,
        data.fitted,
        config.fit,
        targets=targets,
        threads=config.threads,
        progress=watcher.progress,
        keeper=keeper,
    )


def targets_of(config: Config, data: PreparedData, model: Model) -> Targets:
    """Return what the free terms of a model must reproduce."""
    return make_targets(
        data.fitted, model.species, model.fixed, config.fit, threads=config.threads
    )


def need_of(config: Config, data: PreparedData, model: Model, targets: Targets) -> Forecast:
    """Return the memory of a fit, and of learning how far it can be trusted."""
    folds = min(config.fit.folds, len(data.fitted))
    need = forecast(
        sum(t.n_coefficients for t in model.free),
        targets,
        folds,
        inequalities=MOST_ROWS if config.fit.anchors else 0,
        threads=config.threads,
    )
    if not config.uncertainty:
        return need
    blocks = 8 * folds * len(targets.quantities) * need.n_columns**2
    later = blocks + learning_bytes(need.n_columns, folds)
    return replace(need, bytes=max(need.bytes, later))
