"""Weights that a training begins with: those of another network."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import torch

from trimpot.elements import SYMBOLS
from trimpot.errors import InputError
from trimpot.networks.mlanet.shapes import FORCE_HEADS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from trimpot.networks.charges import Kind
    from trimpot.networks.mlanet import MLANet, MLANetSettings

MAY_DIFFER = ("forces",)
"""Settings of the network that began and of the one that goes on: direct, then gradient."""


@dataclass(frozen=True)
class Start:
    """A network to begin with.

    Attributes
    ----------
    settings : MLANetSettings
    species : tuple of int
        Atomic numbers, ascending.
    state : mapping of arrays
        Its weights by name.
    mean_weight, scale : float
        Its constants, which the new network takes over.
    kinds : tuple of (int, int)
        Atomic number and total charge of its kinds of atoms; empty: charges do not matter.
    """

    settings: MLANetSettings
    species: tuple[int, ...]
    state: Mapping[str, np.ndarray]
    mean_weight: float
    scale: float
    kinds: tuple[Kind, ...] = ()

    def check(
        self,
        settings: MLANetSettings,
        species: tuple[int, ...],
        kinds: tuple[Kind, ...],
    ) -> None:
        """Raise ``InputError`` if a network of settings and kinds cannot begin here."""
        if species != self.species:
            found, wanted = (
                ", ".join(SYMBOLS[z] for z in some) for some in (self.species, species)
            )
            raise InputError(
                f"training.start: found a network of {found}, expected one of {wanted}; "
                "set model.species to the elements of the network, or train it on data "
                "with all of these"
            )
        if kinds != self.kinds:
            raise InputError(
                f"training.start: found a network of {_charges(self.kinds)}, expected one "
                f"of {_charges(kinds)}; train it on frames with these charges"
            )
        before, now = asdict(self.settings), asdict(settings)
        differing = [
            f"{name} is {now[name]} and was {before[name]}"
            for name in before
            if before[name] != now[name] and name not in MAY_DIFFER
        ]
        if differing:
            raise InputError(
                f"training.start: found a network of other settings: {'; '.join(differing)}"
                "; give the model those of the network, only forces may differ"
            )

    def load(self, model: MLANet) -> None:
        """Give a network these weights; a new force head keeps those that it has."""
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if name in self.state or not name.startswith(FORCE_HEADS):
                    parameter.copy_(torch.tensor(self.state[name]))

    def digest(self) -> str:
        """Return the SHA-256 of weights and constants."""
        digest = hashlib.sha256(f"{self.mean_weight!r} {self.scale!r}".encode())
        for name in sorted(self.state):
            digest.update(name.encode())
            digest.update(self.state[name].tobytes())
        return digest.hexdigest()


def _charges(kinds: tuple[Kind, ...]) -> str:
    if not kinds:
        return "no charges"
    return ", ".join(f"{SYMBOLS[z]} with charge {q:+d}" for z, q in kinds)
