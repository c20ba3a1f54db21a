"""Switches of `envelopes.switches` in torch, as logarithms: products become sums.

Many factors of a product, each with a gradient of its own, need no division by a factor
that may be 0 and no list of factors per pair.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn.functional import logsigmoid

from trimpot.envelopes.switches import DEPTH

if TYPE_CHECKING:
    from torch import Tensor

    from trimpot.envelopes.switches import Switch

GONE = -2000.0
"""The logarithm of 0: e to this power is 0 in double precision too, with all slopes."""

FLAT_BELOW, FLAT_ABOVE = 1e-4, 1.0 - 1e-3
"""Outside, switches that are C-infinity differ from 0 or 1 by less than e^-900."""


def log_switch(kind: Switch, x: Tensor) -> Tensor:
    """Return ln s(x), or less than -900 where s is 0; slopes of every order are finite."""
    if kind in ("smooth", "bump"):
        return _LOGARITHMS[kind](x.clamp(FLAT_BELOW, FLAT_ABOVE))
    # 1/x^4 is a number, so that four derivatives are.
    smallest = torch.finfo(x.dtype).tiny ** 0.25
    return torch.where(x > smallest, _LOGARITHMS[kind](x.clamp(smallest, 1.0)), GONE)


def _log_smooth(x: Tensor) -> Tensor:
    return -DEPTH * torch.exp(1.0 - 1.0 / (1.0 - x)) / x


def _log_bump(x: Tensor) -> Tensor:
    return logsigmoid(1.0 / (1.0 - x) - 1.0 / x)


def _log_quintic(x: Tensor) -> Tensor:
    return 3.0 * x.log() + (10.0 - 15.0 * x + 6.0 * x**2).log()


def _log_meam(x: Tensor) -> Tensor:
    # 1 - y^4 = (1 - y) (1 + y) (1 + y^2) keeps its digits where x is small.
    y = 1.0 - x
    return 2.0 * (x.log() + y.log1p() + (y**2).log1p())


_LOGARITHMS = {
    "smooth": _log_smooth,
    "bump": _log_bump,
    "quintic": _log_quintic,
    "meam": _log_meam,
}
