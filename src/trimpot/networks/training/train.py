"""Training of a network, from labelled structures to a state."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from trimpot.errors import InputError
from trimpot.networks.autograd import torch_threads
from trimpot.networks.mlanet import MLANet
from trimpot.networks.training.batches import BatchShape
from trimpot.networks.training.checkpoints import Tally, fingerprint, read_checkpoint
from trimpot.networks.training.data import TrainingResult
from trimpot.networks.training.engine import TorchEngine
from trimpot.networks.training.frames import evenly, label_scale, prepared
from trimpot.networks.training.logs import TrainingLog, left
from trimpot.networks.training.loop import Loop, Means
from trimpot.networks.training.memory import forecast, free_bytes, step_bytes
from trimpot.networks.training.native_engine import NativeBatch, NativeEngine
from trimpot.networks.training.parameters import Descent
from trimpot.networks.training.plan import Plan
from trimpot.networks.training.recorded import RecordedEngine
from trimpot.networks.training.schedule import Schedule
from trimpot.networks.training.supply import Supply
from trimpot.networks.training.targets import Counts, Objective
from trimpot.networks.training.team import device_of, team_of
from trimpot.threads import thread_count
from trimpot.writing import make_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from trimpot.networks.charges import Kind
    from trimpot.networks.mlanet import MLANetSettings
    from trimpot.networks.training.checkpoints import Checkpoint, Fingerprint
    from trimpot.networks.training.data import TrainingData, Watcher
    from trimpot.networks.training.engine import LossEngine
    from trimpot.networks.training.frames import PreparedFrame
    from trimpot.networks.training.settings import TrainingSettings
    from trimpot.networks.training.starting import Start
    from trimpot.networks.training.team import Team

    MakeEngine = Callable[[MLANet, Supply], LossEngine]

PREPARING = "graphs"
WORTH_FILLING = 1.3
"""On GPUs batches have one shape if that holds at most so many times the usual atoms."""


def engine_of(model: MLANet, supply: Supply) -> LossEngine:
    """Return the engine of a supply: the compiled network, or torch."""
    if supply.native_threads:
        return NativeEngine(
            model,
            supply.objective,
            virials=supply.virials,
            threads=supply.native_threads,
        )
    kind = RecordedEngine if supply.recorded else TorchEngine
    return kind(model, supply.objective, virials=supply.virials, forces=supply.forces)


def train_network(
    model_settings: MLANetSettings,
    species: tuple[int, ...],
    train: TrainingData,
    valid: TrainingData,
    settings: TrainingSettings,
    folder: Path,
    watcher: Watcher,
    *,
    kinds: tuple[Kind, ...] = (),
    threads: int = 0,
    start: Start | None = None,
    make_engine: MakeEngine = engine_of,
) -> TrainingResult:
    """Return a trained network; go on where an earlier run in the folder has stopped.

    Under a launcher of several processes (``WORLD_SIZE``) all of them call this, share
    each batch, and get the same result; the first one writes and speaks.

    Parameters
    ----------
    model_settings : MLANetSettings
    species : tuple of int
        Atomic numbers, ascending.
    train, valid : TrainingData
        What to learn, and what to choose the best weights by; the latter may be empty.
    settings : TrainingSettings
    folder : Path
        Gets ``training.csv``, ``training.jsonl`` and ``training.checkpoint``.
    watcher : Watcher
        Is told how it goes.
    kinds : tuple of (int, int)
        Atomic number and total charge of the kinds of atoms; empty: charges do not matter.
    threads : int
        Threads on the CPU; 0 means all available cores.
    start : Start, optional
        Network whose weights are the first ones; its constants are taken over.
    make_engine : callable
        What computes losses and their gradients.

    Raises
    ------
    InputError
        If there is nothing to learn, an element is not among ``species`` or with its
        charge not among ``kinds``, direct forces are to learn stresses, the start does
        not fit, or the folder holds a checkpoint of another training.
    FitError
        If a loss is not finite.
    WriteError
        If the folder cannot be written to.
    """
    _check(train, settings)
    _check_stresses(model_settings, train, settings)
    if start is not None:
        start.check(model_settings, species, kinds)
    device = device_of(settings.device)
    plan = Plan(model_settings, species, settings, device, kinds, start)
    marks = fingerprint(plan, train, valid)
    found = _found(folder, marks)
    of_torch = 1 if plan.native else threads
    with torch_threads(of_torch), team_of(plan.device) as team:
        told = watcher if team.leads else _Silent()
        if found is not None and found.tally.over:
            told.note("this training has ended before; its result is taken")
            return plan.result(found.tally, found.tensors["best"], len(train))
        log = _log(folder, found, settings) if team.leads else None
        supply = _supply(plan, train, valid, team, told, threads)
        tally = _first_tally(plan, supply) if found is None else found.tally
        model = plan.network(tally)
        descent = Descent(model, settings)
        _announce(plan, supply, model, told)
        losses = torch.zeros(4, dtype=torch.float64, device=plan.device)
        if found is not None:
            descent.restore(found.tensors)
            losses += found.tensors["losses"].to(plan.device) * team.leads
            told.note(
                f"going on after step {tally.step}, {left(tally.seconds)} of training"
            )
        means = Means(
            supply=supply,
            engine=make_engine(model, supply),
            descent=descent,
            schedule=Schedule(settings, len(train)),
            team=team,
            watcher=told,
            log=log,
            folder=folder,
            marks=marks,
        )
        end = Loop(means, tally, losses).run()
        return plan.result(end, descent.best, len(train))


def _check(train: TrainingData, settings: TrainingSettings) -> None:
    """Raise ``InputError`` if there is nothing to learn."""
    if not len(train):
        raise InputError("found no training frames, expected one at least")
    weights = (settings.energy_weight, settings.force_weight, settings.stress_weight)
    labels = (
        any(not math.isnan(energy) for energy in train.energies),
        any(forces is not None for forces in train.forces),
        any(stress is not None for stress in train.stresses),
    )
    if not any(w and known for w, known in zip(weights, labels, strict=True)):
        raise InputError(
            "found no label with a weight in the training frames; give them energies or "
            "forces, or the labels that they have a weight above 0"
        )
    unknown = sorted(set(settings.group_weights) - set(train.groups))
    if unknown:
        raise InputError(
            f"group_weights: found {', '.join(unknown)}, expected groups of the training "
            f"frames: {', '.join(sorted(set(train.groups)))}"
        )


def _check_stresses(
    network: MLANetSettings, train: TrainingData, settings: TrainingSettings
) -> None:
    """Raise ``InputError`` if forces that are no gradient are to learn stresses."""
    count = sum(stress is not None for stress in train.stresses)
    if network.forces == "direct" and count and settings.stress_weight:
        raise InputError(
            f"found {count} training frames with a stress, expected none for forces: "
            "direct, which are not the gradient of an energy and have no stress; set "
            "training.stress_weight to 0 to leave stresses out, or choose forces: gradient"
        )


def _found(folder: Path, marks: Fingerprint) -> Checkpoint | None:
    """Make the folder; return the checkpoint in it, if there is one."""
    return read_checkpoint(make_folder(folder), marks)


def _supply(
    plan: Plan,
    train: TrainingData,
    valid: TrainingData,
    team: Team,
    watcher: Watcher,
    threads: int,
) -> Supply:
    """Return the supply of batches: finds the edges of all frames."""
    pruning, total = plan.network(Tally()).pruning.cpu().double(), len(train) + len(valid)
    ready: list[PreparedFrame] = []
    for data in (train, valid):
        weights = plan.settings.group_weights
        for frame in prepared(
            data,
            plan.species,
            pruning,
            group_weights=weights,
            kinds=plan.kinds,
            frozen=plan.native,
        ):
            ready.append(frame)
            watcher.progress(PREPARING, len(ready), total)
    frames = tuple(ready[: len(train)])
    batch_size = min(plan.settings.batch_size, len(train))
    shape = _shape(plan, frames, batch_size, team)
    return Supply(
        train=frames,
        valid=tuple(ready[len(train) :]),
        objective=Objective.of(plan.settings, label_scale(frames)),
        elements=plan.species,
        cutoff=plan.model_settings.cutoff,
        batch_size=batch_size,
        shape=shape,
        recorded=plan.settings.recorded and shape is not None,
        team=team,
        native_threads=thread_count(threads) if plan.native else 0,
    )


def _shape(
    plan: Plan, frames: Sequence[PreparedFrame], batch_size: int, team: Team
) -> BatchShape | None:
    """Return the one shape of all batches, if they are to have one."""
    if plan.native:
        return None
    share = -(-batch_size // team.size)
    full = BatchShape.largest(frames, share)
    if plan.settings.fixed_shapes is not None:
        return full if plan.settings.fixed_shapes else None
    usual = share * sum(f.atoms for f in frames) / len(frames)
    fits = full.atoms <= WORTH_FILLING * usual
    return full if plan.device.type == "cuda" and fits else None


def _first_tally(plan: Plan, supply: Supply) -> Tally:
    """Return the beginning of a training, with the constants of its network."""
    if plan.start is not None:
        return Tally(mean_weight=plan.start.mean_weight, scale=plan.start.scale)
    pruning = plan.network(Tally()).pruning.cpu().double()
    weights, atoms = 0.0, 0
    with torch.no_grad():
        for index in evenly(len(supply.train)):
            batch = supply.alone(index)
            if isinstance(batch, NativeBatch):
                weights += sum(float(part.weights.sum()) for part in batch.parts)
            else:
                edges = pruning(batch.graph, survivors=batch.survivors)
                weights += float(edges.weights.sum())
            atoms += batch.atoms
    mean = weights / atoms
    return Tally(mean_weight=mean if mean > 0.0 else 1.0, scale=supply.objective.scale)


def _announce(plan: Plan, supply: Supply, model: MLANet, watcher: Watcher) -> None:
    """Tell what is trained, on what, and how much memory it takes."""
    counts = Counts.of(supply.train)
    n_parameters = sum(p.numel() for p in model.parameters())
    watcher.note(
        f"network of {n_parameters} parameters, {plan.settings.precision} on "
        f"{plan.device}; {counts.frames} training frames with {counts.energies} energies, "
        f"{3 * counts.forced} force components, {counts.virials} stresses; "
        f"{len(supply.valid)} to validate"
    )
    watcher.note(_forecast(plan, supply))
    if plan.native and (plan.settings.recorded or plan.settings.fixed_shapes):
        watcher.note(
            "recorded and fixed_shapes are for the torch engine; the compiled one, which "
            "trains here, has no use for them"
        )


def _forecast(plan: Plan, supply: Supply) -> str:
    """Return a note about memory; steps of the compiled network need little."""
    needed = 0.0
    if not plan.native:
        share = -(-supply.batch_size // supply.team.size)
        shape = supply.shape or BatchShape.largest(supply.train, share)
        needed = step_bytes(plan.model_settings, shape, plan.dtype.itemsize)
    kept = 0
    for frame in (*supply.train, *supply.valid):
        kept += frame.edges.nbytes + (0 if frame.frozen is None else frame.frozen.nbytes)
    return forecast(needed, kept, free_bytes(plan.device))


def _log(folder: Path, found: Checkpoint | None, settings: TrainingSettings) -> TrainingLog:
    history = () if found is None else found.tally.history
    return TrainingLog(folder, history, tensorboard=settings.tensorboard)


class _Silent:
    """A watcher of processes that do not speak."""

    def note(self, text: str) -> None:
        """Ignore."""

    def progress(self, stage: str, done: int, total: int) -> None:
        """Ignore."""
