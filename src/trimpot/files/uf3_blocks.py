"""Blocks of a LAMMPS ``pair_style uf3`` file that say the same as a potential's terms."""

from __future__ import annotations

from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

import numpy as np

from trimpot.elements import group_name
from trimpot.errors import InputError
from trimpot.files.uf3_text import EVEN, PairBlock, TripletBlock
from trimpot.splines.knots import DEGREE, FROZEN_AT_END, clamped
from trimpot.splines.pair import PairTerm
from trimpot.splines.triplet import TripletTerm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trimpot.contract import FloatArray
    from trimpot.splines.potential import SplinePotential
    from trimpot.splines.term import Term

EMPTY_INTERVALS = 5
"""Knot intervals of a function that is zero but that LAMMPS asks for."""


def _terms(potential: SplinePotential) -> Iterator[tuple[Term, FloatArray]]:
    return zip(potential.terms, potential.coefficients, strict=True)


def legs(block: TripletBlock) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the knots of r_ij, r_ik and r_jk."""
    return block.knots_ij, block.knots_ik, block.knots_jk


def leg_reach(blocks: list[TripletBlock]) -> dict[tuple[int, int], float]:
    """Return the longest three-body leg of each pair: LAMMPS looks no further than V2."""
    reach: dict[tuple[int, int], float] = {}
    for block in blocks:
        centre, *ends = block.elements
        for z in ends:
            pair = (min(centre, z), max(centre, z))
            reach[pair] = max(reach.get(pair, 0.0), block.cutoff)
    return reach


def pair_blocks(
    potential: SplinePotential, reach: dict[tuple[int, int], float]
) -> list[PairBlock]:
    """Return a block for every pair of species, each reaching at least so far."""
    found: dict[tuple[int, int], tuple[FloatArray, FloatArray]] = {}
    for term, values in _terms(potential):
        if isinstance(term, PairTerm):
            for curve in term.curves:
                full = np.where(curve.columns >= 0, values[curve.columns], 0.0)
                found[curve.pair] = curve.knots, full
    longest = potential.cutoff
    blocks = []
    for pair in combinations_with_replacement(potential.species, 2):
        knots, full = found.get(pair, _nothing(reach.get(pair, longest)))
        knots, full = _continued(knots, full, reach.get(pair, 0.0), 0, group_name(pair))
        blocks.append(PairBlock(pair, float(knots[-1]), knots, full))
    return blocks


def _nothing(cutoff: float) -> tuple[FloatArray, FloatArray]:
    knots = clamped(np.linspace(0.0, cutoff, EMPTY_INTERVALS + 1))
    return knots, np.zeros(len(knots) - DEGREE - 1)


def triplet_blocks(potential: SplinePotential) -> list[TripletBlock]:
    """Return a block for every trio of species; none for a potential without triplets."""
    found: dict[tuple[int, int, int], TripletBlock] = {}
    for term, values in _terms(potential):
        if not isinstance(term, TripletTerm):
            continue
        for grid in term.grids:
            cutoff = float(max(grid.knots_ij[-1], grid.knots_ik[-1]))
            for trio in grid.trios:
                block = TripletBlock(
                    trio,
                    cutoff,
                    grid.knots_ij,
                    grid.knots_ik,
                    grid.knots_jk,
                    grid.coefficients(values),
                )
                found[trio] = _fitted(block)
    if not found:
        return []
    return [
        found.get((centre, j, k)) or _no_triplet((centre, j, k), found)
        for centre in potential.species
        for j, k in combinations_with_replacement(potential.species, 2)
    ]


def _no_triplet(
    trio: tuple[int, int, int], found: dict[tuple[int, int, int], TripletBlock]
) -> TripletBlock:
    cutoff = min(block.cutoff for block in found.values())
    leg, _ = _nothing(cutoff)
    long_leg, _ = _nothing(2.0 * cutoff)
    grid = np.zeros((len(leg) - DEGREE - 1,) * 2 + (len(long_leg) - DEGREE - 1,))
    return TripletBlock(trio, cutoff, leg, leg, long_leg, grid)


def _fitted(block: TripletBlock) -> TripletBlock:
    """Return the block with every leg long enough, and most knots along r_jk.

    LAMMPS sizes a buffer for the knots of all three legs by those of r_jk.
    """
    name, c = group_name(block.elements), block.coefficients
    knots_ij, c = _continued_axis(block.knots_ij, c, 0, block.cutoff, 0, name)
    knots_ik, c = _continued_axis(block.knots_ik, c, 1, block.cutoff, 0, name)
    most = max(len(knots_ij), len(knots_ik))
    knots_jk, c = _continued_axis(block.knots_jk, c, 2, 2.0 * block.cutoff, most, name)
    return TripletBlock(block.elements, block.cutoff, knots_ij, knots_ik, knots_jk, c)


def _continued_axis(
    knots: FloatArray,
    coefficients: FloatArray,
    axis: int,
    reach: float,
    n_knots: int,
    name: str,
) -> tuple[FloatArray, FloatArray]:
    last = np.moveaxis(coefficients, axis, -1)
    longer, last = _continued(knots, last, reach, n_knots, name)
    return longer, np.ascontiguousarray(np.moveaxis(last, -1, axis))


def _continued(
    knots: FloatArray, coefficients: FloatArray, reach: float, n_knots: int, name: str
) -> tuple[FloatArray, FloatArray]:
    """Return knots that reach at least so far, and zero coefficients for the new ones.

    The last three coefficients being zero, no other basis function feels the last three
    knots: new ones in their place leave the function as it is.
    """
    end, width = float(knots[-1]), float(knots[-DEGREE - 1] - knots[-DEGREE - 2])
    missing = max(0, int(np.ceil((reach - end) / width - EVEN)), n_knots - len(knots))
    if coefficients[..., -FROZEN_AT_END:].any():
        raise InputError(
            f"the spline of {name} does not end with three zero coefficients, as a LAMMPS "
            "uf3 file must; train it with its end frozen"
        )
    if missing == 0:
        return knots, coefficients
    new = end + width * np.arange(1, missing + 1)
    if new[-1] < reach:  # by rounding only: the last knot must not fall short
        new[-1] = reach
    longer = clamped(np.concatenate([knots[DEGREE:-DEGREE], new]))
    padding = [(0, 0)] * (coefficients.ndim - 1) + [(0, missing)]
    return longer, np.pad(coefficients, padding)
