"""LAMMPS ``pair_style uf3`` files from potentials."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations_with_replacement
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from trimpot import __version__
from trimpot.elements import SYMBOLS, group_name
from trimpot.errors import InputError
from trimpot.files.atomic import write_text
from trimpot.files.uf3_text import (
    EVEN,
    KnotKind,
    PairBlock,
    TripletBlock,
    format_block,
    uniform,
)
from trimpot.splines.core import ZblTerm
from trimpot.splines.knots import DEGREE, FROZEN_AT_END, clamped
from trimpot.splines.one_body import OneBody
from trimpot.splines.pair import PairTerm
from trimpot.splines.triplet import TripletTerm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trimpot.contract import FloatArray
    from trimpot.files.uf3_text import Block
    from trimpot.splines.potential import SplinePotential
    from trimpot.splines.term import Term

EMPTY_INTERVALS = 5
"""Knot intervals of a function that is zero but that LAMMPS asks for."""

HEADER = f"DATE: - AUTHOR: trimpot-{__version__} CITATION: -"


@dataclass(frozen=True)
class Uf3Export:
    """What a written file holds and what it does not.

    Attributes
    ----------
    commands : tuple of str
        LAMMPS input lines that use the file, for atom types in the order of species.
    exact_from : dict
        Distance in angstrom for each pair such as "Ge-Te", above which LAMMPS gives the
        energies and forces of the potential.
    isolated_energies : dict
        eV per element: to be added to the energies of LAMMPS.
    dropped : tuple of str
        What the format cannot hold, in words.
    """

    commands: tuple[str, ...]
    exact_from: dict[str, float]
    isolated_energies: dict[str, float] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()


def write_uf3(
    potential: SplinePotential,
    path: str | Path,
    *,
    core: Literal["refuse", "drop"] = "refuse",
) -> Uf3Export:
    """Write a potential as a LAMMPS ``pair_style uf3`` file.

    Forces and energies of LAMMPS equal those of the potential, without isolated-atom
    energies, at all distances from ``exact_from`` on. The format wants equal cutoffs of
    r_ij and r_ik, twice as much for r_jk, three-body cutoffs within those of pairs, and
    every pair and trio of the elements: shorter functions are continued by knots with
    zero coefficients, which changes nothing, and missing ones are written as zero.

    Parameters
    ----------
    potential : SplinePotential
        At most one pair and one triplet term; isolated-atom energies are left out.
    path : path
        File to write, atomically.
    core : "refuse" or "drop"
        What to do about a repulsive core, which the format cannot hold.

    Raises
    ------
    InputError
        If a term does not fit into the format; says why and what to do.
    WriteError
        If the file cannot be written.
    """
    _check_kinds(potential, core)
    trios = _triplet_blocks(potential)
    reach = _leg_reach(trios)
    pairs = _pair_blocks(potential, reach)
    blocks: list[Block] = [*pairs, *trios]
    every_knot = [b.knots for b in pairs] + [k for b in trios for k in _legs(b)]
    kind: KnotKind = "uk" if all(uniform(knots) for knots in every_knot) else "nk"
    write_text(path, "".join(format_block(block, kind, HEADER) for block in blocks))
    names = " ".join(SYMBOLS[z] for z in potential.species)
    commands = (
        f"pair_style uf3 {3 if trios else 2}",
        f"pair_coeff * * {Path(path).name} {names}",
    )
    isolated = _isolated_energies(potential)
    core_ends = _core_ends(potential)
    dropped = ("isolated-atom energies",) * bool(isolated) + ("repulsive core",) * bool(
        core_ends
    )
    exact_from = {
        group_name(b.elements): max(float(b.knots[0]), core_ends.get(b.elements, 0.0))
        for b in pairs
    }
    return Uf3Export(commands, exact_from, isolated, dropped)


def _check_kinds(potential: SplinePotential, core: str) -> None:
    if core not in ("refuse", "drop"):
        raise InputError(f"core is {core!r}, expected 'refuse' or 'drop'")
    kinds = [term.kind for term in potential.terms]
    known = (OneBody.kind, PairTerm.kind, TripletTerm.kind, ZblTerm.kind)
    for kind in kinds:
        if kind not in known:
            raise InputError(
                f"a LAMMPS uf3 file cannot hold the {kind} term, only pair and triplet "
                "splines; train a potential without it"
            )
        if kinds.count(kind) > 1:
            raise InputError(
                f"found {kinds.count(kind)} {kind} terms, but a LAMMPS uf3 file holds one; "
                "train a potential with one"
            )
    if ZblTerm.kind in kinds and core == "refuse":
        raise InputError(
            "a LAMMPS uf3 file cannot hold the repulsive core of this potential; use "
            "core='drop' to leave it out: the result says down to which distance the file "
            "is exact (add pair_style zbl by hybrid/overlay for closer collisions)"
        )


def _terms(potential: SplinePotential) -> Iterator[tuple[Term, FloatArray]]:
    return zip(potential.terms, potential.coefficients, strict=True)


def _isolated_energies(potential: SplinePotential) -> dict[str, float]:
    found = {}
    for term, values in _terms(potential):
        if isinstance(term, OneBody):
            named = zip(potential.species, values.tolist(), strict=True)
            found = {SYMBOLS[z]: value for z, value in named}
    return found


def _core_ends(potential: SplinePotential) -> dict[tuple[int, int], float]:
    """Return where the repulsion of each pair has vanished."""
    for term in potential.terms:
        if isinstance(term, ZblTerm):
            order = {z: index for index, z in enumerate(term.species)}
            return {
                (a, b): float(term.outer[order[a], order[b]])
                for a, b in combinations_with_replacement(term.species, 2)
            }
    return {}


def _legs(block: TripletBlock) -> tuple[FloatArray, FloatArray, FloatArray]:
    return block.knots_ij, block.knots_ik, block.knots_jk


def _leg_reach(blocks: list[TripletBlock]) -> dict[tuple[int, int], float]:
    """Return the longest three-body leg of each pair: LAMMPS looks no further than V2."""
    reach: dict[tuple[int, int], float] = {}
    for block in blocks:
        centre, *ends = block.elements
        for z in ends:
            pair = (min(centre, z), max(centre, z))
            reach[pair] = max(reach.get(pair, 0.0), block.cutoff)
    return reach


def _pair_blocks(
    potential: SplinePotential, reach: dict[tuple[int, int], float]
) -> list[PairBlock]:
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


def _triplet_blocks(potential: SplinePotential) -> list[TripletBlock]:
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
