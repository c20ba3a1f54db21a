"""Orders of frames whose beginnings are fair samples: small sets inside larger ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trimpot.data.duplicates import duplicate_groups

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from trimpot.data.frames import Frame


def nested_order(frames: Sequence[Frame], seed: int) -> NDArray[np.int64]:
    """Return a random order in which every beginning has each group in proportion.

    Frames of the same geometry follow each other. The first n frames are thus a sample
    stratified by ``config_type``, and part of the first m > n.

    Parameters
    ----------
    frames
        Frames to put in order.
    seed
        Same seed, same order.

    Returns
    -------
    (n_frames,) int64
        Indices of the frames.
    """
    generator = np.random.default_rng(seed)
    geometry = duplicate_groups(frames)
    _, first = np.unique(geometry, return_index=True)
    strata: dict[str, list[int]] = {}
    for index in first.tolist():
        strata.setdefault(frames[index].config_type, []).append(int(geometry[index]))
    place: dict[int, float] = {}
    for members in (strata[name] for name in sorted(strata)):
        ranks = generator.permutation(len(members)) + generator.random(len(members))
        place.update(zip(members, (ranks / len(members)).tolist(), strict=True))
    places = np.array([place[group] for group in geometry.tolist()])
    return np.lexsort((geometry, places)).astype(np.int64)
