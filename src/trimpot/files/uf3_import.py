"""Potentials from LAMMPS ``pair_style uf3`` files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from trimpot.elements import SYMBOLS, atomic_number, group_name
from trimpot.errors import FileFormatError, InputError
from trimpot.files.uf3_text import PairBlock, TripletBlock, parse_blocks
from trimpot.splines.knots import DEGREE, FROZEN_AT_END
from trimpot.splines.one_body import OneBody
from trimpot.splines.pair import PairCurve, PairTerm
from trimpot.splines.potential import SplinePotential
from trimpot.splines.triplet import TripletGrid, TripletTerm, grid_columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trimpot.contract import FloatArray
    from trimpot.files.uf3_text import Block
    from trimpot.splines.term import Term

SomeBlock = TypeVar("SomeBlock", PairBlock, TripletBlock)

ROUNDING = 1e-9
"""Relative difference between numbers of a file that are meant to be equal."""


def read_uf3(
    path: str | Path, *, isolated_energies: Mapping[str, float] | None = None
) -> SplinePotential:
    """Return the potential of a LAMMPS ``pair_style uf3`` file.

    Both count ordered pairs: V2 of the file is V2 here. Outside its knots a function is
    zero (LAMMPS reads outside its tables where r is below the first pair knot).

    Parameters
    ----------
    path
        Text file with two-body and three-body blocks in any order, for any species.
    isolated_energies : mapping of symbol to eV, optional
        The file has none; without them energies are those of LAMMPS, zero for lone atoms.

    Raises
    ------
    FileFormatError
        Naming the line of what is damaged, contradictory or outside the format.
    InputError
        If the file cannot be opened, or isolated_energies has other elements than it.
    """
    blocks = parse_blocks(_text(path), str(path))
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
            terms.append(term)
            coefficients.append(values)
    origin = {"source": "LAMMPS pair_style uf3 file", "file": Path(path).name}
    return SplinePotential(species, tuple(terms), tuple(coefficients), provenance=origin)


def _text(path: str | Path) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"cannot read {path}: {error.strerror}; give the path of a LAMMPS .uf3 file"
        ) from error
    except UnicodeDecodeError as error:
        raise FileFormatError(
            f"{path} is not text (byte {error.start}); expected a LAMMPS .uf3 file"
        ) from error


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
        _require_reach(block.knots, block.cutoff, block, path)
        _require_zero_beyond(block.coefficients, block.knots, block, path)
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
        grid, found = _grid(_ascending(block, path), first, path)
        grids.append(grid)
        values.append(found)
        first += len(found)
    return TripletTerm(species, tuple(grids)), np.concatenate([np.zeros(0), *values])


def _grid(
    block: TripletBlock, first: int, path: str | Path
) -> tuple[TripletGrid, FloatArray]:
    """Return the spline of one trio and its coefficients, numbered from ``first``."""
    knots = (block.knots_ij, block.knots_ik, block.knots_jk)
    along = [np.moveaxis(block.coefficients, axis, -1) for axis in range(3)]
    _require_reach(block.knots_jk, 2.0 * block.cutoff, block, path)
    for axis in (0, 1):
        _require_reach(knots[axis], block.cutoff, block, path)
        _require_zero_beyond(along[axis], knots[axis], block, path)
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
                f"{path}, line {block.line}: {group_name(block.elements)} has two equal "
                "neighbours but coefficients or knots that change when they are swapped; "
                "such a potential has no definite energy"
            )
    return block


def _require_reach(
    knots: FloatArray, cutoff: float, block: Block, path: str | Path
) -> None:
    if knots[-1] < cutoff * (1.0 - ROUNDING):
        raise FileFormatError(
            f"{path}, line {block.line}: knots of {group_name(block.elements)} end at "
            f"{knots[-1]} A, before the cutoff {cutoff} A; expected knots up to the cutoff"
        )


def _require_zero_beyond(
    coefficients: FloatArray, knots: FloatArray, block: Block, path: str | Path
) -> None:
    """Raise unless functions along the last axis end at the cutoff of the block."""
    beyond = knots[DEGREE + 1 :] > block.cutoff * (1.0 + ROUNDING)
    if coefficients[..., beyond].any():
        raise FileFormatError(
            f"{path}, line {block.line}: {group_name(block.elements)} is cut off at "
            f"{block.cutoff} A where it is not zero (its knots end at {knots[-1]} A); "
            "expected a function that ends at its cutoff"
        )


def _distinct(blocks: Sequence[SomeBlock], path: str | Path) -> list[SomeBlock]:
    """Return the blocks by ascending elements; no group of elements twice."""
    found: dict[tuple[int, ...], SomeBlock] = {}
    for block in blocks:
        centre, *others = block.elements
        key = (centre, *sorted(others))
        if isinstance(block, PairBlock):
            key = tuple(sorted(block.elements))
        if key in found:
            raise FileFormatError(
                f"{path}, line {block.line}: {group_name(key)} was defined on line "
                f"{found[key].line} already; keep one of the two blocks"
            )
        found[key] = block
    return [found[key] for key in sorted(found)]
