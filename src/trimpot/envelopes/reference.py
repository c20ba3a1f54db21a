"""The specification of screening in NumPy, around one central atom.

Native kernels are held against these functions. Formulas: docs/theory/envelopes.md.
Indices: j is the neighbour that makes the pair, k the atom that may screen it, both in the
same list, so images of one atom are different neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot.elements import group_name
from trimpot.envelopes.switches import switch
from trimpot.errors import InputError

if TYPE_CHECKING:
    from trimpot.contract import FloatArray, IndexArray, IntArray
    from trimpot.envelopes.triplet import TripletEnvelope

SMALLEST_T = 1e-100
"""Below, k stands beside the pair: C is large without limit, and 1 / t^2 still a number."""


def ellipsoid(u: FloatArray, v: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return C_ikj (...), dC/du and dC/dv (..., 3) for r_ij = u and r_ik = v (..., 3).

    With t = u.v / u^2 and q = v - t u:  C = q^2 / (u^2 t (1 - t)),
    dC/dv = (2 q - C (1 - 2 t) u) / (u^2 t (1 - t)),
    dC/du = (-C t u - (2 t + C (1 - 2 t)) q) / (u^2 t (1 - t)).
    Where k stands beside the pair (t outside 0 to 1, or r_ij = 0) C is infinite and has no
    gradient.
    """
    square = np.sum(u * u, axis=-1)
    t = np.sum(u * v, axis=-1) / np.where(square > 0.0, square, np.inf)
    between = (t > SMALLEST_T) & (t < 1.0)
    t = np.where(between, t, 0.5)
    scale = np.where(between, square, 1.0) * t * (1.0 - t)
    q = v - t[..., None] * u
    c = np.sum(q * q, axis=-1) / scale
    over = (between / scale)[..., None]
    bend = (c * (1.0 - 2.0 * t))[..., None]
    by_v = (2.0 * q - bend * u) * over
    by_u = (-(c * t)[..., None] * u - (2.0 * t[..., None] + bend) * q) * over
    return np.where(between, c, np.inf), by_u, by_v


def relief(envelope: TripletEnvelope, r: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the bump that falls from 1 at ``inner`` to 0 at ``outer``; its slope."""
    if envelope.outer == 0.0:
        return np.zeros_like(r), np.zeros_like(r)
    width = envelope.outer - envelope.inner
    value, slope = switch("bump", (envelope.outer - r) / width)
    return value, -slope / width


@dataclass(frozen=True)
class Screeners:
    """What all atoms k mean for all pairs (i, j) of one atom i, before any switch.

    Attributes
    ----------
    c : (n, n) float64
        C_ikj at [j, k]; infinite where k does not screen the pair.
    by_j, by_k : (n, n, 3) float64
        Its gradients with respect to r_ij and r_ik.
    c_min, c_max : (n, n) float64
        Limits of these trios.
    eased : (n,) float64
        ``relief`` of the pair.
    eased_by_j : (n, 3) float64
        Its gradient.
    """

    c: FloatArray
    by_j: FloatArray
    by_k: FloatArray
    c_min: FloatArray
    c_max: FloatArray
    eased: FloatArray
    eased_by_j: FloatArray


def screeners(
    envelope: TripletEnvelope, z_i: int, d_jc: FloatArray, z_j: IntArray
) -> Screeners:
    """Return the screening atoms of all pairs of one atom.

    Raises
    ------
    InputError
        For an element outside the envelope's species.
    """
    i, j = _places(envelope, np.array([z_i]))[0], _places(envelope, z_j)
    c, by_j, by_k = ellipsoid(d_jc[:, None], d_jc[None, :])
    kinds = i, j[:, None], j[None, :]
    acts = envelope.screens[kinds] & ~np.eye(len(d_jc), dtype=bool)
    r = np.sqrt(np.sum(d_jc**2, axis=1))
    eased, slope = relief(envelope, r)
    return Screeners(
        np.where(acts, c, np.inf),
        by_j,
        by_k,
        envelope.c_min[kinds],
        envelope.c_max[kinds],
        eased,
        (slope / np.where(r > 0.0, r, 1.0))[:, None] * d_jc,
    )


def shares(around: Screeners, shift: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return x_jk, (n, n), and dx_jk/dshift_j with ``shift`` (n,) added to both limits.

    x = (C + e (C_max + shift) - C_min - shift) / (C_max - C_min) with the relief e.
    """
    width = around.c_max - around.c_min
    eased = around.eased[:, None]
    lifted = around.c + eased * (around.c_max + shift[:, None])
    return (lifted - around.c_min - shift[:, None]) / width, (eased - 1.0) / width


def combined(envelope: TripletEnvelope, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return S_j, (n,), of shares x_jk, (n, n), and dS_j/dx_jk, (n, n)."""
    if envelope.combine == "product":
        s, slope = switch(envelope.switch, x)
        return s.prod(axis=1), slope * _product_of_others(s)
    shortfall = 1.0 - np.clip(x, 0.0, 1.0)
    y = np.sum(shortfall**4, axis=1) ** 0.25
    s, slope = switch(envelope.switch, 1.0 - y)
    return s, slope[:, None] * (shortfall / np.where(y > 0.0, y, 1.0)[:, None]) ** 3


def screening(
    envelope: TripletEnvelope, z_i: int, d_jc: FloatArray, z_j: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return S_j of all neighbours j of one atom, (n,), and dS_j/dd_k, (n, n, 3).

    Neighbours must reach ``envelope.stretch`` times as far as the pairs of interest.
    """
    around = screeners(envelope, z_i, d_jc, z_j)
    unshifted = np.zeros(len(d_jc))
    x, _ = shares(around, unshifted)
    weights, by_x = combined(envelope, x)
    return weights, jacobian(around, unshifted, by_x)


def jacobian(around: Screeners, shift: FloatArray, by_x: FloatArray) -> FloatArray:
    """Return dS_j/dd_k at fixed shift, (n, n, 3), from dS_j/dx_jk, (n, n)."""
    by_c = by_x / (around.c_max - around.c_min)
    found = by_c[:, :, None] * around.by_k
    own = np.einsum("jk,jka->ja", by_c, around.by_j)
    lift = np.sum(by_c * (around.c_max + shift[:, None]), axis=1)
    at = np.arange(len(found))
    found[at, at] += own + lift[:, None] * around.eased_by_j
    return found


def _product_of_others(s: FloatArray) -> FloatArray:
    """Return prod_{l != k} s_jl at [j, k], without dividing: factors may be 0."""
    ones = np.ones((len(s), 1))
    before = np.cumprod(np.hstack([ones, s[:, :-1]]), axis=1, dtype=np.float64)
    after = np.cumprod(np.hstack([ones, s[:, :0:-1]]), axis=1, dtype=np.float64)
    return before * after[:, ::-1]


def _places(envelope: TripletEnvelope, numbers: IntArray) -> IndexArray:
    species = np.array(envelope.species)
    foreign = sorted(set(map(int, numbers)) - set(envelope.species))
    if foreign:
        raise InputError(
            f"envelope: found {group_name(tuple(foreign))}, which its species "
            f"{group_name(envelope.species)} do not include; build it for these elements"
        )
    return np.searchsorted(species, numbers)
