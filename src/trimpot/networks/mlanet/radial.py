"""Functions of the distance: cubic splines whose coefficients a small network makes.

Equation (2) of docs/theory/mlanet.md. A spline is as fast to evaluate as a table and
exactly what was trained; the network ties its coefficients together, so that it is smooth
where data are few.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from trimpot.networks.mlanet.shapes import bessel_at_centers

if TYPE_CHECKING:
    from trimpot.networks.mlanet.settings import MLANetSettings


def spline_basis(r: Tensor, cutoff: float, intervals: int) -> Tensor:
    """Return cubic B-splines on even knots up to the cutoff, (..., intervals + 3).

    Spline q is centred at (q - 1) cutoff / intervals; distances beyond the cutoff count as
    the cutoff.
    """
    centers = torch.arange(intervals + 3, device=r.device, dtype=r.dtype) - 1.0
    scaled = r.clamp_max(cutoff) * (intervals / cutoff)
    t = (scaled[..., None] - centers).abs()
    outer, inner = (2.0 - t).clamp_min(0.0), (1.0 - t).clamp_min(0.0)
    return (outer * outer * outer - 4.0 * inner * inner * inner) / 6.0


class RadialNetwork(nn.Module):
    """Coefficients of splines by a network on Bessel functions at their centres.

    ``sites`` (q, b): sqrt(2) sin(n pi x) with x = r / r_c, at each centre: Bessel functions
    times the distance, so that all of them are of size 1 wherever neighbours are.
    """

    sites: Tensor

    def __init__(self, settings: MLANetSettings, outputs: int) -> None:
        super().__init__()
        sites = torch.tensor(bessel_at_centers(settings), dtype=torch.get_default_dtype())
        self.register_buffer("sites", sites, persistent=False)
        self.first = nn.Linear(settings.bessel, settings.radial_hidden)
        self.second = nn.Linear(settings.radial_hidden, outputs)

    def forward(self) -> Tensor:
        """Return the coefficients, (intervals + 3, outputs)."""
        made: Tensor = self.second(nn.functional.silu(self.first(self.sites)))
        return made
