"""One training loop for all peers: Adam on energies and forces for a given time.

Energies of elements come off by least squares, in double precision, before the network
sees a frame. Every peer keeps its own learning rate, batch, loss weights, gradient clip,
penalty and moving average (:class:`driving.Recipe`). The learning rate falls by a cosine
of the time that has passed: the customary rules wait for tens of epochs without progress,
which a short training does not have.
"""

from __future__ import annotations

import math
import random
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import structures
import torch
from ase import Atoms
from driving import Options, Peer, Recipe

FLOOR = 0.01
"""The learning rate at the end, as a share of that at the start."""


@dataclass(frozen=True)
class Targets:
    """Energies (structures), forces (atoms, 3) and numbers of atoms (structures)."""

    energy_s: torch.Tensor
    forces_nc: torch.Tensor
    atoms_s: torch.Tensor


@dataclass(frozen=True)
class Example:
    """One frame: the peer's graph, what is left of its energy, its forces."""

    graph: Any
    energy: float
    forces_nc: np.ndarray


@dataclass(frozen=True)
class Step:
    """One step of the optimiser."""

    network: torch.nn.Module
    optimizer: torch.optim.Optimizer
    recipe: Recipe

    def __call__(self, batch: Any, targets: Targets) -> torch.Tensor:
        """Return the loss of a batch and lower it."""
        self.optimizer.zero_grad(set_to_none=True)
        energy_s, forces_nc = self.network(batch)
        recipe = self.recipe
        error_s = (energy_s - targets.energy_s) / targets.atoms_s
        loss = recipe.energy_weight * error_s.square().mean()
        loss = loss + recipe.forces_weight * (forces_nc - targets.forces_nc).square().mean()
        loss.backward()
        if recipe.clip:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), recipe.clip)
        self.optimizer.step()
        return loss.detach()


class Average:
    """Moving average of parameters, with torch-ema's shorter memory at the start."""

    def __init__(self, network: torch.nn.Module, decay: float) -> None:
        self.parameters = list(network.parameters())
        self.shadow = [p.detach().clone() for p in self.parameters]
        self.decay, self.steps = decay, 0

    def update(self) -> None:
        """Take the parameters into the average."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(self.shadow, [p.detach() for p in self.parameters], 1 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Put the average in place of the parameters, and take it away again."""
        kept = [p.detach().clone() for p in self.parameters]
        self._set(self.shadow)
        yield
        self._set(kept)

    @torch.no_grad()
    def _set(self, values: list[torch.Tensor]) -> None:
        for parameter, value in zip(self.parameters, values, strict=True):
            parameter.copy_(value)


def optimizer_of(network: torch.nn.Module, recipe: Recipe, rate: float) -> torch.optim.Adam:
    """Return Adam with the recipe's penalty on the parameters that it names."""
    named = list(network.named_parameters())
    decayed = [p for name, p in named if re.search(recipe.decayed, name)]
    others = [p for name, p in named if not re.search(recipe.decayed, name)]
    groups = [
        {"params": parameters, "weight_decay": decay}
        for parameters, decay in ((decayed, recipe.decay), (others, 0.0))
        if parameters
    ]
    return torch.optim.Adam(groups, lr=rate, amsgrad=recipe.amsgrad)


def atomic_energies(frames: list[Atoms], species: list[int]) -> np.ndarray:
    """Return the energy per element that fits the frames best (least norm)."""
    counts = np.array([[np.sum(f.numbers == z) for z in species] for f in frames], float)
    energies = np.array([structures.labels(f)[0] for f in frames])
    return np.linalg.lstsq(counts, energies, rcond=1e-8)[0]


def _examples(peer: Peer, path: str, energies: np.ndarray) -> list[Example]:
    """Return the frames of a file as examples, neighbour lists included."""
    result = []
    for frame in structures.read(Path(path)):
        energy, forces = structures.labels(frame)
        counts = [np.sum(frame.numbers == z) for z in peer.species]
        result.append(Example(peer.graph(frame), energy - float(counts @ energies), forces))
    return result


def _batch(peer: Peer, examples: list[Example]) -> tuple[Any, Targets]:
    """Return some examples as one batch on the device."""

    def tensor(values: object) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.float32, device=peer.options.device)

    targets = Targets(
        tensor([e.energy for e in examples]),
        tensor(np.concatenate([e.forces_nc for e in examples])),
        tensor([len(e.forces_nc) for e in examples]),
    )
    return peer.collate([e.graph for e in examples]), targets


def errors(
    peer: Peer, network: torch.nn.Module, examples: list[Example], batch: int
) -> dict[str, float]:
    """Return MAE and RMSE of energies (meV/atom) and force components (meV/A)."""
    network.eval()
    energy, forces = [], []
    for start in range(0, len(examples), batch):
        graphs, targets = _batch(peer, examples[start : start + batch])
        energy_s, forces_nc = network(graphs)
        energy.append(((energy_s - targets.energy_s) / targets.atoms_s).detach().cpu())
        forces.append((forces_nc - targets.forces_nc).detach().cpu().flatten())
    network.train()
    result = {}
    for name, parts in (("energy", energy), ("forces", forces)):
        error = 1000.0 * torch.cat(parts)
        result[f"{name}_mae"] = float(error.abs().mean())
        result[f"{name}_rmse"] = float(error.square().mean().sqrt())
    return result


def train(kind: type[Peer], options: Options) -> dict[str, object]:
    """Return the learning curve and the errors on the test frames after a training."""
    frames = structures.read(Path(options.train))
    species = sorted({int(z) for frame in frames for z in frame.numbers})
    peer = kind(options, species)
    start = time.perf_counter()
    energies = atomic_energies(frames, species)
    sets = {
        name: _examples(peer, getattr(options, name), energies)
        for name in ("train", "valid")
    }
    graphs = time.perf_counter() - start
    forces = np.concatenate([e.forces_nc for e in sets["train"]])
    n_edges = sum(peer.edges(e.graph) for e in sets["train"])
    scale = float(np.sqrt(np.mean(forces**2)))
    network = peer.network(n_edges / len(forces), scale).to(options.device)
    run = _run(peer, network, sets["train"], sets["valid"])
    size = options.batch or peer.recipe.batch
    test = errors(peer, network, _examples(peer, options.test, energies), size)
    if options.weights:
        torch.save(network.state_dict(), options.weights)
    return {
        "recipe": asdict(peer.recipe),
        "frames": {name: len(examples) for name, examples in sets.items()},
        "parameters": sum(p.numel() for p in network.parameters() if p.requires_grad),
        "graphs_s": graphs,
        "atomic_energies": dict(zip(species, energies.tolist(), strict=True)),
        **run,
        "test_errors": test,
    }


def _run(
    peer: Peer, network: torch.nn.Module, training: list[Example], validation: list[Example]
) -> dict[str, object]:
    """Train for the time of the options, leave the best weights, and return the curve.

    The clock stands still during validation. The best weights are those, averaged, with
    the least loss on the validation frames.
    """
    options, recipe = peer.options, peer.recipe
    size = options.batch or recipe.batch
    rate = options.learning_rate or recipe.learning_rate
    optimizer = optimizer_of(network, recipe, rate)
    step = Step(network.train(), optimizer, recipe)
    average = Average(network, recipe.average)
    curve: list[dict[str, float]] = []
    best: tuple[float, list[torch.Tensor]] = (math.inf, average.shadow)
    passed, steps, last = 0.0, 0, 0
    order = _shuffled(len(training), size, options.seed)
    while passed < options.seconds:
        start = time.perf_counter()
        share = FLOOR + (1 - FLOOR) * 0.5 * (
            1 + math.cos(math.pi * passed / options.seconds)
        )
        for group in optimizer.param_groups:
            group["lr"] = rate * share
        step(*_batch(peer, [training[i] for i in next(order)]))
        average.update()
        if options.device == "cuda":
            torch.cuda.synchronize()
        passed, steps = passed + time.perf_counter() - start, steps + 1
        due = int(options.evaluations * passed / options.seconds)
        if due > last or passed >= options.seconds:
            last = due
            with average.applied():
                found = errors(peer, network, validation, size)
            curve.append({"seconds": passed, "steps": steps, **found})
            loss = _loss(recipe, found)
            if loss < best[0]:
                best = (loss, [p.clone() for p in average.shadow])
    average.shadow = best[1]
    average._set(best[1])
    return {
        "steps": steps,
        "epochs": steps * size / len(training),
        "train_s": passed,
        "curve": curve,
    }


def _loss(recipe: Recipe, found: dict[str, float]) -> float:
    """Return the loss that goes with RMSEs; infinite where they are not numbers."""
    energy, forces = found["energy_rmse"], found["forces_rmse"]
    loss = recipe.energy_weight * energy**2 + recipe.forces_weight * forces**2
    return loss if math.isfinite(loss) else math.inf


def _shuffled(n: int, size: int, seed: int) -> Iterator[list[int]]:
    """Yield batches of indices for ever; every epoch is shuffled anew."""
    generator = random.Random(seed)
    size = min(size, n)
    while True:
        order = list(range(n))
        generator.shuffle(order)
        for start in range(0, n - size + 1, size):
            yield order[start : start + size]
