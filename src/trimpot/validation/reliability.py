"""Whether a potential's own uncertainties and grades tell its errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot.contract import GradedPotential
from trimpot.validation.comparisons import QUANTITIES, Comparison, compare
from trimpot.validation.predictions import Predictions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trimpot.contract import FloatArray, Potential, Uncertainty
    from trimpot.data import Frame
    from trimpot.validation.comparisons import Quantity

DEVIATIONS = 1.96
"""Half the width of a 95 % interval, in standard deviations."""

MOST_ATOMS = 5_000
"""Atoms of the frames that are looked at, unless all are asked for."""

EDGE = 1.0
"""Grade of the edge of the training data."""


@dataclass(frozen=True)
class Spread:
    """Errors of one quantity beside the standard deviations that were predicted.

    Attributes
    ----------
    quantity : str
        Units as in ``Comparison``.
    errors, sigmas : (v,) float64
    """

    quantity: Quantity
    errors: FloatArray
    sigmas: FloatArray

    @property
    def coverage(self) -> float:
        """Share of the errors within the 95 % interval."""
        return float(np.mean(np.abs(self.errors) <= DEVIATIONS * self.sigmas))


@dataclass(frozen=True)
class Reliability:
    """How well errors are foretold on some frames.

    Attributes
    ----------
    spreads : tuple of Spread
        Of quantities with labels and uncertainties. Forces of lone atoms in a cell, zero
        for any potential, are left out.
    indices : (f,) int64
        Which of the frames were looked at.
    grades : (f,) float64
        Largest extrapolation grade in each of them.
    atoms : (f,) int64
        The atom that has it.
    """

    spreads: tuple[Spread, ...]
    indices: np.ndarray
    grades: FloatArray
    atoms: np.ndarray

    @property
    def outside(self) -> float:
        """Share of the frames beyond the edge of the training data."""
        return float(np.mean(self.grades > EDGE))

    def to_dict(self) -> dict[str, object]:
        """Return the numbers for files; an infinite grade is None."""
        farthest = np.argsort(-self.grades, kind="stable")[:10]
        return {
            "frames": len(self.grades),
            "coverage_of_95_percent_intervals": {
                s.quantity: s.coverage for s in self.spreads
            },
            "share_of_frames_with_grade_above_1": self.outside,
            "farthest": [
                {
                    "frame": int(self.indices[k]),
                    "atom": int(self.atoms[k]),
                    "grade": float(g) if np.isfinite(g := self.grades[k]) else None,
                }
                for k in farthest
            ],
        }


def reliability(
    potential: Potential,
    frames: Sequence[Frame],
    predictions: Predictions,
    *,
    most_atoms: int = MOST_ATOMS,
    threads: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Reliability | None:
    """Return how well errors are foretold; None if the potential foretells none.

    Parameters
    ----------
    predictions
        Of the potential on these frames.
    most_atoms
        Frames are taken at random, always the same, with about so many atoms.
    progress
        Called with (frames done, frames in total).
    """
    if not isinstance(potential, GradedPotential) or not frames:
        return None
    chosen = _some(frames, most_atoms)
    found: list[Uncertainty] = []
    for start in range(0, len(chosen), 50):
        some = [frames[i].structure for i in chosen[start : start + 50]]
        more = potential.uncertainties(some, threads=threads)
        if more is None:
            return None
        found += more
        if progress is not None:
            progress(len(found), len(chosen))
    mine = [frames[i] for i in chosen]
    given, sigmas = _chosen(predictions, chosen), _sigmas(found)
    spreads = [
        _spread(compare(given, mine, q), compare(sigmas, mine, q), mine)
        for q in QUANTITIES
        if _known(found, q)
    ]
    return Reliability(
        tuple(s for s in spreads if len(s.errors)),
        chosen,
        np.array([u.grades.max() for u in found]),
        np.array([int(u.grades.argmax()) for u in found]),
    )


def _some(frames: Sequence[Frame], most_atoms: int) -> np.ndarray:
    """Return the indices of random frames."""
    order = np.random.default_rng(0).permutation(len(frames))
    ends = np.cumsum([len(frames[i].structure) for i in order])
    return np.sort(order[: int(np.searchsorted(ends, most_atoms)) + 1])


def _chosen(predictions: Predictions, chosen: np.ndarray) -> Predictions:
    return Predictions(
        predictions.energies[chosen],
        tuple(predictions.forces[i] for i in chosen),
        tuple(predictions.stresses[i] for i in chosen),
    )


def _sigmas(found: Sequence[Uncertainty]) -> Predictions:
    """Return standard deviations in the form of predictions; unknown ones are zero."""
    return Predictions(
        np.array([0.0 if u.energy is None else u.energy for u in found]),
        tuple(
            np.zeros((len(u.grades), 3)) if u.forces is None else u.forces for u in found
        ),
        tuple(np.zeros((3, 3)) if u.stress is None else u.stress for u in found),
    )


def _known(found: Sequence[Uncertainty], quantity: Quantity) -> bool:
    return any(getattr(u, quantity) is not None for u in found)


def _spread(given: Comparison, sigmas: Comparison, frames: Sequence[Frame]) -> Spread:
    """Return errors and standard deviations of the values that can be wrong."""
    sizes = np.array([len(f.structure) for f in frames])
    counts = np.full(len(given.frame), True)
    if given.quantity == "forces":
        counts = sizes[given.frame] > 1
    return Spread(given.quantity, given.residual[counts], sigmas.predicted[counts])
