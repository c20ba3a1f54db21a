"""Settings of the network, as a configuration writes them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Literal, get_args

from trimpot.envelopes.radial import Kind, RadialEnvelope
from trimpot.envelopes.settings import EnvelopeSettings
from trimpot.errors import InputError

LARGEST_DEGREE = 3
MOST_POOLINGS = 8

Pooling = Literal["sum", "mean", "attention"]
Forces = Literal["gradient", "direct"]
ReadoutKind = Literal["sum", "pooled"]

LATER = ("forces", "readout")
"""Settings that files of older releases do not have: their defaults are what was."""


def usual_envelope() -> EnvelopeSettings:
    """Return the screening that a network has if nothing is said of it.

    Pairs up to 3.5 A, which carry bonds and angles, are never screened; limits lie between
    the C of close-packed shells, 1/3 and 1, where motion would make weights flicker.
    """
    return EnvelopeSettings(c_min=0.45, c_max=0.9, inner=3.5, outer=5.0)


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
        Screening of edges by third atoms; the default has C_min 0.45, C_max 0.9, inner
        3.5 and outer 5 A. A mapping replaces it as a whole.
    forces : str
        ``gradient`` of the energy; or ``direct``: a vector of each atom, read out of its
        features. Direct forces cost less to train and conserve no energy: they are to
        start from and to compare with.
    readout : str
        ``sum`` of the energies of atoms; or ``pooled``: one energy of the mean and the
        log-mean-exp of the features of all atoms. A pooled energy is not extensive: it is
        for molecules of about one size.
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
    envelope: EnvelopeSettings | None = field(default_factory=usual_envelope)
    forces: Forces = "gradient"
    readout: ReadoutKind = "sum"

    @property
    def compiled(self) -> bool:
        """Whether the native kernel computes such a network; torch computes all."""
        return self.forces == "gradient" and self.readout == "sum"

    def __post_init__(self) -> None:
        RadialEnvelope(self.cutoff, self.radial)
        _within("layers", self.layers, 1, 8)
        _within("l_max", self.l_max, 0, LARGEST_DEGREE)
        _within("correlation", self.correlation, 1, 3)
        for name in ("channels", "knots", "bessel", "radial_hidden", "gate_hidden"):
            _within(name, getattr(self, name), 1, 1024)
        _within("readout_hidden", self.readout_hidden, 1, 1024)
        _check_pooling(self.pooling)
        self._check_readout()
        if self.channels % len(self.pooling):
            raise InputError(
                f"found {self.channels} channels for {len(self.pooling)} poolings, "
                "expected a multiple; each pooling takes an equal share"
            )

    def _check_readout(self) -> None:
        for name, kinds in (("forces", Forces), ("readout", ReadoutKind)):
            if getattr(self, name) not in get_args(kinds):
                raise InputError(
                    f"{name}: found {getattr(self, name)!r}, expected "
                    f"{' or '.join(get_args(kinds))}"
                )
        if self.forces == "direct" and self.l_max < 1:
            raise InputError(
                "forces: found direct with l_max 0, expected l_max 1 or more: a vector is "
                "made of features of degree 1; raise l_max, or choose forces: gradient"
            )


def described(settings: MLANetSettings) -> dict[str, object]:
    """Return settings as a mapping, ``LATER`` ones only where they are no defaults."""
    found = asdict(settings)
    for name, default in defaults_of_later().items():
        if found[name] == default:
            del found[name]
    return found


def defaults_of_later() -> dict[str, object]:
    """Return what settings that do not name ``LATER`` ones mean."""
    return {f.name: f.default for f in fields(MLANetSettings) if f.name in LATER}


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
