"""The fit of a training run, with Gram blocks kept between runs."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np

from trimpot.config import to_plain
from trimpot.data import Dataset, ReadReport
from trimpot.errors import InputError, WriteError
from trimpot.files.blocks_file import (
    StoredBlocks,
    load_blocks,
    save_blocks,
    stored_key,
)
from trimpot.files.container import write
from trimpot.files.spline_document import spline_document
from trimpot.fitting import ANCHORS_VERSION, Model, refit
from trimpot.splines.one_body import OneBody
from trimpot.splines.potential import SplinePotential
from trimpot.splines.profile import PairProfile
from trimpot.units import GPA_PER_EV_PER_A3
from trimpot.verbs.gathering import gathered
from trimpot.verbs.unfinished import UNFINISHED_FILE, UnfinishedPass

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from trimpot.config import Config
    from trimpot.fitting import Blocks, FitResult, FitSettings, Selection
    from trimpot.verbs.preparing import PreparedData
    from trimpot.verbs.watching import Watcher

BLOCKS_FILE = "blocks.safetensors"


@dataclass(frozen=True)
class Problem:
    """A model with the distances that its terms were built on."""

    model: Model
    profile: PairProfile


@dataclass(frozen=True)
class Known:
    """Parts of a fit that a choice among settings has done already.

    Attributes
    ----------
    selection : Selection, optional
        The cross-validation of its strengths.
    blocks : Blocks, optional
        Those that are not kept in the output folder.
    """

    selection: Selection | None = None
    blocks: Blocks | None = None


def fit_with_blocks(
    config: Config,
    data: PreparedData,
    problem: Problem,
    watcher: Watcher,
    *,
    known: Known = Known(),
) -> FitResult:
    """Return the fit; the blocks of an earlier run are used if they are the same."""
    blocks = None
    if known.blocks is None:
        key = key_of(config, data, problem)
        blocks = _stored(config.output / BLOCKS_FILE, key, watcher)
    if blocks is None:
        blocks = known.blocks
        if blocks is None:
            keeper = unfinished_pass(config, rows_key(config, data, problem), watcher)
            blocks = gathered(config, data, problem.model, watcher, keeper=keeper)
        keep_blocks(config, data, problem, blocks, watcher)
    return _solve(problem, blocks, config, watcher, known.selection)


def key_of(config: Config, data: PreparedData, problem: Problem) -> str:
    """Return the digest of all that decides the blocks of a problem."""
    refine = problem.model.refine_e0s
    return blocks_key(data, _start(problem), refine, config.fit)


def rows_key(config: Config, data: PreparedData, problem: Problem) -> str:
    """Return the digest of all that decides the blocks but for their anchors."""
    fit = replace(config.fit, anchors=False)
    return blocks_key(data, _start(problem), problem.model.refine_e0s, fit)


def unfinished_pass(config: Config, key: str, watcher: Watcher) -> UnfinishedPass:
    """Return what keeps the pass with this key of its rows in the output folder."""
    path = config.output / UNFINISHED_FILE
    return UnfinishedPass(path, key, config.checkpoint_seconds, watcher)


def keep_blocks(
    config: Config, data: PreparedData, problem: Problem, blocks: Blocks, watcher: Watcher
) -> bool:
    """Store blocks in the output folder, unless they are too large; return whether.

    They are for later runs: where the disk is full, this one goes on without them.
    """
    path = config.output / BLOCKS_FILE
    size = sum(a.nbytes for a in blocks.arrays().values()) / 1e9
    if size > config.cache_gb:
        watcher.note(
            f"Gram blocks of {size:.2f} GB are not kept (cache_gb is {config.cache_gb:g}): "
            "a fit with other strengths will read the data again"
        )
        path.unlink(missing_ok=True)
        return False
    origin = {"data": data.facts, "settings": decisive_settings(config)}
    refine = problem.model.refine_e0s
    key = key_of(config, data, problem)
    try:
        save_blocks(StoredBlocks(key, _start(problem), refine, blocks, origin), path)
    except WriteError as error:
        watcher.note(
            f"warning: {str(error).partition(';')[0]}; the run goes on, but a fit with "
            "other strengths will read the data again"
        )
        return False
    unfinished_pass(config, key, watcher).forget()
    watcher.note(
        f"Gram blocks kept in {path} ({size:.2f} GB) for fits with other strengths"
    )
    return True


def usable_blocks(config: Config) -> StoredBlocks:
    """Return the blocks in the output folder, if only strengths have changed since.

    Raises
    ------
    InputError
        If there are none, or they rest on other settings than strengths.
    FileFormatError
        If the file is damaged.
    """
    stored = load_blocks(config.output / BLOCKS_FILE)
    before = cast("dict[str, object]", stored.origin.get("settings", {}))
    now = decisive_settings(config)
    changed = [name for name in now if now[name] != before.get(name)]
    if changed:
        raise InputError(
            f"the settings of {', '.join(changed)} differ from those of the Gram blocks in "
            f"{config.output}; without data only kappa, ridge, curvature and the size of "
            "stress_weight can change; train without refit"
        )
    return stored


def fit_from_blocks(stored: StoredBlocks, config: Config, watcher: Watcher) -> FitResult:
    """Return a fit to stored blocks, without any data."""
    watcher.note(f"fit to the Gram blocks in {config.output}; no data are read")
    problem = Problem(_model_of(stored), _profile_of(stored.start))
    return _solve(problem, stored.blocks, config, watcher)


def decisive_settings(config: Config) -> dict[str, object]:
    """Return the settings that decide the blocks; only strengths may change in a refit."""
    fit = replace(config.fit, kappa=(), ridge=(), curvature=(), stress_weight=0.0)
    return {
        "data": to_plain(config.data),
        "model": to_plain(config.model),
        "fit": to_plain(fit),
        "stress": config.fit.stress_weight != 0.0,
    }


def blocks_key(
    data: PreparedData, start: SplinePotential, refine_e0s: bool, settings: FitSettings
) -> str:
    """Return a digest of all that decides the blocks; strengths do not."""
    digest = hashlib.sha256()
    for frame in data.fitted:
        digest.update(f"{frame.config_type}\0".encode())
        if settings.weight_key is not None:
            digest.update(f"{frame.info.get(settings.weight_key)}\0".encode())
    weights = {name: vars(w) for name, w in sorted(settings.weights.items())}
    choices = [
        data_fingerprint(data),
        refine_e0s,
        settings.folds,
        settings.seed,
        settings.stress_weight == 0.0,
        settings.anchors and ANCHORS_VERSION,
        weights,
    ]
    digest.update(json.dumps(choices).encode())
    model = io.BytesIO()
    write(model, *spline_document(start))
    digest.update(model.getbuffer())
    return digest.hexdigest()


def data_fingerprint(data: PreparedData) -> str:
    """Return the digest of the frames that enter the fit."""
    return Dataset(data.fitted, ReadReport(())).fingerprint


def _start(problem: Problem) -> SplinePotential:
    """Return the model before the fit, as a potential that can be stored."""
    model, profile = problem.model, problem.profile
    statistics = {
        "pair_counts": profile.counts,
        "pair_cutoff": np.array([profile.cutoff]),
        "smallest": profile.smallest,
    }
    zeros = tuple(np.zeros(t.n_coefficients) for t in model.terms)
    return SplinePotential(
        model.species,
        (OneBody(model.species), *model.terms),
        (model.e0s, *zeros),
        statistics=statistics,
    )


def _model_of(stored: StoredBlocks) -> Model:
    start = stored.start
    return Model(
        start.species, start.terms[1:], start.coefficients[0], refine_e0s=stored.refine_e0s
    )


def _profile_of(start: SplinePotential) -> PairProfile:
    found = start.statistics
    return PairProfile(
        start.species,
        found["smallest"],
        found["pair_counts"],
        float(found["pair_cutoff"][0]),
    )


def _stored(path: Path, key: str, watcher: Watcher) -> Blocks | None:
    """Return the blocks of an earlier run with the same key."""
    found = stored_key(path)
    if found is None:
        return None
    if found != key:
        watcher.note(f"{path} belongs to other data, terms or weights; it is replaced")
        return None
    watcher.note(f"same data, terms and weights as before: the rows in {path} are reused")
    return load_blocks(path).blocks


def require_strengths(config: Config) -> None:
    """Refuse a fit without candidates of strengths."""
    if not config.fit.choices():
        raise InputError("fit: kappa, ridge and curvature need at least one candidate each")


def _solve(
    problem: Problem,
    blocks: Blocks,
    config: Config,
    watcher: Watcher,
    selection: Selection | None = None,
) -> FitResult:
    require_strengths(config)
    result = refit(
        problem.model,
        blocks,
        config.fit,
        profile=problem.profile,
        selection=selection,
        threads=config.threads,
        progress=watcher.progress,
    )
    for line in fit_lines(result):
        watcher.note(line)
    return result


def fit_lines(result: FitResult) -> list[str]:
    """Return what the fit chose and how well the data determine it."""
    strengths, conditions = result.chosen.strengths, result.conditions
    return [
        f"chosen from {len(result.selection.trials)} by cross-validation: kappa "
        f"{strengths.kappa:g}, ridge {strengths.ridge:g}, curvature "
        f"{strengths.curvature:g}",
        f"held-out RMSE: {rmse_in_words(result.chosen.rmse)}",
        f"{conditions.n_coefficients} coefficients, rank {conditions.rank}, condition "
        f"{conditions.condition:.1e}, {conditions.degrees_of_freedom:.0f} effective "
        f"degrees of freedom, {conditions.untouched} untouched by data",
        f"{len(result.blocks.anchors)} inequalities of anchors, {result.binding} bind",
    ]


def rmse_in_words(rmse: Mapping[str, float]) -> str:
    """Return errors per quantity with their units."""
    return ", ".join(f"{q} {_shown(q, v)}" for q, v in rmse.items())


def _shown(quantity: str, value: float) -> str:
    unit, scale = {
        "energy": ("meV/atom", 1e3),
        "forces": ("meV/A", 1e3),
        "stress": ("GPa", GPA_PER_EV_PER_A3),
    }[quantity]
    return f"{scale * value:.4g} {unit}"
