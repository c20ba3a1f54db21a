"""Curves of a spline potential: V2 with data density, V3 slices, cross-validation."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from trimpot.contract import Structure
from trimpot.elements import group_name
from trimpot.reports.curves import PairCurve
from trimpot.reports.scores import ScoreCurve
from trimpot.reports.slices import TripletAngles, TripletMap
from trimpot.splines.core import ZblTerm
from trimpot.splines.pair import PairTerm
from trimpot.splines.reference import bspline_basis
from trimpot.splines.screened import ScreenedPair, ScreenedTriplet
from trimpot.splines.triplet import TripletTerm

if TYPE_CHECKING:
    from trimpot.contract import FloatArray
    from trimpot.fitting import Selection
    from trimpot.splines.potential import SplinePotential
    from trimpot.splines.triplet import TripletGrid

POINTS = 400
SHORTEST = 0.8
"""Where curves start, angstrom: below, the core is off every scale."""

MOST_GRIDS = 6
ANGLES = np.linspace(0.0, 180.0, 181)


def pair_curves(potential: SplinePotential) -> list[PairCurve]:
    """Return V2(r), core included, of every pair of species; screened V2 beside it.

    E = sum_i sum_j V2(r_ij): half the energy of a dimer beyond its isolated atoms, without
    what densities add to it.
    """
    counts = potential.statistics.get("pair_counts")
    plain = potential.only(PairTerm.kind, ZblTerm.kind)
    screened = potential.only(ScreenedPair.kind)
    curves = []
    ends: dict[tuple[int, int], list[float]] = defaultdict(list)
    for term in (*plain.terms, *(t.inner for t in _screened_pairs(screened))):
        if isinstance(term, PairTerm):
            for curve in term.curves:
                ends[curve.pair].append(float(curve.knots[-1]))
    for pair, reaches in ends.items():
        r = np.linspace(SHORTEST, max(reaches), POINTS)
        density = edges = None
        if counts is not None:
            i, j = (potential.species.index(z) for z in pair)
            density = counts[i, j]
            cutoff = float(potential.statistics["pair_cutoff"][0])
            edges = np.linspace(0.0, cutoff, len(density) + 1)
        energy = _half_dimer(plain, pair, r)
        added = _half_dimer(screened, pair, r) if screened.terms else None
        curves.append(PairCurve(group_name(pair), r, energy, density, edges, added))
    return curves


def _screened_pairs(potential: SplinePotential) -> list[ScreenedPair]:
    return [term for term in potential.terms if isinstance(term, ScreenedPair)]


def _half_dimer(
    potential: SplinePotential, pair: tuple[int, int], r: FloatArray
) -> FloatArray:
    dimers = [_cluster(pair, np.array([[0.0, 0.0, 0.0], [x, 0.0, 0.0]])) for x in r]
    alone = [_cluster((z,), np.zeros((1, 3))) for z in pair]
    energies = [e.energy for e in potential.evaluate_many([*alone, *dimers])]
    return 0.5 * (np.array(energies[2:]) - sum(energies[:2]))


def _cluster(numbers: tuple[int, ...], positions: FloatArray) -> Structure:
    return Structure(
        np.array(numbers, dtype=np.int32),
        positions,
        np.zeros((3, 3)),
        np.zeros(3, dtype=bool),
    )


def triplet_slices(potential: SplinePotential) -> list[TripletMap | TripletAngles]:
    """Return a map and angular curves of each V3 (at most six functions).

    Screened ones are V3 before it is multiplied by the weights of its legs.
    """
    slices: list[TripletMap | TripletAngles] = []
    for term, c in zip(potential.terms, potential.coefficients, strict=True):
        inner = term.inner if isinstance(term, ScreenedTriplet) else term
        if isinstance(inner, TripletTerm):
            kind = "" if inner is term else "screened "
            for grid in inner.grids:
                shown = _map(grid, c), _angles(grid, c)
                slices += [replace(s, label=kind + s.label) for s in shown]
    return slices[: 2 * MOST_GRIDS]


def _label(grid: TripletGrid) -> str:
    more = f" and {len(grid.trios) - 1} tied" if len(grid.trios) > 1 else ""
    return group_name(grid.trios[0]) + more


def _legs(grid: TripletGrid) -> tuple[float, float]:
    low = max(grid.knots_ij[0], grid.knots_ik[0])
    high = min(grid.knots_ij[-1], grid.knots_ik[-1])
    return float(low), float(high)


def _map(grid: TripletGrid, c: FloatArray) -> TripletMap:
    r = np.linspace(*_legs(grid), 120)
    side = np.linspace(float(grid.knots_jk[0]), float(grid.knots_jk[-1]), 120)
    along = np.einsum(
        "lmn,rl,rm->rn",
        grid.coefficients(c),
        bspline_basis(grid.knots_ij, r)[0],
        bspline_basis(grid.knots_ik, r)[0],
        optimize=True,
    )
    energy = along @ bspline_basis(grid.knots_jk, side)[0].T
    energy[side[None, :] > 2.0 * r[:, None]] = np.nan
    return TripletMap(_label(grid), r, side, energy)


def _angles(grid: TripletGrid, c: FloatArray) -> TripletAngles:
    low, high = _legs(grid)
    r = low + (high - low) * np.array([0.25, 0.4, 0.55, 0.7])
    energy = np.empty((len(r), len(ANGLES)))
    for row, leg in enumerate(r):
        l_n, m_n = (bspline_basis(k, np.array([leg]))[0][0] for k in _leg_knots(grid))
        side = 2.0 * leg * np.sin(np.radians(ANGLES) / 2.0)
        n_n = np.einsum("lmn,l,m->n", grid.coefficients(c), l_n, m_n, optimize=True)
        energy[row] = bspline_basis(grid.knots_jk, side)[0] @ n_n
    return TripletAngles(_label(grid), ANGLES, r, energy)


def _leg_knots(grid: TripletGrid) -> tuple[FloatArray, FloatArray]:
    return grid.knots_ij, grid.knots_ik


def score_curves(
    selection: Selection,
) -> tuple[list[ScoreCurve], tuple[float, float] | None]:
    """Return scores over curvature per ridge at the chosen kappa, and the choice."""
    best = selection.best
    shown = sorted(
        (
            t
            for t in selection.trials
            if t.strengths.kappa == best.strengths.kappa
            and t.strengths.curvature > 0.0
            and np.isfinite(t.score)
        ),
        key=lambda t: (t.strengths.ridge, t.strengths.curvature),
    )
    curves = []
    for ridge, members in groupby(shown, key=lambda t: t.strengths.ridge):
        trials = list(members)
        strengths = np.array([t.strengths.curvature for t in trials])
        scores = np.array([t.score for t in trials])
        curves.append(ScoreCurve(f"ridge {ridge:.0e}", strengths, scores))
    chosen = (best.strengths.curvature, best.score) if best in shown else None
    return curves, chosen
