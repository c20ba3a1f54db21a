"""Safe core: a screened nuclear repulsion below the data, so that no atom falls in.

E_i = 1/2 sum_j ZBL(r_ij) s(r_ij) with the universal screening function and a quintic
switch s from 1 at ``inner`` to 0 at ``outer``. Both factors fall with r, so the term is
repulsive everywhere; the fit keeps the pair splines repulsive below the data as well.

References
----------
Ziegler, Biersack, Littmark, The Stopping and Range of Ions in Solids (1985).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, cast

import numpy as np

from trimpot import _native
from trimpot.elements import covalent_radius
from trimpot.errors import InputError
from trimpot.splines.term import Regularization, State, Term

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimpot.contract import FloatArray
    from trimpot.splines.profile import PairProfile

LARGEST_REACH = 0.7
"""Default end of the repulsion over the sum of covalent radii, at most."""


@dataclass(frozen=True)
class CoreSettings:
    """Settings of the repulsive core.

    Attributes
    ----------
    outer : float, optional
        Where the repulsion has vanished, in angstrom; default: the shortest distance of
        each pair in the data, so that the data are not touched, and at most 0.7 times
        the sum of covalent radii, so that sparse data do not make atoms too large.
    inner_fraction : float
        The full repulsion acts below inner_fraction * outer.
    """

    kind: Literal["zbl"] = "zbl"
    outer: float | None = None
    inner_fraction: float = 0.5

    def build(self, species: tuple[int, ...], profile: PairProfile) -> ZblTerm:
        """Return the term for these species (atomic numbers, ascending)."""
        if not 0.0 < self.inner_fraction < 1.0:
            raise InputError(
                f"inner_fraction {self.inner_fraction}: must lie between 0 and 1"
            )
        if self.outer is not None and not self.outer > 0.0:
            raise InputError(
                f"outer {self.outer} A: must be above 0; leave it out for a radius from "
                "the data, or switch the core off with core: null"
            )
        outer = np.array(
            [[self.outer or _reach(profile, a, b) for b in species] for a in species]
        )
        return ZblTerm(species, self.inner_fraction * outer, outer)


def _reach(profile: PairProfile, a: int, b: int) -> float:
    shortest = profile.shortest(a, b)
    if not profile.has(a, b):
        return shortest
    return min(shortest, LARGEST_REACH * (covalent_radius(a) + covalent_radius(b)))


@dataclass(frozen=True)
class ZblTerm(Term):
    """Switched ZBL repulsion.

    Attributes
    ----------
    inner, outer : (s, s) float64
        Ends of the switch per pair of species, angstrom.
    """

    species: tuple[int, ...]
    inner: FloatArray
    outer: FloatArray
    kind: ClassVar[str] = "zbl"

    @property
    def cutoff(self) -> float:
        """Largest outer radius."""
        return float(self.outer.max())

    @property
    def n_coefficients(self) -> int:
        """Nothing to fit."""
        return 0

    def native(self, coefficients: FloatArray | None) -> _native.Term:  # noqa: ARG002
        """Return the kernel."""
        numbers = np.array(self.species, dtype=np.int32)
        return _native.zbl(numbers, self.inner.ravel(), self.outer.ravel())

    def regularization(self) -> Regularization:
        """Return none."""
        return Regularization.none(0)

    def state(self) -> State:
        """Return the radii."""
        return {"inner": self.inner, "outer": self.outer}

    @classmethod
    def from_state(cls, species: tuple[int, ...], state: Mapping[str, object]) -> ZblTerm:
        """Restore the term."""
        inner, outer = (cast("FloatArray", state[k]) for k in ("inner", "outer"))
        return cls(species, inner, outer)
