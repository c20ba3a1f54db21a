"""Find frames with the same geometry."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from trimpot.data.frames import Frame

_DIGITS = 5  # of positions and cells in A: printed digits of one geometry may differ after


def duplicate_groups(frames: Sequence[Frame]) -> NDArray[np.int64]:
    """Return one number per frame, equal for frames with the same geometry.

    Same means: total charge, cell, periodic directions and the set of (element, position)
    agree, the last to 1e-5 A; the order of the atoms does not matter, and labels are not
    compared. Groups are numbered by first occurrence.

    Returns
    -------
    (n_frames,) int64
    """
    first: dict[bytes, int] = {}
    return np.array([first.setdefault(_geometry(frame), len(first)) for frame in frames])


def _geometry(frame: Frame) -> bytes:
    """Return a digest of the geometry, independent of the order of the atoms."""
    structure = frame.structure
    rows = np.column_stack([structure.numbers, structure.positions])
    rows = np.round(rows, _DIGITS) + 0.0  # + 0.0 makes -0.0 equal to 0.0
    rows = rows[np.lexsort(rows.T)]
    digest = hashlib.blake2b(rows.tobytes(), digest_size=16)
    digest.update((np.round(structure.cell, _DIGITS) + 0.0).tobytes())
    digest.update(np.asarray(structure.pbc, dtype=np.bool_).tobytes())
    digest.update(f"{structure.charge}".encode())
    return digest.digest()
