"""Compiled weights of edges are those of torch, with their slopes, and what these pull."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need PyTorch")

from edge_samples import SETTINGS, STRUCTURES, WATER, cluster, crystal, graph_of  # noqa: E402

from trimpot import _native  # noqa: E402
from trimpot.envelopes import RadialEnvelope  # noqa: E402
from trimpot.networks import EdgePruning, join  # noqa: E402
from trimpot.networks.frozen_edges import freeze  # noqa: E402
from trimpot.networks.weighing import edge_weighing  # noqa: E402

CUTOFF = 2.9
RADIAL = {
    "cosine": RadialEnvelope(CUTOFF, "cosine"),
    "polynomial": RadialEnvelope(CUTOFF, "polynomial", 5),
    "bump": RadialEnvelope(CUTOFF, "bump"),
}
SEVERAL = [
    *STRUCTURES.values(),
    *(crystal(n) for n in range(20, 30)),
    *(cluster(n) for n in range(30, 40)),
]
SMALLEST = 1e-300
"""Weights below count as 0."""


def pruning_of(name, kind="bump"):
    envelope = None if name is None else SETTINGS[name].build(WATER)
    return EdgePruning(RADIAL[kind], envelope)


def graph_for(pruning, structures=SEVERAL, longer=0.0):
    return join([graph_of(structure, pruning.reach + longer) for structure in structures])


def of_torch(pruning, graph):
    """Weights, slopes and triplets by automatic differentiation, without weights of 0."""
    left = pruning.survivors(graph)
    parts = pruning.parts(graph, left, leaves=True)
    edges, to_k = parts.edges, parts.to_screening
    by_vector, by_k = torch.autograd.grad(
        edges.weights.sum(), (edges.vectors, to_k), allow_unused=True
    )
    keep = (edges.weights >= SMALLEST).numpy()
    screens = keep[left.screened]
    by_k = torch.zeros_like(to_k) if by_k is None else by_k
    return {
        "centers": edges.atoms[0].numpy()[keep],
        "neighbors": edges.atoms[1].numpy()[keep],
        "vectors": edges.vectors.detach().numpy()[keep],
        "weights": edges.weights.detach().numpy()[keep],
        "slopes": by_vector.numpy()[keep],
        "screened": (keep.cumsum() - 1)[left.screened][screens],
        "screening": graph.edges[1, left.screening].numpy()[screens],
        "to_screening": to_k.detach().numpy()[screens],
        "screening_slopes": by_k.numpy()[screens],
    }


EDGES = ("centers", "neighbors", "vectors", "weights", "slopes")


def in_order(parts):
    """The same edges and triplets in an order that any search can have."""
    vectors = parts["vectors"]
    by_edge = np.lexsort((*vectors.T, parts["neighbors"], parts["centers"]))
    rank = np.argsort(by_edge)
    sorted_parts = {name: parts[name][by_edge] for name in EDGES}
    edge = rank[parts["screened"]]
    by_triplet = np.lexsort((*parts["to_screening"].T, edge))
    sorted_parts["screened"] = edge[by_triplet]
    for name in ("screening", "to_screening", "screening_slopes"):
        sorted_parts[name] = parts[name][by_triplet]
    return sorted_parts


def close(frozen, expected):
    """Slopes are compared to the largest, as they are sums that may cancel."""
    found = in_order(vars(frozen))
    for name, values in in_order(expected).items():
        scale = max(1.0, np.abs(values).max(initial=0.0))
        np.testing.assert_allclose(
            found[name], values, rtol=1e-12, atol=1e-12 * scale, err_msg=name
        )


@pytest.mark.parametrize("kind", RADIAL)
@pytest.mark.parametrize("name", [None, *SETTINGS])
def test_weights_and_slopes_are_those_of_torch(name, kind):
    pruning = pruning_of(name, kind)
    # An atom between its own images has C = 0: from C_min = 0 on, rounding decides.
    structures = [s for s in SEVERAL if name != "all from zero" or len(s) > 1]
    graph = graph_for(pruning, structures, longer=0.7)
    expected = of_torch(pruning, graph)
    assert len(expected["weights"]) > 300
    assert name is None or len(expected["screened"]) > 100
    close(freeze(pruning, graph), expected)


def arrays(graph):
    counts = np.bincount(graph.edges[0].numpy(), minlength=len(graph.species))
    return (
        graph.species.numpy().astype(np.int32),
        np.concatenate([[0], np.cumsum(counts)]),
        graph.edges[1].numpy().astype(np.int32),
        graph.displacements().numpy(),
    )


@pytest.mark.parametrize("name", [None, "trios"])
def test_weights_do_not_depend_on_the_number_of_threads(name):
    pruning = pruning_of(name)
    graph = graph_for(pruning, [*SEVERAL, cluster(50, n=600, width=18.0)])
    triplet = None if name is None else SETTINGS[name].build(WATER)
    weighing = edge_weighing(pruning.radial, triplet)
    expected = _native.weighted_edges(weighing, *arrays(graph), 1)
    for threads in (2, 3, 7):
        found = _native.weighted_edges(weighing, *arrays(graph), threads)
        assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))


def test_forces_of_frozen_edges_are_slopes_of_the_weights():
    pruning = pruning_of("radii", "cosine")
    graph = graph_for(pruning, [crystal(21)])
    frozen = freeze(pruning, graph)
    rng = np.random.default_rng(3)
    by_weights = rng.normal(size=len(frozen.weights))
    along = rng.normal(size=graph.positions.shape)

    def energy(h):
        there = replace(graph, positions=graph.positions + h * torch.from_numpy(along))
        return by_weights @ freeze(pruning, there).weights

    slope = (energy(1e-5) - energy(-1e-5)) / 2e-5
    forces = frozen.forces(np.zeros_like(frozen.vectors), by_weights)
    assert -(forces * along).sum() == pytest.approx(slope, rel=1e-7)


def test_pairs_of_length_0_and_of_no_number_stay():
    pruning = pruning_of("default")
    positions = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.2, 0.0]])
    graph = graph_for(pruning, [replace(cluster(1, n=3), positions=positions)])
    frozen = freeze(pruning, graph)
    between = (frozen.centers < 2) & (frozen.neighbors < 2)
    assert frozen.weights[between].tolist() == [1.0, 1.0]
    assert np.abs(frozen.slopes[between]).max() == 0.0
    moved = graph.positions.clone()
    moved[2, 1] = np.nan
    frozen = freeze(pruning, replace(graph, positions=moved))
    assert np.isnan(frozen.weights[(frozen.centers == 2) | (frozen.neighbors == 2)]).all()
    assert len(frozen.weights) == 6


@pytest.mark.parametrize("structure", [cluster(1, n=0), cluster(1, n=1)])
def test_nothing_to_weigh_gives_nothing(structure):
    pruning = pruning_of("default")
    frozen = freeze(pruning, graph_for(pruning, [structure]))
    assert len(frozen) == len(structure)
    assert len(frozen.weights) == len(frozen.screened) == 0


GOOD = (
    np.array([0, 1], np.int32),
    np.array([0, 1, 2]),
    np.array([1, 0], np.int32),
    np.array([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]]),
)
WRONG = {
    "first: must ascend": (1, np.array([0, 3, 2])),
    "species: outside those": (0, np.array([0, 2], np.int32)),
    "neighbors are no atoms": (2, np.array([1, 2], np.int32)),
    "lengths differ": (3, np.zeros((1, 3))),
}


@pytest.mark.parametrize("message", WRONG)
def test_arrays_that_do_not_belong_together_are_refused(message):
    weighing = edge_weighing(RADIAL["bump"], SETTINGS["default"].build(WATER))
    assert len(_native.weighted_edges(weighing, *GOOD, 1)[1]) == 2
    place, value = WRONG[message]
    wrong = [value if k == place else good for k, good in enumerate(GOOD)]
    with pytest.raises(ValueError, match=message):
        _native.weighted_edges(weighing, *wrong, 1)


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
import test_weighing as samples
from trimpot import _native
for name in ("default", "softmin", "radii", "trios"):
    for kind in samples.RADIAL:
        samples.test_weights_and_slopes_are_those_of_torch(name, kind)
print(_native.instruction_set())
"""


@pytest.mark.parametrize("name", _native.instruction_sets())
def test_weights_are_those_of_torch_for_every_instruction_set(name):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(Path(__file__).parent)],
        env=os.environ | {"TRIMPOT_INSTRUCTION_SET": name},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == name, done.stderr
