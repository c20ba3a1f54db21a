"""Our envelope with switch "meam" and combine "product" against LAMMPS' pair_style meam."""

from fractions import Fraction

import numpy as np
import pytest
from gallery import GE, GE_LIMITS, SCENES, W_LIMITS, Scene, hang, random_scenes
from meam_material import Material, native, phi, readable, some_material
from meam_structures import SPECIES, STRUCTURES

import lammps_oracle as lammps
from trimpot.contract import Evaluation

WEIGHT, ENERGY, FORCE, VIRIAL = 1e-14, 1e-12, 1e-11, 2e-11  # 1, eV/atom, eV/A, eV
EPS = np.finfo(float).eps
MATERIALS = {
    "short": some_material(SPECIES),
    "long": some_material(SPECIES, largest=3.2, seed=1),
    "one species does not screen": some_material(SPECIES, never=(1,)),
    "default limits": Material(SPECIES, np.ones((3, 3)), np.zeros(3), {}),
}
ONE_PAIR = Material(
    SPECIES,
    np.diag([0.5, 0.0, 0.0]),  # phi = 1 eV at 2.5 A between silicon; nothing else
    np.zeros(3),
    {(0, 0, 1): GE_LIMITS, (0, 0, 2): W_LIMITS},
)


@pytest.fixture(scope="module")
def lmp():
    return lammps.find_lmp("MEAM")


def by_lammps(lmp, folder, material, atoms):
    """Energies of atoms, forces and virial."""
    dump = (
        "compute each all pe/atom pair",
        "dump 2 all custom 1 energies.dump id c_each",
        "dump_modify 2 sort id format float %22.17g",
    )
    commands = (*material.commands(folder), *dump)
    found = lammps.evaluate(lmp, folder, atoms, material.species, commands)
    energies = np.loadtxt(folder / "energies.dump", skiprows=9, ndmin=2)[:, 1]
    assert energies.sum() == pytest.approx(found.energy, abs=ENERGY * len(atoms))
    return Evaluation(energies, found.forces, found.virial)


def assert_equal(ours, theirs):
    np.testing.assert_allclose(ours.energies, theirs.energies, rtol=0.0, atol=ENERGY)
    np.testing.assert_allclose(ours.forces, theirs.forces, rtol=0.0, atol=FORCE)
    np.testing.assert_allclose(ours.virial, theirs.virial, rtol=0.0, atol=VIRIAL)


def weights_and_gradients(lmp, folder, scenes):
    """S of every scene's pair and the force on its first screening atom over phi, thrice.

    By LAMMPS, by the readable form, by the kernel.
    """
    atoms, first = hang(scenes)
    whole = np.array([phi(ONE_PAIR, 0, 0, scene.length)[0] for scene in scenes])
    for found in (
        by_lammps(lmp, folder, ONE_PAIR, atoms),
        readable(ONE_PAIR, atoms),
        native(ONE_PAIR, atoms),
    ):
        energies = np.add.reduceat(found.energies, first[:-1])
        yield energies / whole, found.forces[first[:-1] + 2] / whole[:, None]


@pytest.fixture(scope="module")
def gallery(lmp, tmp_path_factory):
    """All scenes by LAMMPS, by the readable form and by the kernel; where each begins."""
    atoms, first = hang(list(SCENES.values()))
    theirs = by_lammps(lmp, tmp_path_factory.mktemp("scenes"), ONE_PAIR, atoms)
    return (theirs, readable(ONE_PAIR, atoms), native(ONE_PAIR, atoms)), first


@pytest.mark.parametrize("name", SCENES)
def test_one_pair_and_what_stands_beside_it(gallery, name):
    found, first = gallery
    number, scene = list(SCENES).index(name), SCENES[name]
    here = slice(first[number], first[number + 1])
    whole, _ = phi(ONE_PAIR, 0, 0, scene.length)
    weight, *ours = (e.energies[here].sum() / whole for e in found)
    assert ours == pytest.approx([weight] * 2, abs=WEIGHT, rel=0.0)
    if scene.weight is None:
        assert 0.0 < weight <= 1.0
    else:
        assert weight == pytest.approx(scene.weight, abs=1e-15, rel=0.0)
    for e in found[1:]:
        np.testing.assert_allclose(
            e.forces[here], found[0].forces[here], atol=FORCE, rtol=0
        )


@pytest.mark.parametrize("material", MATERIALS)
def test_a_few_hundred_trios(lmp, tmp_path, material):
    material = MATERIALS[material]
    atoms, _ = hang(random_scenes(200, SPECIES))
    theirs = by_lammps(lmp, tmp_path, material, atoms)
    for ours in readable(material, atoms), native(material, atoms):
        np.testing.assert_allclose(ours.energies, theirs.energies, rtol=0, atol=ENERGY)
        np.testing.assert_allclose(ours.forces, theirs.forces, rtol=0, atol=FORCE)


@pytest.mark.parametrize("material", MATERIALS)
@pytest.mark.parametrize("structure", STRUCTURES)
def test_small_cells_crystals_and_surfaces(lmp, tmp_path, material, structure):
    material, atoms = MATERIALS[material], STRUCTURES[structure]
    theirs = by_lammps(lmp, tmp_path, material, atoms)
    for ours in readable(material, atoms), native(material, atoms):
        assert_equal(ours, theirs)


@pytest.mark.parametrize("structure", ["row", "triclinic", "alloy"])
def test_a_single_species(lmp, tmp_path, structure):
    material, atoms = some_material(SPECIES[:1]), STRUCTURES[structure].copy()
    atoms.numbers[:] = SPECIES[0]
    theirs = by_lammps(lmp, tmp_path, material, atoms)
    for ours in readable(material, atoms), native(material, atoms):
        assert_equal(ours, theirs)


@pytest.mark.parametrize("structure", ["row", "triclinic", "alloy", "surface"])
def test_the_same_weights_in_the_density(lmp, tmp_path, structure):
    material, atoms = some_material(SPECIES, strength=1.0), STRUCTURES[structure]
    theirs = by_lammps(lmp, tmp_path, material, atoms)
    plain = readable(some_material(SPECIES), atoms)
    assert abs(theirs.energy - plain.energy) > 1.0
    assert_equal(readable(material, atoms), theirs)


def exactly(scene_positions, limits):
    """t, S and dS/dr_k of one k in rational numbers, from positions as they are."""
    i, j, k = ([Fraction(float(x)) for x in r] for r in scene_positions)
    u, v = ([b - a for a, b in zip(i, end, strict=True)] for end in (j, k))
    square = sum(a * a for a in u)
    t = sum(a * b for a, b in zip(u, v, strict=True)) / square
    q = [b - t * a for a, b in zip(u, v, strict=True)]
    scale = square * t * (1 - t)
    c = sum(a * a for a in q) / scale
    low, high = map(Fraction, limits)
    y = 1 - (c - low) / (high - low)
    slope = 8 * (1 - y**4) * y**3 / (high - low)
    by_k = [
        slope * (2 * b - c * (1 - 2 * t) * a) / scale for a, b in zip(u, q, strict=True)
    ]
    return float(t), float((1 - y**4) ** 2), np.array([float(g) for g in by_k])


def test_close_to_an_end_both_lose_digits_as_they_must(lmp, tmp_path):
    """1 - (X - Y)^2 = 4 t (1 - t), and our 1 - t at the far end, are good to EPS / t."""
    scenes = [
        Scene(((GE, 0.7 * 4.0**-m, 0.83 * 2.0**-m),), axis=(0.8, 0.0, 0.6))
        for m in range(1, 13)  # k from 1.8 A down to 1e-3 A
    ]
    positions = hang(scenes)[0].positions.reshape(-1, 3, 3)
    t, weight, by_k = zip(*(exactly(r, GE_LIMITS) for r in positions), strict=True)
    bound = 4.0 * EPS / np.array(t)
    assert all(0.1 < s < 0.99 for s in weight)
    for found, force in weights_and_gradients(lmp, tmp_path, scenes):
        assert (np.abs(found - weight) < bound).all()
        error = np.abs(force + by_k).max(axis=1) / np.abs(by_k).max(axis=1)
        assert (error < 10.0 * bound).all()


def test_lammps_drops_pairs_below_1e_20_whose_forces_we_keep(lmp, tmp_path):
    """S = (4 x)^2 and dS/dx = 8 sqrt(S) near x = 0: forces up to 8e-10 phi |grad x|."""
    shares = np.array([1e-12, 1e-11, 2e-11, 2.4e-11, 2.6e-11, 4e-11, 1e-10, 1e-9])
    low, high = GE_LIMITS
    heights = np.sqrt((low + (high - low) * shares) / 4.0)
    scenes = [Scene(((GE, 0.5, float(h)),)) for h in heights]
    positions = hang(scenes)[0].positions.reshape(-1, 3, 3)
    _, weight, by_k = zip(*(exactly(r, GE_LIMITS) for r in positions), strict=True)
    (_, theirs), *ours = weights_and_gradients(lmp, tmp_path, scenes)
    by_k, dropped = np.array(by_k), np.array(weight) < 1e-20
    for _, force in ours:
        np.testing.assert_allclose(force, -by_k, rtol=1e-8, atol=1e-16)
    np.testing.assert_allclose(theirs[~dropped], -by_k[~dropped], rtol=1e-8, atol=1e-16)
    assert 0 < dropped.sum() < len(dropped)
    by_x = np.abs(by_k).max(axis=1) / (8.0 * np.sqrt(weight))  # |dx/dr_k|
    missing = np.abs(theirs + by_k).max(axis=1)
    assert (missing <= 8e-10 * by_x + 1e-14).all()
