"""Switches: functions s(x) that rise from 0 (x <= 0) to 1 (x >= 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

if TYPE_CHECKING:
    from trimpot.contract import FloatArray

Switch = Literal["smooth", "bump", "quintic", "meam"]
"""``smooth`` and ``bump`` are C-infinity, ``quintic`` C2, ``meam`` C1 at 0 and C3 at 1."""

SWITCHES: tuple[str, ...] = get_args(Switch)


def switch(kind: Switch, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return s(x) and s'(x).

    ``smooth``: exp(-a e^(1 - 1/(1-x)) / x) with a = 0.262, which has the shape of ``meam``
    (1/2 at the same x) without its kinks; ``bump``: e^(-1/x) / (e^(-1/x) + e^(-1/(1-x)));
    ``quintic``: x^3 (10 - 15 x + 6 x^2); ``meam``: [1 - (1 - x)^4]^2.
    """
    inside = (x > 0.0) & (x < 1.0)
    value, slope = np.where(x >= 1.0, 1.0, 0.0), np.zeros_like(x)
    t = x[inside]
    value[inside], slope[inside] = _INSIDE[kind](t)
    return value, slope


def _smooth(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    x = np.maximum(x, FLAT_BELOW)
    y = 1.0 - x
    depth = DEPTH * np.exp(1.0 - 1.0 / y) / x
    return np.exp(-depth), depth * (1.0 / x + 1.0 / y**2) * np.exp(-depth)


def _bump(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    x = np.maximum(x, FLAT_BELOW)
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

FLAT_BELOW = 1e-5
"""Below, the C-infinity switches are 0 to the last bit, and so are their slopes."""

DEPTH = 0.262
"""Makes ``smooth`` 1/2 where ``meam`` is."""

_INSIDE = {"smooth": _smooth, "bump": _bump, "quintic": _quintic, "meam": _meam}
