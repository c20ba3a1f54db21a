"""The verb ``train``: from data and a configuration to a judged potential."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from trimpot import _native
from trimpot.config import (
    Config,
    NetworkModelSettings,
    candidates,
    config_from,
    load_config,
    to_plain,
    to_yaml,
)
from trimpot.errors import InputError
from trimpot.files import run_folder, save, write_text
from trimpot.files.release import release
from trimpot.verbs.candidates import (
    ScoredCandidate,
    candidate_facts,
    recorded_candidates,
)
from trimpot.verbs.choosing import choose
from trimpot.verbs.chosen_before import chosen_before
from trimpot.verbs.fitting_cached import (
    fit_from_blocks,
    fit_with_blocks,
    usable_blocks,
)
from trimpot.verbs.judging import MODEL_FILE, Judgement, judge
from trimpot.verbs.plain import finite_plain
from trimpot.verbs.preparing import prepare_data, spline_settings
from trimpot.verbs.reporting import write_results
from trimpot.verbs.training_network import (
    NetworkTrainResult,
    follows,
    trained_beside,
    trained_network,
)
from trimpot.verbs.trusting import with_trust
from trimpot.verbs.unfinished import UNFINISHED_FILE
from trimpot.verbs.watching import Logged, Silent

if TYPE_CHECKING:
    from trimpot.fitting import FitResult
    from trimpot.splines.potential import SplinePotential
    from trimpot.validation.errors import ErrorTables
    from trimpot.verbs.watching import Watcher


@dataclass(frozen=True)
class TrainResult:
    """A trained potential and its errors.

    Attributes
    ----------
    potential : SplinePotential
    fit : FitResult
        Choices of the cross-validation and conditions of the fit.
    judgements : mapping
        ``train`` and, if there are test frames, ``test``; empty after a refit.
    output : Path
        Folder of the results.
    """

    potential: SplinePotential
    fit: FitResult
    judgements: Mapping[str, Judgement]
    output: Path

    @property
    def model(self) -> Path:
        """Path of the potential file."""
        return self.output / MODEL_FILE

    @property
    def candidates(self) -> tuple[ScoredCandidate, ...]:
        """Settings that were compared, best first; none where there was no choice."""
        return recorded_candidates(self.potential.provenance)

    @property
    def errors(self) -> dict[str, ErrorTables]:
        """Error tables by name of the set."""
        return {name: j.tables for name, j in self.judgements.items()}


def train(
    config: Config | str | Path | Mapping[str, object],
    overrides: Sequence[str] = (),
    *,
    watcher: Watcher = Silent(),  # noqa: B008 - has no state
) -> TrainResult | NetworkTrainResult:
    """Train a potential, judge it on training and test frames, and write all results.

    Where the configuration has something to ``choose``, all candidates are compared on the
    training frames first, and the best is trained. A run that was stopped goes on when it
    is started again. Several processes of a launcher (``WORLD_SIZE``, ``RANK``) train one
    network together; the first one judges and writes.

    Parameters
    ----------
    config
        A configuration, the path of a YAML file, or plain values.
    overrides
        ``key=value`` with dotted keys, for example ``model.terms.0.cutoff=5.5``.
    watcher
        Told what is found and how far the work is.

    Raises
    ------
    InputError, DataError, FitError, WriteError
        For settings, data, equations or an output folder that cannot be used, or that
        another run is writing to.
    MissingPartError
        For a network, if PyTorch is not installed.
    """
    settings = _resolve(config, overrides)
    if isinstance(settings.model, NetworkModelSettings) and follows():
        return trained_beside(settings, settings.model)
    with run_folder(settings.output):
        log = _open_log(settings, watcher)
        if isinstance(settings.model, NetworkModelSettings):
            return trained_network(settings, settings.model, log)
        return _trained(settings, log)


def _trained(settings: Config, log: Logged) -> TrainResult:
    data = prepare_data(settings, log)
    choice = choose(settings, data, log)
    result = fit_with_blocks(choice.config, data, choice.problem, log, known=choice.known)
    compared = candidate_facts(choice.candidates)
    _saved(result, choice.config, data.facts, compared)  # what is done is done
    result = with_trust(result, choice, data, log)
    potential = _saved(result, choice.config, data.facts, compared)
    (settings.output / UNFINISHED_FILE).unlink(missing_ok=True)
    sets = {"train": data.train, "test": data.test}
    judgements = {
        name: judge(
            potential,
            frames,
            name=name,
            threads=settings.threads,
            watcher=log,
            foretold=name == "test",
        )
        for name, frames in sets.items()
        if frames
    }
    done = TrainResult(potential, result, judgements, settings.output)
    return _finish(done, log, figures=settings.figures)


def refit(
    config: Config | str | Path | Mapping[str, object],
    overrides: Sequence[str] = (),
    *,
    watcher: Watcher = Silent(),  # noqa: B008 - has no state
) -> TrainResult:
    """Fit again from the Gram blocks in the output folder, with other strengths.

    No data are read, so there are no errors on training and test frames; the errors of
    the cross-validation are in ``fit``. What a configuration leaves to ``choose`` is what
    the run in the output folder chose.

    Raises
    ------
    InputError
        If there are no blocks in the output folder, or no choice was finished there, or
        another run is writing to it; for a network, which has no blocks.
    """
    given = _resolve(config, overrides)
    spline_settings(given)
    with run_folder(given.output):
        return _fitted_again(given, watcher)


def _fitted_again(given: Config, watcher: Watcher) -> TrainResult:
    settings, compared = chosen_before(given, given.output / MODEL_FILE)
    stored = usable_blocks(settings)
    log = _open_log(settings, watcher)
    result = fit_from_blocks(stored, settings, log)
    facts = cast("dict[str, object]", stored.origin.get("data", {}))
    potential = _saved(result, settings, facts, candidate_facts(compared))
    done = TrainResult(potential, result, {}, settings.output)
    return _finish(done, log, figures=settings.figures)


def _resolve(
    config: Config | str | Path | Mapping[str, object], overrides: Sequence[str]
) -> Config:
    if isinstance(config, Config):
        if overrides:
            raise InputError(
                "overrides need a file or plain values, found a Config; use "
                "dataclasses.replace on it instead"
            )
        candidates(config)  # as when a file is loaded: a mistake shows before any work
        return config
    if isinstance(config, str | Path):
        return load_config(config, overrides)
    return config_from(config, overrides)


def _open_log(settings: Config, watcher: Watcher) -> Logged:
    log = Logged(watcher, settings.output / "log.jsonl")
    log.record("config", trimpot=release(), config=to_plain(settings))
    return log


def _saved(
    result: FitResult,
    settings: Config,
    data: Mapping[str, object],
    compared: Sequence[Mapping[str, object]],
) -> SplinePotential:
    """Save the potential with its provenance, and the settings beside it."""
    provenance = {
        **result.potential.provenance,
        "trimpot": release(),
        "instruction_set": _native.instruction_set(),
        "data": dict(data),
        "config": to_plain(settings),
        "cross_validation": {
            "choices": len(result.selection.trials),
            "rmse": result.chosen.rmse,
        },
        **({"candidates": compared} if compared else {}),
    }
    potential = replace(result.potential, provenance=finite_plain(provenance))
    save(potential, settings.output / MODEL_FILE)
    write_text(settings.output / "config.yaml", to_yaml(settings))
    return potential


def _finish(result: TrainResult, log: Logged, *, figures: bool) -> TrainResult:
    """Record the errors in the potential and write tables, figures and pages."""
    errors = {name: tables.to_dict() for name, tables in result.errors.items()}
    provenance = {**result.potential.provenance, "errors": errors}
    done = replace(result, potential=replace(result.potential, provenance=provenance))
    save(done.potential, done.model)
    write_text(done.output / "metrics.csv", _metrics(done.fit))
    write_results(done, log, figures=figures)
    return done


def _metrics(fit: FitResult) -> str:
    """Return one line per choice of strengths, best first."""
    out = io.StringIO()
    names = list(fit.chosen.rmse)
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        ["kappa", "ridge", "curvature", "score", *(f"rmse_{name}" for name in names)]
    )
    for trial in sorted(fit.selection.trials, key=lambda t: t.score):
        s = trial.strengths
        errors = [trial.rmse.get(name, float("nan")) for name in names]
        writer.writerow([s.kappa, s.ridge, s.curvature, trial.score, *errors])
    return out.getvalue()
