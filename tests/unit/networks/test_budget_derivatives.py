"""Budgeted edges in torch: derivatives of any order, smoothness."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need PyTorch")

from budget_samples import CUTOFF, crowded, pruning_of, sums  # noqa: E402
from edge_samples import (  # noqa: E402
    SETTINGS,
    cluster,
    crystal,
    graph_of,
    toy,
    toy_energy,
)

from trimpot.networks.pressure import joint  # noqa: E402

SMOOTH = [name for name, settings in SETTINGS.items() if settings.switch != "meam"]


@pytest.mark.parametrize("target", [3.2, 2.5, 0.7])
@pytest.mark.parametrize("name", [*SMOOTH, "meam"])
def test_weights_are_differentiable_twice(name, target):
    pruning = pruning_of(name, target)
    graph = graph_of(crystal(7, n=4), pruning.reach)
    survivors = pruning.survivors(graph)
    assert crowded(name, graph, target).any()

    def energy(x, strain):
        return toy_energy(graph, pruning(graph, x, strain, survivors=survivors), x)

    x = graph.positions.clone().requires_grad_()
    strain = torch.zeros_like(graph.cells).requires_grad_()
    assert torch.autograd.gradcheck(energy, (x, strain), fast_mode=True)
    assert torch.autograd.gradgradcheck(energy, (x, strain), fast_mode=True)


def test_pressures_have_every_derivative():
    pruning = pruning_of("default", 3.5)
    graph = graph_of(cluster(7), pruning.reach)
    assert 0 < crowded("default", graph, 3.5).sum() < len(graph.positions)
    way = torch.randn(graph.positions.shape, generator=torch.manual_seed(1)).double()

    def derivatives(at):
        s = torch.tensor(at, dtype=torch.float64, requires_grad=True)
        values = [pruning(graph, graph.positions + s * way).weights.sum()]
        for _ in range(4):
            values += torch.autograd.grad(values[-1], s, create_graph=True)
        return torch.stack(values).detach()

    step = 1e-5
    slopes = (derivatives(step) - derivatives(-step)) / (2 * step)
    assert torch.allclose(slopes[:4], derivatives(0.0)[1:], rtol=1e-5, atol=1e-5)


def test_training_on_forces_has_the_gradients_of_differences():
    """d/dtheta of a loss of forces, whose theta is in the energy: second derivatives."""
    pruning = pruning_of("default", 3.0)
    graph = graph_of(cluster(3), pruning.reach)
    edges_of = pruning.survivors(graph)

    def loss(theta):
        x = graph.positions.clone().requires_grad_()
        edges = pruning(graph, x, survivors=edges_of)
        energy = ((edges.weights * torch.exp(-theta * edges.lengths)).sum()) ** 2
        (gradient,) = torch.autograd.grad(energy, x, create_graph=True)
        return (gradient**2).sum()

    theta = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(loss(theta), theta)
    ahead, behind = (loss(theta.detach() + s).item() for s in (1e-5, -1e-5))
    assert slope.item() == pytest.approx((ahead - behind) / 2e-5, rel=1e-7)


@pytest.mark.parametrize("target", [4.5, 3.0])
@pytest.mark.parametrize("name", SMOOTH)
def test_forces_are_slopes_of_the_energy_also_where_edges_come_and_go(name, target):
    pruning = pruning_of(name, target)
    graph = graph_of(crystal(8, n=4, width=2.6), pruning.reach + 1.0)
    way = torch.tensor(np.random.default_rng(2).normal(size=graph.positions.shape))
    step, kept = 1e-6, set()
    for distance in np.linspace(0.0, 0.3, 7):
        x = graph.positions + distance * way
        kept.add(tuple(pruning(graph, x).index.tolist()))
        slope = -(toy(pruning, graph, x)[1] * way).sum()
        ahead, behind = (toy(pruning, graph, x + s * way)[0] for s in (step, -step))
        assert ((ahead - behind).sum() / (2 * step)).item() == pytest.approx(
            slope.item(), rel=1e-5, abs=1e-5
        )
    assert len(kept) > 3


@pytest.mark.parametrize("name", ["default", "quintic", "softmin"])
def test_an_edge_leaves_without_a_trace(name):
    """Energy, forces and their slopes a hair before and after the list changes."""
    pruning = pruning_of(name, 4.0)
    graph = graph_of(crystal(8, n=4, width=2.6), pruning.reach + 1.0)
    way = torch.tensor(np.random.default_rng(2).normal(size=graph.positions.shape))

    def edges_at(distance):
        return set(pruning(graph, graph.positions + distance * way).index.tolist())

    def state(distance):
        x = (graph.positions + distance * way).requires_grad_()
        energy = toy_energy(graph, pruning(graph, x), x).sum()
        (gradient,) = torch.autograd.grad(energy, x, create_graph=True)
        (bend,) = torch.autograd.grad((gradient * way).sum(), x)
        return torch.cat([energy.detach()[None], gradient.detach().ravel(), bend.ravel()])

    changes = 0
    for start in np.linspace(0.0, 0.2, 5):
        low, high = start, start + 0.05
        if edges_at(low) == edges_at(high):
            continue
        while high - low > 1e-12:
            middle = 0.5 * (low + high)
            same = edges_at(middle) == edges_at(low)
            low, high = (middle, high) if same else (low, middle)
        before, after = state(low), state(high)
        assert (after - before).abs().max() < 1e-6 * before.abs().max()
        changes += 1
    assert changes > 1


@pytest.mark.parametrize("over", [0.1, 0.02, 3e-3, 2.6e-3, 1e-3, 0.0])
def test_second_derivatives_are_smooth_in_single_precision_where_pressure_begins(over):
    """At the margin pressures are 1e-16 and less, and digits of sums are few."""
    graph = graph_of(cluster(4), CUTOFF)
    plain = sums(graph, pruning_of("default", np.inf)(graph))
    target = float(plain.max()) / (0.9 + over)

    def curvature(pruning):
        x = graph.positions.clone().requires_grad_()
        energy = toy_energy(graph, pruning(graph, x), x).sum()
        (gradient,) = torch.autograd.grad(energy, x, create_graph=True)
        return torch.autograd.grad((gradient**2).sum(), x)[0]

    double = curvature(pruning_of("default", target))
    single = curvature(pruning_of("default", target).float())
    assert (single - double).abs().max() < 1e-3 * double.abs().max()


def test_the_joint_pressure_is_smooth_where_there_is_none():
    p_i = torch.tensor([0.0, 0.0, 1e-16, 2.0, 1e-60], dtype=torch.float64)
    p_j = torch.tensor([0.0, 0.3, 3e-16, 2.0, 0.0], dtype=torch.float64)
    p_i.requires_grad_()
    found = joint(p_i, p_j)
    expected = torch.tensor([0.0, 0.3, 3e-16, 2.0 * 2.0**0.125, 1e-60], dtype=p_j.dtype)
    assert torch.allclose(found, expected, rtol=1e-4, atol=0.0)
    (slope,) = torch.autograd.grad(found.sum(), p_i, create_graph=True)
    (second,) = torch.autograd.grad(slope.sum(), p_i)
    assert slope[0] == slope[1] == 0.0
    assert slope.isfinite().all()
    assert second.isfinite().all()
