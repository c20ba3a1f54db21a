"""Training of networks: labelled structures in, a state out.

`train_network` makes graphs once, runs steps of an optimizer on what a `LossEngine` says,
keeps the moving average of the weights that is best on the validation frames, and writes a
log and checkpoints, from which it goes on by itself. Settings and data do without torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trimpot.networks.training.data import TrainingData, TrainingResult, Watcher
from trimpot.networks.training.settings import TrainingSettings

if TYPE_CHECKING:
    from trimpot.networks.training.train import train_network

__all__ = [
    "TrainingData",
    "TrainingResult",
    "TrainingSettings",
    "Watcher",
    "train_network",
]


def __getattr__(name: str) -> object:
    """Import the training on first use (PEP 562)."""
    if name != "train_network":
        raise AttributeError(
            f"module 'trimpot.networks.training' has no attribute {name!r}"
        )
    from trimpot.networks import require_torch

    require_torch()
    from trimpot.networks.training.train import train_network

    globals()[name] = train_network
    return train_network
