"""Sizes of the compiled network: what the kernel is told before it gets parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot.errors import InputError
from trimpot.networks.mlanet.coupling import couplings, degree_slices, gaunt
from trimpot.networks.mlanet.shapes import poolings

if TYPE_CHECKING:
    from trimpot.networks.mlanet.settings import MLANetSettings

BLOCK = 16
NOTHING = -1


def _filled(count: int) -> int:
    return -(-count // BLOCK) * BLOCK


@dataclass(frozen=True)
class Widths:
    """Widths of the kernel: multiples of 16."""

    channels: int
    gate: int
    readout: int

    @classmethod
    def of(cls, settings: MLANetSettings) -> Widths:
        """Return those of settings; a gate of width 0 is none."""
        gate = _filled(settings.gate_hidden) if settings.gate else 0
        return cls(_filled(settings.channels), gate, _filled(settings.readout_hidden))


@dataclass(frozen=True)
class KernelShape:
    """What follows from the settings for the kernel (``NetworkShape`` in native/core).

    Attributes
    ----------
    widths : Widths
    heads : int
        Of attention.
    pooling : tuple of int
        0 sum, 1 mean, 2 + h attention of head h.
    pooling_of_channel : tuple of int
        Which of them each channel has; -1 where channels fill up the width.
    couplings : tuple of (path, a, b, c, factor)
        All products of components.
    n_paths : int
        Paths of them.
    """

    widths: Widths
    heads: int
    pooling: tuple[int, ...]
    pooling_of_channel: tuple[int, ...]
    couplings: tuple[tuple[int, int, int, int, float], ...]
    n_paths: int

    @classmethod
    def of(cls, settings: MLANetSettings) -> KernelShape:
        """Return the shape of settings.

        Raises
        ------
        InputError
            For a network that only torch computes.
        """
        if not settings.compiled:
            raise InputError(
                f"found forces: {settings.forces} and readout: {settings.readout}, "
                "expected gradient and sum, which the compiled network has; compute others "
                "with torch"
            )
        widths = Widths.of(settings)
        kinds: list[int] = []
        heads = 0
        for pooling in poolings(settings):
            kinds.append({"sum": 0, "mean": 1}.get(pooling, 2 + heads))
            heads += pooling == "attention"
        share = settings.channels // len(kinds)
        of_channel = [k // share for k in range(settings.channels)]
        of_channel += [NOTHING] * (widths.channels - settings.channels)
        entries, n_paths = coupling_entries(settings.l_max)
        return cls(widths, heads, tuple(kinds), tuple(of_channel), tuple(entries), n_paths)


def coupling_entries(l_max: int) -> tuple[list[tuple[int, int, int, int, float]], int]:
    """Return (path, a, b, c, factor) of all products, and how many paths there are."""
    slices, full = degree_slices(l_max), gaunt(l_max)
    paths = sorted(couplings(l_max), key=lambda path: path[2])
    entries = []
    for number, (a, b, c) in enumerate(paths):
        block = full[slices[a], slices[b], slices[c]]
        norm = np.sqrt((block**2).sum((0, 1)).mean())
        for i, j, k in np.argwhere(block != 0.0):
            place = (number, a * a + int(i), b * b + int(j), c * c + int(k))
            entries.append((*place, float(block[i, j, k] / norm)))
    return entries, len(paths)
