"""The network as compiled code: the same function, its gradients by hand.

All parameters form one array, in the order that the kernel asks for. Widths are filled up
with zeros to multiples of 16.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from trimpot import _native
from trimpot.networks.mlanet.harmonics import couplings, degree_slices, gaunt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimpot.networks.mlanet.model import MLANet
    from trimpot.networks.mlanet.settings import MLANetSettings

BLOCK = 16
NOTHING = -1

_Indices = np.ndarray


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


def native_network(model: MLANet, precision: str) -> _native.Network:
    """Return the kernel of a network, with its parameters."""
    settings = model.settings
    widths, layer = Widths.of(settings), model.layers[0]
    heads = layer.heads
    kinds, next_head = [], 0
    for pooling in layer.pooling:
        kinds.append({"sum": 0, "mean": 1}.get(pooling, 2 + next_head))
        next_head += pooling == "attention"
    share = settings.channels // len(kinds)
    of_channel = [k // share for k in range(settings.channels)]
    of_channel += [NOTHING] * (widths.channels - settings.channels)
    entries, n_paths = coupling_entries(settings.l_max)
    kernel = _native.network(
        precision,
        len(model.species),
        widths.channels,
        settings.l_max,
        settings.layers,
        settings.correlation,
        settings.knots,
        widths.gate,
        widths.readout,
        heads,
        kinds,
        of_channel,
        n_paths,
        entries,
        settings.cutoff,
        model.mean_weight,
        float(model.scale),
    )
    with torch.no_grad():
        flat = FlatParameters(model, kernel)()
    kernel.set_parameters(flat.double().numpy())
    return kernel


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


class FlatParameters:
    """Makes the array of the kernel from the parameters of a network, differentiably.

    Every entry of the array is one number of the parameters, or of the coefficients that
    the radial networks make, or 0; which one is worked out once.
    """

    def __init__(self, model: MLANet, kernel: _native.Network) -> None:
        self.model = model
        self.named: dict[str, nn.Parameter] = dict(model.named_parameters())
        places, start = {}, 0
        shapes = {name: tuple(p.shape) for name, p in self.named.items()}
        knots = model.settings.knots + 3
        for t, layer in enumerate(model.layers):
            shapes[f"layers.{t}.table"] = (knots, sum(layer.widths))
        for name, shape in shapes.items():
            size = int(np.prod(shape))
            places[name] = np.arange(start, start + size).reshape(shape)
            start += size
        indices = _flat_indices(model, kernel, places)
        self.used = torch.from_numpy(np.flatnonzero(indices != NOTHING))
        self.source = torch.from_numpy(indices[indices != NOTHING])
        self.size = len(indices)

    def __call__(self) -> Tensor:
        """Return all parameters in the order of the kernel, (n,)."""
        tables = [layer.radial() for layer in self.model.layers]
        parts = [p.reshape(-1) for p in (*self.named.values(), *tables)]
        joined = torch.cat(parts)
        return joined.new_zeros(self.size).index_copy(
            0, self.used, joined.index_select(0, self.source)
        )


def _flat_indices(
    model: MLANet, kernel: _native.Network, places: Mapping[str, _Indices]
) -> _Indices:
    """Return which number each entry of the kernel's array is."""
    builder = _Builder(model, places)
    pieces = []
    for name, _, rows, columns in kernel.layout:
        layer, _, part = name.rpartition(".")
        block = builder.block(layer, part)
        if block.size != rows * columns:
            raise AssertionError(f"{name}: {block.shape}, the kernel has {rows, columns}")
        pieces.append(block.ravel())
    return np.concatenate(pieces)


class _Builder:
    """Blocks of indices, one per block of the kernel."""

    def __init__(self, model: MLANet, places: Mapping[str, _Indices]) -> None:
        self.model, self.places = model, places
        self.settings, self.widths = model.settings, Widths.of(model.settings)

    def block(self, layer: str, part: str) -> _Indices:
        """Return the indices of one block, by the names of `network_layout`."""
        k, gate, read = self.widths.channels, self.widths.gate, self.widths.readout
        if part == "embedding":
            return _padded(self.places["embedding"], (None, k))
        at = f"layers.{layer}."
        if part == "table":
            return self._table(int(layer))
        if part.startswith("product"):
            number = int(part[7:]) - 1
            return _padded(
                self.places[f"{at}products.{number}.weight"], (None, None, k)
            ).reshape(-1, k)
        if part.startswith("out"):
            return self._degrees(f"{at}out.{part[3:]}.weight", k)
        if part.startswith("read_"):
            return self._readout(f"readouts.{layer}.", part, k, read)
        if part in {"passed", "query", "mix", "skip"}:
            return self._degrees(f"{at}{part}.weight", BLOCK if part == "query" else k)
        if part.startswith("scalars"):
            return self._scalars(at, part, k)
        name, bias = part.removesuffix("_bias"), part.endswith("_bias")
        if part == "gate_bias":
            name = "gate_center"
        out = {"key": BLOCK, "value": k, "gate_out": k}.get(name, gate)
        if bias:
            return _padded(self.places[f"{at}{name}.bias"], (out,))
        rows = gate if name == "gate_out" else k
        return _padded(self.places[f"{at}{name}.weight"].T, (rows, out))

    def _degrees(self, name: str, out: int) -> _Indices:
        k = self.widths.channels
        return _padded(self.places[name], (None, k, out)).reshape(-1, out)

    def _readout(self, at: str, part: str, k: int, read: int) -> _Indices:
        if part == "read_first":
            return _padded(self.places[f"{at}first.weight"].T, (k, read))
        if part == "read_bias":
            return _padded(self.places[f"{at}first.bias"], (read,))
        if part == "read_second":
            return _padded(self.places[f"{at}second.weight"][0], (read,))
        return _padded(self.places[f"{at}linear.weight"][0], (k,))

    def _scalars(self, at: str, part: str, k: int) -> _Indices:
        channels, degrees = self.settings.channels, self.settings.l_max + 1
        if part == "scalars_bias":
            rows = self.places[f"{at}scalars.bias"][:, None]
        else:
            weight = self.places[f"{at}scalars.weight"]
            rows = weight[:, :-1] if part == "scalars" else weight[:, -1:]
        by_degree = _padded(rows.reshape(degrees, channels, -1), (None, k, None))
        turned = by_degree.reshape(degrees * k, -1).T
        return _padded(turned, (k if part == "scalars" else None, None))

    def _table(self, t: int) -> _Indices:
        """Return the table with scores for each component of a degree."""
        settings, layer = self.settings, self.model.layers[t]
        table = self.places[f"layers.{t}.table"]
        k, channels = self.widths.channels, settings.channels
        splits = np.cumsum(layer.widths)[:-1]
        harmonic, passed, scores, gate = np.split(table, splits, axis=1)
        columns = []
        for block in (harmonic, passed):
            by_degree = block.reshape(len(table), -1, channels)
            columns.append(_padded(by_degree, (None, None, k)).reshape(len(table), -1))
        degrees = [deg for deg in range(settings.l_max + 1) for _ in range(2 * deg + 1)]
        by_head = scores.reshape(len(table), settings.l_max + 1, layer.heads)
        spread = by_head[:, degrees].transpose(0, 2, 1)
        columns.append(_padded(spread, (None, None, BLOCK)).reshape(len(table), -1))
        columns.append(_padded(gate, (None, self.widths.gate)))
        return np.concatenate(columns, axis=1)


def _padded(block: _Indices, shape: tuple[int | None, ...]) -> _Indices:
    """Return a block filled up with NOTHING; None keeps the size of an axis."""
    added = [
        (0, 0 if want is None else want - have)
        for want, have in zip(shape, block.shape, strict=True)
    ]
    return np.pad(block, added, constant_values=NOTHING)
