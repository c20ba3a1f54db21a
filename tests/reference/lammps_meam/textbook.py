"""Screening as the MEAM literature writes it: squared distances, one trio after another.

With X = r_ik^2 / r_ij^2 and Y = r_jk^2 / r_ij^2

    C = [2 (X + Y) - (X - Y)^2 - 1] / [1 - (X - Y)^2].
"""

import numpy as np


def reaches(c_max, x, y):
    """Whether k can be on or in the ellipsoid C = c_max, by distances from both ends."""
    bound = c_max**2 / (4.0 * (c_max - 1.0)) if c_max > 2.0 else 1.0
    return x <= bound and y <= bound


def ellipse(x, y):
    """C and its derivatives by X and Y; None where k does not stand between the ends."""
    below = 1.0 - (x - y) ** 2
    if below <= 0.0:
        return None
    c = (2.0 * (x + y) + below - 2.0) / below
    skew = 2.0 * (x - y) * (1.0 - c)
    return c, (2.0 - skew) / below, (2.0 + skew) / below


def factor(c, c_min, c_max):
    """The switch and its derivative by C. C below 0 by rounding counts as on the line."""
    if c >= c_max:
        return 1.0, 0.0
    if c <= c_min:
        return 0.0, 0.0
    rest = 1.0 - (c - c_min) / (c_max - c_min)
    return (1.0 - rest**4) ** 2, 8.0 * (1.0 - rest**4) * rest**3 / (c_max - c_min)


def screening(d, limits):
    """S_j of neighbours at d (n, 3) and dS_j/dd_k.

    ``limits(j, k)`` are C_min and C_max, or None where k does not screen.
    """
    n = len(d)
    weights, jacobian = np.ones(n), np.zeros((n, n, 3))
    for j in range(n):
        parts = [_part(d[j], d[k], limits(j, k)) if k != j else NOTHING for k in range(n)]
        values = np.array([value for value, _, _ in parts])
        weights[j] = values.prod()
        for k, (_, by_u, by_v) in enumerate(parts):
            others = np.delete(values, k).prod()
            jacobian[j, j] += others * by_u
            jacobian[j, k] += others * by_v
    return weights, jacobian


NOTHING = 1.0, np.zeros(3), np.zeros(3)


def _part(u, v, limits):
    """What one k makes of one pair: the factor, its gradients by u = r_ij and v = r_ik."""
    if limits is None:
        return NOTHING
    w, square = v - u, u @ u
    x, y = (v @ v) / square, (w @ w) / square
    found = ellipse(x, y) if reaches(limits[1], x, y) else None
    if found is None:
        return NOTHING
    c, by_x, by_y = found
    value, slope = factor(c, *limits)
    by_v = 2.0 * (by_x * v + by_y * w) / square
    by_u = -2.0 * (by_y * w + (by_x * x + by_y * y) * u) / square
    return value, slope * by_u, slope * by_v
