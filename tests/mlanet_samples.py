"""Networks that have every setting between them, by torch and by the native kernel."""

from __future__ import annotations

import numpy as np
import torch

from trimpot.envelopes import EnvelopeSettings
from trimpot.networks import structure_graph
from trimpot.networks.edges import WeightedEdges
from trimpot.networks.mlanet import MLANet, MLANetSettings
from trimpot.networks.mlanet.native import FlatParameters, native_network
from trimpot.networks.potential import NetworkPotential

SPECIES = (14, 74)
CUTOFF = 3.6
C_MIN, C_MAX = 0.3, 2.4
SCREENED = EnvelopeSettings(c_min=C_MIN, c_max=C_MAX)
SCALE, STRONGER = 7.0, 3.0
SMALL = {
    "cutoff": CUTOFF,
    "bessel": 4,
    "radial_hidden": 6,
    "gate_hidden": 5,
    "readout_hidden": 7,
}
EVERY = ("sum", "mean", "attention", "attention")

CASES = {
    "l 0, order 1, sum": {
        "l_max": 0,
        "correlation": 1,
        "pooling": ("sum",),
        "channels": 5,
        "layers": 1,
        "gate": False,
        "envelope": None,
    },
    "l 0, order 3, all poolings": {
        "l_max": 0,
        "correlation": 3,
        "pooling": ("attention", "sum", "mean"),
        "channels": 18,
        "radial": "cosine",
    },
    "l 1, order 2, mean": {
        "l_max": 1,
        "correlation": 2,
        "pooling": ("mean",),
        "channels": 6,
        "radial": "polynomial",
    },
    "l 1, order 3, no attention": {
        "l_max": 1,
        "correlation": 3,
        "pooling": EVERY,
        "attention": False,
        "channels": 4,
        "envelope": None,
    },
    "l 2, order 1, three layers": {
        "l_max": 2,
        "correlation": 1,
        "pooling": ("mean", "attention"),
        "channels": 6,
        "layers": 3,
        "gate": False,
    },
    "l 2, order 3, all poolings": {
        "l_max": 2,
        "correlation": 3,
        "pooling": EVERY,
        "channels": 20,
        "gate_hidden": 17,
        "readout_hidden": 33,
    },
    "l 3, order 2, attention": {
        "l_max": 3,
        "correlation": 2,
        "pooling": ("attention",),
        "channels": 3,
    },
    "l 3, order 3, no gate": {
        "l_max": 3,
        "correlation": 3,
        "pooling": ("sum", "attention"),
        "channels": 4,
        "gate": False,
        "envelope": None,
    },
}
"""Changes of settings; layers, gate and envelope are there unless they say otherwise."""


def settings_of(case):
    return MLANetSettings(**{**SMALL, "envelope": SCREENED, **CASES[case]})


def network_of(case, *, seed=0):
    """The network of a case, in double precision, its attention and gates far from even."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.default_generator.manual_seed(seed)
        model = MLANet(settings_of(case), SPECIES, mean_weight=4.0, scale=SCALE)
        for name, parameter in model.named_parameters():
            if ".query" in name or ".key" in name or ".gate" in name:
                parameter.mul_(STRONGER)
    return model.double()


def potential_of(case, *, precision="float64", seed=0, prior=None):
    """The network of a case as a potential."""
    state = network_of(case, seed=seed).float().state_dict()
    return NetworkPotential(
        species=SPECIES,
        settings=settings_of(case),
        state={k: v.numpy().copy() for k, v in state.items() if k != "scale"},
        e0s=np.array([-1.25, -3.5]),
        mean_weight=4.0,
        scale=SCALE,
        prior=prior,
        precision=precision,
    )


def both_ways(case, structure, precision="double", threads=1, seed=0):
    """What torch and the native kernel say of a structure, as pairs of arrays by name.

    ``energies`` are without those of atoms alone, ``by_vectors`` and ``by_weights``
    slopes of their sum. ``by_parameters`` is the gradient of random seeds times energies
    plus the derivative of their sum along random tangents.
    """
    model = network_of(case)
    graph = structure_graph(structure, SPECIES, model.pruning.reach)
    edges = leaves(model.pruning(graph))
    rng = np.random.default_rng(seed)
    random = (
        rng.normal(size=len(graph.species)),
        rng.normal(size=tuple(edges.vectors.shape)),
        rng.normal(size=len(edges.weights)),
    )
    expected = of_torch(model, edges, graph.species, random)
    found = of_kernel(model, edges, graph.species.numpy(), random, precision, threads)
    return {name: (found[name], expected[name]) for name in expected}


def leaves(edges):
    """Edges whose vectors and weights are inputs."""
    vectors, weights = (t.detach().requires_grad_() for t in (edges.vectors, edges.weights))
    return WeightedEdges(edges.index, edges.atoms, vectors, edges.lengths, weights)


def of_torch(model, edges, species, random):
    inputs = (edges.vectors, edges.weights)
    energies = model(edges, species)
    slopes = torch.autograd.grad(energies.sum(), inputs, create_graph=True)
    outputs = (energies, *slopes)
    value = sum(
        (o * torch.from_numpy(r)).sum() for o, r in zip(outputs, random, strict=True)
    )
    parameters = list(model.parameters())
    gradients = torch.autograd.grad(value, parameters, allow_unused=True)
    return {
        "energies": energies.detach().numpy(),
        "by_vectors": slopes[0].detach().numpy(),
        "by_weights": slopes[1].detach().numpy(),
        "by_parameters": joined(parameters, gradients),
    }


def of_kernel(model, edges, species, random, precision, threads):
    n, kinds = len(species), np.arange(len(SPECIES), dtype=np.int32)
    counts = np.bincount(edges.atoms[0].numpy(), minlength=n + len(kinds))
    arrays = (
        np.concatenate([species, kinds]).astype(np.int32),
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        edges.atoms[1].numpy().astype(np.int32),
        edges.vectors.detach().numpy().copy(),
        edges.weights.detach().numpy().copy(),
    )
    kernel = native_network(model, precision)
    out = np.zeros(n + len(kinds)), np.zeros_like(arrays[3]), np.zeros_like(arrays[4])
    kernel.evaluate(*arrays, *out, threads)
    alone = -np.bincount(species, weights=random[0], minlength=len(kinds))
    flat = FlatParameters(model, kernel)
    gradient = np.zeros(flat.size)
    seeds = np.concatenate([random[0], alone])
    kernel.add_parameter_gradient(*arrays, seeds, *random[1:], gradient)
    parameters = list(model.parameters())
    gradients = torch.autograd.grad(
        flat(), parameters, torch.from_numpy(gradient), allow_unused=True
    )
    return {
        "energies": out[0][:n] - out[0][n:][species],
        "by_vectors": out[1],
        "by_weights": out[2],
        "by_parameters": joined(parameters, gradients),
    }


def joined(parameters, gradients):
    """All gradients as one array; 0 where there is none."""
    pairs = zip(parameters, gradients, strict=True)
    whole = [torch.zeros_like(p) if g is None else g for p, g in pairs]
    return torch.cat([g.reshape(-1) for g in whole]).numpy()


def largest_deviations(cases, structure, precision="double", threads=1):
    """Largest deviation of the kernel by case and array, as a share of the largest value.

    Values below 0.01 count as 0.01.
    """
    deviations = {}
    for case in cases:
        for name, (found, expected) in both_ways(
            case, structure, precision, threads
        ).items():
            scale = np.abs(expected).max(initial=0.01)
            worst = np.abs(found - expected).max(initial=0.0)
            deviations[f"{case}: {name}"] = float(worst / scale)
    return deviations
