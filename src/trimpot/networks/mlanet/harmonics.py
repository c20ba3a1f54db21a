"""Real spherical harmonics in torch."""

from __future__ import annotations

import torch
from torch import Tensor

from trimpot.networks.mlanet.coupling import components


def harmonics(u: Tensor, l_max: int) -> Tensor:
    """Return Y_lm of unit vectors (..., 3) up to l_max <= 3, (..., (l_max + 1)^2).

    The mean of Y_lm^2 over the sphere is 1; in a degree m goes from -l to l.
    """
    x, y, z = u.unbind(-1)
    return torch.stack([torch.ones_like(x), *components(x, y, z, l_max)], dim=-1)
