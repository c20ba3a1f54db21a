"""Radial envelopes: functions f(r) that fall from 1 at r = 0 to 0 at the cutoff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from trimpot.errors import InputError

if TYPE_CHECKING:
    from trimpot.contract import FloatArray

Kind = Literal["cosine", "polynomial", "bump"]
"""At the cutoff ``cosine`` is C1, ``polynomial`` C2, ``bump`` C-infinity."""


@dataclass(frozen=True)
class RadialEnvelope:
    """A smooth cutoff, zero from ``cutoff`` on.

    With x = r / cutoff < 1:
    ``cosine``: (1 + cos(pi x)) / 2;
    ``polynomial``: 1 - (p+1)(p+2)/2 x^p + p(p+2) x^(p+1) - p(p+1)/2 x^(p+2);
    ``bump``: exp(-x^2 / (1 - x^2)).

    Attributes
    ----------
    cutoff : float
        In angstrom.
    kind : str
        ``cosine``, ``polynomial`` or ``bump``.
    power : int
        p of ``polynomial``, 2 or more; the larger, the longer f stays near 1.

    Raises
    ------
    InputError
        For a cutoff that is not positive and finite, an unknown kind, or a power below 2.

    References
    ----------
    Behler, Parrinello, Phys. Rev. Lett. 98, 146401 (2007),
    doi:10.1103/PhysRevLett.98.146401, equation 4 (cosine); Gasteiger, Gross, Guennemann,
    arXiv:2003.03123 (2020), equation 8 (polynomial).
    """

    cutoff: float
    kind: Kind = "bump"
    power: int = 6

    def __post_init__(self) -> None:
        if not 0.0 < self.cutoff < np.inf:
            raise InputError(
                f"radial envelope: found a cutoff of {self.cutoff:g} A, expected a "
                "positive and finite one (typical: 5 or 6)"
            )
        if self.kind not in get_args(Kind):
            raise InputError(
                f"radial envelope: unknown kind {self.kind!r}; "
                f"choose one of {', '.join(get_args(Kind))}"
            )
        if not (self.power >= 2 and self.power == int(self.power)):
            raise InputError(
                f"radial envelope: found power {self.power}, expected a whole number of 2 "
                "or more, below which f has a cusp at r = 0 (typical: 6)"
            )

    def values(self, r: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return f(r) and df/dr in 1/A for distances r >= 0 in angstrom."""
        value, slope = np.zeros_like(r), np.zeros_like(r)
        inside = r < self.cutoff
        value[inside], by_x = self._inside(r[inside] / self.cutoff)
        slope[inside] = by_x / self.cutoff
        return value, slope

    def _inside(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        if self.kind == "cosine":
            return 0.5 * (1.0 + np.cos(np.pi * x)), -0.5 * np.pi * np.sin(np.pi * x)
        if self.kind == "polynomial":
            return _polynomial(x, int(self.power))
        rest = (1.0 - x) * (1.0 + x)
        value = np.exp(-(x**2) / rest)
        return value, -2.0 * x / rest**2 * value


def _polynomial(x: FloatArray, p: int) -> tuple[FloatArray, FloatArray]:
    """Return the same polynomial as a sum of positive terms: no cancellation near x = 1."""
    y = 1.0 - x
    rest = sum(((m + 1) * (m + 2) / 2 * x**m for m in range(p)), np.zeros_like(x))
    return y**3 * rest, -0.5 * p * (p + 1) * (p + 2) * x ** (p - 1) * y**2
