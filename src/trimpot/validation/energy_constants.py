"""Constants per element that bring energies with another zero beside the labels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from trimpot.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trimpot.contract import FloatArray
    from trimpot.data import Frame
    from trimpot.validation.predictions import Predictions


def fitted_constants(predictions: Predictions, frames: Sequence[Frame]) -> dict[int, float]:
    """Return eV per atom of each element that bring energies nearest to the labels.

    Least squares of the errors per atom; of elements that always come in the same
    proportion, the smallest constants.

    Raises
    ------
    DataError
        If no frame has an energy.
    """
    known = [k for k, f in enumerate(frames) if f.energy is not None and len(f.structure)]
    if not known:
        raise DataError(
            "constants of energies are to be fitted, but no frame has an energy; leave "
            "that out, or name the key of energies"
        )
    species = sorted({int(z) for k in known for z in set(frames[k].structure.numbers)})
    shares = _counts(frames, species)[known]
    atoms = shares.sum(axis=1)
    labels = np.array([frames[k].energy for k in known], dtype=np.float64)
    apart = (labels - predictions.energies[known]) / atoms
    found, *_ = np.linalg.lstsq(shares / atoms[:, None], apart, rcond=None)
    return dict(zip(species, found.tolist(), strict=True))


def shifted(
    predictions: Predictions, frames: Sequence[Frame], constants: Mapping[int, float]
) -> Predictions:
    """Return predictions with energies moved by a constant per atom of each element."""
    counts = _counts(frames, list(constants))
    energies = predictions.energies + counts @ np.array(list(constants.values()))
    return replace(predictions, energies=energies)


def _counts(frames: Sequence[Frame], species: Sequence[int]) -> FloatArray:
    """Return atoms of each element, (frames, species)."""
    return np.array(
        [[np.count_nonzero(f.structure.numbers == z) for z in species] for f in frames],
        dtype=np.float64,
    )
