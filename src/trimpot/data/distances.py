"""Find atoms that lie on top of each other, in many frames at once."""

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


_DIRECTION = np.array([0.5377, 0.6186, 0.5729])  # generic: no lattice plane is normal to it


def check_distances(frames: Sequence[Frame], min_distance: float) -> None:
    """Raise ``DataError`` for two atoms (or images) closer than ``min_distance``."""
    if not frames or min_distance <= 0.0:
        return
    points, owner, atoms = _points_with_images(frames, min_distance)
    pair = _close_pair(points, owner, min_distance)
    if pair is None:
        return
    first, second = pair
    frame = frames[owner[first]]
    i, j = sorted((int(atoms[first]), int(atoms[second])))
    distance = float(np.linalg.norm(points[first] - points[second]))
    what = f"atom {i} and an image of it" if i == j else f"atoms {i} and {j} (or an image)"
    raise DataError(
        f"{frame.source}: {what} are {distance:.3g} A apart, expected at least "
        f"{min_distance} A; delete the doubled atom or the frame, or lower min_distance if "
        "this is meant"
    )


def _close_pair(
    points: FloatArray, owner: IndexArray, reach: float
) -> tuple[int, int] | None:
    """Return a pair of points of one frame closer than ``reach``, lowest frame first.

    The points are sorted along one direction, the frames one after the other; then only
    points a few places apart in that order can be close.
    """
    along = points @ (_DIRECTION / np.linalg.norm(_DIRECTION))
    along += owner * (np.ptp(along) + 2.0 * reach)
    order = np.argsort(along)
    along = along[order]
    first = np.arange(len(order))
    found: list[tuple[int, int]] = []
    step = 1
    while len(first := first[first < len(order) - step]):
        first = first[along[first + step] - along[first] < reach]
        i, j = order[first], order[first + step]
        close = ((points[i] - points[j]) ** 2).sum(axis=1) < reach**2
        found += zip(i[close].tolist(), j[close].tolist(), strict=True)
        step += 1
    return min(found, key=lambda pair: (owner[pair[0]], *sorted(pair)), default=None)


def _points_with_images(
    frames: Sequence[Frame], reach: float
) -> tuple[FloatArray, IndexArray, IndexArray]:
    """Return wrapped atoms plus images just outside upper faces, their frame and atom."""
    structures = [frame.structure for frame in frames]
    cells = np.array([complete_cell(structure) for structure in structures])
    inverses = np.linalg.inv(cells)
    # |column k of the inverse| is 1 / (distance of the faces k)
    margins = reach * np.sqrt((inverses * inverses).sum(axis=1))
    pbc = np.array([structure.pbc for structure in structures])
    owner = np.repeat(np.arange(len(frames)), [len(s) for s in structures])
    positions = np.concatenate([structure.positions for structure in structures])
    fractional = np.einsum("ni,nik->nk", positions, inverses[owner])
    fractional -= np.floor(fractional) * pbc[owner]
    atoms = np.concatenate([np.arange(len(structure)) for structure in structures])
    for axis in range(3):
        near = pbc[owner, axis] & (fractional[:, axis] < margins[owner, axis])
        images = fractional[near]
        images[:, axis] += 1.0
        fractional = np.concatenate([fractional, images])
        owner = np.concatenate([owner, owner[near]])
        atoms = np.concatenate([atoms, atoms[near]])
    return np.einsum("nk,nki->ni", fractional, cells[owner]), owner, atoms


def complete_cell(structure: Structure) -> FloatArray:
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
