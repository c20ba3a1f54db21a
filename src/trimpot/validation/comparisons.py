"""Predictions beside reference labels, one comparison per quantity.

Units of comparisons: energies in eV/atom, forces in eV/A, stresses in GPa.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from trimpot.errors import DataError, InputError
from trimpot.units import GPA_PER_EV_PER_A3

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from trimpot.contract import FloatArray, IntArray
    from trimpot.data import Frame
    from trimpot.validation.predictions import Predictions

Quantity = Literal["energy", "forces", "stress"]
QUANTITIES: tuple[Quantity, ...] = ("energy", "forces", "stress")

VOIGT_ROWS = (0, 1, 2, 1, 0, 0)
VOIGT_COLUMNS = (0, 1, 2, 2, 2, 1)


@dataclass(frozen=True)
class Comparison:
    """Reference and predicted values of one quantity, flat.

    Attributes
    ----------
    quantity : str
        ``energy`` (eV/atom), ``forces`` (eV/A, each component) or ``stress`` (GPa, six
        Voigt components).
    reference, predicted : (v,) float64
        Values.
    frame : (v,) int64
        Index of the frame that each value belongs to.
    numbers : (v,) int32
        Atomic number of the atom that each value belongs to; 0 except for forces.
    missing : int
        Frames without this label, left out; all frames for a stress that the potential
        does not have.
    """

    quantity: Quantity
    reference: FloatArray
    predicted: FloatArray
    frame: NDArray[np.int64]
    numbers: IntArray
    missing: int

    @property
    def residual(self) -> FloatArray:
        """Predicted minus reference, (v,)."""
        return self.predicted - self.reference


def compare(
    predictions: Predictions, frames: Sequence[Frame], quantity: Quantity
) -> Comparison:
    """Return predictions beside labels; frames without the label are left out, counted.

    Raises
    ------
    InputError
        If predictions and frames are not equally many, or the quantity is unknown.
    DataError
        If a frame has a stress label but its cell has no volume.
    """
    if len(predictions) != len(frames):
        raise InputError(
            f"found {len(predictions)} predictions for {len(frames)} frames; "
            "predict the same frames that are compared"
        )
    if quantity not in QUANTITIES:
        raise InputError(f"unknown quantity {quantity!r}; use one of {QUANTITIES}")
    pairs = [_pair(predictions, frame, s, quantity) for s, frame in enumerate(frames)]
    found = [(s, *pair) for s, pair in enumerate(pairs) if pair is not None]
    empty = np.zeros(0)
    numbers = [
        np.repeat(frames[s].structure.numbers, 3)
        if quantity == "forces"
        else np.zeros(len(reference), dtype=np.int32)
        for s, reference, _ in found
    ]
    return Comparison(
        quantity=quantity,
        reference=np.concatenate([empty, *(reference for _, reference, _ in found)]),
        predicted=np.concatenate([empty, *(predicted for _, _, predicted in found)]),
        frame=np.repeat(
            np.array([s for s, _, _ in found], dtype=np.int64),
            np.array([len(reference) for _, reference, _ in found], dtype=np.int64),
        ),
        numbers=np.concatenate([np.zeros(0, dtype=np.int32), *numbers]),
        missing=len(frames) - len(found),
    )


def _pair(
    predictions: Predictions, frame: Frame, index: int, quantity: Quantity
) -> tuple[FloatArray, FloatArray] | None:
    """Return reference and predicted values, or None without the label."""
    if quantity == "energy":
        atoms = len(frame.structure)
        if frame.energy is None or atoms == 0:
            return None
        predicted = predictions.energies[index]
        return np.array([frame.energy / atoms]), np.array([predicted / atoms])
    if quantity == "forces":
        if frame.forces is None:
            return None
        return np.ravel(frame.forces), np.ravel(predictions.forces[index])
    if frame.stress is None:
        return None
    stress = predictions.stresses[index]
    if stress is None and frame.structure.volume > 0.0:
        return None  # the potential has no stress, see Evaluation.conservative
    if stress is None:
        raise DataError(
            f"frame {index} ({frame.config_type}, {frame.source}) has a stress label but "
            "a cell without a volume; remove the label or give the cell"
        )
    return _voigt_gpa(frame.stress), _voigt_gpa(stress)


def _voigt_gpa(stress: FloatArray) -> FloatArray:
    values: FloatArray = stress[VOIGT_ROWS, VOIGT_COLUMNS] * GPA_PER_EV_PER_A3
    return values
