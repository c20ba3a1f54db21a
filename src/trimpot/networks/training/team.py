"""Processes that train one network together: each takes a part of every batch.

Without a launcher (``WORLD_SIZE`` not set, or 1) a process is a team of its own.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import distributed

from trimpot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

Item = TypeVar("Item")


@dataclass(frozen=True)
class Team:
    """One of several processes.

    Attributes
    ----------
    rank, size : int
        Which of how many.
    """

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.rank == 0

    def share(self, items: Sequence[Item]) -> Sequence[Item]:
        """Return this process's part of a batch."""
        return items[self.rank :: self.size]

    def add_up(self, values: Tensor) -> Tensor:
        """Replace values, on any device, by their sums over all processes."""
        if self.size > 1:
            distributed.all_reduce(values)
        return values

    def agree(self, seconds: float, stop: int) -> tuple[float, int]:
        """Return the clock of the first process, and the largest ``stop`` of all."""
        if self.size == 1:
            return seconds, stop
        clock = seconds if self.leads else 0.0
        values = torch.tensor([clock, float(stop)], dtype=torch.float64)
        values = values.double()
        distributed.all_reduce(values, op=distributed.ReduceOp.MAX)
        return float(values[0]), int(values[1])


@contextmanager
def team_of(device: torch.device) -> Iterator[Team]:
    """Join the processes that a launcher started; leave them when the block ends."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Team()
        return
    mine = not distributed.is_initialized()
    if mine:
        backend = "gloo" if device.type == "cpu" else "cpu:gloo,cuda:nccl"
        distributed.init_process_group(backend)
    try:
        yield Team(distributed.get_rank(), distributed.get_world_size())
    finally:
        if mine:
            distributed.destroy_process_group()


def device_of(name: str) -> torch.device:
    """Return the device of a setting; of several processes each has its own GPU.

    Raises
    ------
    InputError
        If there is no such device.
    """
    found = torch.cuda.is_available()
    kind = ("cuda" if found else "cpu") if name == "auto" else name
    if kind == "cuda" and found:
        kind = f"cuda:{int(os.environ.get('LOCAL_RANK', '0'))}"
    if not kind.startswith("cuda"):
        return torch.device("cpu")
    device = torch.device(kind)
    if not found or (device.index or 0) >= torch.cuda.device_count():
        raise InputError(
            f"device: found {name}, but this PyTorch sees {torch.cuda.device_count()} "
            "GPUs here; choose auto or cpu, or install PyTorch with CUDA"
        )
    torch.cuda.set_device(device)
    return device
