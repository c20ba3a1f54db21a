"""Checkpoints: from them a training goes on as if it had never stopped."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import torch

from trimpot.errors import FileFormatError, InputError
from trimpot.networks.mlanet.settings import described
from trimpot.networks.training.tensor_file import read_arrays, write_arrays

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor

    from trimpot.networks.training.data import TrainingData
    from trimpot.networks.training.plan import Plan

CHECKPOINT = "training.checkpoint"
FORMAT = 1

FREE = ("device", "checkpoint_seconds", "tensorboard", "validation", "start")
"""Settings that may differ in a run that goes on: they do not say what comes out.

The frames of ``validation`` have been chosen, the file of ``start`` read; what they hold is
compared.
"""

Fingerprint = dict[str, object]


@dataclass(frozen=True)
class Tally:
    """How far a training has come.

    Attributes
    ----------
    step : int
        Steps so far.
    seconds : float
        Time so far.
    atoms : int
        Atoms in steps since the last validation.
    validations : int
        How many are over.
    stale : int
        Validations since the best.
    best : float, optional
        Loss of the best validation.
    judging : float
        Seconds spent on validations.
    since : float
        Value of ``seconds`` after the last validation.
    over : bool
        Whether the training has ended.
    history : tuple of dict
        Rows of the log.
    mean_weight, scale : float
        Constants of the network.
    """

    step: int = 0
    seconds: float = 0.0
    atoms: int = 0
    validations: int = 0
    stale: int = 0
    best: float | None = None
    judging: float = 0.0
    since: float = 0.0
    over: bool = False
    history: tuple[dict[str, float], ...] = ()
    mean_weight: float = 1.0
    scale: float = 1.0


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint holds.

    Attributes
    ----------
    tally : Tally
    tensors : dict
        Of ``Descent.tensors``, and ``losses`` since the last validation, on the CPU.
    """

    tally: Tally
    tensors: dict[str, Tensor]


def fingerprint(plan: Plan, train: TrainingData, valid: TrainingData) -> Fingerprint:
    """Return what a run must have in common with a checkpoint to go on from it."""
    kept = {k: v for k, v in asdict(plan.settings).items() if k not in FREE}
    network = described(plan.model_settings)
    found = {
        **{f"network: {name}": value for name, value in network.items()},
        **{f"training: {name}": value for name, value in kept.items()},
        "species": plan.species,
        "parameters": plan.layout(),
        "start": None if plan.start is None else plan.start.digest()[:16],
        "training frames": f"{len(train)} frames, {train.digest()[:16]}",
        "validation frames": f"{len(valid)} frames, {valid.digest()[:16]}",
    }
    if plan.kinds:
        found["charges"] = plan.kinds
    plain: Fingerprint = json.loads(json.dumps(found))
    return plain


def write_checkpoint(
    folder: Path, marks: Fingerprint, tally: Tally, tensors: Mapping[str, Tensor]
) -> None:
    """Write how far a training has come, at once.

    Raises
    ------
    WriteError
        If it cannot be written; an older checkpoint stays.
    """
    document = {"format": FORMAT, "fingerprint": marks, "tally": asdict(tally)}
    arrays = {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}
    write_arrays(folder / CHECKPOINT, document, arrays)


def read_checkpoint(folder: Path, marks: Fingerprint) -> Checkpoint | None:
    """Return how far a training in a folder has come; None where there is none.

    Raises
    ------
    InputError
        If the checkpoint is of another training: says in what it differs.
    FileFormatError
        If it is damaged.
    """
    path = folder / CHECKPOINT
    if not path.exists():
        return None
    document, arrays = read_arrays(path)
    before, tally = document.get("fingerprint"), document.get("tally")
    if document.get("format") != FORMAT or not isinstance(before, dict):
        raise FileFormatError(
            f"{path}: found a checkpoint of format {document.get('format')}, expected "
            f"{FORMAT}; go on with the version that wrote it, or remove it"
        )
    _compare(path, before, marks)
    if not isinstance(tally, dict):
        raise FileFormatError(f"{path}: found no tally; remove it to train from the start")
    history = tuple(tally.pop("history"))
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    return Checkpoint(Tally(**tally, history=history), tensors)


def _compare(path: Path, before: Fingerprint, marks: Fingerprint) -> None:
    names = sorted(before.keys() | marks.keys())
    differing = [name for name in names if before.get(name) != marks.get(name)]
    if not differing:
        return
    what = "; ".join(
        f"{name} is {_short(marks.get(name))} and was {_short(before.get(name))}"
        for name in differing
    )
    raise InputError(
        f"{path} is of another training: {what}; choose another folder, restore what was, "
        "or remove the checkpoint to train from the start"
    )


def _short(value: object) -> str:
    text = json.dumps(value)
    if len(text) > 60:
        return text[:40] + "... " + hashlib.sha256(text.encode()).hexdigest()[:8]
    return text
