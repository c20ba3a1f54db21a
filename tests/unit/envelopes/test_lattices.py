"""Most-screening C of the shells of crystals; edges of the Gabriel graph."""

import numpy as np
import pytest
from envelope_samples import cluster, crystal, envelope

from trimpot.envelopes.reference import ellipsoid, screeners, screening
from trimpot.neighbors import neighborhood

SHELLS = {
    "fcc": [3.0, 1.0, 1 / 3, 0.0],
    "bcc": [4.0, 2.0, 1 / 2, 4 / 15, 0.0],
    "sc": [np.inf, 1.0, 1.0, 0.0],
    "diamond": [np.inf, 1 / 2, 1.0, 2 / 3],
}


def around_first_atom(structure, cutoff):
    hood = neighborhood(structure, cutoff)
    j = hood.neighbors[: hood.first[1]]
    return hood.positions[j] - hood.positions[0], hood.numbers[j]


@pytest.mark.parametrize("name", SHELLS)
def test_the_most_screening_c_of_each_shell(name):
    d_jc, z_j = around_first_atom(crystal(name, 4.0), 8.2)
    c = screeners(envelope(), 29, d_jc, z_j).c
    r = np.linalg.norm(d_jc, axis=1)
    smallest = np.where(r[None, :] < r[:, None] + 1e-6, c, np.inf).min(axis=1)
    for shell, expected in zip(np.unique(r.round(6)), SHELLS[name], strict=False):
        found = np.where(smallest > 1e6, np.inf, smallest)[np.isclose(r, shell)]
        assert found == pytest.approx(np.full(len(found), expected), abs=1e-12)


def test_at_c_min_1_what_remains_is_the_gabriel_graph():
    for seed in range(20):
        d = cluster(14, shortest=0.7, seed=seed)
        weights, _ = screening(
            envelope(c_min=1.0, c_max=1.0 + 1e-6), 29, d, np.full(len(d), 29)
        )
        others = np.linalg.norm(d[None, :] - 0.5 * d[:, None], axis=2)
        np.fill_diagonal(others, np.inf)
        gabriel = (others > 0.5 * np.linalg.norm(d, axis=1)[:, None]).all(axis=1)
        assert np.array_equal(weights > 0.0, gabriel)
        assert 0 < gabriel.sum() < len(d)


@pytest.mark.parametrize("c_max", [2.0, 2.8, 4.0])
def test_nothing_beyond_the_stretch_screens(c_max):
    limits = envelope(c_min=0.3, c_max=c_max)
    u = np.array([1.0, 0.0, 0.0])
    t = np.linspace(1e-4, 1.0 - 1e-4, 20001)
    surface = np.stack([t, np.sqrt(c_max * t * (1.0 - t)), 0.0 * t], axis=1)
    assert ellipsoid(u, surface)[0] == pytest.approx(np.full(len(t), c_max), rel=1e-9)
    farthest = np.linalg.norm(surface, axis=1).max()
    assert farthest == pytest.approx(limits.stretch, abs=1e-3 if c_max == 2.0 else 1e-6)


def test_an_envelope_without_screening_atoms_has_no_stretch():
    assert envelope(c_max=3.0, never_screen=("Cu",)).stretch == 1.0
