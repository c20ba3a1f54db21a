"""S of edges in torch: the specification, derivatives, and nothing lost by pruning."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need PyTorch")

from edge_samples import (  # noqa: E402
    DEVICES,
    SETTINGS,
    STRUCTURES,
    WATER,
    all_triplets,
    cluster,
    crystal,
    graph_of,
    specified,
    toy,
    toy_energy,
    trios_of,
)

from trimpot.contract import Structure  # noqa: E402
from trimpot.envelopes import EnvelopeSettings  # noqa: E402
from trimpot.envelopes.radial import RadialEnvelope  # noqa: E402
from trimpot.envelopes.triplet import TripletEnvelope  # noqa: E402
from trimpot.errors import InputError  # noqa: E402
from trimpot.networks import (  # noqa: E402
    EdgePruning,
    Graph,
    Screening,
    WeightedEdges,
    join,
)
from trimpot.networks.radial import radial_weights  # noqa: E402
from trimpot.networks.screening import ellipsoid  # noqa: E402
from trimpot.networks.search import search  # noqa: E402

CUTOFF = 2.9
SMOOTH = [name for name, settings in SETTINGS.items() if settings.switch != "meam"]


def pruning_of(name, kind="bump"):
    return EdgePruning(RadialEnvelope(CUTOFF, kind), SETTINGS[name].build(WATER))


def screened_by(screening, graph, r_ec, survivors):
    """S of all edges of a graph from the triplets of a search, 0 where an edge is gone."""
    pairs = survivors.edges[survivors.screened]
    s = screening(
        r_ec[survivors.edges],
        survivors.screened,
        r_ec[survivors.screening],
        trios_of(screening, graph, pairs, survivors.screening),
    )
    return s.new_zeros(len(r_ec)).index_add(0, survivors.edges, s)


@pytest.mark.parametrize("structure", STRUCTURES.values(), ids=STRUCTURES)
@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("device", DEVICES)
def test_weights_and_slopes_are_those_of_the_specification(name, structure, device):
    screening = Screening(SETTINGS[name].build(WATER)).to(device)
    cutoff = 2.2
    graph = graph_of(structure, cutoff * screening.envelope.stretch)
    expected, expected_jacobian = specified(screening.envelope, graph, cutoff)
    graph = graph.to(device)
    r_ec = graph.displacements()
    survivors = search(screening, graph, r_ec, cutoff=cutoff)
    weights = screened_by(screening, graph, r_ec, survivors).cpu().numpy()
    assert np.abs(weights - expected).max() < 1e-12
    assert set(np.flatnonzero(expected > 1e-280)) == set(survivors.edges.tolist())
    jacobian = torch.autograd.functional.jacobian(
        lambda r: screened_by(screening, graph, r, survivors), r_ec, vectorize=True
    )
    scale = max(1.0, np.abs(expected_jacobian).max())
    assert np.abs(jacobian.cpu().numpy() - expected_jacobian).max() < 1e-12 * scale


@pytest.mark.parametrize("span", [0.0, 0.9])
@pytest.mark.parametrize("name", SETTINGS)
def test_triplets_are_those_that_screen_in_part_in_order(name, span):
    screening = Screening(SETTINGS[name].build(WATER), span)
    graph = graph_of(STRUCTURES["crystal"], CUTOFF * screening.stretch)
    r_ec = graph.displacements()
    survivors = search(screening, graph, r_ec, cutoff=CUTOFF)
    every, screening_edges = all_triplets(graph)
    c = ellipsoid(r_ec[every], r_ec[screening_edges])
    r = r_ec[every].norm(dim=1) if screening.envelope.outer else None
    trios = trios_of(screening, graph, every, screening_edges)
    x, tightest = (screening.share(c, r, trios, shift) for shift in (0.0, span))
    kept = torch.isin(every, survivors.edges) & (x > 0.0) & (tightest < 1.0)
    expected = torch.stack([every, screening_edges])[:, kept]
    found = torch.stack([survivors.edges[survivors.screened], survivors.screening])
    assert torch.equal(found, expected)
    assert (survivors.edges.diff() > 0).all()


@pytest.mark.parametrize("name", SETTINGS)
def test_triplets_do_not_depend_on_how_many_are_tested_at_a_time(name):
    screening = Screening(SETTINGS[name].build(WATER))
    reach = CUTOFF * screening.envelope.stretch
    structures = cluster(3), cluster(4, n=1), crystal(4), cluster(5, n=1)
    graph = join([graph_of(s, reach) for s in structures])
    r_ec = graph.displacements()
    found = [
        search(screening, graph, r_ec, cutoff=CUTOFF, candidates=n) for n in (1, 3000, None)
    ]
    for other in found[1:]:
        for part in ("edges", "screened", "screening"):
            assert torch.equal(getattr(found[0], part), getattr(other, part))


@pytest.mark.parametrize("structure", STRUCTURES.values(), ids=STRUCTURES)
@pytest.mark.parametrize("name", SETTINGS)
def test_pruning_loses_nothing(name, structure):
    pruning = pruning_of(name)
    graph = graph_of(structure, pruning.reach)
    energies, forces = toy(pruning, graph)
    x = graph.positions.clone().requires_grad_()
    whole = unpruned(pruning, graph, x)
    expected = toy_energy(graph, whole, x)
    expected_forces = -torch.autograd.grad(expected.sum(), x)[0]
    assert (energies - expected).abs().max() < 1e-12 * expected.abs().max().clamp_min(1.0)
    assert (forces - expected_forces).abs().max() < 1e-10


def unpruned(pruning, graph, x):
    """All edges of a graph, weighted by all triplets, with no search."""
    r_ec = graph.displacements(x)
    lengths = r_ec.norm(dim=1)
    every, screening_edges = all_triplets(graph)
    trios = trios_of(pruning.screening, graph, every, screening_edges)
    s = pruning.screening(r_ec, every, r_ec[screening_edges], trios)
    index = torch.arange(len(r_ec))
    weights = s * radial_weights(pruning.radial, lengths)
    return WeightedEdges(index, graph.edges, r_ec, lengths, weights)


@pytest.mark.parametrize("name", [*SMOOTH, "meam"])
def test_weights_are_differentiable_twice(name):
    pruning = pruning_of(name)
    graph = graph_of(crystal(7, n=4), pruning.reach)
    survivors = pruning.survivors(graph)
    assert len(survivors.screened) > 10

    def energy(x, strain):
        return toy_energy(graph, pruning(graph, x, strain, survivors=survivors), x)

    x = graph.positions.clone().requires_grad_()
    strain = torch.zeros_like(graph.cells).requires_grad_()
    assert torch.autograd.gradcheck(energy, (x, strain), fast_mode=True)
    assert torch.autograd.gradgradcheck(energy, (x, strain), fast_mode=True)


def test_weights_are_differentiable_often():
    pruning = pruning_of("default")
    graph = graph_of(cluster(7), pruning.reach)
    way = torch.randn(graph.positions.shape, generator=torch.manual_seed(1)).double()
    s = torch.zeros((), dtype=torch.float64, requires_grad=True)
    survivors = pruning.survivors(graph)
    values = [pruning(graph, graph.positions + s * way, survivors=survivors).weights.sum()]
    for _ in range(4):
        values += torch.autograd.grad(values[-1], s, create_graph=True)
    assert all(value.isfinite() for value in values)
    step = 1e-5
    third = []
    for sign in (-1.0, 1.0):
        at = torch.tensor(sign * step, dtype=torch.float64, requires_grad=True)
        value = pruning(
            graph, graph.positions + at * way, survivors=survivors
        ).weights.sum()
        for _ in range(3):
            (value,) = torch.autograd.grad(value, at, create_graph=True)
        third.append(value.item())
    assert (third[1] - third[0]) / (2 * step) == pytest.approx(values[4].item(), rel=1e-3)


@pytest.mark.parametrize("name", SMOOTH)
def test_forces_are_slopes_of_the_energy_also_where_edges_come_and_go(name):
    pruning = pruning_of(name)
    graph = graph_of(crystal(8, n=4, width=2.6), pruning.reach + 1.0)
    rng = np.random.default_rng(2)
    way = torch.tensor(rng.normal(size=graph.positions.shape))
    step, kept = 1e-6, set()
    for distance in np.linspace(0.0, 0.3, 7):
        x = graph.positions + distance * way
        kept.add(tuple(pruning.survivors(graph, x).edges.tolist()))
        slope = -(toy(pruning, graph, x)[1] * way).sum()
        ahead, behind = (toy(pruning, graph, x + s * way)[0] for s in (step, -step))
        assert ((ahead - behind).sum() / (2 * step)).item() == pytest.approx(
            slope.item(), rel=1e-5, abs=1e-5
        )
    assert len(kept) > 3


@pytest.mark.parametrize("name", SETTINGS)
def test_a_batch_is_its_structures_one_by_one(name):
    pruning = pruning_of(name)
    alone = Structure(
        np.array([8], np.int32), np.zeros((1, 3)), np.zeros((3, 3)), np.zeros(3, bool)
    )
    structures = [crystal(1), cluster(2), alone, crystal(3, n=1, width=1.9), cluster(4)]
    graphs = [graph_of(s, pruning.reach) for s in structures]
    energies, forces = toy(pruning, join(graphs))
    one_by_one = [toy(pruning, graph) for graph in graphs]
    assert torch.allclose(energies, torch.cat([e for e, _ in one_by_one]), rtol=1e-13)
    together = torch.cat([f for _, f in one_by_one])
    assert torch.allclose(forces, together, rtol=0.0, atol=1e-12)


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("device", DEVICES)
def test_single_precision_is_close(name, device):
    graph = join([graph_of(s, 4.0) for s in STRUCTURES.values()])
    pruning = pruning_of(name)
    energies, forces = toy(pruning, graph)
    single, on_device = pruning_of(name).float().to(device), graph.to(device)
    edges = single(on_device)
    assert edges.vectors.dtype == edges.weights.dtype == torch.float32
    found, found_forces = toy(single, on_device)
    assert torch.allclose(found.double().cpu(), energies, rtol=1e-4)
    scale = forces.abs().max()
    assert (found_forces.cpu() - forces).abs().max() < 1e-4 * scale


@pytest.mark.parametrize("name", SETTINGS)
def test_single_precision_has_finite_second_derivatives(name):
    pruning = pruning_of(name).float()
    graph = graph_of(perfect_crystal(), pruning.reach)
    x = graph.positions.clone().requires_grad_()
    energy = toy_energy(graph, pruning(graph, x), x).sum()
    (gradient,) = torch.autograd.grad(energy, x, create_graph=True)
    (second,) = torch.autograd.grad((gradient**2).sum() + gradient.sum(), x)
    assert gradient.isfinite().all()
    assert second.isfinite().all()


def perfect_crystal():
    """Atoms exactly, or almost, on the lines between others."""
    sites = np.stack(np.meshgrid(*3 * [range(3)], indexing="ij"), -1).reshape(-1, 3)
    positions = 1.1 * sites + 1e-11 * np.random.default_rng(0).normal(size=sites.shape)
    numbers = np.where(sites.sum(1) % 2, 1, 8).astype(np.int32)
    return Structure(numbers, positions, np.diag(3 * [3.3]), np.ones(3, bool))


@pytest.mark.parametrize("radial", ["cosine", "polynomial", "bump"])
def test_without_a_triplet_envelope_the_radial_one_weights_all_edges(radial):
    envelope = RadialEnvelope(CUTOFF, radial)
    pruning = EdgePruning(envelope)
    graph = graph_of(cluster(1), 1.2 * CUTOFF)
    edges = pruning(graph)
    lengths = graph.displacements().norm(dim=1)
    assert torch.equal(edges.index, (lengths < CUTOFF).nonzero()[:, 0])
    assert np.allclose(edges.weights, envelope.values(edges.lengths.numpy())[0], atol=1e-14)
    assert torch.equal(edges.atoms, graph.edges[:, edges.index])


def test_weights_are_the_same_from_both_ends():
    pruning = pruning_of("meam")
    graph = graph_of(STRUCTURES["slab"], pruning.reach)
    edges = pruning(graph)
    shifts = graph.shifts[edges.index]
    names = zip(*edges.atoms.tolist(), shifts.tolist(), strict=True)
    weights = {
        (i, j, *s): w for (i, j, s), w in zip(names, edges.weights.tolist(), strict=True)
    }
    for (i, j, a, b, c), weight in weights.items():
        assert weights[j, i, -a, -b, -c] == pytest.approx(weight, abs=1e-13)


@pytest.mark.parametrize("apart", [0.0, 1e-12, 1e-9, 1e-6, 1e-3])
@pytest.mark.parametrize("name", ["default", "softmin", "meam"])
def test_atoms_at_one_place_do_not_take_edges_away(name, apart):
    half = cluster(6)
    shift = apart * np.random.default_rng(1).normal(size=half.positions.shape)
    positions = np.vstack([half.positions, half.positions + shift])
    structure = Structure(np.tile(half.numbers, 2), positions, half.cell, half.pbc)
    pruning = pruning_of(name)
    graph = graph_of(structure, pruning.reach)
    edges, whole = pruning(graph), unpruned(pruning, graph, graph.positions)
    weights = torch.zeros_like(whole.weights).index_add(0, edges.index, edges.weights)
    assert torch.allclose(weights, whole.weights, rtol=0.0, atol=1e-12)


@pytest.mark.parametrize("name", [None, "default", "softmin", "meam"])
def test_positions_that_are_not_numbers_give_no_numbers(name):
    pruning = EdgePruning(RadialEnvelope(CUTOFF)) if name is None else pruning_of(name)
    graph = graph_of(cluster(1), pruning.reach)
    x = graph.positions.clone()
    x[0, 1] = np.nan
    edges = pruning(graph, x)
    assert edges.weights[(edges.atoms == 0).any(0)].isnan().all()
    assert (edges.atoms == 0).any()


def test_nothing_to_prune_gives_no_edges():
    pruning = pruning_of("default")
    empty = Structure(
        np.zeros(0, np.int32), np.zeros((0, 3)), np.zeros((3, 3)), np.zeros(3, bool)
    )
    for structure in (empty, cluster(1, n=1)):
        graph = graph_of(structure, pruning.reach)
        x = graph.positions.clone().requires_grad_()
        edges = pruning(graph, x)
        assert edges.weights.shape == (0,)
        (gradient,) = torch.autograd.grad(edges.weights.sum(), x)
        assert (gradient == 0.0).all()


def test_an_envelope_in_which_nothing_screens_keeps_all_edges():
    settings = EnvelopeSettings(never_screen=("H", "O"))
    pruning = EdgePruning(RadialEnvelope(CUTOFF), settings.build(WATER))
    graph = graph_of(STRUCTURES["crystal"], CUTOFF)
    survivors = pruning.survivors(graph)
    assert len(survivors.edges) == graph.edges.shape[1]
    assert len(survivors.screened) == 0


def test_graphs_too_short_for_an_envelope_are_refused():
    pruning = pruning_of("meam")
    graph = graph_of(cluster(1), CUTOFF)
    with pytest.raises(InputError, match=r"found edges up to 2\.9 A, expected 3\.02615 A"):
        pruning(graph)
    with pytest.raises(InputError, match=r"expected 2\.9 A, the cutoff"):
        EdgePruning(RadialEnvelope(CUTOFF))(graph_of(cluster(1), 2.0))


def test_envelopes_of_other_elements_are_refused():
    envelope = EnvelopeSettings().build((8,))
    with pytest.raises(InputError, match="expected the same"):
        EdgePruning(RadialEnvelope(CUTOFF), envelope)(graph_of(cluster(1), CUTOFF))


def test_tables_are_not_part_of_a_models_state():
    pruning = pruning_of("trios")
    assert pruning.state_dict() == {}
    assert isinstance(pruning.screening.envelope, TripletEnvelope)


def test_inputs_are_unchanged():
    pruning = pruning_of("default")
    graph = graph_of(STRUCTURES["crystal"], pruning.reach)
    before = [
        value.clone() for value in vars(graph).values() if isinstance(value, torch.Tensor)
    ]
    toy(pruning, graph)
    after = [vars(graph)[name] for name in Graph.__dataclass_fields__]
    tensors = [value for value in after if isinstance(value, torch.Tensor)]
    assert all(torch.equal(a, b) for a, b in zip(tensors, before, strict=True))
