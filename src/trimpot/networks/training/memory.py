"""How much memory a step of a training takes, before it is taken."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from trimpot.networks.mlanet import MLANetSettings
    from trimpot.networks.training.batches import BatchShape

PER_VALUE = 3.6
"""Numbers kept or in use at the peak per value of the forward pass; measured."""

PER_EDGE = 100
"""Values of lengths, envelopes and the like, of an edge."""

PER_TRIPLET = 330.0
"""Bytes; measured in single precision, a third of which is positions in double."""


def step_bytes(settings: MLANetSettings, shape: BatchShape, itemsize: int) -> float:
    """Return the bytes that a step of a batch takes, with gradients of forces; a forecast.

    Parameters
    ----------
    settings : MLANetSettings
    shape : BatchShape
        Of the batch.
    itemsize : int
        Bytes of a number of the network: 4 or 8.
    """
    k, degrees, size = settings.channels, settings.l_max + 1, (settings.l_max + 1) ** 2
    heads = settings.pooling.count("attention")
    passed = k * (settings.l_max + size - 1)
    widths = k * degrees + heads * degrees + 6 * k + 2 * settings.radial_hidden
    gate = 3 * settings.gate_hidden + 2 * k if settings.gate else 0
    edge = (widths + gate) * settings.layers + passed * (settings.layers - 1)
    edge += 3 * settings.bessel + 2 * size + PER_EDGE
    pairs = size * size + 4 * size
    atom = settings.layers * k * (settings.correlation - 1) * pairs
    edges = shape.atoms * shape.places
    values = edges * edge + shape.atoms * atom
    return itemsize * PER_VALUE * values + PER_TRIPLET * shape.triplets


def free_bytes(device: torch.device) -> float | None:
    """Return the memory that is free on a device; None where that is not known."""
    if device.type == "cuda":
        return float(torch.cuda.mem_get_info(device)[0])
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    kib = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return 1024.0 * float(kib[0]) if kib else None


def forecast(needed: float, kept: float, free: float | None) -> str:
    """Return a note about memory; a warning where that of a step may not suffice.

    ``kept`` are the bytes of the edges of all frames, which have been found; ``needed`` is
    0 where a step takes no memory to speak of.
    """
    text = f"edges of all frames take {_readable(kept)}"
    if needed > 0.0:
        text += f", a step about {_readable(needed)}"
    if free is None:
        return text
    text += f" of {_readable(free)} free memory"
    if needed < free:
        return text
    return (
        f"warning: {text}, so the training may run out of it; lower batch_size (memory "
        "goes with it), channels or layers, or take a shorter cutoff"
    )


def _readable(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
