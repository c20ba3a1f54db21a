"""From leverages to variances."""

from __future__ import annotations

import numpy as np
import pytest

from trimpot.uncertainty.calibration import variances


def errors_with(constant, factor, n=20_000, seed=0):
    rng = np.random.default_rng(seed)
    leverages = rng.exponential(size=n) * 1e4
    return rng.normal(size=n) * np.sqrt(constant + factor * leverages), leverages


def test_variances_of_normal_errors_are_found():
    constant, factor = variances(*errors_with(1e-3, 5e-7))
    assert constant == pytest.approx(1e-3, rel=0.1)
    assert factor == pytest.approx(5e-7, rel=0.1)


@pytest.mark.parametrize("draw", [np.random.Generator.laplace, np.random.Generator.normal])
def test_intervals_cover_95_percent_whatever_the_distribution(draw):
    rng = np.random.default_rng(5)
    leverages = rng.exponential(size=40_000)
    errors = draw(rng, size=40_000) * np.sqrt(0.5 + leverages)
    constant, factor = variances(errors[:20_000], leverages[:20_000])
    sigma = np.sqrt(constant + factor * leverages[20_000:])
    covered = np.mean(np.abs(errors[20_000:]) < 1.96 * sigma)
    assert 0.94 < covered < 0.96


def test_units_of_errors_and_leverages_do_not_matter():
    errors, leverages = errors_with(1e-3, 5e-7, n=2000)
    constant, factor = variances(errors, leverages)
    again = variances(1000.0 * errors, 1e-6 * leverages)
    np.testing.assert_allclose(again, (1e6 * constant, 1e12 * factor), rtol=1e-3)


def test_few_errors_give_no_variance():
    assert variances(np.ones(19), np.ones(19)) == (0.0, 0.0)


def test_errors_of_zero_give_finite_variances():
    found = variances(np.zeros(50), np.zeros(50))
    assert np.isfinite(found).all()


def test_intervals_cover_95_percent_of_errors_without_tails():
    rng = np.random.default_rng(5)
    leverages = rng.exponential(size=40_000)
    errors = rng.uniform(-1, 1, size=40_000) * np.sqrt(0.5 + leverages)
    constant, factor = variances(errors[:20_000], leverages[:20_000])
    sigma = np.sqrt(constant + factor * leverages[20_000:])
    covered = np.mean(np.abs(errors[20_000:]) < 1.96 * sigma)
    assert 0.94 < covered < 0.96
