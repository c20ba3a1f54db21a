"""Radial envelopes of `envelopes.radial` in torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from trimpot.envelopes.radial import RadialEnvelope

BUMP_END = 1.0 - 1e-4
"""From here to the cutoff the bump is below e^-4999, which is 0 with all its slopes."""


def radial_weights(envelope: RadialEnvelope, r: Tensor) -> Tensor:
    """Return f(r) of distances in angstrom; 0 with all slopes from the cutoff on."""
    x = (r / envelope.cutoff).clamp_max(1.0)
    if envelope.kind == "cosine":
        return 0.5 * (1.0 + torch.cos(torch.pi * x))
    if envelope.kind == "polynomial":
        return _polynomial(x, int(envelope.power))
    x = x.clamp_max(BUMP_END)
    return torch.exp(-(x**2) / ((1.0 - x) * (1.0 + x)))


def _polynomial(x: Tensor, p: int) -> Tensor:
    """Return (1 - x)^3 sum_m (m+1)(m+2)/2 x^m, m < p: no cancellation near x = 1."""
    rest = torch.zeros_like(x)
    for m in reversed(range(p)):
        rest = rest * x + (m + 1) * (m + 2) / 2
    return (1.0 - x) ** 3 * rest
