"""Losses and their gradients by the compiled network: no graph of torch in a step.

The gradient of a loss that depends on forces needs derivatives of derivatives. With the
derivatives of the loss by energies, e, and by forces, f, it is, as in equation (13) of
docs/theory/mlanet.md,

    dL/dtheta = d/dtheta (sum_s e_s E_s) + d/dtheta (dE along -f),

the second the derivative of the energy along one direction: the kernel runs once with
numbers that carry a derivative along, forward and back.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch

from trimpot.networks.frozen_edges import join_frozen
from trimpot.networks.mlanet.native import FlatParameters, native_network
from trimpot.networks.training.engine import Predictions
from trimpot.networks.training.targets import loss_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from trimpot.contract import FloatArray
    from trimpot.networks.frozen_edges import FrozenEdges
    from trimpot.networks.mlanet import MLANet
    from trimpot.networks.training.frames import PreparedFrame
    from trimpot.networks.training.supply import AnyBatch
    from trimpot.networks.training.targets import LossParts, Objective, Targets

    _EdgeArrays = tuple[np.ndarray, np.ndarray, np.ndarray, FloatArray, FloatArray]
    """Kinds of atoms, where edges of atoms begin, atoms j, vectors, weights."""

ARITHMETIC = {torch.float32: "single", torch.float64: "double"}


@dataclass(frozen=True)
class NativeBatch:
    """Frames with what the network should say of them.

    Attributes
    ----------
    parts : tuple of FrozenEdges
        The frames, divided among threads.
    targets : Targets
        Of all frames.
    frames, atoms : int
    structures : (n,) int64
        Frame of each atom.
    """

    parts: tuple[FrozenEdges, ...]
    targets: Targets
    frames: int
    atoms: int
    structures: Tensor


def native_batch(
    frames: Sequence[PreparedFrame], targets: Targets, threads: int
) -> NativeBatch:
    """Return a batch of frames whose edges are frozen, for so many threads."""
    threads = min(len(frames), threads)
    atoms = [frame.atoms for frame in frames]
    ends = np.cumsum(atoms)
    cuts = np.searchsorted(ends, ends[-1] * np.arange(1, threads) / threads) + 1
    bounds = [0, *np.unique(cuts[cuts < len(frames)]).tolist(), len(frames)]
    edges = [frame.frozen for frame in frames if frame.frozen is not None]
    parts = tuple(join_frozen(edges[begin:end]) for begin, end in pairwise(bounds))
    structures = torch.repeat_interleave(torch.tensor(atoms))
    return NativeBatch(parts, targets, len(frames), int(ends[-1]), structures)


class NativeEngine:
    """The engine of the compiled network, on the CPU; see `engine.LossEngine`.

    Parameters
    ----------
    model : MLANet
    objective : Objective
    virials : bool
        Whether any frame has a stress; otherwise none is worked out.
    threads : int
        Of the kernel. Torch itself has nothing to do that is worth a second one.
    """

    def __init__(
        self, model: MLANet, objective: Objective, *, virials: bool, threads: int
    ) -> None:
        self.objective, self.virials = objective, virials
        dtype = next(model.parameters()).dtype
        self.kernel = native_network(model, ARITHMETIC[dtype])
        self.flat = FlatParameters(model, self.kernel)
        self.kinds = np.arange(model.n_kinds, dtype=np.int32)
        self.pool = ThreadPoolExecutor(max(1, threads))

    def loss_and_gradients(self, batch: AnyBatch) -> LossParts:
        """Return the loss of a batch, and add its gradient to ``.grad`` of parameters."""
        batch = _frozen(batch)
        flat = self.flat()
        self.kernel.set_parameters(flat.detach().double().numpy())
        found = self._found(batch)
        inputs = [found.energies.requires_grad_(), found.forces.requires_grad_()]
        if found.virials is not None:
            inputs.append(found.virials.requires_grad_())
        loss, parts = loss_of(batch.targets, self.objective, *found)
        by_energies, by_forces, *by_virials = torch.autograd.grad(loss, inputs)
        total = self.gradient(
            batch, by_energies, by_forces, by_virials[0] if by_virials else None
        )
        flat.backward(torch.from_numpy(total).to(flat.dtype))  # type: ignore[no-untyped-call]
        return parts

    def gradient(
        self,
        batch: NativeBatch,
        by_energies: Tensor,
        by_forces: Tensor,
        by_virials: Tensor | None,
    ) -> FloatArray:
        """Return the gradient of a loss by the parameters of the kernel.

        Parameters
        ----------
        batch : NativeBatch
        by_energies, by_forces, by_virials : (s,), (n, 3), (s, 3, 3)
            Derivatives of the loss by what the network says.
        """
        slopes = _Slopes(
            by_energies.numpy(),
            by_forces.numpy(),
            None if by_virials is None else by_virials.numpy(),
        )
        jobs = zip(batch.parts, slopes.divided(batch.parts), strict=True)
        gradients = list(self.pool.map(lambda job: self._gradient(*job), jobs))
        total: FloatArray = sum(gradients[1:], start=gradients[0])
        return total

    def predictions(self, batch: AnyBatch) -> Predictions:
        """Return what the network says of a batch; gradients stay as they are."""
        with torch.no_grad():
            self.kernel.set_parameters(self.flat().double().numpy())
            return self._found(_frozen(batch))

    def _found(self, batch: NativeBatch) -> Predictions:
        found = list(self.pool.map(self._evaluated, batch.parts))
        energies, forces, virials = (
            torch.from_numpy(np.concatenate(values)) for values in zip(*found, strict=True)
        )
        return Predictions(energies, forces, virials if self.virials else None)

    def _evaluated(self, edges: FrozenEdges) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return energies, forces, and virials of a part."""
        n, kinds = len(edges), len(self.kinds)
        by_atom = np.empty(n + kinds)
        by_vectors, by_weights = np.empty_like(edges.vectors), np.empty_like(edges.weights)
        self.kernel.evaluate(*self._with_lonely(edges), by_atom, by_vectors, by_weights, 1)
        by_atom[:n] -= by_atom[n:][edges.kinds]
        s = edges.n_structures
        energies: FloatArray = np.zeros(s)
        np.add.at(energies, edges.structures, by_atom[:n])
        virials: FloatArray = np.zeros((s, 3, 3))
        if self.virials:
            virials = edges.virials(by_vectors, by_weights)
        return energies, edges.forces(by_vectors, by_weights), virials

    def _gradient(self, edges: FrozenEdges, slopes: _Slopes) -> FloatArray:
        """Return the gradient of the loss of a part by the parameters of the kernel."""
        seeds = slopes.energies[edges.structures]
        lonely = np.bincount(edges.kinds, seeds, minlength=len(self.kinds))
        strains = None if slopes.virials is None else -slopes.virials
        tangents = edges.tangents(-slopes.forces, strains)
        gradient = np.zeros(self.flat.size)
        self.kernel.add_parameter_gradient(
            *self._with_lonely(edges), np.concatenate([seeds, -lonely]), *tangents, gradient
        )
        return gradient

    def _with_lonely(self, edges: FrozenEdges) -> _EdgeArrays:
        """Return the arrays of the kernel, with an atom alone of every kind behind."""
        last = np.full(len(self.kinds), edges.first[-1])
        return (
            np.concatenate([edges.kinds, self.kinds]),
            np.concatenate([edges.first, last]),
            edges.neighbors,
            edges.vectors,
            edges.weights,
        )


def _frozen(batch: AnyBatch) -> NativeBatch:
    """Return a batch that is of this engine."""
    if not isinstance(batch, NativeBatch):
        raise TypeError("found a batch of graphs, expected one of frozen edges")
    return batch


@dataclass(frozen=True)
class _Slopes:
    """Derivatives of a loss by energies (s,), forces (n, 3), virials (s, 3, 3)."""

    energies: FloatArray
    forces: FloatArray
    virials: FloatArray | None

    def divided(self, parts: Sequence[FrozenEdges]) -> list[_Slopes]:
        """Return those of each part."""
        divided, s, n = [], 0, 0
        for part in parts:
            own, atoms = slice(s, s + part.n_structures), slice(n, n + len(part))
            s, n = own.stop, atoms.stop
            virials = None if self.virials is None else self.virials[own]
            divided.append(_Slopes(self.energies[own], self.forces[atoms], virials))
        return divided
