"""Networks through KIM: ghosts as many cutoffs wide as there are layers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111

torch = pytest.importorskip("torch", reason="random weights come from PyTorch networks")

import lammps_oracle  # noqa: E402
from kim_host import debian_lammps, install  # noqa: E402
from network_samples import (  # noqa: E402
    SPECIES,
    TINY,
    charged,
    core,
    narrow,
    network,
    structures,
)
from trimpot.engines.ase import structure_from_atoms  # noqa: E402
from trimpot.engines.singlepoint import evaluate  # noqa: E402
from trimpot.errors import InputError  # noqa: E402
from trimpot.verbs.exporting import export  # noqa: E402


@pytest.fixture(scope="module")
def models(kim_home):
    """Potential and name of its model by number of layers."""
    made = {
        2: network(narrow(), prior=core()),
        3: network(narrow(layers=3)),
    }
    return {n: (p, install(p, f"network_{n}", kim_home)) for n, p in made.items()}


def mixed(atoms, seed):
    rng = np.random.default_rng(seed)
    atoms.numbers[:] = rng.choice(SPECIES, len(atoms))
    atoms.positions += rng.normal(0.0, 0.12, (len(atoms), 3))
    return atoms


def small():
    one = structures()[0]
    return Atoms(one.numbers, one.positions, cell=one.cell, pbc=True)


def surface():
    slab = mixed(fcc111("W", (3, 4, 4), a=4.0, vacuum=6.0, orthogonal=True), 1)
    slab.pbc = (True, True, False)
    return slab


def crystal():
    return mixed(bulk("W", cubic=True, a=3.1) * (4, 4, 5), 2)


@pytest.mark.parametrize(("n_ranks", "newton"), [(1, "on"), (2, "off"), (4, "on")])
@pytest.mark.parametrize("layers", [2, 3])
@pytest.mark.parametrize("shape", [small, surface, crystal])
def test_parity(shape, layers, n_ranks, newton, models, tmp_path):
    lmp, launcher = debian_lammps(n_ranks)
    potential, name = models[layers]
    atoms = shape()
    ours = evaluate(potential, structure_from_atoms(atoms))
    theirs = lammps_oracle.evaluate(
        lmp,
        tmp_path,
        atoms,
        potential.species,
        [f"pair_style kim {name}", "pair_coeff * * Si W"],
        launcher=launcher,
        newton=newton,
    )
    n = len(atoms)
    assert theirs.energies[0] == pytest.approx(ours.energy, abs=1e-10 * n)
    np.testing.assert_allclose(theirs.forces, ours.forces, atol=1e-9, rtol=0)
    bound = 1e-8 * atoms.get_volume()
    np.testing.assert_allclose(theirs.virial, ours.virial, atol=bound, rtol=0)


@pytest.mark.parametrize("make", [charged, lambda: network(replace(TINY, forces="direct"))])
def test_networks_of_torch_alone_are_refused(make, tmp_path):
    with pytest.raises(InputError, match=r"total charges|predicted directly"):
        export(make(), "kim", output=tmp_path / "out")
    assert not (tmp_path / "out").exists()
