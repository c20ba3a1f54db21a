"""What is known of a potential besides what it computes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trimpot.elements import covalent_radius

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trimpot.contract import Potential

TYPICAL_SHORTEST = 0.65
"""Shortest distance of a pair without data, over the sum of covalent radii."""


@dataclass(frozen=True)
class Known:
    """What checks may use if somebody knows it; every field may be left out.

    Attributes
    ----------
    radii : tuple of float
        Distances in angstrom at which something is switched off: every cutoff, every edge
        of an envelope. The largest cutoff is always looked at.
    shortest : mapping of (int, int) to float
        Shortest distance in the training data, by atomic numbers in ascending order.
    isolated : mapping of int to float
        Energy in eV that an isolated atom ought to have, by atomic number.
    single : bool
        Whether the potential computes in single arithmetic.
    sharp : Potential, optional
        The same potential in double arithmetic.
    reloaded : callable, optional
        Returns the potential after saving and loading it.
    """

    radii: tuple[float, ...] = ()
    shortest: Mapping[tuple[int, int], float] = field(default_factory=dict)
    isolated: Mapping[int, float] = field(default_factory=dict)
    single: bool = False
    sharp: Potential | None = None
    reloaded: Callable[[], Potential] | None = None

    def shortest_of(self, a: int, b: int) -> float:
        """Return the shortest distance of the data, or a typical one, in angstrom."""
        typical = TYPICAL_SHORTEST * (covalent_radius(a) + covalent_radius(b))
        return self.shortest.get((min(a, b), max(a, b)), typical)
