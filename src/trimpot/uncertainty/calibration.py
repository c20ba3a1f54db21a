"""How leverage becomes an error: variances calibrated on held-out frames.

The leverage of a row a is h = a^T H^-1 a, H the normal equations of the fit. The error of
its prediction has about the variance c0 + c1 h: c0 for what the model cannot describe, c1 h
for what the data do not determine. Both maximise the likelihood of the errors on frames
that a fold holds out; then one factor makes 95 % of these errors lie within 1.96 standard
deviations. Theory: docs/theory/uncertainty.md, eqs. 5-7.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize

if TYPE_CHECKING:
    from trimpot.contract import FloatArray

COVERED, DEVIATIONS = 0.95, 1.96
"""Share of the errors within so many standard deviations."""

FEWEST = 20
"""Held-out values of a quantity: below, its 95th percentile means nothing."""


def variances(errors: FloatArray, leverages: FloatArray) -> tuple[float, float]:
    """Return (c0, c1); zeros where there are fewer than 20 errors.

    Parameters
    ----------
    errors : (n,) float64
        Of held-out values.
    leverages : (n,) float64
        Of their rows, in the fit without them.
    """
    if len(errors) < FEWEST:
        return 0.0, 0.0
    mean = max(float(np.mean(leverages)), np.finfo(np.float64).tiny)
    square = max(float(np.mean(errors**2)), np.finfo(np.float64).tiny)
    features = np.stack([np.ones_like(leverages), leverages / mean])
    squares = errors**2 / square

    def loss(logs: FloatArray) -> tuple[float, FloatArray]:
        shares = np.exp(logs)
        variance = shares @ features
        slope = 0.5 * (1.0 - squares / variance) / variance
        value = np.mean(0.5 * np.log(variance) + 0.5 * squares / variance)
        return float(value), np.asarray(features @ slope * shares / len(squares))

    start = np.log([0.5, 0.5])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(-25.0, 25.0)] * 2)
    constant, factor = np.exp(found.x)
    scaled = np.sqrt(squares / (constant + factor * features[1]))
    quantile = float(np.quantile(scaled, COVERED, method="higher"))
    unit = square * (max(quantile, 1e-6) / DEVIATIONS) ** 2
    return float(unit * constant), float(unit * factor / mean)
