"""Graphs of periodic structures."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need PyTorch")

from edge_samples import STRUCTURES, WATER, cluster, crystal, graph_of, moved  # noqa: E402

from trimpot.contract import Structure  # noqa: E402
from trimpot.errors import InputError  # noqa: E402
from trimpot.neighbors.reference import pairs  # noqa: E402
from trimpot.networks import join, structure_graph  # noqa: E402


def rows(first, second, shifts, vectors):
    """Edges in an order of their own, for comparison."""
    order = np.lexsort([*np.asarray(shifts).T, second, first])
    return [np.asarray(values)[order] for values in (first, second, shifts, vectors)]


@pytest.mark.parametrize("structure", STRUCTURES.values(), ids=STRUCTURES)
def test_edges_are_all_pairs_within_the_cutoff(structure):
    graph = graph_of(structure, 3.1)
    found = rows(*graph.edges.numpy(), graph.shifts.numpy(), graph.displacements().numpy())
    specified = pairs(structure, 3.1)
    expected = rows(specified.first, specified.second, specified.shifts, specified.vectors)
    for one, other in zip(found[:3], expected[:3], strict=True):
        assert np.array_equal(one, other)
    assert np.abs(found[3] - expected[3]).max() < 1e-13
    assert (graph.edges[0].diff() >= 0).all()
    assert np.array_equal(np.array(WATER)[graph.species.numpy()], structure.numbers)


@pytest.mark.parametrize("structure", STRUCTURES.values(), ids=STRUCTURES)
def test_displacements_follow_positions_and_strain(structure):
    rng = np.random.default_rng(0)
    graph = graph_of(structure, 3.0)
    positions = structure.positions + 0.1 * rng.normal(size=structure.positions.shape)
    strain = 0.1 * rng.normal(size=(3, 3))
    found = graph.displacements(torch.tensor(positions), torch.tensor(strain)[None])
    after = moved(structure, positions, strain)
    first, second = graph.edges.numpy()
    offsets = graph.shifts.numpy() @ after.cell
    expected = after.positions[second] - after.positions[first] + offsets
    assert np.abs(found.numpy() - expected).max() < 1e-13
    some = torch.tensor([4, 0, 2])
    few = graph.displacements(
        torch.tensor(positions), torch.tensor(strain)[None], edges=some
    )
    assert torch.equal(few, found[some])


def test_displacements_are_differentiable():
    graph = graph_of(crystal(5), 2.4)
    x = graph.positions.clone().requires_grad_()
    strain = torch.zeros_like(graph.cells).requires_grad_()
    assert torch.autograd.gradcheck(graph.displacements, (x, strain))
    assert torch.autograd.gradgradcheck(graph.displacements, (x, strain))


def test_a_joined_graph_holds_its_parts_in_order():
    parts = [graph_of(s, 2.9) for s in (crystal(1), cluster(2), crystal(3, n=1))]
    whole = join(parts)
    strain = torch.randn(3, 3, 3, dtype=torch.float64, generator=torch.manual_seed(0))
    each = [part.displacements(strain=strain[s : s + 1]) for s, part in enumerate(parts)]
    assert torch.equal(whole.displacements(strain=strain), torch.cat(each))
    assert whole.structures.bincount().tolist() == [len(p.positions) for p in parts]
    species = torch.cat([p.species[p.edges] for p in parts], dim=1)
    assert torch.equal(whole.species[whole.edges], species)


def test_structures_without_edges_or_atoms_are_graphs():
    alone = Structure(
        np.array([8], np.int32), np.zeros((1, 3)), np.zeros((3, 3)), np.zeros(3, bool)
    )
    empty = Structure(
        np.zeros(0, np.int32), np.zeros((0, 3)), np.zeros((3, 3)), np.zeros(3, bool)
    )
    for structure in (alone, empty):
        graph = graph_of(structure, 3.0)
        assert graph.edges.shape == (2, 0)
        assert graph.displacements().shape == (0, 3)
    whole = join([graph_of(s, 3.0) for s in (empty, crystal(1), alone, empty)])
    assert whole.cells.shape == (4, 3, 3)
    assert set(whole.structures.tolist()) == {1, 2}


def test_a_graph_owns_its_positions():
    structure = crystal(1)
    graph = graph_of(structure, 3.0)
    before = graph.positions.clone()
    structure.positions[:] = 0.0
    assert torch.equal(graph.positions, before)


def test_graphs_refuse_what_a_model_does_not_know():
    with pytest.raises(InputError, match="found H, but this model describes only O"):
        structure_graph(cluster(1), (8,), 3.0)
    with pytest.raises(InputError, match="found 2 graphs to join"):
        join([graph_of(cluster(1), 3.0), graph_of(cluster(1), 3.1)])
    with pytest.raises(InputError, match="found 0 graphs to join"):
        join([])
