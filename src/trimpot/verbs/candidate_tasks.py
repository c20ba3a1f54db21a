"""Candidates with their models: all that can be checked before any of them is fitted."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trimpot.errors import DataError, FitError, InputError
from trimpot.verbs.fitting_cached import Problem, key_of, rows_key
from trimpot.verbs.gathering import need_of, targets_of
from trimpot.verbs.memory import require_memory
from trimpot.verbs.preparing import prepare_model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.config import Candidate, Config
    from trimpot.fitting import Targets
    from trimpot.verbs.preparing import PreparedData


@dataclass(frozen=True)
class Common:
    """What all candidates share: data, and targets whose spread measures all errors."""

    data: PreparedData
    targets: Targets


@dataclass(frozen=True)
class Task:
    """A candidate with its model; equal fingerprints mean equal errors.

    ``key`` is that of its blocks, ``rows_key`` that of its rows (no anchors), ``bytes`` the
    memory of its fit.
    """

    candidate: Candidate
    problem: Problem
    key: str
    rows_key: str
    fingerprint: str
    bytes: int

    @property
    def config(self) -> Config:
        """The candidate's configuration."""
        return self.candidate.config


def tasks_of(found: Sequence[Candidate], data: PreparedData) -> tuple[list[Task], Common]:
    """Return what is to be fitted, after all that can be checked before."""
    if len(data.fitted) == 1:
        raise DataError("choose: one training frame has no others to be held out from")
    problems = [_problem(candidate, data) for candidate in found]
    common = Common(data, targets_of(found[0].config, data, problems[0].model))
    pairs = zip(found, problems, strict=True)
    return [_task(candidate, problem, common) for candidate, problem in pairs], common


def _problem(candidate: Candidate, data: PreparedData) -> Problem:
    try:
        return Problem(*prepare_model(candidate.config, data))
    except InputError as error:
        raise InputError(f"choose, candidate {candidate.label}: {error}") from error


def _task(candidate: Candidate, problem: Problem, common: Common) -> Task:
    config, data = candidate.config, common.data
    need = need_of(config, data, problem.model, common.targets)
    try:
        require_memory(need.bytes, need.n_columns)
    except FitError as error:
        raise FitError(f"choose, candidate {candidate.label}: {error}") from error
    rows = rows_key(config, data, problem)
    fit = config.fit
    parts = [rows, fit.kappa, fit.ridge, fit.curvature, fit.stress_weight]
    fingerprint = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    key = key_of(config, data, problem)
    return Task(candidate, problem, key, rows, fingerprint, need.bytes)


def without_anchors(config: Config) -> Config:
    """Return the settings that decide a score."""
    return replace(config, fit=replace(config.fit, anchors=False))
