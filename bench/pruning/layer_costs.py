"""Time and memory of networks with and without a triplet envelope."""

from __future__ import annotations

import multiprocessing
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from trimpot.benchmarks.memory import PeakMemory
from trimpot.contract import Structure
from trimpot.envelopes import EnvelopeSettings, RadialEnvelope
from trimpot.neighbors import neighborhood
from trimpot.networks import EdgePruning, structure_graph
from trimpot.networks.compiled import CompiledNetwork
from trimpot.networks.mlanet import MLANet, MLANetSettings

from .counting import elements_of
from .edge_products import EdgeProductNetwork

MEAN_WEIGHT = 15.0
"""About that of the structures here; costs do not depend on it."""

FORCE_WEIGHT = 10.0
LEAST_SECONDS = 0.05
"""Of one time: shorter calls are repeated."""

MEMORY_CALLS = 2
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "65536"}
"""Where memory is measured: glibc then gives arrays back as they are freed, and peaks hold
no fragments, which differ from run to run."""


@dataclass(frozen=True)
class Subject:
    """A network on a structure, whose calls are measured.

    Attributes
    ----------
    structure : Structure
    cutoff : float
    envelope : EnvelopeSettings or None
    layers : int
        Of edge products in torch; 0: the default MLANet by its compiled kernel.
    training : bool
        Whether a call is a training step (forward, forces, backward from the loss) and not
        a force call. Of edge products only.
    """

    structure: Structure
    cutoff: float
    envelope: EnvelopeSettings | None
    layers: int = 0
    training: bool = False

    def call(self, threads: int) -> Callable[[], object]:
        """Return the call; its neighbour list is given, edges are searched within."""
        return self._products() if self.layers else self._compiled(threads)

    @property
    def pruning(self) -> EdgePruning:
        """What weighs edges, in single precision."""
        triplet = self.envelope and self.envelope.build(elements_of([self.structure]))
        return EdgePruning(RadialEnvelope(self.cutoff), triplet).float()

    def edges(self) -> tuple[int, float]:
        """Return how many edges are left, and the sum of their weights."""
        pruning = self.pruning
        with torch.no_grad():
            elements = elements_of([self.structure])
            found = pruning(structure_graph(self.structure, elements, pruning.reach))
        return len(found.index), float(found.weights.sum())

    def _products(self) -> Callable[[], object]:
        elements, pruning = elements_of([self.structure]), self.pruning
        graph = structure_graph(self.structure, elements, pruning.reach)
        network = EdgeProductNetwork(
            len(elements), self.layers, cutoff=self.cutoff, mean_weight=MEAN_WEIGHT
        ).float()
        network.requires_grad_(requires_grad=self.training)

        def forces():
            x = graph.positions.clone().requires_grad_()
            energy = network(pruning(graph, x), graph.species).sum()
            (slopes,) = torch.autograd.grad(energy, x, create_graph=self.training)
            return energy, -slopes

        def step():
            network.zero_grad()
            energy, f_nc = forces()
            per_atom = energy / len(graph.positions)
            loss = per_atom.square() + FORCE_WEIGHT * f_nc.square().mean()
            loss.backward()

        return step if self.training else forces

    def _compiled(self, threads: int) -> Callable[[], object]:
        settings = MLANetSettings(cutoff=self.cutoff, envelope=self.envelope)
        model = MLANet(settings, elements_of([self.structure])).float()
        kernel = CompiledNetwork(
            settings,
            model.species,
            {k: v.numpy() for k, v in model.state_dict().items() if k != "scale"},
            mean_weight=MEAN_WEIGHT,
            scale=1.0,
            precision="float32",
        )
        around = neighborhood(self.structure, model.pruning.reach)
        return lambda: kernel.evaluate_neighborhood(around, threads=threads)


def seconds_of(call: Callable[[], object]) -> float:
    """Return the mean time of a call, repeated if it is short."""
    start, calls = time.perf_counter(), 0
    while calls == 0 or time.perf_counter() - start < LEAST_SECONDS:
        call()
        calls += 1
    return (time.perf_counter() - start) / calls


def times(subjects: list[Subject], rounds: int, threads: int) -> list[list[float]]:
    """Return the seconds of each subject in each round; rounds take all in turn."""
    torch.set_num_threads(threads)
    calls = [subject.call(threads) for subject in subjects]
    for call in calls:
        call()
    found = [[seconds_of(call) for call in calls] for _ in range(rounds)]
    return [list(column) for column in zip(*found, strict=True)]


def ratio(before: list[float], after: list[float]) -> float:
    """Return how many times less the second takes: the median over rounds."""
    return statistics.median(b / a for b, a in zip(before, after, strict=True))


def peak(subject: Subject, small: Structure, threads: int) -> float:
    """Return the memory in MiB that calls add to an idle process, measured in a new one.

    Idle is the process after the same on a small structure, which loads what torch loads
    at first use. The list is part of what is added.
    """
    os.environ.update(ALLOCATOR)  # read when a process starts: this one is not touched
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_added, (subject, small, threads))


def _added(subject: Subject, small: Structure, threads: int) -> float:
    torch.set_num_threads(threads)
    replace(subject, structure=small).call(threads)()
    with PeakMemory() as memory:
        call = subject.call(threads)
        for _ in range(MEMORY_CALLS):
            call()
    return memory.added / 2**20
