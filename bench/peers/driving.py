"""The command line of a driver, and what a driver has to offer.

A driver is run by its peer's own Python and hands :func:`main` its class of
:class:`Peer`; this room imports no peer.
"""

from __future__ import annotations

import argparse
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from ase import Atoms

Prediction = tuple[torch.Tensor, torch.Tensor]
"""Energies of structures and forces of their atoms (structures; atoms, 3)."""


@dataclass(frozen=True)
class Options:
    """What one run does; each field is an option of the command line.

    ``kernels`` asks for cuEquivariance (MACE alone). ``seconds`` is the time of a training,
    or the most that one measurement may repeat; ``batches`` are the sizes whose training
    step is timed. ``learning_rate`` and ``batch`` stand in for the peer's own unless 0.
    """

    mode: str = "measure"
    profile: str = ""
    cutoff: float = 5.0
    structure: str = ""
    device: str = "cpu"
    threads: int = 1
    compile: bool = False
    kernels: bool = False
    tf32: bool = False
    seconds: float = 10.0
    repeats: int = 20
    batches: str = "1,4"
    train: str = ""
    valid: str = ""
    test: str = ""
    batch: int = 0
    learning_rate: float = 0.0
    evaluations: int = 20
    weights: str = ""
    output: str = ""
    seed: int = 0


@dataclass(frozen=True)
class Recipe:
    """A peer's customary training.

    The loss is ``energy_weight`` times the mean squared error of energies per atom plus
    ``forces_weight`` times that of force components. ``decay`` is the L2 penalty of the
    parameters whose names ``decayed`` matches; ``average`` the decay of the moving average
    (0: none); ``clip`` the largest norm of a gradient (0: any).
    """

    learning_rate: float
    batch: int
    energy_weight: float
    forces_weight: float
    amsgrad: bool = False
    average: float = 0.0
    clip: float = 0.0
    decay: float = 0.0
    decayed: str = "^$"


class Peer(ABC):
    """One kind of network with one set of hyperparameters, in float32."""

    def __init__(self, options: Options, species: list[int]) -> None:
        self.options = options
        self.species = species

    recipe: Recipe

    @abstractmethod
    def graph(self, atoms: Atoms) -> Any:
        """Return a structure and its neighbour list, in the peer's own form, on the CPU."""

    @abstractmethod
    def edges(self, graph: Any) -> int:
        """Return how many edges a graph has."""

    @abstractmethod
    def collate(self, graphs: list[Any]) -> Any:
        """Return several graphs as one, on the device."""

    @abstractmethod
    def network(self, neighbors: float, scale: float) -> torch.nn.Module:
        """Return the network, which maps what ``collate`` gives to a ``Prediction``.

        ``neighbors`` is the mean number of neighbours, ``scale`` the RMS of forces. In
        training mode the prediction can be differentiated further.
        """

    def inference(self, network: torch.nn.Module, example: Any) -> Callable:  # noqa: ARG002
        """Return the fastest form of a network for one structure such as ``example``."""
        return network


def parse(profiles: list[str]) -> Options:
    """Return the options on the command line, above those of ``--options FILE``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--options", type=Path, help="JSON file with options")
    for field in fields(Options):
        flag = f"--{field.name.replace('_', '-')}"
        if isinstance(field.default, bool):
            parser.add_argument(
                flag, action=argparse.BooleanOptionalAction, default=field.default
            )
        else:
            parser.add_argument(flag, type=type(field.default), default=field.default)
    first = parser.parse_args()
    if first.options is not None:
        parser.set_defaults(**json.loads(first.options.read_text()))
    chosen = vars(parser.parse_args())
    del chosen["options"]
    if chosen["profile"] not in profiles:
        parser.error(f"--profile {chosen['profile']!r}: want one of {', '.join(profiles)}")
    return Options(**chosen)


def main(peer: type[Peer], profiles: list[str], versions: dict[str, str]) -> None:
    """Run a driver: print one line of JSON."""
    from measuring import measure
    from training import train

    options = parse(profiles)
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    if options.tf32:
        torch.backends.cuda.matmul.allow_tf32 = True
    run = {"measure": measure, "train": train}[options.mode]
    device = torch.cuda.get_device_name() if options.device == "cuda" else "cpu"
    record = {
        **asdict(options),
        "versions": {"torch": torch.__version__, **versions},
        "hardware": device,
        "load": os.getloadavg()[0],
        **run(peer, options),
    }
    line = json.dumps(record)
    print(line)
    if options.output:
        with Path(options.output).open("a") as file:
            file.write(line + "\n")
