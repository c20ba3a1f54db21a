"""Sizes of an MLANet: what follows from settings, whoever computes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trimpot.errors import InputError
from trimpot.networks.mlanet.coupling import couplings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimpot.networks.mlanet.settings import MLANetSettings, Pooling

    Shapes = dict[str, tuple[int, ...]]


FORCE_HEADS = "force_heads"
"""What the names of weights of direct forces begin with."""


def readout_inputs(settings: MLANetSettings) -> int:
    """Return of how many numbers a readout makes an energy."""
    return settings.channels * (2 if settings.readout == "pooled" else 1)


def poolings(settings: MLANetSettings) -> tuple[Pooling, ...]:
    """Return the perspectives on the neighbours; without attention they are means."""
    if settings.attention:
        return settings.pooling
    return tuple("mean" if p == "attention" else p for p in settings.pooling)


def radial_widths(settings: MLANetSettings, *, first: bool) -> tuple[int, int, int, int]:
    """Return how many functions of the distance a layer has, by purpose.

    For harmonics, features passed on (by none but scalars in the first layer), scores,
    gate.
    """
    degrees = settings.l_max + 1
    return (
        settings.channels * degrees,
        0 if first else settings.channels * settings.l_max,
        poolings(settings).count("attention") * degrees,
        settings.gate_hidden if settings.gate else 0,
    )


def bessel_at_centers(settings: MLANetSettings) -> np.ndarray:
    """Return sqrt(2) sin(n pi x) at the centres of the splines, (q, n)."""
    x = (np.arange(settings.knots + 3) - 1.0) / settings.knots
    n = np.arange(1, settings.bessel + 1)
    waves: np.ndarray = np.sqrt(2.0) * np.sin(np.pi * n * x[:, None])
    return waves


def weight_shapes(
    settings: MLANetSettings, n_species: int, n_kinds: int | None = None
) -> Shapes:
    """Return the shape of every weight by its name.

    Kinds of atoms have an embedding each; None: there are as many as elements.
    """
    k, hidden = settings.channels, settings.readout_hidden
    shapes: Shapes = {"embedding": (n_species if n_kinds is None else n_kinds, k)}
    for t in range(settings.layers):
        layer = _layer_shapes(settings, n_species, first=t == 0)
        shapes |= {f"layers.{t}.{name}": shape for name, shape in layer.items()}
    read = readout_inputs(settings)
    for t in range(settings.layers):
        shapes |= {
            f"readouts.{t}.first.weight": (hidden, read),
            f"readouts.{t}.first.bias": (hidden,),
            f"readouts.{t}.second.weight": (1, hidden),
            f"readouts.{t}.linear.weight": (1, read),
        }
    for t in range(settings.layers if settings.forces == "direct" else 0):
        shapes |= {
            f"{FORCE_HEADS}.{t}.first.weight": (hidden, k),
            f"{FORCE_HEADS}.{t}.first.bias": (hidden,),
            f"{FORCE_HEADS}.{t}.second.weight": (k, hidden),
            f"{FORCE_HEADS}.{t}.second.bias": (k,),
        }
    return shapes


def _layer_shapes(settings: MLANetSettings, n_species: int, *, first: bool) -> Shapes:
    k, degrees, hidden = settings.channels, settings.l_max + 1, settings.radial_hidden
    functions, heads = radial_widths(settings, first=first), _heads(settings)
    shapes: Shapes = {
        "radial.first.weight": (hidden, settings.bessel),
        "radial.first.bias": (hidden,),
        "radial.second.weight": (sum(functions), hidden),
        "radial.second.bias": (sum(functions),),
        "value.weight": (k, k),
    }
    if functions[1]:
        shapes["passed.weight"] = (degrees, k, k)
    if heads:
        shapes["query.weight"] = (degrees, k, heads)
        shapes |= {"key.weight": (heads, k), "key.bias": (heads,)}
    if settings.gate:
        gate = settings.gate_hidden
        shapes |= {"gate_center.weight": (gate, k), "gate_center.bias": (gate,)}
        shapes["gate_neighbor.weight"] = (gate, k)
        shapes |= {"gate_out.weight": (k, gate), "gate_out.bias": (k,)}
    paths = len(couplings(settings.l_max))
    for order in range(1, settings.correlation):
        shapes[f"products.{order - 1}.weight"] = (n_species, paths, k)
    for name in ("mix", "skip", *(f"out.{o}" for o in range(settings.correlation))):
        shapes[f"{name}.weight"] = (degrees, k, k)
    shapes["scalars.weight"] = (k * degrees, k + 1)
    shapes["scalars.bias"] = (k * degrees,)
    return shapes


def _heads(settings: MLANetSettings) -> int:
    return poolings(settings).count("attention")


def check_state(
    settings: MLANetSettings,
    species: tuple[int, ...],
    state: Mapping[str, np.ndarray],
    n_kinds: int | None = None,
) -> None:
    """Raise ``InputError`` if names or shapes are not those of the network's weights."""
    found, fewest = sum(v.size for v in state.values()), settings.layers
    fewest *= settings.channels**2
    if found < fewest:
        raise InputError(
            f"found {found} weights, expected more than {fewest} of a network with "
            f"{settings.channels} channels and {settings.layers} layers"
        )
    wanted = weight_shapes(settings, len(species), n_kinds)
    for name in sorted({*wanted, *state}):
        has = tuple(state[name].shape) if name in state else "none"
        expected = wanted.get(name, "none")
        if has != expected:
            raise InputError(
                f"weights {name:.80}: found shape {has}, expected {expected} of a "
                f"network with {settings.channels} channels and {settings.layers} layers"
            )
