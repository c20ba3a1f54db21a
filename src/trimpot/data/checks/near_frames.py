"""Find frames of the same atoms that differ by small displacements or small strains."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot.data.distances import complete_cell

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trimpot.contract import FloatArray, Structure
    from trimpot.data.frames import Frame

_DIRECTIONS = 6  # random projections that stand for 3 n coordinates
_NEAREST = 4
_CELL_DIGITS = 4  # of lattice vectors in A: frames with equal cells
_FARTHEST = 0.4  # A that one atom may move between two near frames
_LARGEST_STRAIN = 0.06
_SMALLEST_STRAIN = 1e-4


@dataclass(frozen=True)
class NearPair:
    """Two frames of the same atoms in the same order.

    Attributes
    ----------
    first, second : int
        Indices of the frames.
    moves : (n, 3) float64
        Displacements in angstrom from the first to the second at equal cells, without
        their mean.
    strain : (3, 3) float64
        Symmetric strain from the first cell to the second.
    """

    first: int
    second: int
    moves: FloatArray
    strain: FloatArray


def displaced_pairs(frames: Sequence[Frame]) -> Iterator[NearPair]:
    """Yield pairs with equal cells whose atoms moved by at most 0.4 A."""
    for members in _groups(frames, with_cell=True):
        yield from _pairs_of(frames, members, strained=False)


def strained_pairs(frames: Sequence[Frame]) -> Iterator[NearPair]:
    """Yield pairs of periodic frames whose cells differ by a strain of at most 0.06."""
    periodic = [i for i, f in enumerate(frames) if f.structure.pbc.all()]
    for members in _groups(frames, with_cell=False, among=periodic):
        yield from _pairs_of(frames, members, strained=True)


def _groups(
    frames: Sequence[Frame], *, with_cell: bool, among: Sequence[int] | None = None
) -> list[list[int]]:
    """Return frames of equal atoms, in the same order, with at least two members."""
    groups: dict[bytes, list[int]] = defaultdict(list)
    for index in range(len(frames)) if among is None else among:
        structure = frames[index].structure
        key = structure.numbers.tobytes() + structure.pbc.tobytes()
        if with_cell:
            key += (np.round(structure.cell, _CELL_DIGITS) + 0.0).tobytes()
        groups[key].append(index)
    return [members for members in groups.values() if len(members) > 1]


@dataclass(frozen=True)
class _Placed:
    """A structure with its cell completed, and fractional positions in it."""

    structure: Structure
    cell: FloatArray
    fractional: FloatArray

    @classmethod
    def of(cls, structure: Structure) -> _Placed:
        cell = complete_cell(structure)
        return cls(structure, cell, structure.positions @ np.linalg.inv(cell))


def _pairs_of(
    frames: Sequence[Frame], members: list[int], *, strained: bool
) -> Iterator[NearPair]:
    from scipy.spatial import KDTree  # takes long to import

    placed = [_Placed.of(frames[i].structure) for i in members]
    n = len(placed[0].structure)
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(3 * n, _DIRECTIONS)) / np.sqrt(_DIRECTIONS)
    first = placed[0]
    points = np.array(
        [(_moves(first, b) @ first.cell).ravel() @ directions for b in placed]
    )
    if strained:
        cells = np.array([b.cell.ravel() for b in placed])
        points = np.hstack([points, np.sqrt(n) * cells])
    _, nearest = KDTree(points).query(points, k=min(_NEAREST + 1, len(members)))
    near: list[list[int]] = np.asarray(nearest).tolist()
    pairs = {
        (min(a, b), max(a, b))
        for a, row in enumerate(near)
        for b in row
        if a != b and b < len(members)
    }
    for a, b in sorted(pairs):
        found = _pair(placed[a], placed[b], strained=strained)
        if found is not None:
            yield NearPair(members[a], members[b], *found)


def _moves(a: _Placed, b: _Placed) -> FloatArray:
    """Return fractional displacements from a to b, nearest images, without the mean."""
    moves = b.fractional - a.fractional
    moves -= np.round(moves) * a.structure.pbc
    return np.asarray(moves - moves.mean(axis=0))


def _pair(
    a: _Placed, b: _Placed, *, strained: bool
) -> tuple[FloatArray, FloatArray] | None:
    """Return displacements and strain, or None where the frames are not near."""
    deformation = np.zeros((3, 3))
    if strained:
        deformation = np.linalg.inv(0.5 * (a.cell + b.cell)) @ (b.cell - a.cell)
    strain = 0.5 * (deformation + deformation.T)
    size = float(np.abs(strain).max())
    rotation = float(np.abs(deformation - deformation.T).max())
    if strained and not (
        _SMALLEST_STRAIN < size < _LARGEST_STRAIN and rotation <= size + 0.02
    ):
        return None
    moves = _moves(a, b) @ (0.5 * (a.cell + b.cell))
    if float((moves * moves).sum(axis=1).max()) > _FARTHEST**2:
        return None
    return moves, strain
