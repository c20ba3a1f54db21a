"""The specification of envelopes in NumPy, one central atom at a time.

The native kernels are held against these functions; nothing here is meant to be fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trimpot.envelopes.switches import switch

if TYPE_CHECKING:
    from trimpot.contract import FloatArray, IntArray
    from trimpot.envelopes.triplet import TripletEnvelope


def ellipsoid(u: FloatArray, v: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    """Return C_ikj and its gradients by r_ij = u and r_ik = v; infinity beside the pair.

    With t = u.v / u^2 and q = v - t u:  C = q^2 / (u^2 t (1 - t)),
    dC/dv = (2 q - C (1 - 2 t) u) / (u^2 t (1 - t)),
    dC/du = (-C t u - (2 t + C (1 - 2 t)) q) / (u^2 t (1 - t)).
    """
    square = float(u @ u)
    t = float(u @ v) / square
    if not 0.0 < t < 1.0:
        return np.inf, np.zeros(3), np.zeros(3)
    q = v - t * u
    scale = square * t * (1.0 - t)
    c = float(q @ q) / scale
    by_v = (2.0 * q - c * (1.0 - 2.0 * t) * u) / scale
    by_u = (-c * t * u - (2.0 * t + c * (1.0 - 2.0 * t)) * q) / scale
    return c, by_u, by_v


def relief(envelope: TripletEnvelope, r: float) -> tuple[float, float]:
    """Return the quintic that falls from 1 at ``inner`` to 0 at ``outer``; its slope."""
    if envelope.outer == 0.0:
        return 0.0, 0.0
    width = envelope.outer - envelope.inner
    value, slope = switch("quintic", np.array([(envelope.outer - r) / width]))
    return float(value[0]), -float(slope[0]) / width


def screening(
    envelope: TripletEnvelope, z_i: int, d_jc: FloatArray, z_j: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return S_j of all neighbours j of one atom, (n,), and dS_j/dd_k, (n, n, 3).

    Neighbours must reach ``envelope.stretch`` times as far as the pairs of interest.
    """
    n = len(d_jc)
    weights, jacobian = np.ones(n), np.zeros((n, n, 3))
    for j in range(n):
        x, by_d = _shares(envelope, z_i, j, d_jc, z_j)
        if envelope.combine == "product":
            s, slope = switch(envelope.switch, x)
            weights[j] = s.prod()
            slopes = np.array([slope[k] * np.delete(s, k).prod() for k in range(n)])
        else:
            shortfall = 1.0 - np.clip(x, 0.0, 1.0)
            y = float(np.sum(shortfall**4) ** 0.25)
            s, slope = switch(envelope.switch, np.array([1.0 - y]))
            weights[j] = s[0]
            slopes = slope[0] * (shortfall / max(y, 1e-300)) ** 3
        jacobian[j] = np.einsum("k,kla->la", slopes, by_d)
    return weights, jacobian


def _shares(
    envelope: TripletEnvelope, z_i: int, j: int, d_jc: FloatArray, z_j: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return x_k of the pair (i, j), (n,), and dx_k/dd_l, (n, n, 3)."""
    n = len(d_jc)
    x, by_d = np.full(n, np.inf), np.zeros((n, n, 3))
    place = envelope.species.index
    r = float(np.linalg.norm(d_jc[j]))
    eased, eased_slope = relief(envelope, r)
    for k in range(n):
        kinds = place(z_i), place(int(z_j[j])), place(int(z_j[k]))
        c, by_u, by_v = ellipsoid(d_jc[j], d_jc[k])
        if k == j or not envelope.screens[kinds] or not np.isfinite(c):
            continue
        c_min, c_max = envelope.c_min[kinds], envelope.c_max[kinds]
        x[k] = (c + c_max * eased - c_min) / (c_max - c_min)
        by_d[k, j] = (by_u + c_max * eased_slope * d_jc[j] / r) / (c_max - c_min)
        by_d[k, k] = by_v / (c_max - c_min)
    return x, by_d
