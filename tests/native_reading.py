"""What the reader in C++ and the one in Python make of the same file."""

import numpy as np
import pytest

from trimpot import _native
from trimpot.files import load
from trimpot.neighbors import neighborhood
from trimpot.splines.packing import species_indices


def of_terms(terms, numbers, cutoff, structure):
    """Energies, forces and virial of terms, kernels of either reader."""
    around = neighborhood(structure, cutoff)
    n = around.n_local
    out = np.empty(n), np.empty((n, 3)), np.empty(9)
    _native.evaluate(
        terms,
        around.positions,
        species_indices(around.numbers, tuple(numbers)),
        around.owners,
        around.first,
        around.neighbors,
        *out,
        1,
    )
    return out


def same_bits(path, structures):
    """Compare a spline potential read both ways; return how many terms it has."""
    numbers, cutoff, terms, isolated = _native.read_terms(str(path))
    potential = load(path)
    assert tuple(numbers) == potential.species
    assert cutoff == potential.cutoff
    e0s = [
        c
        for t, c in zip(potential.terms, potential.coefficients, strict=True)
        if t.kind == "one_body"
    ]
    assert isolated == list(sum(e0s, np.zeros(len(numbers))))
    for structure in structures:
        found = of_terms(terms, numbers, cutoff, structure)
        expected = of_terms(potential.native_terms, numbers, cutoff, structure)
        for one, other in zip(found, expected, strict=True):
            assert np.abs(one).max() > 0.0
            assert one.tobytes() == other.tobytes()
    return len(terms)


def of_network(path, precision, structure):
    """Energies, forces and virial of a file of a network, read in C++."""
    arithmetic = {"float32": "single", "float64": "double"}[precision]
    numbers, cutoff, e0s, network, weighing, prior = _native.read_network(
        str(path), arithmetic
    )
    around = neighborhood(structure, cutoff)
    n = around.n_local
    species = species_indices(around.numbers[:n], tuple(numbers))
    energies, forces, virial = np.empty(n), np.empty((n, 3)), np.empty((3, 3))
    network.evaluate_neighborhood(
        weighing,
        species,
        around.positions,
        around.owners,
        around.first,
        around.neighbors,
        energies,
        forces,
        virial,
        1,
    )
    energies = energies - network.alone()[species] + np.array(e0s)[species]
    if prior is None:
        return energies, forces, virial
    more = of_terms(prior, numbers, cutoff, structure)
    return energies + more[0], forces + more[1], virial + more[2].reshape(3, 3)


def refused_natively(path, match=None, read=_native.read_terms):
    """Assert that the reader in C++ refuses a file, naming it."""
    with pytest.raises(RuntimeError, match=match) as caught:
        read(str(path))
    assert str(path) in str(caught.value)
    return str(caught.value)
