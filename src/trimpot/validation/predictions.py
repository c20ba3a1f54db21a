"""What a potential says about labelled frames."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot.engines.singlepoint import evaluate
from trimpot.errors import InputError, TrimpotError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trimpot.contract import FloatArray, Potential
    from trimpot.data import Frame


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
        Stresses in eV/A^3, tension positive; None for a cell without a volume.
    """

    energies: FloatArray
    forces: tuple[FloatArray, ...]
    stresses: tuple[FloatArray | None, ...]

    def __len__(self) -> int:
        return len(self.energies)


def predict(
    potential: Potential,
    frames: Sequence[Frame],
    *,
    threads: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Predictions:
    """Return what the potential predicts for each frame.

    Parameters
    ----------
    potential
        Any potential.
    frames
        Labelled frames; only their structures are read.
    threads
        Frames evaluated at the same time; 0 means all available cores. Fewer frames
        than threads are evaluated one by one with all threads inside the kernel.
    progress
        Called with (frames done, frames in total) after each frame.

    Raises
    ------
    InputError, NonFiniteResultError
        As ``trimpot.engines.evaluate``, naming the frame.
    """
    if threads < 0:
        raise InputError(f"threads is {threads}, expected >= 0 (0: all available cores)")
    workers = threads or len(os.sched_getaffinity(0))
    inside = workers if len(frames) < workers else 1
    energies = np.empty(len(frames))
    forces: list[FloatArray] = []
    stresses: list[FloatArray | None] = []

    def one(index: int) -> tuple[float, FloatArray, FloatArray | None]:
        return _predict_frame(potential, frames[index], index, inside)

    with ThreadPoolExecutor(1 if inside > 1 else workers) as pool:
        try:
            for index, result in enumerate(pool.map(one, range(len(frames)))):
                energies[index] = result[0]
                forces.append(result[1])
                stresses.append(result[2])
                if progress is not None:
                    progress(index + 1, len(frames))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return Predictions(energies, tuple(forces), tuple(stresses))


def _predict_frame(
    potential: Potential, frame: Frame, index: int, threads: int
) -> tuple[float, FloatArray, FloatArray | None]:
    structure = frame.structure
    try:
        evaluation = evaluate(potential, structure, threads=threads)
    except TrimpotError as error:
        raise type(error)(
            f"frame {index} ({frame.config_type}, {frame.source}): {error}"
        ) from error
    volume = structure.volume
    stress = evaluation.stress(volume) if volume > 0.0 else None
    return evaluation.energy, evaluation.forces, stress
