"""Radial envelopes: ends, slopes, smoothness at the cutoff, errors."""

from typing import get_args

import numpy as np
import pytest

from trimpot.envelopes import RadialEnvelope
from trimpot.envelopes.radial import Kind
from trimpot.errors import InputError

KINDS = get_args(Kind)
CUTOFF = 5.5


@pytest.mark.parametrize("kind", KINDS)
def test_it_falls_from_1_to_0(kind):
    r = np.linspace(0.0, 2.0 * CUTOFF, 1101)
    value, slope = RadialEnvelope(CUTOFF, kind).values(r)
    assert value[0] == 1.0
    assert (np.diff(value) <= 0.0).all()
    assert (slope <= 0.0).all()
    assert not value[r >= CUTOFF].any()
    assert not slope[r >= CUTOFF].any()
    assert slope[0] == 0.0


@pytest.mark.parametrize("kind", KINDS)
def test_the_slope_is_the_derivative(kind):
    envelope, h = RadialEnvelope(CUTOFF, kind), 1e-5
    r = np.linspace(h, 1.2 * CUTOFF, 300)
    difference = (envelope.values(r + h)[0] - envelope.values(r - h)[0]) / (2.0 * h)
    assert np.abs(envelope.values(r)[1] - difference).max() < 1e-6


@pytest.mark.parametrize(("kind", "order"), [("cosine", 2), ("polynomial", 3)])
def test_the_order_at_the_cutoff(kind, order):
    near, far = RadialEnvelope(1.0, kind).values(1.0 - np.array([1e-3, 2e-3]))[0]
    assert np.log2(far / near) == pytest.approx(order, abs=0.02)


def test_the_bump_reaches_the_cutoff_faster_than_any_power():
    envelope = RadialEnvelope(1.0, "bump")
    value, slope = envelope.values(1.0 - np.array([0.005, 0.01, 0.02]))
    assert (np.log2(value[1:] / value[:-1]) > [70.0, 35.0]).all()
    assert (np.log2(slope[1:] / slope[:-1]) > [65.0, 30.0]).all()
    assert envelope.values(np.array([np.nextafter(1.0, 0.0)]))[0] == 0.0


@pytest.mark.parametrize("p", [2, 3, 6, 8])
def test_the_polynomial_is_that_of_dimenet(p):
    x = np.linspace(0.0, 1.0, 51)[:-1]
    textbook = (
        1.0
        - (p + 1) * (p + 2) / 2 * x**p
        + p * (p + 2) * x ** (p + 1)
        - p * (p + 1) / 2 * x ** (p + 2)
    )
    value, _ = RadialEnvelope(1.0, "polynomial", p).values(x)
    assert np.abs(value - textbook).max() < 1e-13


def test_the_polynomial_is_accurate_where_it_is_small():
    value, _ = RadialEnvelope(1.0, "polynomial", 6).values(1.0 - np.array([1e-9]))
    assert value[0] == pytest.approx(28.0 * 2.0 * 1e-27, rel=1e-6)


@pytest.mark.parametrize("cutoff", [0.0, -1.0, np.nan, np.inf])
def test_a_cutoff_that_is_none_is_refused(cutoff):
    with pytest.raises(InputError, match="expected a positive and finite one"):
        RadialEnvelope(cutoff)


def test_other_kinds_and_powers_are_refused():
    with pytest.raises(InputError, match="unknown kind 'step'; choose one of cosine"):
        RadialEnvelope(5.0, "step")
    for power in (1, 2.5):
        with pytest.raises(InputError, match="expected a whole number of 2 or more"):
            RadialEnvelope(5.0, "polynomial", power)
