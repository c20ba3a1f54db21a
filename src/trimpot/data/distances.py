"""Find atoms that lie on top of each other, in all frames at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trimpot.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from trimpot.contract import FloatArray, Structure
    from trimpot.data.frames import Frame

    IndexArray = NDArray[np.intp]


def check_distances(frames: Sequence[Frame], min_distance: float) -> None:
    """Raise ``DataError`` for two atoms (or images) closer than ``min_distance``.

    All frames go into one tree: the frame number is a fourth coordinate, so that atoms
    of different frames are never close.
    """
    from scipy.spatial import KDTree  # costs 0.1 s: only readers pay

    if not frames or min_distance <= 0.0:
        return
    points, atoms = _points_with_images(frames, min_distance)
    tree = KDTree(points, balanced_tree=False, compact_nodes=False)
    pairs = tree.query_pairs(min_distance, output_type="ndarray")
    if not len(pairs):
        return
    first, second = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))[0]]
    sizes = np.array([len(frame) for frame in frames])
    starts = np.cumsum(sizes) - sizes
    number = int(np.searchsorted(starts, atoms[first], side="right")) - 1
    i, j = (int(atoms[k] - starts[number]) for k in (first, second))
    distance = float(np.linalg.norm(points[first] - points[second]))
    what = f"atom {i} and an image of it" if i == j else f"atoms {i} and {j} (or an image)"
    raise DataError(
        f"{frames[number].source}: {what} are {distance:.3g} A apart, expected at least "
        f"{min_distance} A; delete the doubled atom or the frame, or lower min_distance if "
        "this is meant"
    )


def _points_with_images(
    frames: Sequence[Frame], reach: float
) -> tuple[FloatArray, IndexArray]:
    """Return wrapped atoms plus images just outside upper faces, as (n, 4), and owners.

    The fourth coordinate separates the frames; an owner is an atom counted through all
    frames.
    """
    structures = [frame.structure for frame in frames]
    cells = np.array([_complete_cell(structure) for structure in structures])
    inverses = np.linalg.inv(cells)
    # |column k of the inverse| is 1 / (distance of the faces k)
    margins = reach * np.sqrt((inverses * inverses).sum(axis=1))
    pbc = np.array([structure.pbc for structure in structures])
    owner = np.repeat(np.arange(len(frames)), [len(s) for s in structures])
    positions = np.concatenate([structure.positions for structure in structures])
    fractional = np.einsum("ni,nik->nk", positions, inverses[owner])
    fractional -= np.floor(fractional) * pbc[owner]
    atoms = np.arange(len(positions))
    for axis in range(3):
        near = pbc[owner, axis] & (fractional[:, axis] < margins[owner, axis])
        images = fractional[near]
        images[:, axis] += 1.0
        fractional = np.concatenate([fractional, images])
        owner = np.concatenate([owner, owner[near]])
        atoms = np.concatenate([atoms, atoms[near]])
    points = np.empty((len(fractional), 4))
    points[:, :3] = np.einsum("nk,nki->ni", fractional, cells[owner])
    points[:, 3] = owner * (10.0 * reach)
    return points, atoms


def _complete_cell(structure: Structure) -> FloatArray:
    """Return the cell with unit vectors across the periodic ones where not periodic."""
    periodic = structure.pbc
    if periodic.all():
        return structure.cell
    cell = np.eye(3)
    if periodic.any():
        _, _, rows = np.linalg.svd(structure.cell[periodic])
        cell[periodic] = structure.cell[periodic]
        cell[~periodic] = rows[int(periodic.sum()) :]
    return cell
