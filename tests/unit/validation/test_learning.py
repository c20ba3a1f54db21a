"""Trends of learning curves: a power law is told from a floor and from noise."""

import numpy as np
import pytest

from trimpot.errors import InputError
from trimpot.reports.learning import learning_table, plot_learning
from trimpot.validation.learning import LearningCurve, trend, verdict_line

SIZES = (32, 64, 128, 256, 512, 1024)


def curve(law, *, spread=0.01, repeats=3, seed=0):
    rng = np.random.default_rng(seed)
    test = tuple(
        tuple(law(n) * (1.0 + spread * rng.normal(size=1 if n == SIZES[-1] else repeats)))
        for n in SIZES
    )
    train = tuple(tuple(0.9 * e for e in errors) for errors in test)
    return LearningCurve("energy", "meV/atom", SIZES, train, test)


@pytest.mark.parametrize("seed", range(5))
def test_a_power_law_is_found_and_still_falls(seed):
    found = trend(curve(lambda n: 80.0 * n**-0.4, seed=seed))
    assert found.exponent == pytest.approx(-0.4, abs=3 * found.error)
    assert found.error < 0.03
    assert found.verdict == "falls"
    assert found.gain == pytest.approx(1 - 2**-0.4, abs=0.05)
    line = verdict_line(curve(lambda n: 80.0 * n**-0.4, seed=seed))
    assert "more data will help" in line
    assert "meV/atom" in line


@pytest.mark.parametrize("seed", range(5))
def test_a_floor_levels_off(seed):
    found = trend(curve(lambda n: 20.0 + 300.0 * n**-1.0, spread=0.003, seed=seed))
    assert found.verdict in {"levels off", "falls slowly"}
    flat = curve(lambda _: 20.0, seed=seed)
    assert trend(flat).verdict == "levels off"
    assert "the model limits" in verdict_line(flat)


def test_a_slow_fall_is_called_slow():
    assert trend(curve(lambda n: n**-0.09, spread=0.002)).verdict == "falls slowly"


def test_noise_is_no_trend():
    # alternating errors, with a spread as large as what they fall by
    noisy = ((1.6, 0.8, 1.2), (1.4, 0.7, 1.1), (0.9,))
    found = LearningCurve("forces", "meV/A", (10, 20, 40), noisy, noisy)
    assert trend(found).verdict == "unclear"
    assert "spread among subsets" in verdict_line(found)


def test_one_size_tells_nothing():
    one = LearningCurve("energy", "meV/atom", (10,), ((1.0,),), ((2.0,),))
    assert trend(one) is None
    assert "one size" in verdict_line(one)


def test_curves_that_are_none_are_refused():
    for frames, test in (((20, 10), ((1.0,), (1.0,))), ((10,), ((),)), ((10,), ())):
        with pytest.raises(InputError, match="learning curve"):
            LearningCurve("energy", "meV/atom", frames, test, test)


def test_table_and_figure_show_means_and_spread():
    made = curve(lambda n: 80.0 * n**-0.4)
    table = learning_table([made])
    assert table.rows[0][:2] == ("32", "3")
    assert "±" in table.rows[0][2]
    assert "±" not in table.rows[-1][2]
    figure = plot_learning([made, made])
    assert len(figure.axes) == 2
    for axes in figure.axes:
        assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    with pytest.raises(InputError):
        plot_learning([])
