"""Our screening against that of the MEAM literature, without LAMMPS."""

import numpy as np
import pytest
from meam_material import (
    by_reference,
    by_textbook,
    native,
    readable,
    some_material,
)
from meam_structures import SPECIES, STRUCTURES, cluster

MATERIALS = {
    "short": some_material(SPECIES),
    "long": some_material(SPECIES, largest=3.2, seed=1),
    "one species that does not screen": some_material(SPECIES, never=(1,)),
}


@pytest.mark.parametrize("material", MATERIALS)
@pytest.mark.parametrize("seed", range(8))
def test_weights_and_gradients_of_random_clusters(material, seed):
    d, z_j = cluster(14, SPECIES, seed)
    found = by_reference(MATERIALS[material], SPECIES[seed % 3], d, z_j)
    expected = by_textbook(MATERIALS[material], SPECIES[seed % 3], d, z_j)
    assert ((expected[0] > 0.01) & (expected[0] < 0.99)).any()
    np.testing.assert_allclose(found[0], expected[0], rtol=0.0, atol=1e-13)
    np.testing.assert_allclose(found[1], expected[1], rtol=0.0, atol=1e-12)


@pytest.mark.parametrize("material", MATERIALS)
@pytest.mark.parametrize("structure", ["row", "triclinic", "surface"])
def test_native_energy_forces_and_virial(material, structure):
    material, atoms = MATERIALS[material], STRUCTURES[structure]
    found, expected = native(material, atoms), readable(material, atoms, by_textbook)
    np.testing.assert_allclose(found.energies, expected.energies, rtol=0.0, atol=1e-12)
    np.testing.assert_allclose(found.forces, expected.forces, rtol=0.0, atol=1e-12)
    np.testing.assert_allclose(found.virial, expected.virial, rtol=0.0, atol=1e-11)
