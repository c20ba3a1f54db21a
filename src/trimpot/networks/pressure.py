"""Pressures of atoms: the root of a budget, and its derivatives of any order.

    N(p) = B(N(0)),    dp = (B'(N(0)) dN(0) - dN(p)) / N'(p)

The root is found without derivatives. Those come from the second equation, whose p is the
root again: differentiating it uses the equation once more. All is in double precision: near
the margin both sides of the equation are almost the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from trimpot.envelopes.budget import MOST_PRESSURE, TOLERANCE
from trimpot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from trimpot.envelopes.budget import BudgetedEnvelope
    from trimpot.networks.tightening import Links, Tightening


def pressures(tightening: Tightening, links: Links, r_m: Tensor, c_t: Tensor) -> Tensor:
    """Return the pressure of each atom, (n,) float64, 0 where there is room.

    Parameters
    ----------
    tightening : Tightening
        The envelope.
    links : Links
        All edges that have a weight without pressure, and what can screen them under any.
    r_m : (m,)
        Their lengths in angstrom.
    c_t : (t,)
        C of the triplets.

    Raises
    ------
    InputError
        If an atom cannot come below the target because others sit at the same place.
    """
    r_m, c_t = r_m.double(), c_t.double()
    none = r_m.new_zeros(links.n)
    with torch.no_grad():
        crowd = tightening.sums(r_m, c_t, links, none)
        crowded = allowance(tightening.envelope, crowd) < crowd
    if not crowded.any():
        return none
    around, edges, triplets = links.around(crowded)
    root: Callable[..., Tensor] = _Root.apply
    p = root(r_m[edges], c_t[triplets], tightening, around)
    return none.index_copy(0, crowded.nonzero()[:, 0], p)


def joint(p_i: Tensor, p_j: Tensor) -> Tensor:
    """Return (p_i^8 + p_j^8)^(1/8); 0 without slopes where both are 0.

    In units of the larger one, of which the norm is independent: no power is too small.
    """
    largest = torch.maximum(p_i, p_j).detach()
    unit = torch.where(largest > 0.0, largest, 1.0)
    sums = (p_i / unit) ** 8 + (p_j / unit) ** 8
    return largest * sums.clamp_min(0.5) ** 0.125  # a sum is 0, or at least 1


SMALLEST_Z = 1e-3
"""Below, e^(-1/z) is 0."""


def allowance(envelope: BudgetedEnvelope, crowd: Tensor) -> Tensor:
    """Return B(n), what may remain of sums n of weights; see `envelopes.budget`."""
    margin, target = envelope.margin, envelope.target
    z = (crowd / target - 1.0) / margin + 1.0
    over = z > SMALLEST_Z
    z = torch.where(over, z, 1.0)
    return crowd - torch.where(over, margin * target * z * torch.exp(-1.0 / z), 0.0)


class _Context(Protocol):
    """What torch keeps between the two passes."""

    saved_tensors: tuple[Tensor, ...]
    around: tuple[Tightening, Links]

    def save_for_backward(self, *tensors: Tensor) -> None: ...


class _Root(torch.autograd.Function):
    """p of atoms that are crowded, (n,), as a function of lengths and C."""

    @staticmethod
    def forward(
        ctx: _Context, r_m: Tensor, c_t: Tensor, tightening: Tightening, links: Links
    ) -> Tensor:
        def total(p: Tensor) -> Tensor:
            return tightening.sums(r_m, c_t, links, p)

        kept = allowance(tightening.envelope, total(r_m.new_zeros(links.n)))
        p = _solved(total, kept, tightening.envelope)
        ctx.save_for_backward(r_m, c_t, p)
        ctx.around = tightening, links
        return p

    @staticmethod
    def backward(ctx: _Context, *by_p: Tensor) -> tuple[Tensor | None, ...]:
        # Aliases: paths from p through its own root are not to be followed here.
        r_m, c_t, p = map(_alias, ctx.saved_tensors)
        tightening, links = ctx.around
        again = torch.is_grad_enabled()
        with torch.enable_grad():
            crowd = tightening.sums(r_m, c_t, links, torch.zeros_like(p))
            kept = allowance(tightening.envelope, crowd)
            total = tightening.sums(r_m, c_t, links, p)
            (slope,) = torch.autograd.grad(
                total.sum(), p, retain_graph=True, create_graph=again
            )
            by_r, by_c = torch.autograd.grad(
                kept - total, (r_m, c_t), by_p[0] / slope, create_graph=again
            )
        return by_r, by_c, None, None


def _alias(x: Tensor) -> Tensor:
    """Return the same numbers as another variable, a function of the first if recorded."""
    recorded = torch.is_grad_enabled() and x.requires_grad
    return x.view_as(x) if recorded else x.detach().requires_grad_()


ROUNDING = 1e-15
"""Of sums of weights, relative."""


def _solved(
    total: Callable[[Tensor], Tensor], kept: Tensor, envelope: BudgetedEnvelope
) -> Tensor:
    """Return the roots p of N(p) = kept: Newton's method, held between bounds."""
    low, high = _bounds(total, kept, envelope)
    p, moving = low, torch.ones_like(low, dtype=torch.bool)
    while True:
        excess, slope = _excess(total, kept, p)
        low = torch.where(moving & (excess > 0.0), p, low)
        high = torch.where(moving & ~(excess > 0.0), p, high)
        newton = p - excess / slope
        there = (newton - p).abs() <= TOLERANCE * high
        there |= excess.abs() <= ROUNDING * kept
        inside = there | ((low < newton) & (newton < high))
        p = torch.where(moving, torch.where(inside, newton, 0.5 * (low + high)), p)
        moving = moving & ~there & (high - low > TOLERANCE * high)
        if not moving.any():
            return p


def _excess(
    total: Callable[[Tensor], Tensor], kept: Tensor, p: Tensor
) -> tuple[Tensor, Tensor]:
    """Return N(p) - kept and N'(p)."""
    with torch.enable_grad():
        p = p.detach().requires_grad_()
        found = total(p)
        (slope,) = torch.autograd.grad(found.sum(), p)
    return found.detach() - kept, slope


def _bounds(
    total: Callable[[Tensor], Tensor], kept: Tensor, envelope: BudgetedEnvelope
) -> tuple[Tensor, Tensor]:
    low, high = torch.zeros_like(kept), torch.ones_like(kept)
    while (over := total(high) > kept).any():
        low, high = torch.where(over, high, low), torch.where(over, 2.0 * high, high)
        if envelope.shrink * float(high.max()) > MOST_PRESSURE:
            raise InputError(
                "budget: atoms at the same place weigh more than the target "
                f"{envelope.target:g} at any cutoff; move them apart"
            )
    return low, high
