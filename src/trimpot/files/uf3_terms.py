"""Terms of a potential from blocks of knots and full coefficient arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from trimpot.elements import SYMBOLS, atomic_number, group_name
from trimpot.errors import FileFormatError, InputError
from trimpot.files.uf3_text import PairBlock, TripletBlock
from trimpot.splines.knots import FROZEN_AT_END
from trimpot.splines.one_body import OneBody
from trimpot.splines.pair import PairCurve, PairTerm
from trimpot.splines.potential import SplinePotential
from trimpot.splines.registry import STATE_CHECKS
from trimpot.splines.triplet import TripletGrid, TripletTerm, grid_columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from trimpot.contract import FloatArray
    from trimpot.files.uf3_text import Block
    from trimpot.splines.term import Term

SomeBlock = TypeVar("SomeBlock", PairBlock, TripletBlock)

ROUNDING = 1e-9
"""Relative difference between numbers of a file that are meant to be equal."""


def potential_from_blocks(
    blocks: Sequence[Block],
    path: str | Path,
    isolated_energies: Mapping[str, float] | None,
    provenance: Mapping[str, object],
) -> SplinePotential:
    """Return the potential of these blocks, of all species that they name.

    Raises
    ------
    FileFormatError
        If a group of elements comes twice, or a function of two equal neighbours changes
        when they are swapped.
    InputError
        If isolated_energies has other elements than the blocks.
    """
    species = tuple(sorted({z for block in blocks for z in block.elements}))
    terms: list[Term] = []
    coefficients: list[FloatArray] = []
    if isolated_energies is not None:
        terms.append(OneBody(species))
        coefficients.append(_isolated(isolated_energies, species, path))
    for term, values in (
        _pair_term([b for b in blocks if isinstance(b, PairBlock)], species, path),
        _triplet_term([b for b in blocks if isinstance(b, TripletBlock)], species, path),
    ):
        if term.cutoff > 0.0:
            _check_state(term, species, path)
            terms.append(term)
            coefficients.append(values)
    return SplinePotential(
        species, tuple(terms), tuple(coefficients), provenance=provenance
    )


def _check_state(term: Term, species: tuple[int, ...], path: str | Path) -> None:
    """Raise unless the term could be saved and loaded again."""
    try:
        STATE_CHECKS[term.kind](species, term.state())
    except FileFormatError as error:
        raise FileFormatError(f"{path}: {error}") from error


def place(block: Block, path: str | Path) -> str:
    """Return where a block is, for messages."""
    return f"{path}, line {block.line}" if block.line else str(path)


def _isolated(
    energies: Mapping[str, float], species: tuple[int, ...], path: str | Path
) -> FloatArray:
    given = {atomic_number(symbol): float(value) for symbol, value in energies.items()}
    if set(given) != set(species):
        raise InputError(
            f"isolated_energies names {', '.join(SYMBOLS[z] for z in sorted(given))}, but "
            f"{path} describes {', '.join(SYMBOLS[z] for z in species)}; give one energy "
            "for each of its elements"
        )
    return np.array([given[z] for z in species])


def _pair_term(
    blocks: Sequence[PairBlock], species: tuple[int, ...], path: str | Path
) -> tuple[PairTerm, FloatArray]:
    curves: list[PairCurve] = []
    values: list[FloatArray] = []
    first = 0
    for block in _distinct(blocks, path):
        pair = (min(block.elements), max(block.elements))
        columns = np.full(len(block.coefficients), -1, dtype=np.int32)
        n_free = _free_count(block.coefficients)
        columns[:n_free] = first + np.arange(n_free)
        curves.append(PairCurve(pair, block.knots, columns, wall=0.0))
        values.append(block.coefficients[:n_free])
        first += n_free
    return PairTerm(species, tuple(curves)), np.concatenate([np.zeros(0), *values])


def _free_count(coefficients: FloatArray) -> int:
    """Return how many of the coefficients along the last axis are not frozen at zero."""
    frozen = not coefficients[..., -FROZEN_AT_END:].any()
    return int(coefficients.shape[-1]) - (FROZEN_AT_END if frozen else 0)


def _triplet_term(
    blocks: Sequence[TripletBlock], species: tuple[int, ...], path: str | Path
) -> tuple[TripletTerm, FloatArray]:
    grids: list[TripletGrid] = []
    values: list[FloatArray] = []
    first = 0
    for block in _distinct(blocks, path):
        grid, found = _grid(_ascending(block, path), first)
        grids.append(grid)
        values.append(found)
        first += len(found)
    return TripletTerm(species, tuple(grids)), np.concatenate([np.zeros(0), *values])


def _grid(block: TripletBlock, first: int) -> tuple[TripletGrid, FloatArray]:
    """Return the spline of one trio and its coefficients, numbered from ``first``."""
    knots = (block.knots_ij, block.knots_ik, block.knots_jk)
    along = [np.moveaxis(block.coefficients, axis, -1) for axis in range(3)]
    frozen = all(_free_count(values) < values.shape[-1] for values in along)
    columns = grid_columns(
        knots,
        symmetric=block.elements[1] == block.elements[2],
        leading=0,
        trailing=FROZEN_AT_END if frozen else 0,
        first=first,
    )
    grid = TripletGrid((block.elements,), *knots, columns)
    values = np.zeros(grid.n_free)
    values[columns[columns >= 0] - first] = block.coefficients[columns >= 0]
    return grid, values


def _ascending(block: TripletBlock, path: str | Path) -> TripletBlock:
    """Return the block with its neighbours in ascending order; check its symmetry."""
    centre, j, k = block.elements
    mirrored = block.coefficients.transpose(1, 0, 2)
    if j > k:
        return TripletBlock(
            (centre, k, j),
            block.cutoff,
            block.knots_ik,
            block.knots_ij,
            block.knots_jk,
            np.ascontiguousarray(mirrored),
            block.line,
        )
    if j == k:
        largest = float(np.abs(block.coefficients).max())
        if not (
            np.array_equal(block.knots_ij, block.knots_ik)
            and np.allclose(block.coefficients, mirrored, rtol=0.0, atol=ROUNDING * largest)
        ):
            raise FileFormatError(
                f"{place(block, path)}: {group_name(block.elements)} has two equal "
                "neighbours but coefficients or knots that change when they are swapped; "
                "such a potential has no definite energy"
            )
    return block


def _distinct(blocks: Sequence[SomeBlock], path: str | Path) -> list[SomeBlock]:
    """Return the blocks by ascending elements; no group of elements twice."""
    found: dict[tuple[int, ...], SomeBlock] = {}
    for block in blocks:
        centre, *others = block.elements
        key = (centre, *sorted(others))
        if isinstance(block, PairBlock):
            key = tuple(sorted(block.elements))
        if key in found:
            before = f" on line {found[key].line}" if block.line else ""
            raise FileFormatError(
                f"{place(block, path)}: {group_name(key)} was defined{before} already; "
                "keep one of the two blocks"
            )
        found[key] = block
    return [found[key] for key in sorted(found)]
