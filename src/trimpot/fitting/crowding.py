"""How closely packed atoms are: bond valences, to compare one structure with others.

    v_i = sum_j exp(-(r_ij - R_ij) / b),      z_i = v_i^2 / sum_j exp(-2 (r_ij - R_ij) / b)

with R the sum of covalent radii and b = 0.37 A. Structures of the same elements come to
rest at about the same valence v whatever their coordination z: Pauling's rule.

References
----------
Brown, Chem. Rev. 109, 6858 (2009), doi:10.1021/cr900053k.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

import numpy as np

from trimpot.elements import covalent_radius
from trimpot.splines.knots import FROZEN_AT_END, clamped
from trimpot.splines.pair import PairCurve, PairTerm
from trimpot.splines.potential import SplinePotential

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.contract import FloatArray, Structure

SOFTNESS = 0.37
"""b in angstrom."""

REACH = 2.5
"""Angstrom beyond the sum of covalent radii: the rest of a valence is below 1 %."""

INTERVALS = 30
"""Of the splines that stand for the exponentials."""


@dataclass(frozen=True)
class Crowding:
    """Means over the atoms of each structure.

    Attributes
    ----------
    valence : (n_structures,) float64
        v, without unit; about 0 for isolated atoms.
    coordination : (n_structures,) float64
        z, the number of neighbours that share the valence.
    """

    valence: FloatArray
    coordination: FloatArray


def crowding(
    structures: Sequence[Structure], species: tuple[int, ...], *, threads: int = 0
) -> Crowding:
    """Return the crowding of structures."""
    first, second = (
        [
            e.energies
            for e in _sums(species, power).evaluate_many(structures, threads=threads)
        ]
        for power in (1, 2)
    )
    floor = np.finfo(np.float64).tiny
    return Crowding(
        np.array([v.mean() for v in first]),
        np.array(
            [
                np.mean(v * v / np.maximum(w, floor))
                for v, w in zip(first, second, strict=True)
            ]
        ),
    )


def _sums(species: tuple[int, ...], power: int) -> SplinePotential:
    """Return sum_j exp(-power (r_ij - R_ij) / b) as the energy of atom i."""
    curves: list[PairCurve] = []
    values: list[FloatArray] = []
    for pair in combinations_with_replacement(species, 2):
        radius = covalent_radius(pair[0]) + covalent_radius(pair[1])
        knots = clamped(np.linspace(0.0, radius + REACH, INTERVALS + 1))
        columns = np.full(INTERVALS + 3, -1, dtype=np.int32)
        n = len(columns) - FROZEN_AT_END
        columns[:n] = len(curves) * n + np.arange(n)
        centres = (knots[1 : n + 1] + knots[2 : n + 2] + knots[3 : n + 3]) / 3.0
        curves.append(PairCurve(pair, knots, columns, 0.0))
        values.append(np.exp(-power * (centres - radius) / SOFTNESS))
    term = PairTerm(species, tuple(curves))
    return SplinePotential(species, (term,), (np.concatenate(values),))
