"""A crystal for all tests; makes pair_sets.py importable from any working directory."""

import sys
from pathlib import Path

import numpy as np
import pytest

from trimpot.contract import Structure

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def crystal():
    """Body-centred cubic tungsten, 2 x 2 x 3 cells with thermal displacements."""
    rng = np.random.default_rng(7)
    corners = np.stack(np.meshgrid(range(2), range(2), range(3), indexing="ij"), -1)
    sites = np.concatenate([corners.reshape(-1, 3), corners.reshape(-1, 3) + 0.5])
    return Structure(
        numbers=np.full(len(sites), 74, np.int32),
        positions=3.165 * sites + rng.normal(0.0, 0.1, sites.shape),
        cell=np.diag([6.33, 6.33, 9.495]),
        pbc=np.ones(3, bool),
    )
