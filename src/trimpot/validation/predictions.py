"""What a potential says about labelled frames."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from trimpot.engines.singlepoint import check_evaluation, check_structure, evaluate
from trimpot.errors import InputError, TrimpotError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from trimpot.contract import Evaluation, FloatArray, Potential, Structure
    from trimpot.data import Frame

BATCH = 500
"""Frames per call of a batch potential, and per report of progress."""


@dataclass(frozen=True)
class Predictions:
    """Predicted energies, forces and stresses, in the order of the frames.

    Attributes
    ----------
    energies : (s,) float64
        Total energies in eV.
    forces : s arrays (n, 3) float64
        Forces in eV/A.
    stresses : s arrays (3, 3) float64 or None
        Stresses in eV/A^3, tension positive; None for a cell without a volume, or where
        forces are not the gradient of the energy.
    """

    energies: FloatArray
    forces: tuple[FloatArray, ...]
    stresses: tuple[FloatArray | None, ...]

    def __len__(self) -> int:
        return len(self.energies)


@runtime_checkable
class BatchPotential(Protocol):
    """A potential that evaluates many structures in one call, faster than one by one."""

    def evaluate_many(
        self, structures: Sequence[Structure], *, threads: int = 0
    ) -> list[Evaluation]:
        """Return one evaluation per structure; errors as ``Potential.evaluate``."""
        ...


def predict(
    potential: Potential,
    frames: Sequence[Frame],
    *,
    threads: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Predictions:
    """Return what the potential predicts for each frame.

    Potentials that evaluate many structures in one call (``BatchPotential``) do so.

    Parameters
    ----------
    potential
        Any potential.
    frames
        Labelled frames; only their structures are read.
    threads
        Threads of the potential; 0 means all available cores.
    progress
        Called with (frames done, frames in total) after each batch.

    Raises
    ------
    InputError, NonFiniteResultError
        As ``trimpot.engines.evaluate``, naming the frame.
    """
    if threads < 0:
        raise InputError(f"threads is {threads}, expected >= 0 (0: all available cores)")
    energies: list[float] = []
    forces: list[FloatArray] = []
    stresses: list[FloatArray | None] = []
    for start in range(0, len(frames), BATCH):
        batch = frames[start : start + BATCH]
        found = evaluate_batch(potential, batch, start, threads)
        for frame, evaluation in zip(batch, found, strict=True):
            volume = frame.structure.volume
            energies.append(evaluation.energy)
            forces.append(evaluation.forces)
            known = volume > 0.0 and evaluation.conservative
            stresses.append(evaluation.stress(volume) if known else None)
        if progress is not None:
            progress(len(energies), len(frames))
    return Predictions(np.array(energies), tuple(forces), tuple(stresses))


def evaluate_batch(
    potential: Potential, batch: Sequence[Frame], start: int, threads: int
) -> list[Evaluation]:
    """Return evaluations of frames that begin at index ``start``.

    Raises
    ------
    InputError, NonFiniteResultError
        As ``predict``, naming the frame.
    """
    if not isinstance(potential, BatchPotential):
        return [_one(potential, frame, start + k, threads) for k, frame in enumerate(batch)]
    for index, frame in enumerate(batch, start=start):
        with _naming(frame, index):
            check_structure(frame.structure, potential.species)
    try:
        found = potential.evaluate_many([f.structure for f in batch], threads=threads)
    except TrimpotError:
        # the batch cannot say which frame it was: the same frame fails alone
        for index, frame in enumerate(batch, start=start):
            _one(potential, frame, index, threads)
        raise
    for index, (frame, evaluation) in enumerate(
        zip(batch, found, strict=True), start=start
    ):
        with _naming(frame, index):
            check_evaluation(evaluation, frame.structure.numbers)
    return found


def _one(potential: Potential, frame: Frame, index: int, threads: int) -> Evaluation:
    with _naming(frame, index):
        return evaluate(potential, frame.structure, threads=threads)


@contextmanager
def _naming(frame: Frame, index: int) -> Iterator[None]:
    """Let errors say which frame they met."""
    try:
        yield
    except TrimpotError as error:
        place = f"frame {index} ({frame.config_type}, {frame.source})"
        raise type(error)(f"{place}: {error}") from error
