import numpy as np
import pytest

from trimpot.engines.md_statistics import average, correlated, drift
from trimpot.errors import InputError


def remembering(n, memory, rng):
    """First-order autoregressive noise of unit variance."""
    values = rng.normal(size=n)
    for k in range(1, n):
        values[k] = memory * values[k - 1] + np.sqrt(1 - memory**2) * values[k]
    return values


@pytest.mark.parametrize("memory", [0.0, 0.8])
def test_weight_of_correlated_values(memory):
    values = remembering(40_000, memory, np.random.default_rng(1))
    assert correlated(values) == pytest.approx((1 + memory) / (1 - memory), rel=0.15)


def test_constant_and_alternating_values_weigh_one():
    assert correlated(np.full(20, 3.0)) == 1.0
    assert correlated(np.tile([1.0, -1.0], 50)) == 1.0


def test_standard_errors_cover_the_truth():
    rng = np.random.default_rng(2)
    time_fs = np.arange(1000) * 10.0
    means, slopes = [], []
    for _ in range(60):
        noise = remembering(1000, 0.7, rng)
        found = average(noise + 5.0)
        means.append((found.mean - 5.0) / found.error)
        line = drift(time_fs, 1e-3 * noise + 2e-7 * time_fs - 9.0)
        slopes.append((line.slope - 0.2) / line.error)
        assert line.fluctuation == pytest.approx(1.0, abs=0.25)
    for deviations in (means, slopes):
        assert np.std(deviations) == pytest.approx(1.0, abs=0.3)


def test_few_values_have_no_error():
    assert np.isnan(average(np.arange(5.0)).error)
    with pytest.raises(InputError, match="at least 10"):
        drift(np.arange(9.0), np.arange(9.0))
