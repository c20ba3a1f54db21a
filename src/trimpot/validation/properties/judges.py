"""What no material does: signs by which a watched run is unstable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from ase.data import chemical_symbols
from pydantic import ConfigDict

from trimpot.elements import covalent_radius
from trimpot.engines.ase import structure_from_atoms
from trimpot.engines.md_velocities import degrees_of_freedom
from trimpot.neighbors import neighborhood

if TYPE_CHECKING:
    from collections.abc import Callable

    from ase import Atoms

    from trimpot.engines.md_samples import Sample

SEEN = 0.9
"""Distances up to this share of the sum of covalent radii are looked at."""

FEW_ATOMS_DEVIATIONS = 8.0
"""Standard deviations of a temperature that chance is granted."""


@dataclass(frozen=True)
class Limits:
    """Where a run is no longer physical.

    Attributes
    ----------
    hottest : float
        Kinetic temperature over that of the thermostat. Few atoms fluctuate: they may go 8
        standard deviations, 1 + 8 (2 / f)^(1/2) for f degrees of freedom, if that is more.
    closest : float
        Shortest distance of two atoms over the sum of their covalent radii. Fluids at
        10,000 K and crystals at 500 GPa stay above 0.5.
    deepest : float
        eV/atom by which the potential energy may lie below that of the phase at rest.
        Moving atoms lie above it, but the phase may not be the lowest one.
    minutes : float
        Nothing is run of a model so slow that all runs would take longer.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    hottest: float = 3.0
    closest: float = 0.4
    deepest: float = 0.5
    minutes: float = 10.0


@dataclass(frozen=True)
class Pair:
    """The two nearest atoms: by distance over the sum of covalent radii.

    Attributes
    ----------
    share : float
        That ratio; ``SEEN`` if all pairs are farther apart.
    distance : float
        Angstrom; NaN if all pairs are farther apart.
    first, second : int
        Indices of the atoms.
    """

    share: float
    distance: float = float("nan")
    first: int = 0
    second: int = 0


@dataclass
class Nearest:
    """Judges the distance of the two nearest atoms, and remembers the shortest.

    Attributes
    ----------
    limits
        See ``Limits``.
    shortest
        The nearest pair so far.
    """

    limits: Limits
    shortest: Pair = Pair(SEEN)

    def __call__(self, atoms: Atoms, sample: Sample) -> str | None:  # noqa: ARG002
        """Return which atoms are too close, if any are."""
        pair = nearest_pair(atoms)
        if pair.share < self.shortest.share:
            self.shortest = pair
        if pair.share >= self.limits.closest:
            return None
        ends = (pair.first, pair.second)
        names = "-".join(chemical_symbols[atoms.numbers[k]] for k in ends)
        return (
            f"atoms {pair.first} and {pair.second} ({names}) are {pair.distance:.2f} A "
            f"apart, {pair.share:.2f} of the sum of their covalent radii"
        )


@dataclass(frozen=True)
class Temperature:
    """Judges the kinetic temperature beside that of the thermostat.

    Attributes
    ----------
    limits
        See ``Limits``.
    target
        Returns the temperature of the thermostat (K) at a time (fs).
    from_fs
        Earlier temperatures are not judged: a start far from a minimum heats.
    """

    limits: Limits
    target: Callable[[float], float]
    from_fs: float = 0.0

    def __call__(self, atoms: Atoms, sample: Sample) -> str | None:
        """Return the temperature if it exploded."""
        if sample.time_fs < self.from_fs:
            return None
        chance = np.sqrt(2.0 / degrees_of_freedom(len(atoms)))
        factor = max(self.limits.hottest, 1.0 + FEW_ATOMS_DEVIATIONS * chance)
        target = self.target(sample.time_fs)
        if sample.temperature_k <= factor * target:
            return None
        return f"the temperature is {sample.temperature_k:,.0f} K at {target:,.0f} K"


@dataclass(frozen=True)
class Well:
    """Judges the potential energy beside that of the phase at rest, eV/atom."""

    limits: Limits
    floor: float

    def __call__(self, atoms: Atoms, sample: Sample) -> str | None:  # noqa: ARG002
        """Return how deep the energy fell, if it did."""
        below = self.floor - sample.potential
        if below <= self.limits.deepest:
            return None
        return f"the energy is {below:.3g} eV/atom below that of the phase at rest"


def nearest_pair(atoms: Atoms) -> Pair:
    """Return the two atoms that are nearest beside their covalent radii."""
    structure = structure_from_atoms(atoms)
    radii = np.array([covalent_radius(int(z)) for z in structure.numbers])
    around = neighborhood(structure, 2.0 * SEEN * float(radii.max()))
    first = np.repeat(np.arange(around.n_local), np.diff(around.first))
    second = around.owners[around.neighbors]
    apart = around.positions[around.neighbors] - around.positions[first]
    distance = np.linalg.norm(apart, axis=1)
    share = distance / (radii[first] + radii[second])
    if len(share) == 0 or share.min() >= SEEN:
        return Pair(SEEN)
    k = int(share.argmin())
    return Pair(float(share[k]), float(distance[k]), int(first[k]), int(second[k]))
