"""Potentials from LAMMPS ``pair_style uf3`` files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trimpot.elements import group_name
from trimpot.errors import FileFormatError
from trimpot.files.uf3_terms import ROUNDING, place, potential_from_blocks
from trimpot.files.uf3_text import PairBlock, TripletBlock, parse_blocks, text_of
from trimpot.splines.knots import DEGREE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimpot.contract import FloatArray
    from trimpot.files.uf3_text import Block
    from trimpot.splines.potential import SplinePotential


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
    blocks = parse_blocks(text_of(path, "a LAMMPS .uf3 file"), str(path))
    for block in blocks:
        if isinstance(block, PairBlock):
            _check_pair(block, path)
        else:
            _check_triplet(block, path)
    origin = {"source": "LAMMPS pair_style uf3 file", "file": Path(path).name}
    return potential_from_blocks(blocks, path, isolated_energies, origin)


def _check_pair(block: PairBlock, path: str | Path) -> None:
    _require_reach(block.knots, block.cutoff, block, path)
    _require_zero_beyond(block.coefficients, block.knots, block, path)


def _check_triplet(block: TripletBlock, path: str | Path) -> None:
    _require_reach(block.knots_jk, 2.0 * block.cutoff, block, path)
    for axis, knots in enumerate((block.knots_ij, block.knots_ik)):
        _require_reach(knots, block.cutoff, block, path)
        along = np.moveaxis(block.coefficients, axis, -1)
        _require_zero_beyond(along, knots, block, path)


def _require_reach(
    knots: FloatArray, cutoff: float, block: Block, path: str | Path
) -> None:
    if knots[-1] < cutoff * (1.0 - ROUNDING):
        raise FileFormatError(
            f"{place(block, path)}: knots of {group_name(block.elements)} end at "
            f"{knots[-1]} A, before the cutoff {cutoff} A; expected knots up to the cutoff"
        )


def _require_zero_beyond(
    coefficients: FloatArray, knots: FloatArray, block: Block, path: str | Path
) -> None:
    """Raise unless functions along the last axis end at the cutoff of the block."""
    beyond = knots[DEGREE + 1 :] > block.cutoff * (1.0 + ROUNDING)
    if coefficients[..., beyond].any():
        raise FileFormatError(
            f"{place(block, path)}: {group_name(block.elements)} is cut off at "
            f"{block.cutoff} A where it is not zero (its knots end at {knots[-1]} A); "
            "expected a function that ends at its cutoff"
        )
