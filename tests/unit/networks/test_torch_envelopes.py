"""Switches and radial envelopes in torch beside the specification in NumPy."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need PyTorch")

from trimpot.envelopes.radial import RadialEnvelope  # noqa: E402
from trimpot.envelopes.switches import SWITCHES, switch  # noqa: E402
from trimpot.networks.radial import radial_weights  # noqa: E402
from trimpot.networks.switches import log_switch  # noqa: E402

RADIAL = [
    RadialEnvelope(5.0, "cosine"),
    RadialEnvelope(5.0, "polynomial"),
    RadialEnvelope(5.0, "polynomial", 2),
    RadialEnvelope(5.0, "bump"),
]
NEAR_ENDS = np.concatenate(
    [10.0 ** np.arange(-200.0, 0.0), 1 - 10.0 ** np.arange(-17.0, 0)]
)


def derivatives(function, x, order):
    """Value and derivatives up to the order, as arrays."""
    x = torch.tensor(x, requires_grad=True)
    values = [function(x)]
    for _ in range(order):
        values += torch.autograd.grad(values[-1].sum(), x, create_graph=True)
    return [value.detach().numpy() for value in values]


@pytest.mark.parametrize("kind", SWITCHES)
def test_switches_and_their_slopes_are_those_of_the_specification(kind):
    x = np.concatenate([np.linspace(-0.5, 1.5, 2001), NEAR_ENDS[NEAR_ENDS > 1e-100]])
    value, slope = derivatives(lambda x: log_switch(kind, x).exp(), x, 1)
    expected, expected_slope = switch(kind, x)
    assert np.abs(value - expected).max() < 1e-14
    assert np.abs(slope - expected_slope).max() < 1e-12


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("kind", SWITCHES)
def test_switches_have_finite_derivatives_everywhere(kind, dtype):
    x = np.concatenate([np.linspace(-0.5, 1.5, 2001), NEAR_ENDS, [-1e30, 1e30]])
    parts = derivatives(lambda x: log_switch(kind, x).exp(), x.astype(dtype), 3)
    assert all(np.isfinite(part).all() for part in parts)
    assert all((part[(x <= 0.0) | (x > 1.0)] == 0.0).all() for part in parts[1:])
    assert (parts[0][x <= 0.0] == 0.0).all()
    assert (parts[0][x >= 1.0] == 1.0).all()


@pytest.mark.parametrize("envelope", RADIAL, ids=lambda e: f"{e.kind}-{e.power}")
def test_radial_weights_are_those_of_the_specification(envelope):
    r = np.concatenate([np.linspace(0.0, 6.0, 3001), 5.0 * NEAR_ENDS])
    value, slope = derivatives(lambda r: radial_weights(envelope, r), r, 1)
    expected, expected_slope = envelope.values(r)
    assert np.abs(value - expected).max() < 1e-14
    assert np.abs(slope - expected_slope).max() < 1e-13


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("envelope", RADIAL, ids=lambda e: f"{e.kind}-{e.power}")
def test_radial_weights_have_finite_derivatives_everywhere(envelope, dtype):
    r = np.concatenate([np.linspace(0.0, 6.0, 3001), 5.0 * NEAR_ENDS]).astype(dtype)
    parts = derivatives(lambda r: radial_weights(envelope, r), r, 3)
    assert all(np.isfinite(part).all() for part in parts)
    assert all((part[r > 5.0] == 0.0).all() for part in parts)
