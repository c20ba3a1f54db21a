"""What errors count: labels of a batch, with units and weights, and the loss.

Errors are in units of the mean force F (``label_scale``). With n atoms in a frame and N on
average in the batch,

    L =   w_E <g rho(sqrt(N) dE / (n F))> + w_F <g rho(dF / F)>
        + w_S <g rho(sqrt(N) dW / (n F))>

where W = -dE/d(strain), g is the weight of the group, and means go over all frames,
components of forces, components of virials in the batch that have a label.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.networks.training.batches import BatchShape
    from trimpot.networks.training.frames import PreparedFrame
    from trimpot.networks.training.settings import LossKind, TrainingSettings


@dataclass(frozen=True)
class Counts:
    """Frames, and labels of each kind, in a batch; sums over processes are those of all.

    Attributes
    ----------
    frames, atoms : int
    energies, virials : int
        Frames with such a label.
    forced : int
        Atoms with a force.
    """

    frames: int
    atoms: int
    energies: int
    forced: int
    virials: int

    @classmethod
    def of(cls, frames: Sequence[PreparedFrame]) -> Counts:
        """Return the counts of some frames."""
        labels = [f.labels for f in frames]
        return cls(
            frames=len(frames),
            atoms=sum(f.atoms for f in frames),
            energies=sum(label.energy is not None for label in labels),
            forced=sum(f.atoms for f in frames if f.labels.forces is not None),
            virials=sum(label.virial is not None for label in labels),
        )


@dataclass(frozen=True)
class Objective:
    """What the loss is made of.

    Attributes
    ----------
    kind : str
        rho: ``mse``, ``huber`` or ``l1``.
    delta : float
        Where ``huber`` becomes linear.
    scale : float
        F in eV/A.
    energy, force, stress : float
        w_E, w_F, w_S.
    """

    kind: LossKind
    delta: float
    scale: float
    energy: float
    force: float
    stress: float

    @classmethod
    def of(cls, settings: TrainingSettings, scale: float) -> Objective:
        """Return the objective that settings describe."""
        return cls(
            settings.loss,
            settings.huber_delta,
            scale,
            settings.energy_weight,
            settings.force_weight,
            settings.stress_weight,
        )

    def rho(self, x: Tensor) -> Tensor:
        """Return what errors in units of F count; ``huber`` is smooth at ``delta``."""
        if self.kind == "mse":
            return x.square()
        if self.kind == "l1":
            return x.abs()
        small = x.abs().clamp_max(self.delta)
        return small * (2.0 * x.abs() - small)


@dataclass(frozen=True)
class Targets:
    """Labels of s frames with n atoms; 0 with weight 0 without a label, all float64.

    Attributes
    ----------
    energies, energy_weights : (s,)
        Total energies in eV.
    forces, force_weights : (n, 3), (n, 1)
        In eV/A.
    virials, virial_weights : (s, 3, 3), (s, 1, 1)
        -dE/d(strain) in eV.
    units : (s,)
        Units of F in an eV of a frame, sqrt(N) / (n F).
    labelled_energies, labelled_forces, labelled_virials : (s,), (n,), (s,) bool
        Which have a label, whatever its weight.
    """

    energies: Tensor
    energy_weights: Tensor
    forces: Tensor
    force_weights: Tensor
    virials: Tensor
    virial_weights: Tensor
    units: Tensor
    labelled_energies: Tensor
    labelled_forces: Tensor
    labelled_virials: Tensor


class LossParts(NamedTuple):
    """The loss and its three parts, without gradients, on the device."""

    total: Tensor
    energy: Tensor
    force: Tensor
    stress: Tensor


def targets_of(
    frames: Sequence[PreparedFrame],
    counts: Counts,
    objective: Objective,
    shape: BatchShape,
) -> Targets:
    """Return the targets of frames, filled up to a shape.

    Parameters
    ----------
    frames : sequence of PreparedFrame
    counts : Counts
        Of the whole batch, of which the frames may be a part.
    objective : Objective
    shape : BatchShape
    """
    found = _unlabelled(shape)
    root = (counts.atoms / max(1, counts.frames)) ** 0.5
    start = 0
    for index, frame in enumerate(frames):
        labels, atoms = frame.labels, slice(start, start + frame.atoms)
        start = atoms.stop
        found.units[index] = root / (frame.atoms * objective.scale)
        if labels.energy is not None:
            found.energies[index] = labels.energy
            weight = labels.weight * objective.energy / counts.energies
            found.energy_weights[index] = weight
            found.labelled_energies[index] = True
        if labels.forces is not None:
            found.forces[atoms] = labels.forces
            weight = labels.weight * objective.force / (3 * counts.forced)
            found.force_weights[atoms] = weight
            found.labelled_forces[atoms] = True
        if labels.virial is not None:
            found.virials[index] = labels.virial
            weight = labels.weight * objective.stress / (9 * counts.virials)
            found.virial_weights[index] = weight
            found.labelled_virials[index] = True
    return found


def _unlabelled(shape: BatchShape) -> Targets:
    s, n = shape.structures, shape.atoms
    zeros = torch.zeros(s, dtype=torch.float64)
    return Targets(
        energies=zeros.clone(),
        energy_weights=zeros.clone(),
        forces=zeros.new_zeros(n, 3),
        force_weights=zeros.new_zeros(n, 1),
        virials=zeros.new_zeros(s, 3, 3),
        virial_weights=zeros.new_zeros(s, 1, 1),
        units=zeros.clone(),
        labelled_energies=torch.zeros(s, dtype=torch.bool),
        labelled_forces=torch.zeros(n, dtype=torch.bool),
        labelled_virials=torch.zeros(s, dtype=torch.bool),
    )


def loss_of(
    targets: Targets,
    objective: Objective,
    energies: Tensor,
    forces: Tensor,
    virials: Tensor | None,
) -> tuple[Tensor, LossParts]:
    """Return the loss, differentiable, and its parts.

    Parameters
    ----------
    targets : Targets
    objective : Objective
    energies : (s,) float64
        In eV.
    forces : (n, 3) float64
        In eV/A.
    virials : (s, 3, 3) float64, optional
        -dE/d(strain) in eV; None: they count nothing.
    """
    unit = targets.units
    d_energy = objective.rho((energies - targets.energies) * unit)
    d_force = objective.rho((forces - targets.forces) / objective.scale)
    energy = (targets.energy_weights * d_energy).sum()
    force = (targets.force_weights * d_force).sum()
    stress = energy.new_zeros(())
    if virials is not None:
        d_virial = objective.rho((virials - targets.virials) * unit[:, None, None])
        stress = (targets.virial_weights * d_virial).sum()
    total = energy + force + stress
    return total, LossParts(*(v.detach() for v in (total, energy, force, stress)))
