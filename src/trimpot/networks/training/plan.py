"""Which network is trained, and how: all that is fixed before the data come."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from trimpot.errors import InputError
from trimpot.networks.mlanet import MLANet
from trimpot.networks.training.checkpoints import Tally
from trimpot.networks.training.data import TrainingResult
from trimpot.networks.training.parameters import Parameters
from trimpot.networks.training.schedule import Schedule

if TYPE_CHECKING:
    from torch import Tensor

    from trimpot.networks.charges import Kind
    from trimpot.networks.mlanet import MLANetSettings
    from trimpot.networks.training.settings import TrainingSettings
    from trimpot.networks.training.starting import Start


@dataclass(frozen=True)
class Plan:
    """Which network is trained, and how.

    Attributes
    ----------
    model_settings : MLANetSettings
    species : tuple of int
        Atomic numbers, ascending.
    settings : TrainingSettings
    device : device
    kinds : tuple of (int, int)
        Atomic number and total charge of the kinds of atoms; empty: charges do not matter.
    start : Start, optional
        Network whose weights are the first ones; default: random ones.
    """

    model_settings: MLANetSettings
    species: tuple[int, ...]
    settings: TrainingSettings
    device: torch.device
    kinds: tuple[Kind, ...] = ()
    start: Start | None = None

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the network."""
        return torch.float32 if self.settings.precision == "float32" else torch.float64

    @property
    def native(self) -> bool:
        """Whether the compiled network is trained, which runs on the CPU."""
        if self.settings.engine == "native" and self.device.type != "cpu":
            raise InputError(
                f"engine: found native on {self.device}, expected the CPU; choose device: "
                "cpu, or engine: torch"
            )
        found = self.model_settings
        if self.settings.engine == "native" and not found.compiled:
            raise InputError(
                f"engine: found native for forces: {found.forces} and readout: "
                f"{found.readout}, expected gradient and sum, which the compiled network "
                "has; choose engine: torch, or auto"
            )
        on_cpu = self.settings.engine != "torch" and self.device.type == "cpu"
        return on_cpu and found.compiled

    def network(self, tally: Tally | None = None) -> MLANet:
        """Return the network before its first step, with the constants of a tally."""
        tally = tally or Tally()
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(self.settings.seed)
            model = MLANet(
                self.model_settings,
                self.species,
                mean_weight=tally.mean_weight,
                scale=tally.scale,
                kinds=self.kinds,
            )
        if self.start is not None:
            self.start.load(model)
        return model.to(self.device, self.dtype)

    def layout(self) -> str:
        """Return how many parameters the network has, and a digest of their names."""
        shapes = {name: tuple(p.shape) for name, p in self.network().named_parameters()}
        digest = hashlib.sha256(repr(shapes).encode()).hexdigest()
        return f"{sum(math.prod(shape) for shape in shapes.values())}, {digest[:16]}"

    def result(self, tally: Tally, best: Tensor, n_frames: int) -> TrainingResult:
        """Return what a training gives, with the best parameters."""
        model = self.network(tally)
        Parameters(model).values.copy_(best)
        state = {k: v.detach().cpu().numpy().copy() for k, v in model.state_dict().items()}
        return TrainingResult(
            state=state,
            mean_weight=tally.mean_weight,
            scale=tally.scale,
            history=list(tally.history),
            epochs=Schedule(self.settings, n_frames).epoch(tally.step),
            steps=tally.step,
            seconds=tally.seconds,
        )
