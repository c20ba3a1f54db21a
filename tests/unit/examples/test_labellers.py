"""The potentials that label the demo's data agree with numbers from elsewhere."""

import numpy as np
import pytest
from ase.build import bulk
from labellers import LennardJones, StillingerWeber

from trimpot.engines.ase import structure_from_atoms
from trimpot.engines.singlepoint import evaluate
from trimpot.validation.derivatives import check_forces, check_stress


def rattled(atoms, seed):
    atoms.positions += 0.1 * np.random.default_rng(seed).normal(size=atoms.positions.shape)
    strain = 0.02 * np.triu(np.ones((3, 3)))
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + strain), scale_atoms=True)
    return structure_from_atoms(atoms)


def test_stillinger_weber_diamond_has_the_published_cohesive_energy_and_lattice():
    """Two bonds per atom of depth 2.1683 eV at r = 2^(1/6) sigma; triplets are at rest."""
    silicon = structure_from_atoms(bulk("Si", a=5.431))
    energy = evaluate(StillingerWeber(), silicon, threads=1)
    assert energy.energy / 2 == pytest.approx(-2.0 * 2.1683, abs=1e-4)
    assert np.abs(energy.forces).max() < 1e-12
    assert np.abs(energy.stress(silicon.volume)).max() < 1e-4


@pytest.mark.parametrize(
    ("potential", "atoms"),
    [(StillingerWeber(), bulk("Si", cubic=True)), (LennardJones(), bulk("Cu", cubic=True))],
    ids=["Stillinger-Weber", "Lennard-Jones"],
)
def test_forces_and_stress_are_derivatives_of_the_energy(potential, atoms):
    structure = rattled(atoms, seed=4)
    for check in (check_forces(potential, structure), check_stress(potential, structure)):
        assert check.passed, str(check)
