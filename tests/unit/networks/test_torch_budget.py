"""Budgeted edges in torch: the specification, the bound, symmetries, batches."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need PyTorch")

from budget_samples import (  # noqa: E402
    CUTOFF,
    crowded,
    envelope_of,
    plain_of,
    pruning_of,
    spread,
    sums,
)
from edge_samples import (  # noqa: E402
    DEVICES,
    SETTINGS,
    STRUCTURES,
    cluster,
    crystal,
    graph_of,
    moved,
    toy,
)

from trimpot.contract import Structure  # noqa: E402
from trimpot.envelopes.budget import pullback  # noqa: E402
from trimpot.envelopes.budget import weights as specified  # noqa: E402
from trimpot.errors import InputError  # noqa: E402
from trimpot.neighbors.lists import image_list  # noqa: E402
from trimpot.networks import BudgetedPruning, join  # noqa: E402
from trimpot.networks.pressure import allowance, pressures  # noqa: E402
from trimpot.networks.screening import ellipsoid  # noqa: E402
from trimpot.networks.tightening import Links  # noqa: E402

TARGETS = [np.inf, 6.0, 3.0, 0.7]
ALONE = Structure(
    np.array([8], np.int32), np.zeros((1, 3)), np.zeros((3, 3)), np.zeros(3, bool)
)
EMPTY = Structure(
    np.zeros(0, np.int32), np.zeros((0, 3)), np.zeros((3, 3)), np.zeros(3, bool)
)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("structure", STRUCTURES.values(), ids=STRUCTURES)
@pytest.mark.parametrize("name", SETTINGS)
def test_weights_and_forces_are_those_of_the_specification(name, structure, target):
    envelope = envelope_of(name, target)
    hood = image_list(structure, envelope.reach).neighborhood
    expected = specified(envelope, hood)
    by_weight = np.random.default_rng(0).normal(size=len(expected))
    expected_forces, expected_virial = pullback(envelope, hood, by_weight)

    graph = graph_of(structure, envelope.reach)
    x = graph.positions.clone().requires_grad_()
    strain = torch.zeros_like(graph.cells).requires_grad_()
    edges = BudgetedPruning(envelope)(graph, x, strain)
    found = spread(graph, edges)
    energy = found @ torch.from_numpy(by_weight)
    forces, virial = (-g.numpy() for g in torch.autograd.grad(energy, (x, strain)))
    assert np.abs(found.detach().numpy() - expected).max() < 1e-13
    lost = np.setdiff1d(np.arange(len(expected)), edges.index)
    assert expected[lost].max(initial=0.0) < 1e-60
    scale = max(1.0, np.abs(expected_virial).max())
    assert np.abs(forces - expected_forces).max() < 1e-11 * scale
    assert np.abs(virial[0] - expected_virial).max() < 1e-11 * scale


@pytest.mark.parametrize("kind", ["bump", "polynomial", "cosine"])
@pytest.mark.parametrize("target", [3.0, 2.0, 0.7])
def test_no_sum_reaches_the_target_and_the_budget_is_used(target, kind):
    pruning = pruning_of("default", target, kind)
    graph = join([graph_of(s, pruning.reach) for s in STRUCTURES.values()])
    after = sums(graph, pruning(graph))
    assert (after < target).all()
    plain = sums(graph, pruning_of("default", np.inf, kind)(graph))
    assert (after <= plain).all()
    over = plain > 1.3 * target
    assert over.any()
    if target > 1.0:  # below, what is crowded most takes nearly all from its neighbours
        assert (after[over] > 0.5 * target).all()


def in_detail(pruning, graph):
    """What the pressures of a graph are functions of."""
    survivors = pruning.survivors(graph)
    vectors = graph.displacements(edges=survivors.edges)
    c_t = ellipsoid(
        vectors[survivors.screened], graph.displacements(edges=survivors.screening)
    )
    links = Links(
        len(graph.positions),
        graph.edges[0, survivors.edges],
        survivors.screened,
        pruning.tightening.screening.trios(graph, survivors),
    )
    return links, vectors.norm(dim=1), c_t


@pytest.mark.parametrize("name", SETTINGS)
def test_at_its_pressure_an_atom_has_what_the_budget_allows(name):
    pruning = pruning_of(name, 3.0)
    graph = join([graph_of(s, pruning.reach) for s in STRUCTURES.values()])
    links, r_m, c_t = in_detail(pruning, graph)
    p = pressures(pruning.tightening, links, r_m, c_t)
    crowd = pruning.tightening.sums(r_m, c_t, links, torch.zeros_like(p))
    kept = pruning.tightening.sums(r_m, c_t, links, p)
    assert torch.allclose(kept, allowance(pruning.tightening.envelope, crowd), rtol=1e-13)
    assert (p[crowd > 1.01 * 0.9 * 3.0] > 0.0).all()
    assert (p[crowd <= 0.9 * 3.0] == 0.0).all()
    assert 0 < (p > 0.0).sum() < len(p)


def test_atoms_with_room_keep_their_weights_to_the_last_bit():
    for name in SETTINGS:
        pruning = pruning_of(name, 40.0)
        plain = plain_of(name)
        graph = join([graph_of(s, pruning.reach) for s in STRUCTURES.values()])
        assert torch.equal(spread(graph, pruning(graph)), spread(graph, plain(graph)))
        forces = toy(pruning, graph)[1], toy(plain, graph)[1]
        assert torch.allclose(*forces, rtol=0.0, atol=1e-12)


def test_only_pairs_of_crowded_atoms_change():
    pruning, target = pruning_of("default", 2.8), 2.8
    plain = plain_of("default")
    graph = graph_of(STRUCTURES["slab"], pruning.reach)
    tight = crowded("default", graph, target)
    assert tight.any()
    assert not tight.all()
    changed = spread(graph, plain(graph)) - spread(graph, pruning(graph))
    assert (changed >= 0.0).all()
    assert (changed[~tight[graph.edges].any(0)] == 0.0).all()
    assert (changed > 0.0).any()


def test_energies_do_not_depend_on_place_direction_or_order():
    pruning = pruning_of("trios", 3.0)
    structure = STRUCTURES["slab"]
    energy, forces = toy_of(pruning, structure)
    rng = np.random.default_rng(3)
    q, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    turned = replace(structure, positions=structure.positions @ q, cell=structure.cell @ q)
    there = moved(structure, structure.positions + rng.normal(size=3))
    order = rng.permutation(len(structure.numbers))
    other = replace(
        structure, positions=structure.positions[order], numbers=structure.numbers[order]
    )
    for same, back in (
        (turned, lambda f: f @ q.T),
        (there, lambda f: f),
        (other, lambda f: f[np.argsort(order)]),
    ):
        found, found_forces = toy_of(pruning, same)
        assert found == pytest.approx(energy, rel=1e-12)
        assert np.abs(back(found_forces) - forces).max() < 1e-11


def toy_of(pruning, structure):
    """Energy and forces of a function of all weights and lengths."""
    graph = graph_of(structure, pruning.reach)
    x = graph.positions.clone().requires_grad_()
    edges = pruning(graph, x)
    energy = (sums(graph, edges) ** 2).sum() + (edges.weights / edges.lengths).sum()
    return energy.item(), -torch.autograd.grad(energy, x)[0].numpy()


def test_a_supercell_weighs_as_its_cell():
    pruning = pruning_of("default", 3.0)
    small = crystal(2)
    images = np.array([[0, 0, 0], [0, 0, 1], [1, 0, 0], [1, 0, 1]]) @ small.cell
    large = Structure(
        np.tile(small.numbers, 4),
        (images[:, None] + small.positions).reshape(-1, 3),
        small.cell * np.array([[2.0], [1.0], [2.0]]),
        small.pbc,
    )
    (energy, forces), (four, repeated) = (toy_of(pruning, s) for s in (small, large))
    assert four == pytest.approx(4.0 * energy, rel=1e-12)
    assert np.abs(repeated - np.tile(forces, (4, 1))).max() < 1e-11


@pytest.mark.parametrize("name", SETTINGS)
def test_a_batch_is_its_structures_one_by_one(name):
    pruning = pruning_of(name, 3.0)
    structures = [crystal(1), cluster(2), ALONE, EMPTY, crystal(3, n=1, width=1.9)]
    graphs = [graph_of(s, pruning.reach) for s in structures]
    energies, forces = toy(pruning, join(graphs))
    one_by_one = [toy(pruning, graph) for graph in graphs]
    assert torch.allclose(energies, torch.cat([e for e, _ in one_by_one]), rtol=1e-13)
    together = torch.cat([f for _, f in one_by_one])
    assert torch.allclose(forces, together, rtol=0.0, atol=1e-12)


@pytest.mark.parametrize("target", [6.0, 3.0])
@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("device", DEVICES)
def test_single_precision_is_close(name, target, device):
    pruning = pruning_of(name, target)
    graph = join([graph_of(s, pruning.reach) for s in STRUCTURES.values()])
    energies, forces = toy(pruning, graph)
    single, on_device = pruning_of(name, target).float().to(device), graph.to(device)
    edges = single(on_device)
    assert edges.vectors.dtype == edges.weights.dtype == torch.float32
    assert edges.weights.device == on_device.positions.device
    found, found_forces = toy(single, on_device)
    assert torch.allclose(found.double().cpu(), energies, rtol=1e-4)
    scale = forces.abs().max()
    assert (found_forces.cpu() - forces).abs().max() < 1e-4 * scale


def test_few_neighbours_leave_a_budget_unused():
    pruning = pruning_of("default", 3.0)
    plain = plain_of("default")
    for structure in (EMPTY, ALONE, cluster(1, n=3)):
        graph = graph_of(structure, pruning.reach)
        x = graph.positions.clone().requires_grad_()
        edges = pruning(graph, x)
        assert torch.equal(edges.weights, plain(graph).weights)
        (gradient,) = torch.autograd.grad(edges.weights.sum(), x)
        assert gradient.isfinite().all()


def test_atoms_at_one_place_are_harmless_until_they_fill_the_budget():
    positions = np.array([[0.0, 0, 0], [0.0, 0, 0], [1.2, 0, 0], [1.2, 0.6, 0.9]])
    structure = Structure(
        np.full(4, 8, np.int32), positions, np.zeros((3, 3)), np.zeros(3, bool)
    )
    graph = graph_of(structure, CUTOFF)
    edges = pruning_of("default", 1.5)(graph)
    assert sums(graph, edges).max() < 1.5
    with pytest.raises(InputError, match="atoms at the same place weigh more"):
        pruning_of("default", 0.8)(graph)


def test_positions_that_are_not_numbers_give_no_numbers():
    pruning = pruning_of("default", 3.0)
    graph = graph_of(cluster(1), pruning.reach)
    x = graph.positions.clone()
    x[0, 1] = np.nan
    edges = pruning(graph, x)
    assert (edges.atoms == 0).any()
    assert edges.weights[(edges.atoms == 0).any(0)].isnan().all()


def test_graphs_too_short_and_other_elements_are_refused():
    pruning = pruning_of("default", 3.0, tightest=3.0)
    assert pruning.reach == pytest.approx(CUTOFF * 3.0 / (2.0 * np.sqrt(2.0)))
    with pytest.raises(InputError, match=r"found edges up to 2\.9 A, expected 3\.0759"):
        pruning(graph_of(cluster(1), CUTOFF))
    other = replace(envelope_of("default", 3.0), triplet=SETTINGS["default"].build((8,)))
    with pytest.raises(InputError, match="expected the same"):
        BudgetedPruning(other)(graph_of(cluster(1), CUTOFF))


def test_a_budget_is_not_part_of_a_models_state():
    assert pruning_of("trios", 3.0).state_dict() == {}
