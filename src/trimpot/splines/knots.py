"""Knot vectors of clamped cubic B-splines.

A clamped vector repeats both ends four times; n intervals carry n + 3 basis functions.
Freezing the last three coefficients at zero makes value, first and second derivative
vanish at the upper end (C2 at the cutoff); freezing the first three does so at the lower.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from trimpot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.contract import FloatArray

Spacing = Literal["uniform", "square", "geometric", "inverse"]
"""How breakpoints are spread: evenly in r, r^2, log r or 1/r."""

DEGREE = 3
"""Cubic: twice continuously differentiable."""

FROZEN_AT_END = 3
"""Coefficients to freeze for C2 at an end of the knots."""


def spaced_breaks(
    lower: float, upper: float, intervals: int, spacing: Spacing = "uniform"
) -> FloatArray:
    """Return intervals + 1 breakpoints from lower to upper (angstrom).

    ``square`` puts more of them at large r, ``geometric`` and ``inverse`` at small r.

    Raises
    ------
    InputError
        If the range is empty, has fewer than 4 intervals, or spacing needs lower > 0.
    """
    if not 0.0 <= lower < upper:
        raise InputError(
            f"knots from {lower} to {upper} A: the lower end must be >= 0 and below the "
            "upper end (the cutoff)"
        )
    if intervals < FROZEN_AT_END + 1:
        raise InputError(f"knots need at least 4 intervals, found {intervals}")
    if spacing in ("geometric", "inverse") and lower == 0.0:
        raise InputError(
            f"{spacing} knots need a lower end above 0; set r_min, or use uniform knots"
        )
    fraction = np.linspace(0.0, 1.0, intervals + 1)
    if spacing == "uniform":
        breaks = np.linspace(lower, upper, intervals + 1)
    elif spacing == "square":
        breaks = np.sqrt(lower**2 + (upper**2 - lower**2) * fraction)
    elif spacing == "geometric":
        breaks = lower * (upper / lower) ** fraction
    elif spacing == "inverse":
        breaks = 1.0 / (1.0 / lower + (1.0 / upper - 1.0 / lower) * fraction)
    else:
        raise InputError(
            f"unknown knot spacing {spacing!r}; use uniform, square, geometric or inverse"
        )
    breaks[0], breaks[-1] = lower, upper
    return breaks


def clamped(breaks: Sequence[float] | FloatArray) -> FloatArray:
    """Return the clamped knot vector of ascending breakpoints (angstrom).

    Raises
    ------
    InputError
        If breakpoints are not finite, not ascending, or fewer than 5.
    """
    b = np.asarray(breaks, dtype=np.float64)
    if b.ndim != 1 or len(b) < FROZEN_AT_END + 2:
        raise InputError(f"need at least 5 breakpoints in one list, found shape {b.shape}")
    if not np.isfinite(b).all() or not (np.diff(b) > 0.0).all():
        raise InputError("breakpoints must be finite and strictly ascending")
    return np.concatenate([np.repeat(b[0], DEGREE), b, np.repeat(b[-1], DEGREE)])


def n_basis(knots: FloatArray) -> int:
    """Return the number of basis functions of a clamped knot vector."""
    return len(knots) - DEGREE - 1


def supports(knots: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return lower and upper ends of each basis function's support (angstrom)."""
    n = n_basis(knots)
    return knots[:n], knots[DEGREE + 1 : DEGREE + 1 + n]
