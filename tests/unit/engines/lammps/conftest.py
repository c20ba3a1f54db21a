"""A cache for the plugin, and a crystal for both engines."""

import numpy as np
import pytest
from ase.build import bulk


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def crystal():
    """Return a function that makes a rattled, turned crystal of Si and W, some heavy W."""

    def made(pbc=True, repeats=(2, 2, 3)):
        atoms = bulk("W", "bcc", a=3.31) * repeats
        atoms.numbers[::3] = 14
        atoms.rotate(33.0, (1, 2, 3), rotate_cell=True)
        noise = np.random.default_rng(3).normal(size=atoms.positions.shape)
        atoms.positions += 0.05 * noise
        masses = atoms.get_masses()
        masses[1] = 186.0
        atoms.set_masses(masses)
        atoms.pbc = pbc
        return atoms

    return made
