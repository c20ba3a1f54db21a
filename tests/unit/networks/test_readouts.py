"""Pooling over the atoms of structures, beside NumPy."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need PyTorch")

from trimpot.errors import InputError  # noqa: E402
from trimpot.networks.mlanet import MLANetSettings  # noqa: E402
from trimpot.networks.mlanet.kernel import empty_kernel  # noqa: E402
from trimpot.networks.mlanet.readouts import Groups, balanced, pooled  # noqa: E402
from trimpot.networks.mlanet.settings import described  # noqa: E402

STRUCTURES = torch.tensor([0, 0, 2, 0, 2])
GROUPS = Groups(STRUCTURES, 4)
"""Structures of 3, 0, 2 and 0 atoms, atoms in any order."""


def test_mean_and_log_mean_exp_of_each_structure():
    x = torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = pooled(x, GROUPS).numpy()
    for structure in (0, 2):
        own = x[structure == STRUCTURES].numpy()
        assert np.allclose(found[structure, :3], own.mean(0), rtol=1e-14)
        assert np.allclose(found[structure, 3:], np.log(np.exp(own).mean(0)), rtol=1e-12)
    assert np.all(found[[1, 3]] == 0.0)


def test_large_features_do_not_overflow():
    x = torch.tensor([[200.0], [-300.0]], requires_grad=True)
    found = pooled(x, Groups(torch.tensor([0, 0]), 1))
    assert found[0, 1].item() == pytest.approx(200.0 - np.log(2.0), rel=1e-6)
    (slopes,) = torch.autograd.grad(found[0, 1], x)
    assert slopes[:, 0].tolist() == [1.0, 0.0]


def test_structures_without_atoms_leave_gradients_finite():
    x = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(6, dtype=torch.float64, requires_grad=True)
    energies = pooled(x, GROUPS) @ weights
    slopes = torch.autograd.grad(energies.sum(), (x, weights), create_graph=True)
    assert all(torch.isfinite(s).all() for s in slopes)
    (again,) = torch.autograd.grad(slopes[0].square().sum(), weights)
    assert torch.isfinite(again).all()


def test_balanced_vectors_add_up_to_nothing_in_each_structure():
    vectors = balanced(torch.randn(5, 3, dtype=torch.float64), GROUPS)
    for structure in (0, 2):
        assert vectors[structure == STRUCTURES].sum(0).abs().max() < 1e-15


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"forces": "both"}, "forces: found 'both', expected gradient or direct"),
        ({"readout": "max"}, "readout: found 'max', expected sum or pooled"),
        ({"forces": "direct", "l_max": 0}, "l_max 1 or more"),
    ],
)
def test_settings_that_mean_nothing_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        MLANetSettings(**changes)


@pytest.mark.parametrize("changes", [{"forces": "direct"}, {"readout": "pooled"}])
def test_the_compiled_network_refuses_what_it_cannot(changes):
    settings = MLANetSettings(**changes)
    assert not settings.compiled
    with pytest.raises(InputError, match="compute others with torch"):
        empty_kernel(settings, 2, mean_weight=1.0, scale=1.0, precision="single")


def test_defaults_are_described_as_before_there_was_a_choice():
    assert "forces" not in described(MLANetSettings())
    assert "readout" not in described(MLANetSettings())
    assert described(MLANetSettings(forces="direct"))["forces"] == "direct"
