"""Switches: functions s(x) that rise from 0 (x <= 0) to 1 (x >= 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

if TYPE_CHECKING:
    from trimpot.contract import FloatArray

Switch = Literal["bump", "quintic", "meam"]
"""``bump`` is C-infinity, ``quintic`` C2, ``meam`` C1 at 0 and C3 at 1."""

SWITCHES: tuple[str, ...] = get_args(Switch)


def switch(kind: Switch, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return s(x) and s'(x).

    ``bump``: e^(-1/x) / (e^(-1/x) + e^(-1/(1-x))); ``quintic``: x^3 (10 - 15 x + 6 x^2);
    ``meam``: [1 - (1 - x)^4]^2.

    References
    ----------
    Baskes, Mater. Sci. Eng. A 261, 165 (1999), doi:10.1016/S0921-5093(98)01060-5 (meam).
    """
    inside = (x > 0.0) & (x < 1.0)
    value, slope = np.where(x >= 1.0, 1.0, 0.0), np.zeros_like(x)
    t = x[inside]
    value[inside], slope[inside] = _INSIDE[kind](t)
    return value, slope


def _bump(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    y = 1.0 - x
    # s = 1 / (1 + e^w) with w = 1/x - 1/y; s' = -w' s (1 - s), and 1 - s = s(-w).
    w = np.clip(1.0 / x - 1.0 / y, -LARGEST_EXPONENT, LARGEST_EXPONENT)
    value = 1.0 / (1.0 + np.exp(w))
    return value, (1.0 / x**2 + 1.0 / y**2) * value / (1.0 + np.exp(-w))


def _quintic(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    return x**3 * (10.0 - 15.0 * x + 6.0 * x**2), 30.0 * (x * (1.0 - x)) ** 2


def _meam(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    y = 1.0 - x
    return (1.0 - y**4) ** 2, 8.0 * (1.0 - y**4) * y**3


LARGEST_EXPONENT = 700.0
"""e to this power is still a number."""

_INSIDE = {"bump": _bump, "quintic": _quintic, "meam": _meam}
