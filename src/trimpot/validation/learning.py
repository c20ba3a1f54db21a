"""Errors against the number of training frames: what more data would bring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from trimpot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.contract import FloatArray

LAST_SIZES = 3
"""Sizes at the end of a curve that tell its slope."""

LEAST_SPREAD = 0.01
"""Relative spread of an error that was measured once, or by chance without any."""

CLEAR_GAIN, SMALL_GAIN = 0.10, 0.03
"""Shares by which errors fall with twice the frames: clearly above the first, hardly below
the second."""

Verdict = Literal["falls", "falls slowly", "levels off", "unclear"]


@dataclass(frozen=True)
class LearningCurve:
    """Errors of one quantity over growing training sets.

    Attributes
    ----------
    quantity, unit : str
        For people.
    frames : tuple of int
        Sizes, ascending.
    train, test : tuples of tuples of float
        Errors per size, one per random subset.
    """

    quantity: str
    unit: str
    frames: tuple[int, ...]
    train: tuple[tuple[float, ...], ...]
    test: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        sizes = {len(self.frames), len(self.train), len(self.test)}
        if (
            len(sizes) != 1
            or not all(self.test)
            or list(self.frames) != sorted(self.frames)
        ):
            raise InputError(
                f"learning curve of {self.quantity}: expected ascending sizes with errors "
                f"for each, found {self.frames} and {self.test}"
            )


@dataclass(frozen=True)
class Trend:
    """How an error falls at the end of a curve: as a power of the number of frames.

    Attributes
    ----------
    exponent, error : float
        Of the power law and its standard error; negative: the error falls.
    sizes : int
        Sizes that tell it.
    gain : float
        Share by which twice as many frames would lower the error.
    verdict : {"falls", "falls slowly", "levels off", "unclear"}
    """

    exponent: float
    error: float
    sizes: int
    gain: float
    verdict: Verdict


def means(errors: Sequence[Sequence[float]]) -> FloatArray:
    """Return the mean of each size, (k,)."""
    return np.array([np.mean(e) for e in errors])


def spreads(errors: Sequence[Sequence[float]]) -> FloatArray:
    """Return the standard deviation among subsets of each size, (k,); NaN for one."""
    return np.array([np.std(e, ddof=1) if len(e) > 1 else np.nan for e in errors])


def trend(curve: LearningCurve) -> Trend | None:
    r"""Return the power law of the test errors at the largest sizes; None for one size.

    A weighted straight line through :math:`\ln e` over :math:`\ln n`; each point has the
    standard error of its mean over subsets. The largest size, which has one subset, has the
    relative spread of the others.
    """
    k = min(LAST_SIZES, len(curve.frames))
    if k < 2:
        return None
    tests = curve.test[-k:]
    mean, spread = means(tests), spreads(tests)
    if not (mean > 0.0).all():
        return None
    known = spread[np.isfinite(spread)] / mean[np.isfinite(spread)]
    usual = max([LEAST_SPREAD, *known.tolist()])
    relative = np.where(np.isfinite(spread), spread / mean, usual)
    counts = np.array([len(e) for e in tests])
    sigma = np.maximum(relative, LEAST_SPREAD) / np.sqrt(counts)
    slope, error = _line(np.log(np.array(curve.frames[-k:])), np.log(mean), sigma)
    gain = 1.0 - 2.0**slope
    return Trend(slope, error, k, gain, _verdict(slope, error, gain))


def _line(x: FloatArray, y: FloatArray, sigma: FloatArray) -> tuple[float, float]:
    """Return the slope of the weighted line and its standard error."""
    weight = sigma**-2.0
    centred = x - (weight @ x) / weight.sum()
    square = float(weight @ centred**2)
    return float(weight @ (centred * y)) / square, square**-0.5


def _verdict(slope: float, error: float, gain: float) -> Verdict:
    if gain < SMALL_GAIN:
        # a gain that may still be clear within two standard errors is not excluded
        return (
            "levels off" if 1.0 - 2.0 ** (slope - 2.0 * error) < CLEAR_GAIN else "unclear"
        )
    if abs(slope) < 2.0 * error:
        return "unclear"
    return "falls" if gain >= CLEAR_GAIN else "falls slowly"


def verdict_line(curve: LearningCurve) -> str:
    """Return what the curve means for the next step, in words."""
    found = trend(curve)
    train, test = means(curve.train)[-1], means(curve.test)[-1]
    at_the_end = (
        f"(at {curve.frames[-1]} frames: train {train:.3g}, test {test:.3g} {curve.unit})"
    )
    if found is None:
        return f"{curve.quantity}: one size tells no trend {at_the_end}"
    law = f"n^{found.exponent:.2f} ± {found.error:.2f} over the last {found.sizes} sizes"
    twice = f"twice as many frames would lower them by about {found.gain:.0%}"
    texts: dict[Verdict, str] = {
        "falls": f"errors still fall as {law}: more data will help, {twice}",
        "falls slowly": f"errors fall slowly, as {law}: {twice}",
        "levels off": f"errors level off ({law}): the model limits; finer knots, longer "
        "cutoffs or further terms can help, more frames of this kind cannot",
        "unclear": f"the trend ({law}) drowns in the spread among subsets: use more "
        "repeats or more sizes",
    }
    return f"{curve.quantity}: {texts[found.verdict]} {at_the_end}"
