"""The network as compiled code: the same function, its gradients by hand.

All parameters form one array, in the order that the kernel asks for. Widths are filled up
with zeros to multiples of 16.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot import _native
from trimpot.networks.mlanet.kernel_shape import BLOCK, NOTHING, KernelShape, Widths
from trimpot.networks.mlanet.shapes import (
    bessel_at_centers,
    poolings,
    radial_widths,
    weight_shapes,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trimpot.contract import FloatArray
    from trimpot.networks.mlanet.settings import MLANetSettings

_Indices = np.ndarray


def empty_kernel(
    settings: MLANetSettings,
    n_species: int,
    *,
    mean_weight: float,
    scale: float,
    precision: str,
) -> _native.Network:
    """Return the kernel of a network in ``single`` or ``double``; its parameters are 0.

    Raises
    ------
    InputError
        For a network that only torch computes.
    """
    shape = KernelShape.of(settings)
    return _native.network(
        precision,
        n_species,
        shape.widths.channels,
        settings.l_max,
        settings.layers,
        settings.correlation,
        settings.knots,
        shape.widths.gate,
        shape.widths.readout,
        shape.heads,
        shape.pooling,
        shape.pooling_of_channel,
        shape.n_paths,
        shape.couplings,
        settings.cutoff,
        mean_weight,
        scale,
    )


@dataclass(frozen=True)
class FlatOrder:
    """Which number each entry of the kernel's array is.

    Every entry is one number of the weights, or of the coefficients that the radial
    networks make, or 0.

    Attributes
    ----------
    names : tuple of str
        The weights, joined in this order; the coefficients of each layer follow.
    used : (u,) int64
        Entries that are not 0.
    source : (u,) int64
        Their places among the joined numbers.
    size : int
        Number of entries.
    """

    names: tuple[str, ...]
    used: _Indices
    source: _Indices
    size: int


def flat_order(
    settings: MLANetSettings,
    n_species: int,
    kernel: _native.Network,
    elements: Sequence[int] | None = None,
) -> FlatOrder:
    """Return the order of the parameters of a kernel.

    Where kinds of atoms are more than elements, ``elements`` has the index of the element
    of each kind, and the kernel was made for so many kinds: all of one element have the
    same weights but for the embedding.
    """
    kinds = list(range(n_species)) if elements is None else list(elements)
    shapes = weight_shapes(settings, n_species, len(kinds))
    names = tuple(shapes)
    for t in range(settings.layers):
        functions = sum(radial_widths(settings, first=t == 0))
        shapes[f"layers.{t}.table"] = (settings.knots + 3, functions)
    places, start = {}, 0
    for name, shape in shapes.items():
        size = int(np.prod(shape))
        places[name] = np.arange(start, start + size).reshape(shape)
        start += size
    for name in (name for name in names if ".products." in name):
        places[name] = places[name][kinds]
    indices = _flat_indices(settings, kernel, places)
    used = np.flatnonzero(indices != NOTHING)
    return FlatOrder(names, used, indices[used], len(indices))


def flat_parameters(
    settings: MLANetSettings,
    n_species: int,
    kernel: _native.Network,
    state: Mapping[str, np.ndarray],
) -> FloatArray:
    """Return all parameters in the order of the kernel, (n,)."""
    order = flat_order(settings, n_species, kernel)
    tables = [_radial_table(settings, state, t) for t in range(settings.layers)]
    parts = [state[name].astype(np.float64).ravel() for name in order.names]
    joined = np.concatenate([*parts, *(table.ravel() for table in tables)])
    flat = np.zeros(order.size)
    flat[order.used] = joined[order.source]
    return flat


def _radial_table(
    settings: MLANetSettings, state: Mapping[str, np.ndarray], t: int
) -> FloatArray:
    """Return the coefficients of the splines of a layer, (intervals + 3, functions)."""

    def linear(name: str, x: FloatArray) -> FloatArray:
        at = f"layers.{t}.radial.{name}"
        weight, bias = (state[f"{at}.{part}"].astype(np.float64) for part in PARTS)
        y: FloatArray = x @ weight.T + bias
        return y

    sites = bessel_at_centers(settings).astype(np.float32).astype(np.float64)
    hidden = linear("first", sites)
    # x / (1 + e^-x) without overflow
    return linear("second", 0.5 * hidden * (1.0 + np.tanh(0.5 * hidden)))


PARTS = ("weight", "bias")


def _flat_indices(
    settings: MLANetSettings, kernel: _native.Network, places: Mapping[str, _Indices]
) -> _Indices:
    """Return which number each entry of the kernel's array is."""
    builder = _Builder(settings, places)
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

    def __init__(self, settings: MLANetSettings, places: Mapping[str, _Indices]) -> None:
        self.settings, self.places = settings, places
        self.widths = Widths.of(settings)

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
        if name not in self.places:  # scalars alone: the network passes on nothing else
            return np.full((self.settings.l_max + 1) * k * out, NOTHING)
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
        settings = self.settings
        heads = poolings(settings).count("attention")
        table = self.places[f"layers.{t}.table"]
        k, channels = self.widths.channels, settings.channels
        splits = np.cumsum(radial_widths(settings, first=t == 0))[:-1]
        harmonic, passed, scores, gate = np.split(table, splits, axis=1)
        columns = []
        for block in (harmonic, passed):
            by_degree = block.reshape(len(table), -1, channels)
            columns.append(_padded(by_degree, (None, None, k)).reshape(len(table), -1))
        degrees = [deg for deg in range(settings.l_max + 1) for _ in range(2 * deg + 1)]
        by_head = scores.reshape(len(table), settings.l_max + 1, heads)
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
