"""Real spherical harmonics up to degree 3, and how products of them couple."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

SQRT3, SQRT5, SQRT15 = 3.0**0.5, 5.0**0.5, 15.0**0.5
SQRT7, SQRT21, SQRT35, SQRT105 = 7.0**0.5, 21.0**0.5, 35.0**0.5, 105.0**0.5

Numbers = TypeVar("Numbers", np.ndarray, "Tensor")


def degree_slices(l_max: int) -> tuple[slice, ...]:
    """Return where the components of each degree stand among (l_max + 1)^2."""
    return tuple(slice(deg * deg, (deg + 1) ** 2) for deg in range(l_max + 1))


def components(x: Numbers, y: Numbers, z: Numbers, l_max: int) -> list[Numbers]:
    """Return Y_lm of unit vectors, l from 1 to l_max <= 3, in arrays of any kind.

    The mean of Y_lm^2 over the sphere is 1; in a degree m goes from -l to l.
    """
    parts = []
    if l_max >= 1:
        parts += [SQRT3 * y, SQRT3 * z, SQRT3 * x]
    if l_max >= 2:
        parts += [
            SQRT15 * x * y,
            SQRT15 * y * z,
            SQRT5 * (1.5 * z * z - 0.5),
            SQRT15 * x * z,
            0.5 * SQRT15 * (x * x - y * y),
        ]
    if l_max >= 3:
        five = 5.0 * z * z - 1.0
        parts += [
            (SQRT35 / 8**0.5) * y * (3 * x * x - y * y),
            SQRT105 * x * y * z,
            (SQRT21 / 8**0.5) * y * five,
            0.5 * SQRT7 * z * (five - 2.0),
            (SQRT21 / 8**0.5) * x * five,
            0.5 * SQRT105 * z * (x * x - y * y),
            (SQRT35 / 8**0.5) * x * (x * x - 3 * y * y),
        ]
    return parts


@cache
def couplings(l_max: int) -> tuple[tuple[int, int, int], ...]:
    """Return the degrees (l1, l2, l3) of products that keep parity, up to l_max."""
    degrees = range(l_max + 1)
    return tuple(
        (a, b, c)
        for a in degrees
        for b in degrees
        for c in degrees
        if abs(a - b) <= c <= a + b and (a + b + c) % 2 == 0
    )


@cache
def gaunt(l_max: int) -> np.ndarray:
    """Return the mean of Y_a Y_b Y_c over the sphere, ((l_max + 1)^2,) * 3.

    The quadrature is exact for polynomials of degree 3 l_max.
    """
    cosines, weights = np.polynomial.legendre.leggauss(2 * l_max + 2)
    n_phi = 4 * l_max + 4
    phi = 2.0 * np.pi * np.arange(n_phi) / n_phi
    sines = np.sqrt(1.0 - cosines**2)
    across, z = sines[:, None] + 0.0 * phi, cosines[:, None] + 0.0 * phi
    parts = components(across * np.cos(phi), across * np.sin(phi), z, l_max)
    y = np.stack([np.ones_like(z), *parts], axis=-1)
    mean = np.repeat(weights[:, None] / (2.0 * n_phi), n_phi, axis=1)
    table: np.ndarray = np.einsum("tp,tpa,tpb,tpc->abc", mean, y, y, y)
    table[np.abs(table) < 1e-13] = 0.0
    return table
