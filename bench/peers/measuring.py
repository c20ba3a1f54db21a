"""Time and memory of force calls and of training steps of a peer."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structures
import torch
from driving import Options, Peer
from training import Step, Targets, optimizer_of

WARM_UP = 4
MIB = 2.0**20


@dataclass(frozen=True)
class Memory:
    """Memory beyond what the process held when this was made, on the CPU or the GPU."""

    device: str
    idle: float

    @classmethod
    def now(cls, device: str) -> Memory:
        """Return a measure that starts here."""
        idle = torch.cuda.memory_allocated() if device == "cuda" else _status("VmRSS")
        return cls(device, idle)

    def restart(self) -> None:
        """Forget the peak up to here."""
        if self.device == "cuda":
            torch.cuda.reset_peak_memory_stats()
        else:
            Path("/proc/self/clear_refs").write_text("5")

    def peak(self) -> float:
        """Return the peak since ``restart`` in MiB."""
        cuda = self.device == "cuda"
        peak = torch.cuda.max_memory_allocated() if cuda else _status("VmHWM")
        return (peak - self.idle) / MIB


def _status(name: str) -> float:
    """Return a field of the process's status in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024.0 * float(next(line for line in lines if line.startswith(name)).split()[1])


def synchronize(device: str) -> None:
    """Wait until the device is done."""
    if device == "cuda":
        torch.cuda.synchronize()


def timed(
    call: Callable[[], object], options: Options, warm_up: int = WARM_UP
) -> list[float]:
    """Return the seconds of repeated calls: three or more, as many as the options allow."""
    for _ in range(warm_up):
        call()
    seconds: list[float] = []
    while len(seconds) < 3 or (
        len(seconds) < options.repeats and sum(seconds) < options.seconds
    ):
        synchronize(options.device)
        start = time.perf_counter()
        call()
        synchronize(options.device)
        seconds.append(time.perf_counter() - start)
    return seconds


def _summary(name: str, seconds: list[float], atoms: int) -> dict[str, float]:
    """Return the median and the least time per atom in microseconds."""
    return {
        f"{name}_us_per_atom": 1e6 * statistics.median(seconds) / atoms,
        f"{name}_least_us_per_atom": 1e6 * min(seconds) / atoms,
        f"{name}_calls": len(seconds),
    }


def measure(kind: type[Peer], options: Options) -> dict[str, object]:
    """Return times per atom, peaks of memory and sizes for one structure."""
    memory = Memory.now(options.device)
    memory.restart()
    atoms = structures.read(Path(options.structure), "0:1")[0]
    n_atoms = len(atoms)
    peer = kind(options, sorted(set(atoms.numbers.tolist())))
    record: dict[str, object] = {"atoms": n_atoms}
    record |= _summary("neighbors", timed(lambda: peer.graph(atoms), options, 1), n_atoms)
    graph = peer.graph(atoms)
    record["edges"] = peer.edges(graph)
    network = peer.network(peer.edges(graph) / n_atoms, 1.0).to(options.device)
    record["parameters"] = sum(p.numel() for p in network.parameters() if p.requires_grad)
    if options.weights:
        network.load_state_dict(torch.load(options.weights, map_location=options.device))
    record |= _force_calls(peer, network, graph, memory)
    for size in [int(text) for text in options.batches.split(",") if text]:
        record |= _training_steps(peer, network, graph, size, memory)
    return record


def _force_calls(peer: Peer, network: torch.nn.Module, graph, memory: Memory) -> dict:
    """Return time and memory of energy and forces of one structure."""
    options = peer.options
    network.eval().requires_grad_(requires_grad=False)
    batch = peer.collate([graph])
    start = time.perf_counter()
    call = peer.inference(network, batch)
    energy, forces = call(batch)
    record: dict[str, object] = {
        "first_call_s": time.perf_counter() - start,
        "energy": float(energy.detach().sum()),
        "forces_rms": float(forces.detach().square().mean().sqrt()),
    }
    memory.restart()
    seconds = timed(lambda: call(batch), options)
    record |= _summary("force", seconds, len(forces))
    record["force_peak_mib"] = memory.peak()
    network.requires_grad_(requires_grad=True)
    return record


def _training_steps(
    peer: Peer, network: torch.nn.Module, graph, size: int, memory: Memory
) -> dict:
    """Return time and memory of one step of the optimiser with ``size`` structures."""
    network.train()
    batch = peer.collate([graph] * size)
    _, forces = network(batch)
    targets = Targets(
        torch.zeros(size, device=forces.device),
        torch.zeros_like(forces).detach(),
        torch.full((size,), len(forces) / size, device=forces.device),
    )
    step = Step(network, optimizer_of(network, peer.recipe, 1e-6), peer.recipe)
    memory.restart()
    seconds = timed(lambda: step(batch, targets), peer.options, 3)
    name = f"train{size}"
    return {
        **_summary(name, seconds, len(forces)),
        f"{name}_peak_mib": memory.peak(),
    }
