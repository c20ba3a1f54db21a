"""Closest atoms of every frame, and which atoms must feel a force."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trimpot.data.checks import Contact
from trimpot.elements import SYMBOLS, covalent_radius
from trimpot.errors import InputError
from trimpot.neighbors import neighborhood

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trimpot.contract import BoolArray, Neighborhood, Structure
    from trimpot.data import Frame

_RADII = np.array([1.5] + [covalent_radius(z) for z in range(1, len(SYMBOLS))])
_REACH = 2.1  # radii: lengths taken in the wrong unit, bohr for angstrom, are still seen
_FARTHEST = 8.0  # A
_SHELL = 1.4  # radii: neighbours whose directions count
_DIRECTED = 0.02  # length of the sum of directions: less is noise of positions
_MOST_NEIGHBORS = 300
_NEAREST = 0.3  # A
_STAGE = 500


def contacts(
    frames: Sequence[Frame], progress: Callable[[int, int], None] | None = None
) -> list[Contact]:
    """Return the closest atoms of each frame."""
    found = []
    for done, frame in enumerate(frames, start=1):
        found.append(contact(frame))
        if progress is not None and (done % _STAGE == 0 or done == len(frames)):
            progress(done, len(frames))
    return found


def contact(frame: Frame) -> Contact:
    """Return the closest atoms of a frame."""
    structure = frame.structure
    try:
        hood = neighborhood(structure, _reach(structure))
    except InputError as error:  # lattice vectors or positions beyond what can be counted
        return Contact(np.inf, np.inf, problem=f"{frame.source}: {error}")
    i = np.repeat(np.arange(hood.n_local), np.diff(hood.first))
    j = hood.neighbors
    if len(j) == 0:
        return Contact(np.inf, np.inf)
    d_pc = hood.positions[j] - hood.positions[i]
    r = np.sqrt((d_pc * d_pc).sum(axis=1))
    ratio = r / (_RADII[hood.numbers[i]] + _RADII[hood.numbers[j]])
    at = int(np.argmin(ratio))
    still = _still(frame)
    directed = _directed(hood, i, d_pc, ratio) & still if still.any() else still
    whole = bool(still.all())
    return Contact(
        float(r.min()),
        float(ratio[at]),
        (int(i[at]), int(hood.owners[j[at]])),
        asymmetric=whole and bool(directed.any()),
        frozen=0 if whole else int(directed.sum()),
    )


def _reach(structure: Structure) -> float:
    """Return how far to look, not so far that dense cells have too many neighbours."""
    far = min(2.0 * _REACH * float(_RADII[structure.numbers].max()), _FARTHEST)
    if not structure.pbc.all():
        return far
    space = 0.75 / np.pi * _MOST_NEIGHBORS * structure.volume / len(structure)
    return float(max(min(far, space ** (1.0 / 3.0)), _NEAREST))


def _still(frame: Frame) -> BoolArray:
    """Return which atoms have forces of exactly 0."""
    if frame.forces is None:
        return np.zeros(len(frame), dtype=np.bool_)
    return np.asarray(~frame.forces.any(axis=1))


def _directed(
    hood: Neighborhood, i: np.ndarray, d_pc: np.ndarray, ratio: np.ndarray
) -> BoolArray:
    """Return atoms whose neighbours pull in a direction: no symmetry forbids a force."""
    weight = np.clip(1.0 - ratio / _SHELL, 0.0, None) ** 2
    pull = weight[:, None] * d_pc / np.maximum(np.linalg.norm(d_pc, axis=1), 1e-9)[:, None]
    total = np.zeros((hood.n_local, 3))
    np.add.at(total, i, pull)
    norm = np.bincount(i, weights=weight, minlength=hood.n_local)
    return np.asarray(np.linalg.norm(total, axis=1) > _DIRECTED * np.maximum(norm, 1e-3))
