"""Ranges of the training data: where terms with bounded arguments begin to saturate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trimpot import _native

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.contract import FloatArray
    from trimpot.splines.packing import PackedFrames
    from trimpot.splines.term import Term


MARGIN, FLOOR = 1.25, 0.25
"""Limits are this many times the largest of the data, and a quarter of a neighbour more:
functions that the data hardly touch would else saturate at once, and nothing but a large
coefficient could make them felt."""


def bounded_terms(
    terms: Sequence[Term], frames: PackedFrames, *, threads: int = 0
) -> tuple[Term, ...]:
    """Return the terms with their arguments bounded a little beyond these frames."""
    found = []
    for term in terms:
        if term.n_limits:
            largest = largest_arguments(term, frames, threads=threads)
            found.append(term.with_limits(MARGIN * largest + FLOOR))
        else:
            found.append(term)
    return tuple(found)


def largest_arguments(term: Term, frames: PackedFrames, *, threads: int = 0) -> FloatArray:
    """Return the largest of each bounded argument, (s, n_limits), by central species."""
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
    return largest
