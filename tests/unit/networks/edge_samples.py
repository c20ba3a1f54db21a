"""Structures and envelopes for tests of edges, and S by the NumPy specification."""

import numpy as np
import torch

from trimpot.contract import Structure
from trimpot.envelopes import EnvelopeSettings
from trimpot.envelopes.reference import screening as reference_screening
from trimpot.envelopes.settings import Limits
from trimpot.networks import structure_graph

torch.set_num_threads(1)  # arrays are small, and tests run side by side

WATER = (1, 8)
DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]

SETTINGS = {
    "default": EnvelopeSettings(),
    "bump": EnvelopeSettings(switch="bump"),
    "quintic": EnvelopeSettings(switch="quintic", c_min=0.45, c_max=2.0),
    "meam": EnvelopeSettings(switch="meam", c_min=0.9, c_max=2.8),
    "narrow": EnvelopeSettings(c_min=0.15, c_max=0.8),
    "all from zero": EnvelopeSettings(c_min=0.0, c_max=1.5, switch="quintic"),
    "softmin": EnvelopeSettings(combine="softmin", c_min=0.2, c_max=1.8),
    "softmin quintic": EnvelopeSettings(combine="softmin", switch="quintic", c_max=3.5),
    "radii": EnvelopeSettings(inner=1.2, outer=2.6),
    "outer radius": EnvelopeSettings(outer=2.0, combine="softmin", switch="quintic"),
    "hydrogen does not screen": EnvelopeSettings(never_screen=("H",)),
    "trios": EnvelopeSettings(
        c_min=0.4,
        c_max=1.9,
        trios={"O-H-O": Limits(c_min=0.1, c_max=0.5), "H-O-O": Limits(c_max=2.5)},
    ),
}


def cluster(seed, n=14, width=4.0):
    """Atoms in a box without periods."""
    rng = np.random.default_rng(seed)
    positions = rng.uniform(0.0, width, (n, 3))
    return Structure(
        rng.choice(WATER, n).astype(np.int32),
        positions,
        np.zeros((3, 3)),
        np.zeros(3, bool),
    )


def crystal(seed, n=3, width=2.4, pbc=(True, True, True)):
    """A cell smaller than the cutoff: neighbours are images of one another."""
    rng = np.random.default_rng(seed)
    cell = width * (np.eye(3) + 0.25 * rng.uniform(-1.0, 1.0, (3, 3)))
    positions = rng.uniform(-1.0, 2.0, (n, 3)) @ cell
    return Structure(
        rng.choice(WATER, n).astype(np.int32), positions, cell, np.array(pbc, bool)
    )


STRUCTURES = {
    "cluster": cluster(1),
    "crystal": crystal(2),
    "one atom": crystal(3, n=1, width=1.7),
    "slab": crystal(4, n=10, width=2.6, pbc=(True, True, False)),
}


def moved(structure, positions=None, strain=None):
    """The structure with other positions, or strained."""
    x = structure.positions if positions is None else positions
    f = np.eye(3) + (0.0 if strain is None else strain)
    return Structure(structure.numbers, x @ f, structure.cell @ f, structure.pbc)


def graph_of(structure, reach):
    return structure_graph(structure, WATER, reach)


def specified(envelope, graph, cutoff):
    """S of all edges of a graph, (e,), and gradient, (e, e, 3); 0 beyond the cutoff."""
    r = graph.displacements().numpy()
    z = np.array(graph.elements)[graph.species.numpy()]
    first, second = graph.edges.numpy()
    weights, jacobian = np.zeros(len(r)), np.zeros((len(r), *r.shape))
    for i in np.unique(first):
        mine = np.flatnonzero(first == i)
        weights[mine], by_d = reference_screening(envelope, z[i], r[mine], z[second[mine]])
        jacobian[np.ix_(mine, mine)] = by_d
    short = np.linalg.norm(r, axis=1) < cutoff
    return weights * short, jacobian * short[:, None, None]


def all_triplets(graph):
    """Every pair of different edges of one centre: edges ij, edges ik."""
    first = graph.edges[0]
    same = first[:, None] == first[None, :]
    same.fill_diagonal_(False)
    return same.nonzero(as_tuple=True)


def trios_of(screening, graph, screened, screening_edges):
    species = graph.species[graph.edges]
    i, j, k = species[0, screened], species[1, screened], species[1, screening_edges]
    return screening.trio(i, j, k)


def toy_energy(graph, edges, positions):
    """Energy of each structure: an embedding of weighted sums over edges of each atom."""
    z_i, z_j = graph.species[edges.atoms].to(edges.weights.dtype)
    terms = edges.weights * (1.0 + 0.3 * z_i - 0.2 * z_j) * torch.exp(-edges.lengths)
    shape = edges.weights * (edges.vectors @ edges.vectors.new_tensor([0.3, -0.4, 0.5]))
    atoms = edges.atoms[0]
    density = terms.new_zeros(len(positions)).index_add(0, atoms, terms)
    skew = terms.new_zeros(len(positions)).index_add(0, atoms, shape)
    by_atom = (1.0 + density).sqrt() + density**2 + 0.1 * skew**2
    return by_atom.new_zeros(len(graph.cells)).index_add(0, graph.structures, by_atom)


def toy(pruning, graph, positions=None):
    """Energies and forces of the toy on pruned edges."""
    x = (graph.positions if positions is None else positions).clone().requires_grad_()
    energies = toy_energy(graph, pruning(graph, x), x)
    return energies.detach(), -torch.autograd.grad(energies.sum(), x)[0]
