"""Settings of the network, as a configuration writes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from trimpot.envelopes.radial import Kind, RadialEnvelope
from trimpot.envelopes.settings import EnvelopeSettings
from trimpot.errors import InputError

LARGEST_DEGREE = 3
MOST_POOLINGS = 8

Pooling = Literal["sum", "mean", "attention"]


@dataclass(frozen=True)
class MLANetSettings:
    """Settings of an MLANet.

    Attributes
    ----------
    cutoff : float
        Largest length of an edge in angstrom.
    layers : int
        Rounds of messages.
    channels : int
        Features per irreducible part; a multiple of the number of poolings.
    l_max : int
        Largest degree of the features, 0 to 3.
    correlation : int
        Order of the products at atoms, 1 to 3: bodies that one layer joins, less one.
    radial : str
        Radial envelope; ``bump`` is C-infinity.
    knots : int
        Intervals of the cubic splines that all functions of the distance are.
    bessel : int
        Bessel functions from which a network makes the coefficients of these splines.
    radial_hidden : int
        Width of that network.
    gate_hidden : int
        Width of the network of the chemical gate.
    pooling : list of str
        Perspectives on the neighbours, each for an equal share of the channels:
        ``sum``, ``mean`` (sum over 1 + the sum of weights), ``attention`` (softmax with
        a learned temperature).
    attention : bool
        Off: channels of ``attention`` become ``mean``.
    gate : bool
        Whether features of both atoms and the distance modulate each message.
    readout_hidden : int
        Width of the network that makes an energy of the scalar features.
    envelope : settings of a triplet envelope, or off
        Screening of edges by third atoms.
    """

    cutoff: float = 6.0
    layers: int = 2
    channels: int = 32
    l_max: int = 2
    correlation: int = 3
    radial: Kind = "bump"
    knots: int = 32
    bessel: int = 8
    radial_hidden: int = 32
    gate_hidden: int = 16
    pooling: tuple[Pooling, ...] = ("sum", "mean", "attention", "attention")
    attention: bool = True
    gate: bool = True
    readout_hidden: int = 32
    envelope: EnvelopeSettings | None = field(default_factory=EnvelopeSettings)

    def __post_init__(self) -> None:
        RadialEnvelope(self.cutoff, self.radial)
        _within("layers", self.layers, 1, 8)
        _within("l_max", self.l_max, 0, LARGEST_DEGREE)
        _within("correlation", self.correlation, 1, 3)
        for name in ("channels", "knots", "bessel", "radial_hidden", "gate_hidden"):
            _within(name, getattr(self, name), 1, 1024)
        _within("readout_hidden", self.readout_hidden, 1, 1024)
        _check_pooling(self.pooling)
        if self.channels % len(self.pooling):
            raise InputError(
                f"found {self.channels} channels for {len(self.pooling)} poolings, "
                "expected a multiple; each pooling takes an equal share"
            )


def _check_pooling(pooling: tuple[str, ...]) -> None:
    known = get_args(Pooling)
    if not 1 <= len(pooling) <= MOST_POOLINGS or not set(pooling) <= set(known):
        raise InputError(
            f"pooling: found {list(pooling)}, expected 1 to {MOST_POOLINGS} of "
            f"{', '.join(known)}"
        )


def _within(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise InputError(f"{name}: found {value}, expected {low} to {high}")
