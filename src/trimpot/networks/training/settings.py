"""Settings of the training of a network, as a configuration writes them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from trimpot.errors import InputError

OptimizerName = Literal["amsgrad", "adamw"]
LossKind = Literal["mse", "huber", "l1"]
NetworkPrecision = Literal["float32", "float64"]


@dataclass(frozen=True)
class TrainingSettings:
    """Settings of a training.

    Attributes
    ----------
    seconds : float, optional
        Time that training takes, preparation of graphs not counted; the schedule ends
        there, and resumed runs count together. Exactly one of ``seconds`` and ``epochs``.
    epochs : int, optional
        Or how often the training frames are seen. The schedule then goes by steps, and a
        run on the CPU is reproducible to the bit.
    batch_size : int
        Frames per step.
    learning_rate : float
        Largest rate.
    warmup_steps : int
        Steps in which the rate rises from 0.
    final_rate : float
        Rate at the end, as a share of ``learning_rate``; in between it falls as a cosine.
    optimizer : str
        ``amsgrad`` (Adam that never forgets a large gradient) or ``adamw``.
    weight_decay : float
        Decoupled decay, a share of each weight per step and unit of rate.
    ema : float
        Decay per step of the moving average of the weights, which is what is kept.
    clip : float
        Largest norm of the gradient; a larger one is scaled down.
    loss : str
        Of errors in units of the mean force: ``mse``, ``huber`` or ``l1``.
    huber_delta : float
        Error from which on ``huber`` is linear.
    energy_weight, force_weight, stress_weight : float
        Weights of energies per atom, force components, virials per atom.
    group_weights : mapping
        Weights of frames by ``config_type``; 1 for groups without one.
    validation : float
        Share of the training frames to validate on, or their number where 1 or more.
    validations : int
        How many validations a run has, evenly spaced.
    patience : int, optional
        Stop after so many validations without a better one.
    precision : str
        Arithmetic of the network, ``float32`` or ``float64``; differences of positions
        and sums over atoms are in double precision always.
    engine : str
        What computes gradients: ``native``, compiled, on the CPU; ``torch``; or ``auto``:
        native on the CPU.
    device : str
        ``auto`` (a GPU where there is one), ``cpu``, ``cuda`` or ``cuda:1``.
    fixed_shapes : bool, optional
        Whether all batches are filled up to one shape; default: on GPUs, where launching
        kernels limits the speed of small batches.
    recorded : bool
        Whether steps on a GPU are recorded once and replayed (CUDA graphs), where batches
        have one shape.
    seed : int
        Of the weights at the start and of the order of frames.
    checkpoint_seconds : float
        Time between checkpoints.
    tensorboard : bool
        Whether TensorBoard gets the log too.
    start : path, optional
        File of a network whose weights training begins with, relative to the working
        directory: of the same elements and settings, but for ``forces``.
    """

    seconds: float | None = 1200.0
    epochs: int | None = None
    batch_size: int = 5
    learning_rate: float = 1e-2
    warmup_steps: int = 100
    final_rate: float = 1e-3
    optimizer: OptimizerName = "amsgrad"
    weight_decay: float = 0.0
    ema: float = 0.99
    clip: float = 10.0
    loss: LossKind = "mse"
    huber_delta: float = 1.0
    energy_weight: float = 1.0
    force_weight: float = 10.0
    stress_weight: float = 1.0
    group_weights: Mapping[str, float] = field(default_factory=dict)
    validation: float = 0.05
    validations: int = 50
    patience: int | None = None
    precision: NetworkPrecision = "float32"
    engine: Literal["auto", "native", "torch"] = "auto"
    device: str = "auto"
    fixed_shapes: bool | None = None
    recorded: bool = False
    seed: int = 0
    checkpoint_seconds: float = 60.0
    tensorboard: bool = False
    start: Path | None = None

    def __post_init__(self) -> None:
        if (self.seconds is None) == (self.epochs is None):
            raise InputError(
                f"found seconds {self.seconds} and epochs {self.epochs}, expected exactly "
                "one of both; set the other one to null"
            )
        self._check_names()
        self._check_numbers()
        weights = (self.energy_weight, self.force_weight, self.stress_weight)
        if not any(weights):
            raise InputError("found only weights of 0; give energies or forces a weight")

    def _check_names(self) -> None:
        _one_of("optimizer", self.optimizer, ("amsgrad", "adamw"))
        _one_of("loss", self.loss, ("mse", "huber", "l1"))
        _one_of("engine", self.engine, ("auto", "native", "torch"))
        _one_of("precision", self.precision, ("float32", "float64"))
        if self.device.partition(":")[0] not in ("auto", "cpu", "cuda"):
            raise InputError(
                f"device: found {self.device!r}, expected auto, cpu, cuda or cuda:NUMBER"
            )

    def _check_numbers(self) -> None:
        for name in ("seconds", "learning_rate", "clip", "huber_delta"):
            _within(name, getattr(self, name), 0.0, open_=True)
        for name in ("epochs", "batch_size", "validations", "patience"):
            _within(name, getattr(self, name), 1)
        for name in ("warmup_steps", "seed", "checkpoint_seconds", "validation"):
            _within(name, getattr(self, name), 0)
        for name in ("energy_weight", "force_weight", "stress_weight", "weight_decay"):
            _within(name, getattr(self, name), 0.0)
        for name, weight in self.group_weights.items():
            _within(f"group_weights: {name}", weight, 0.0)
        _within("final_rate", self.final_rate, 0.0, 1.0)
        _within("ema", self.ema, 0.0, 1.0 - 1e-9)

    def validation_frames(self, n_frames: int) -> int:
        """Return how many of n frames are for validation; one at least is left to train.

        Raises
        ------
        InputError
            If more are asked for than there are.
        """
        if self.validation >= 1.0:
            count = int(self.validation)
            if count >= n_frames:
                raise InputError(
                    f"validation: found {count} frames of {n_frames}, expected fewer; "
                    "give a share, such as 0.05"
                )
            return count
        asked = math.ceil(self.validation * n_frames) if self.validation else 0
        return min(asked, max(0, n_frames - 1))


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InputError(f"{name}: found {value!r}, expected {' or '.join(allowed)}")


def _within(
    name: str,
    value: float | None,
    low: float,
    high: float = math.inf,
    *,
    open_: bool = False,
) -> None:
    if value is None:
        return
    inside = math.isfinite(value) and low <= value <= high
    if not inside or (open_ and value == low):
        limit = f"above {low:g}" if open_ else f"{low:g} or more"
        above = "" if math.isinf(high) else f" and at most {high:g}"
        raise InputError(f"{name}: found {value}, expected a number {limit}{above}")
