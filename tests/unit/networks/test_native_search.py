"""The compiled search finds what the search in torch does."""

import copy
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need PyTorch")

from budget_samples import pruning_of  # noqa: E402
from edge_samples import (  # noqa: E402
    SETTINGS,
    STRUCTURES,
    WATER,
    cluster,
    crystal,
    graph_of,
)

from trimpot import _native  # noqa: E402
from trimpot.contract import Structure  # noqa: E402
from trimpot.envelopes import RadialEnvelope  # noqa: E402
from trimpot.errors import InputError  # noqa: E402
from trimpot.networks import EdgePruning, Screening, join  # noqa: E402
from trimpot.networks.native_search import native_search  # noqa: E402
from trimpot.networks.search import search  # noqa: E402

CUTOFF = 2.9
PARTS = ("edges", "screened", "screening")
SEVERAL = [
    *STRUCTURES.values(),
    *(crystal(n) for n in range(20, 30)),
    *(cluster(n) for n in range(30, 40)),
]


def graph_for(screening, structures=SEVERAL, longer=0.0):
    reach = CUTOFF * screening.stretch + longer
    return join([graph_of(structure, reach) for structure in structures])


def same(found, expected):
    return all(torch.equal(getattr(found, p), getattr(expected, p)) for p in PARTS)


@pytest.mark.parametrize("longer", [0.0, 1.3])
@pytest.mark.parametrize("span", [0.0, 0.9])
@pytest.mark.parametrize("name", SETTINGS)
def test_survivors_are_those_of_the_search_in_torch(name, span, longer):
    screening = Screening(SETTINGS[name].build(WATER), span)
    # An atom between its own images has C = 0: from C_min = 0 on, rounding decides.
    structures = [s for s in SEVERAL if name != "all from zero" or len(s) > 1]
    graph = graph_for(screening, structures, longer)
    r_ec = graph.displacements()
    expected = search(screening, graph, r_ec, cutoff=CUTOFF)
    assert len(expected.screened) > 100
    assert same(native_search(screening, graph, r_ec, cutoff=CUTOFF), expected)


@pytest.mark.parametrize("span", [0.0, 0.9])
def test_survivors_do_not_depend_on_the_number_of_threads(span):
    screening = Screening(SETTINGS["trios"].build(WATER), span)
    graph = graph_for(screening, [*SEVERAL, cluster(50, n=400, width=16.0), *SEVERAL])
    assert len(graph.positions) > 700
    r_ec = graph.displacements()
    expected = search(screening, graph, r_ec, cutoff=CUTOFF)
    for threads in (1, 2, 3, 7, 0):
        found = native_search(screening, graph, r_ec, cutoff=CUTOFF, threads=threads)
        assert same(found, expected)


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from edge_samples import SETTINGS, WATER
from test_native_search import CUTOFF, graph_for, same
from trimpot import _native
from trimpot.networks import Screening
from trimpot.networks.native_search import native_search
from trimpot.networks.search import search
for name in ("default", "radii", "trios"):
    screening = Screening(SETTINGS[name].build(WATER), 0.9)
    graph = graph_for(screening)
    r_ec = graph.displacements()
    expected = search(screening, graph, r_ec, cutoff=CUTOFF)
    assert same(native_search(screening, graph, r_ec, cutoff=CUTOFF), expected), name
print(_native.instruction_set())
"""


@pytest.mark.parametrize("name", _native.instruction_sets())
def test_survivors_are_the_same_for_every_instruction_set(name):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(Path(__file__).parent)],
        env=os.environ | {"TRIMPOT_INSTRUCTION_SET": name},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == name, done.stderr


@pytest.mark.parametrize("under_a_budget", [False, True])
@pytest.mark.parametrize("name", ["default", "softmin", "radii"])
def test_weights_and_slopes_do_not_depend_on_who_searches(name, under_a_budget):
    if under_a_budget:
        pruning = pruning_of(name, 3.0)
        screening = pruning.tightening.screening
    else:
        pruning = EdgePruning(RadialEnvelope(CUTOFF), SETTINGS[name].build(WATER))
        screening = pruning.screening
    graph = graph_for(screening)
    searched = search(screening, graph, graph.displacements(), cutoff=CUTOFF)
    found = []
    for survivors in (None, searched):
        x = graph.positions.clone().requires_grad_()
        edges = pruning(graph, x, survivors=survivors)
        (gradient,) = torch.autograd.grad((edges.weights * edges.lengths).sum(), x)
        found.append((edges.index, edges.weights.detach(), gradient))
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


@pytest.mark.parametrize("part", [0, 2])
def test_positions_that_are_not_numbers_stay(part):
    screening = Screening(SETTINGS["default"].build(WATER))
    graph = graph_for(screening, [cluster(1)])
    x = graph.positions.clone()
    x[0, part] = float("nan")
    r_ec = graph.displacements(x)
    found = native_search(screening, graph, r_ec, cutoff=CUTOFF)
    at_it = (graph.edges == 0).any(0).nonzero()[:, 0]
    assert torch.isin(at_it, found.edges).all()
    assert same(found, search(screening, graph, r_ec, cutoff=CUTOFF))


@pytest.mark.parametrize("apart", [0.0, 1e-160, 1e-140, 1e-12])
def test_atoms_at_one_place_keep_the_edge_between_them(apart):
    screening = Screening(SETTINGS["default"].build(WATER))
    positions = np.array([[0.0, 0.0, 0.0], [apart, 0.0, 0.0], [1.0, 0.2, 0.0]])
    structure = Structure(
        np.array([8, 8, 1], np.int32), positions, np.zeros((3, 3)), np.zeros(3, bool)
    )
    graph = graph_for(screening, [structure])
    found = native_search(screening, graph, graph.displacements(), cutoff=CUTOFF)
    between = (graph.edges < 2).all(0).nonzero()[:, 0]
    assert len(between) == 2
    assert torch.isin(between, found.edges).all()


@pytest.mark.parametrize("structure", [cluster(1, n=0), cluster(1, n=1)])
def test_nothing_to_search_gives_nothing(structure):
    screening = Screening(SETTINGS["default"].build(WATER))
    graph = graph_for(screening, [structure])
    found = native_search(screening, graph, graph.displacements(), cutoff=CUTOFF)
    assert [len(getattr(found, part)) for part in PARTS] == [0, 0, 0]
    assert same(found, search(screening, graph, graph.displacements(), cutoff=CUTOFF))


def test_single_precision_and_strides_are_converted():
    screening = Screening(SETTINGS["default"].build(WATER)).float()
    graph = graph_for(screening)
    r_ec = graph.displacements().float()
    expected = search(screening, graph, r_ec, cutoff=CUTOFF)
    assert same(native_search(screening, graph, r_ec, cutoff=CUTOFF), expected)
    across = r_ec.T.contiguous().T
    assert same(native_search(screening, graph, across, cutoff=CUTOFF), expected)


def test_models_can_be_copied_and_stored_after_a_search():
    pruning = EdgePruning(RadialEnvelope(CUTOFF), SETTINGS["default"].build(WATER))
    graph = graph_of(cluster(1), pruning.reach)
    expected = pruning(graph)
    for twin in (copy.deepcopy(pruning), pickle.loads(pickle.dumps(pruning))):
        assert torch.equal(twin(graph).weights, expected.weights)


def test_graphs_that_do_not_suit_are_refused():
    screening = Screening(SETTINGS["meam"].build(WATER))
    graph = graph_of(cluster(1), CUTOFF)
    with pytest.raises(InputError, match=r"found edges up to 2\.9 A, expected 3\.02615 A"):
        native_search(screening, graph, graph.displacements(), cutoff=CUTOFF)
    with pytest.raises(InputError, match="expected the same"):
        native_search(
            screening, replace(graph, elements=(1, 6)), graph.displacements(), cutoff=2.0
        )


GOOD = {
    "span": 0.0,
    "first": np.array([0, 1, 2]),
    "vectors": np.array([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]]),
    "species": np.array([0, 1], np.int32),
    "ends": np.array([1, 0], np.int32),
    "reach": 3.0,
    "threads": 1,
}
WRONG = {
    "first: found 2 entries, expected one more than atoms, 3": {"first": np.array([0, 2])},
    "first: must ascend from 0 to the number of edges, 2": {"first": np.array([0, 3, 2])},
    "ends: found 1 entries, expected one per edge, 2": {"ends": np.zeros(1, np.int32)},
    "species: outside 0 .. 1": {"species": np.array([0, 2], np.int32)},
    "ends: outside 0 .. 1": {"ends": np.array([-1, 0], np.int32)},
    "span: must be a number": {"span": float("nan")},
    "reach: must be above 0": {"reach": 0.0},
}


@pytest.mark.parametrize("message", WRONG)
def test_arrays_that_do_not_belong_together_are_refused(message):
    screening = SETTINGS["default"].build(WATER).native
    alive, *_ = _native.screening_partials(screening, **GOOD)
    assert alive.tolist() == [True, True]
    with pytest.raises(ValueError, match=message):
        _native.screening_partials(screening, **GOOD | WRONG[message])


def test_arrays_of_other_types_are_refused():
    screening = SETTINGS["default"].build(WATER).native
    for name in ("first", "vectors", "species", "ends"):
        with pytest.raises(TypeError):
            _native.screening_partials(
                screening, **GOOD | {name: GOOD[name].astype(np.float32)}
            )
