"""Fixtures for verbs and command line: a small labelled data set and a trained result.

Imports stay inside, so that tests of other rooms do not wait for ASE and matplotlib.
"""

import numpy as np
import pytest


def labelled(atoms, config_type):
    from ase.calculators.morse import MorsePotential
    from ase.calculators.singlepoint import SinglePointCalculator

    atoms.calc = MorsePotential(epsilon=0.8, r0=2.7, rho0=3.5, rcut1=3.4, rcut2=4.2)
    energy, forces = atoms.get_potential_energy(), atoms.get_forces()
    results = {"energy": energy, "forces": forces}
    if atoms.pbc.all():
        results["stress"] = atoms.get_stress()
    atoms.calc = SinglePointCalculator(atoms, **results)
    atoms.info["config_type"] = config_type
    return atoms


def made_frames(count=14, seed=3):
    from ase import Atoms
    from ase.build import bulk

    rng = np.random.default_rng(seed)
    frames = []
    for number in range(count):
        atoms = bulk("W", "bcc", a=3.1 * (1 + 0.04 * rng.normal()), cubic=True) * (2, 1, 1)
        atoms.positions += 0.12 * rng.normal(size=atoms.positions.shape)
        group = "hot" if number % 3 else "cold"
        atoms.info["fold"] = number % 4
        frames.append(labelled(atoms, group))
    alone = Atoms("W", cell=[20] * 3, pbc=False)
    alone.info["fold"] = 0
    frames.append(labelled(alone, "isolated_atom"))
    return frames


@pytest.fixture(scope="session")
def frames():
    return made_frames()


@pytest.fixture(scope="session")
def data_file(frames, tmp_path_factory):
    from ase.io import write

    path = tmp_path_factory.mktemp("data") / "w.extxyz"
    write(path, frames)
    return path


def quick(data_file, output):
    """A configuration that trains in a moment."""
    return {
        "data": {
            "path": str(data_file),
            "split": {"kind": "field", "field": "fold", "train": [0, 1, 2], "test": 3},
        },
        "model": {
            "terms": [
                {"kind": "pair", "cutoff": 4.2, "intervals": 10},
                {"kind": "triplet", "cutoff": 3.6, "intervals": 4, "intervals_jk": 5},
            ]
        },
        "fit": {"kappa": [0.5, 0.9], "ridge": 1e-9, "curvature": [1e-9, 1e-6], "folds": 3},
        "output": str(output),
        "threads": 1,
        "figures": False,
    }


@pytest.fixture
def values(data_file, tmp_path):
    return quick(data_file, tmp_path / "out")


@pytest.fixture(scope="session")
def trained(data_file, tmp_path_factory):
    """A result that tests only look at, with all figures."""
    from trimpot.verbs import train

    values = quick(data_file, tmp_path_factory.mktemp("trained") / "out")
    return train({**values, "figures": True})
