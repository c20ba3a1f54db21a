"""The verb ``train`` for networks: from prepared data to a judged potential."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from importlib import metadata
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

import numpy as np

from trimpot import _native
from trimpot.config import to_plain, to_yaml
from trimpot.elements import group_name
from trimpot.files import save, write_text
from trimpot.files.release import release
from trimpot.networks import require_torch
from trimpot.networks.potential import NetworkPotential
from trimpot.verbs.judging import MODEL_FILE, Judgement, judge
from trimpot.verbs.network_data import network_task
from trimpot.verbs.plain import finite_plain
from trimpot.verbs.preparing import prepare_data
from trimpot.verbs.reporting import write_results
from trimpot.verbs.starting import note_start, start_file
from trimpot.verbs.watching import Silent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from trimpot.config import Config, NetworkModelSettings
    from trimpot.networks.training import TrainingResult
    from trimpot.splines.profile import PairProfile
    from trimpot.validation.errors import ErrorTables
    from trimpot.verbs.network_data import NetworkTask
    from trimpot.verbs.preparing import PreparedData
    from trimpot.verbs.starting import StartFile
    from trimpot.verbs.watching import Logged, Watcher

RECORDED = (
    "epoch",
    "seconds",
    "loss",
    "valid_loss",
    "valid_energy_rmse",
    "valid_force_rmse",
    "valid_stress_rmse",
)
"""Columns of the history that a potential keeps."""


@dataclass(frozen=True)
class NetworkTrainResult:
    """A trained network and its errors.

    Attributes
    ----------
    potential : NetworkPotential
    training : TrainingResult
        History of the training.
    judgements : mapping
        ``train`` and, if there are test frames, ``test``; empty where another process
        leads.
    output : Path
        Folder of the results.
    """

    potential: NetworkPotential
    training: TrainingResult
    judgements: Mapping[str, Judgement]
    output: Path

    @property
    def model(self) -> Path:
        """Path of the potential file."""
        return self.output / MODEL_FILE

    @property
    def candidates(self) -> tuple[()]:
        """None: networks have nothing to ``choose``."""
        return ()

    @property
    def errors(self) -> dict[str, ErrorTables]:
        """Error tables by name of the set."""
        return {name: j.tables for name, j in self.judgements.items()}


def trained_network(
    config: Config, settings: NetworkModelSettings, log: Logged
) -> NetworkTrainResult:
    """Train a network, judge it on training and test frames, and write all results.

    Raises
    ------
    InputError, DataError, FitError, WriteError
        As ``train``.
    MissingPartError
        If PyTorch is not installed.
    """
    data, potential, training = _trained(config, settings, log)
    save(potential, config.output / MODEL_FILE)  # what is done is done
    write_text(config.output / "config.yaml", to_yaml(config))
    sets = {"train": data.train, "test": data.test}
    judgements = {
        name: judge(potential, frames, name=name, threads=config.threads, watcher=log)
        for name, frames in sets.items()
        if frames
    }
    done = NetworkTrainResult(potential, training, judgements, config.output)
    return _finish(done, log, figures=config.figures)


def follows() -> bool:
    """Return whether this process trains beside another one that leads."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1 and os.environ.get("RANK", "0") != "0"


def trained_beside(config: Config, settings: NetworkModelSettings) -> NetworkTrainResult:
    """Train a network with the process that leads, which also judges and writes."""
    _, potential, training = _trained(config, settings, Silent())
    return NetworkTrainResult(potential, training, {}, config.output)


def _trained(
    config: Config, settings: NetworkModelSettings, watcher: Watcher
) -> tuple[PreparedData, NetworkPotential, TrainingResult]:
    require_torch()
    began = start_file(config.training.start)
    data = prepare_data(config, watcher)
    task = network_task(config, settings, data, watcher)
    if began is not None:
        kinds = () if task.charges is None else task.charges.kinds
        began.start.check(settings.network, data.species, kinds)
        note_start(began, [task.e0s.values[z] for z in data.species], watcher)
    training = _learned(config, settings, task, began, watcher)
    potential = NetworkPotential(
        species=data.species,
        settings=settings.network,
        state=weights_of(training.state),
        e0s=np.array([task.e0s.values[z] for z in data.species]),
        mean_weight=training.mean_weight,
        scale=training.scale,
        prior=task.prior,
        charges=task.charges,
        precision=config.training.precision,
        provenance=finite_plain(_provenance(config, data, task, began, training)),
    )
    return data, potential, training


def _learned(
    config: Config,
    settings: NetworkModelSettings,
    task: NetworkTask,
    began: StartFile | None,
    watcher: Watcher,
) -> TrainingResult:
    from trimpot.networks.autograd import torch_threads
    from trimpot.networks.training import train_network

    species = task.profile.species
    with torch_threads(config.threads):
        return train_network(
            settings.network,
            species,
            task.train,
            task.valid,
            config.training,
            config.output,
            watcher,
            kinds=() if task.charges is None else task.charges.kinds,
            threads=config.threads,
            start=None if began is None else began.start,
        )


def weights_of(state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the weights of a state, in single precision, without the scale."""
    return {
        name: np.ascontiguousarray(values, dtype=np.float32)
        for name, values in state.items()
        if name != "scale"
    }


def _provenance(
    config: Config,
    data: PreparedData,
    task: NetworkTask,
    began: StartFile | None,
    training: TrainingResult,
) -> dict[str, object]:
    return {
        **({} if began is None else {"start": began.facts()}),
        "trimpot": release(),
        "torch": metadata.version("torch"),
        "instruction_set": _native.instruction_set(),
        "data": dict(data.facts),
        "config": to_plain(config),
        "training": {
            "frames": len(task.train),
            "validation_frames": len(task.valid),
            "epochs": training.epochs,
            "steps": training.steps,
            "seconds": training.seconds,
        },
        "history": [
            {name: row[name] for name in RECORDED if name in row}
            for row in training.history
        ],
        "shortest_distances": _shortest(task.profile),
    }


def _shortest(profile: PairProfile) -> dict[str, float]:
    numbered = list(enumerate(profile.species))
    return {
        group_name((a, b)): float(profile.smallest[i, j])
        for (i, a), (j, b) in combinations_with_replacement(numbered, 2)
        if np.isfinite(profile.smallest[i, j])
    }


def _finish(
    result: NetworkTrainResult, log: Logged, *, figures: bool
) -> NetworkTrainResult:
    """Record the errors in the potential and write tables, figures and pages."""
    errors = {name: tables.to_dict() for name, tables in result.errors.items()}
    provenance = {**result.potential.provenance, "errors": errors}
    done = replace(result, potential=replace(result.potential, provenance=provenance))
    save(done.potential, done.model)
    write_results(done, log, figures=figures)
    return done
