"""Errors on validation frames, as sums over batches and processes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from trimpot.networks.training.targets import loss_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor

    from trimpot.networks.training.engine import LossEngine, Predictions
    from trimpot.networks.training.supply import AnyBatch
    from trimpot.networks.training.targets import Objective
    from trimpot.networks.training.team import Team

KINDS = ("energy", "force", "stress")
PER_KIND = 3
"""Sums of each kind: how many, |error|, error^2."""


@dataclass(frozen=True)
class Judgement:
    """Errors of a network on frames.

    Attributes
    ----------
    loss : float
        As for training, over all these frames at once.
    mae, rmse : dict of str to float
        By ``energy`` (eV/atom), ``force`` (eV/A), ``stress`` (eV/A^3), as far as there
        are labels.
    """

    loss: float
    mae: dict[str, float]
    rmse: dict[str, float]

    def row(self) -> dict[str, float]:
        """Return the errors as columns of a log."""
        columns = {"valid_loss": self.loss}
        for kind in self.mae:
            columns[f"valid_{kind}_mae"] = self.mae[kind]
            columns[f"valid_{kind}_rmse"] = self.rmse[kind]
        return columns


def judged(
    engine: LossEngine,
    batches: Iterable[tuple[AnyBatch, Tensor]],
    objective: Objective,
    team: Team,
) -> Judgement:
    """Return the errors on the batches of all processes.

    Parameters
    ----------
    engine : LossEngine
    batches : iterable of (Batch, (s,) tensor)
        Targets weighed by the counts of all validation frames; volumes in A^3.
    objective : Objective
    team : Team
    """
    sums = torch.zeros(1 + PER_KIND * len(KINDS), dtype=torch.float64)
    for batch, volumes in batches:
        sums += _sums(engine.predictions(batch), batch, volumes, objective)
    loss, *rest = team.add_up(sums).tolist()
    mae, rmse = {}, {}
    for index, kind in enumerate(KINDS):
        count, absolute, square = rest[PER_KIND * index : PER_KIND * (index + 1)]
        if count:
            mae[kind], rmse[kind] = absolute / count, math.sqrt(square / count)
    return Judgement(loss, mae, rmse)


def _sums(
    found: Predictions, batch: AnyBatch, volumes: Tensor, objective: Objective
) -> Tensor:
    """Return the loss, and the sums of each kind, on the CPU."""
    targets = batch.targets
    energies, forces = found.energies.cpu(), found.forces.cpu()
    virials = None if found.virials is None else found.virials.cpu()
    loss, _ = loss_of(targets, objective, energies, forces, virials)
    atoms = torch.bincount(batch.structures, minlength=len(energies)).clamp_min(1)
    sums = [
        loss[None],
        _three((energies - targets.energies) / atoms, targets.labelled_energies),
        _three(forces - targets.forces, targets.labelled_forces),
    ]
    if virials is None:
        sums.append(torch.zeros(PER_KIND, dtype=torch.float64))
    else:
        stresses = (virials - targets.virials) / volumes[:, None, None]
        sums.append(_three(stresses, targets.labelled_virials))
    return torch.cat(sums)


def _three(errors: Tensor, labelled: Tensor) -> Tensor:
    known = errors[labelled]
    count = known.new_tensor(float(known.numel()))
    return torch.stack([count, known.abs().sum(), known.square().sum()])
