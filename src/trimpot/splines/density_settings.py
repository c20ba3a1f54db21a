"""Settings of the density term."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from trimpot.envelopes import EnvelopeSettings
from trimpot.errors import InputError
from trimpot.splines.density import UNLIMITED, DensityTerm, Radial
from trimpot.splines.harmonics import LARGEST_DEGREE
from trimpot.splines.screened import ScreenedDensity

if TYPE_CHECKING:
    from trimpot.splines.profile import PairProfile

LATEST = 0.8
"""Largest default lower end of the functions over the cutoff."""

FINEST_FIRST = ((9, 4), (8, 4), (7, 3), (6, 3), (5, 2), (4, 2), (3, 2), (2, 1))
"""Functions and angular functions to choose from."""


@dataclass(frozen=True)
class DensitySettings:
    """Settings of a density term.

    Attributes
    ----------
    cutoff : float
        Upper end of the densities in angstrom.
    functions : int, optional
        Densities per species of neighbours. Default: 9, or fewer, so that there are at
        most max_coefficients in all.
    order : int
        Largest number of densities in a product, 2 to 4.
    r_min : float, optional
        Lower end; default: where the distances of each pair begin (of those up to twice
        the shortest, 0.5 % lie below), at most 0.8 times the cutoff. The functions go on
        below it.
    l_max : int
        Largest degree of angular densities, up to 3; 0: none.
    angular_cutoff : float, optional
        Upper end of the angular densities; default: cutoff.
    angular_functions : int, optional
        Angular densities per species and harmonic. Default: 4, or fewer with many species.
    triples : bool
        Also invariants of three angular densities.
    mixed : bool
        Also products of a density with the invariants of two angular ones.
    max_coefficients : int
        Limit of the automatic choice of functions and angular_functions.
    envelope : envelope settings, optional
        Weigh neighbours by what stands between.
    """

    kind: Literal["density"] = "density"
    cutoff: float = 5.5
    functions: int | None = None
    order: int = 3
    r_min: float | None = None
    l_max: int = 0
    angular_cutoff: float | None = None
    angular_functions: int | None = None
    triples: bool = False
    mixed: bool = True
    max_coefficients: int = 3000
    envelope: EnvelopeSettings | None = None

    def build(
        self, species: tuple[int, ...], profile: PairProfile
    ) -> DensityTerm | ScreenedDensity:
        """Return the term for these species (atomic numbers, ascending).

        Raises
        ------
        InputError
            For orders, degrees or cutoffs out of range.
        """
        self._check()
        for functions, angular in FINEST_FIRST:
            term = self._with(functions, angular, species, profile)
            if term.n_coefficients <= self.max_coefficients:
                break
        unlimited = np.full((len(species), term.n_limits), UNLIMITED)
        term = term.with_limits(unlimited)
        if self.envelope is None:
            return term
        return ScreenedDensity(term, self.envelope.build(species))

    def _with(
        self, functions: int, angular: int, species: tuple[int, ...], profile: PairProfile
    ) -> DensityTerm:
        n = self.functions or functions
        n_angular = (self.angular_functions or angular) if self.l_max else 0
        reach = self.angular_cutoff or self.cutoff
        return DensityTerm(
            species,
            self._radial(species, profile, n, self.cutoff),
            self.order,
            self._radial(species, profile, n_angular, reach),
            self.l_max,
            self.triples and n_angular > 0,
            self.mixed and n_angular > 0,
            np.zeros((len(species), 0)),
        )

    def _radial(
        self, species: tuple[int, ...], profile: PairProfile, n: int, cutoff: float
    ) -> Radial:
        begin = [[profile.beginning(a, b) for b in species] for a in species]
        low = (
            np.minimum(begin, LATEST * cutoff)
            if self.r_min is None
            else np.full((len(species),) * 2, self.r_min)
        )
        if not (low < cutoff).all():
            raise InputError(
                f"density: r_min {low.max():g} A is not below the cutoff {cutoff:g} A"
            )
        return Radial(n, low, np.full_like(low, cutoff))

    def _check(self) -> None:
        if not 2 <= self.order <= 4:
            raise InputError(f"density: order {self.order}, expected 2, 3 or 4")
        if not 0 <= self.l_max <= LARGEST_DEGREE:
            raise InputError(f"density: l_max {self.l_max}, expected 0 to {LARGEST_DEGREE}")
        given = [n for n in (self.functions, self.angular_functions) if n is not None]
        if any(n < 1 for n in given):
            raise InputError(
                "density: functions and angular_functions must be at least 1; l_max: 0 "
                "switches angular densities off"
            )
