"""Budgets for tests of edges, and sums of weights."""

from edge_samples import SETTINGS, WATER

from trimpot.envelopes import BudgetedEnvelope, RadialEnvelope
from trimpot.networks import BudgetedPruning, EdgePruning

CUTOFF = 2.9


def envelope_of(name, target, kind="bump", **settings):
    triplet = SETTINGS[name].build(WATER)
    tightest = max(2.0, triplet.c_max.max() + 0.2)
    radial = RadialEnvelope(CUTOFF, kind)
    return BudgetedEnvelope(
        radial, triplet, target, **{"tightest": tightest, "shrink": 0.1, **settings}
    )


def plain_of(name):
    return EdgePruning(RadialEnvelope(CUTOFF), SETTINGS[name].build(WATER))


def pruning_of(name, target, kind="bump", **settings):
    return BudgetedPruning(envelope_of(name, target, kind, **settings))


def sums(graph, edges):
    """Sum of the weights of each atom."""
    none = edges.weights.new_zeros(len(graph.positions))
    return none.index_add(0, edges.atoms[0], edges.weights)


def spread(graph, edges):
    """Weights of all edges, 0 where an edge is gone."""
    none = edges.weights.new_zeros(graph.edges.shape[1])
    return none.index_add(0, edges.index, edges.weights)


def crowded(name, graph, target):
    """Atoms whose weights would add up to more than the budget leaves alone."""
    return sums(graph, plain_of(name)(graph)) > 0.9 * target
