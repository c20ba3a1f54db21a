"""Nose-Hoover chains: deterministic thermostats of a kinetic energy.

References
----------
G. J. Martyna, M. L. Klein, M. E. Tuckerman, J. Chem. Phys. 97, 2635 (1992).
G. J. Martyna, M. E. Tuckerman, D. J. Tobias, M. L. Klein, Mol. Phys. 87, 1117 (1996).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

LENGTH = 3
"""Thermostats of a chain."""

_MIDDLE = -(2.0 ** (1.0 / 3.0)) / (2.0 - 2.0 ** (1.0 / 3.0))
_OUTER = 1.0 / (2.0 - 2.0 ** (1.0 / 3.0))

WEIGHTS = (_OUTER, _MIDDLE, _OUTER)
"""Parts of a step that make it exact to fourth order (Yoshida, 1990)."""


@dataclass
class Chain:
    """A chain that holds twice the kinetic energy of some momenta at ``dof`` kT.

    It scales these momenta and keeps account of the heat that it took from them, so that
    their energy plus ``energy`` is conserved, also while the temperature is changed.

    Attributes
    ----------
    dof : int
        Degrees of freedom of the momenta.
    masses : list of float
        Of the thermostats, in eV times a squared time: dof kT tau^2 for the first, kT
        tau^2 for the rest, for a time tau.
    momenta : list of float
        Of the thermostats.
    heat : float
        Taken from the momenta and the thermostats so far, eV.
    """

    dof: int
    masses: list[float]
    momenta: list[float]
    heat: float = 0.0

    @classmethod
    def of(cls, dof: int, kt: float, time: float) -> Chain:
        """Return a chain at rest.

        Parameters
        ----------
        dof
            Degrees of freedom of what is held at a temperature.
        kt
            kT in eV, > 0.
        time
            How fast the chain answers, in the unit of the time steps.
        """
        inertia = kt * time * time
        return cls(dof, [dof * inertia] + [inertia] * (LENGTH - 1), [0.0] * LENGTH)

    @property
    def energy(self) -> float:
        """What the chain holds, eV."""
        moving = sum(p * p / q for p, q in zip(self.momenta, self.masses, strict=True))
        return self.heat + 0.5 * moving

    def scale(self, twice_kinetic: float, kt: float, duration: float) -> float:
        """Let the chain act for a duration; return the factor for the momenta it holds.

        Raises
        ------
        OverflowError
            If the momenta are far too large for the chain.
        """
        factor = 1.0
        for weight in WEIGHTS:
            part = weight * duration
            for link in reversed(range(LENGTH)):
                self._push(link, twice_kinetic * factor * factor, kt, part)
            speeds = [p / q for p, q in zip(self.momenta, self.masses, strict=True)]
            self.heat += part * kt * (self.dof * speeds[0] + sum(speeds[1:]))
            factor *= math.exp(-part * speeds[0])
            for link in range(LENGTH):
                self._push(link, twice_kinetic * factor * factor, kt, part)
        return factor

    def _push(self, link: int, twice_kinetic: float, kt: float, part: float) -> None:
        """Move one thermostat by the excess of what it holds, under the next one's drag."""
        p, q = self.momenta, self.masses
        drag = 1.0
        if link < LENGTH - 1:
            drag = math.exp(-0.25 * part * p[link + 1] / q[link + 1])
        excess = (
            twice_kinetic - self.dof * kt
            if link == 0
            else p[link - 1] * p[link - 1] / q[link - 1] - kt
        )
        p[link] = (p[link] * drag + 0.5 * part * excess) * drag

    def state(self) -> dict[str, object]:
        """Return everything that changes, and the masses."""
        return {
            "masses": np.array(self.masses),
            "momenta": np.array(self.momenta),
            "heat": self.heat,
        }

    def restore(self, state: Mapping[str, object]) -> None:
        """Go on from a state."""
        self.masses = np.asarray(state["masses"], dtype=np.float64).tolist()
        self.momenta = np.asarray(state["momenta"], dtype=np.float64).tolist()
        self.heat = float(str(state["heat"]))  # text keeps every bit
