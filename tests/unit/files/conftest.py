"""A small potential with every kind of term."""

import numpy as np
import pytest

from trimpot.contract import Structure
from trimpot.splines.core import CoreSettings
from trimpot.splines.one_body import OneBody
from trimpot.splines.pair_settings import PairSettings
from trimpot.splines.potential import SplinePotential
from trimpot.splines.profile import PairProfile
from trimpot.splines.triplet_settings import TripletSettings
from trimpot.splines.trust import Trust

SPECIES = (14, 74)


def sample_potential():
    profile = PairProfile(SPECIES, np.full((2, 2), 2.1), np.zeros((2, 2, 4)), 4.0)
    settings = (
        PairSettings(cutoff=4.0, intervals=6, leave_out=("Si-Si",)),
        TripletSettings(cutoff=3.5, intervals=5, intervals_jk=6, tie="center"),
        CoreSettings(),
    )
    terms = (OneBody(SPECIES), *(s.build(SPECIES, profile) for s in settings))
    rng = np.random.default_rng(7)
    coefficients = tuple(rng.normal(size=t.n_coefficients) for t in terms)
    provenance = {"data": {"sha256": "00"}, "errors": [0.1 + 0.2, -0.0, 5e-324, None]}
    statistics = {
        "coverage": rng.uniform(size=sum(t.n_coefficients for t in terms)),
        "pair_counts": rng.uniform(size=(2, 2, 4)),
        "pair_cutoff": np.array([4.0]),
        "smallest": np.array([[np.inf, 2.1], [2.1, 2.2]]),
    }
    statistics |= sample_trust(sum(t.n_coefficients for t in terms[1:]), rng).statistics()
    return SplinePotential(SPECIES, terms, coefficients, provenance, statistics)


def sample_trust(n, rng):
    def triangle():
        return np.triu(rng.normal(size=(n, n))).astype(np.float32)

    limits, variances = rng.uniform(1.0, 2.0, size=2), rng.uniform(size=(3, 2))
    return Trust(triangle(), limits, np.zeros((2, 2)), triangle(), variances)


def sample_structures():
    rng = np.random.default_rng(11)
    numbers = np.array([14, 74, 74, 14, 74], dtype=np.int32)
    grid = np.array([[0, 0, 0], [2.4, 0, 0], [0, 2.5, 0], [0, 0, 2.3], [2.4, 2.4, 2.4]])
    positions = grid + 0.1 * rng.normal(size=grid.shape)
    cell = np.array([[5.0, 0, 0], [0.7, 5.2, 0], [0.1, -0.4, 4.9]])
    return [
        Structure(numbers, positions, cell, np.ones(3, dtype=bool)),
        Structure(numbers, positions, np.zeros((3, 3)), np.zeros(3, dtype=bool)),
    ]


@pytest.fixture
def potential():
    return sample_potential()


@pytest.fixture
def structures():
    return sample_structures()
