"""Ranges of the training data: where terms with bounded arguments begin to saturate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trimpot import _native

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.splines.packing import PackedFrames
    from trimpot.splines.term import Term


def bounded_terms(
    terms: Sequence[Term], frames: PackedFrames, *, threads: int = 0
) -> tuple[Term, ...]:
    """Return the terms with their arguments bounded by the largest of these frames."""
    found = []
    for term in terms:
        if not term.n_limits:
            found.append(term)
            continue
        largest = np.empty((len(frames.species_numbers), term.n_limits))
        _native.ranges(
            term.native(None),
            frames.offsets,
            frames.positions,
            frames.species,
            frames.cells,
            frames.pbc,
            largest,
            threads,
        )
        found.append(term.with_limits(largest))
    return tuple(found)
