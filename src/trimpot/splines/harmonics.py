"""Real spherical harmonics of degree 1 to 3 and how they couple to invariants."""

from __future__ import annotations

from functools import cache
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trimpot.contract import FloatArray

LARGEST_DEGREE = 3
N_HARMONICS = 15
"""3 + 5 + 7: the order of components is (x, y, z), then m = -l .. l."""

FIRST = {1: 0, 2: 3, 3: 8}
"""First component of each degree."""


def harmonics(u: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return Y_lm(u), (n, 15), and its gradient on the unit sphere, (n, 15, 3).

    Their scale is that of Legendre polynomials: sum_m Y_lm(u) Y_lm(v) = P_l(u.v).
    """
    x, y, z = u.T
    one, zero = np.ones_like(x), np.zeros_like(x)
    a, b, c, d = np.sqrt(3.0), np.sqrt(15.0), np.sqrt(10.0) / 4.0, np.sqrt(6.0) / 4.0
    five = 5.0 * z**2 - 1.0
    table = [
        (x, one, zero, zero),
        (y, zero, one, zero),
        (z, zero, zero, one),
        (a * x * y, a * y, a * x, zero),
        (a * y * z, zero, a * z, a * y),
        (1.5 * z**2 - 0.5, zero, zero, 3.0 * z),
        (a * x * z, a * z, zero, a * x),
        (a / 2 * (x**2 - y**2), a * x, -a * y, zero),
        (c * y * (3 * x**2 - y**2), 6 * c * x * y, 3 * c * (x**2 - y**2), zero),
        (b * x * y * z, b * y * z, b * x * z, b * x * y),
        (d * y * five, zero, d * five, 10 * d * y * z),
        (0.5 * z * (five - 2.0), zero, zero, 1.5 * five),
        (d * x * five, d * five, zero, 10 * d * x * z),
        (b / 2 * z * (x**2 - y**2), b * x * z, -b * y * z, b / 2 * (x**2 - y**2)),
        (c * x * (x**2 - 3 * y**2), 3 * c * (x**2 - y**2), -6 * c * x * y, zero),
    ]
    value = np.stack([row[0] for row in table], axis=1)
    gradient = np.stack([np.stack(row[1:], axis=1) for row in table], axis=1)
    along = np.einsum("nca,na->nc", gradient, u)
    return value, gradient - along[:, :, None] * u[:, None, :]


def couplings(l_max: int) -> tuple[tuple[int, int, int], ...]:
    """Return the degrees l1 <= l2 <= l3 (1 .. l_max) whose product has an invariant."""
    degrees = combinations_with_replacement(range(1, l_max + 1), 3)
    return tuple(d for d in degrees if d[2] <= d[0] + d[1] and sum(d) % 2 == 0)


@cache
def coupling(l1: int, l2: int, l3: int) -> tuple[tuple[tuple[int, int, int], float], ...]:
    """Return (components, factor) of the invariant of three harmonics.

    The factors are averages of Y_1 Y_2 Y_3 over the sphere (Gaunt), scaled to unit norm.
    """
    nodes, weights = np.polynomial.legendre.leggauss(8)
    angles = np.arange(16) * (2.0 * np.pi / 16)
    ring = np.sqrt(1.0 - nodes**2)
    u = np.stack(
        [
            np.outer(ring, np.cos(angles)),
            np.outer(ring, np.sin(angles)),
            np.outer(nodes, np.ones(16)),
        ],
        axis=-1,
    ).reshape(-1, 3)
    share = np.repeat(weights / 32.0, 16)
    y = harmonics(u)[0]
    parts = [y[:, FIRST[k] : FIRST[k] + 2 * k + 1] for k in (l1, l2, l3)]
    gaunt = np.einsum("n,ni,nj,nk->ijk", share, *parts)
    gaunt /= np.sqrt((gaunt**2).sum())
    return tuple(
        (
            (FIRST[l1] + int(i), FIRST[l2] + int(j), FIRST[l3] + int(k)),
            float(gaunt[i, j, k]),
        )
        for i, j, k in np.argwhere(np.abs(gaunt) > 1e-12)
    )
