"""A list with a skin gives what a fresh list gives, and is rebuilt only when it must be."""

import dataclasses

import numpy as np
import pytest
from pair_sets import sorted_rows

from trimpot.contract import Structure
from trimpot.errors import InputError
from trimpot.neighbors import VerletList, neighborhood

CUTOFF = 4.0


def within_cutoff(around, structure):
    """Pairs closer than the cutoff with the rounded lattice vector between the owners."""
    first = np.repeat(np.arange(around.n_local), np.diff(around.first))
    second = around.neighbors
    r = around.positions[second] - around.positions[first]
    near = (r**2).sum(axis=1) < CUTOFF**2
    first, second, r = first[near], around.owners[second[near]], r[near]
    lattice = r - (structure.positions[second] - structure.positions[first])
    shifts = np.zeros((len(r), 3))
    if structure.pbc.any():
        rows = structure.cell[structure.pbc]
        shifts[:, structure.pbc] = np.rint(lattice @ np.linalg.pinv(rows))
    return sorted_rows(first, second, shifts)


def assert_current(around, structure):
    fresh = neighborhood(structure, CUTOFF)
    assert around.cutoff == CUTOFF
    assert np.array_equal(within_cutoff(around, structure), within_cutoff(fresh, structure))


def steps(rng, structure, n_steps, *, cell_changes):
    """A random walk with momentum; the cell breathes and shears with the atoms or alone."""
    velocity = rng.normal(0.0, 0.03, structure.positions.shape)
    for step in range(n_steps):
        velocity += rng.normal(0.0, 0.02, velocity.shape)
        velocity *= 0.95
        positions, cell = structure.positions + velocity, structure.cell
        if cell_changes and step % 2:
            strain = np.eye(3) + rng.normal(0.0, 0.01, (3, 3))
            cell = cell @ strain
            if step % 4 == 1:
                positions = positions @ strain
        if rng.random() < 0.01:
            positions = positions + rng.integers(-1, 2, positions.shape) @ cell  # rewrapped
        structure = dataclasses.replace(structure, positions=positions, cell=cell)
        yield structure


@pytest.mark.parametrize("skin", [0.0, 0.3, 1.0, 2.5])
@pytest.mark.parametrize("pbc", [(1, 1, 1), (1, 0, 1), (0, 1, 0), (0, 0, 0)])
@pytest.mark.parametrize("cell_changes", [False, True])
def test_moving_atoms_and_cell_match_fresh_lists(skin, pbc, cell_changes):
    rng = np.random.default_rng([skin > 0.5, *pbc, cell_changes])
    cell = np.array([[3.5, 0.0, 0.0], [1.0, 4.0, 0.0], [0.5, -1.0, 6.0]])
    start = Structure(
        np.ones(5, np.int32), rng.uniform(0.0, 5.0, (5, 3)), cell, np.array(pbc, bool)
    )
    verlet = VerletList(CUTOFF, skin)
    for structure in steps(rng, start, 60, cell_changes=cell_changes):
        assert_current(verlet.update(structure), structure)
    assert verlet.builds <= 60
    if skin > 2.0 and not cell_changes:
        assert verlet.builds < 30


@pytest.mark.slow
def test_ten_thousand_steps_match_fresh_lists(crystal):
    rng = np.random.default_rng(9)
    verlet = VerletList(CUTOFF, 1.0)
    for structure in steps(rng, crystal, 10_000, cell_changes=False):
        assert_current(verlet.update(structure), structure)
    assert verlet.builds < 5_000


def test_resting_atoms_and_drift_need_no_build(crystal):
    verlet = VerletList(CUTOFF, 0.5)
    for step in range(20):
        moved = dataclasses.replace(crystal, positions=crystal.positions + 0.3 * step)
        assert_current(verlet.update(moved), moved)
    assert verlet.builds == 1


def test_rebuilds_when_an_atom_moved_by_half_the_skin(crystal):
    verlet = VerletList(CUTOFF, 1.0)
    verlet.update(crystal)
    for distance, builds in ((0.49, 1), (0.55, 2)):
        positions = crystal.positions.copy()
        positions[3, 1] += distance
        moved = dataclasses.replace(crystal, positions=positions)
        assert_current(verlet.update(moved), moved)
        assert verlet.builds == builds


def test_homogeneous_strain_spends_the_skin_slowly(crystal):
    """Compression moves far ghosts a lot, but pairs only in proportion."""
    verlet = VerletList(CUTOFF, 1.0)
    for factor in (1.0, 0.99, 0.9, 1.1, 0.81, 0.79):
        strained = dataclasses.replace(
            crystal, positions=factor * crystal.positions, cell=factor * crystal.cell
        )
        assert_current(verlet.update(strained), strained)
    assert verlet.builds == 2  # at 0.79, where (CUTOFF + skin) gets below the cutoff


def test_a_shrinking_cell_brings_in_images_that_were_not_ghosts():
    """No atom moves: only images do, and none of them was within cutoff + skin before."""
    cell = np.diag([5.2, 30.0, 30.0])
    lone = Structure(np.ones(1, np.int32), np.zeros((1, 3)), cell, np.ones(3, bool))
    verlet = VerletList(CUTOFF, 1.0)
    assert len(verlet.update(lone).neighbors) == 0
    shrunk = dataclasses.replace(lone, cell=np.diag([3.9, 30.0, 30.0]))
    assert len(verlet.update(shrunk).neighbors) == 2
    assert verlet.builds == 2


@pytest.mark.parametrize("change", ["numbers", "pbc", "atoms"])
def test_rebuilds_when_the_structure_is_another(crystal, change):
    verlet = VerletList(CUTOFF, 1.0)
    verlet.update(crystal)
    other = {
        "numbers": dataclasses.replace(crystal, numbers=crystal.numbers + 1),
        "pbc": dataclasses.replace(crystal, pbc=np.array([True, True, False])),
        "atoms": dataclasses.replace(
            crystal, numbers=crystal.numbers[:-1], positions=crystal.positions[:-1]
        ),
    }[change]
    around = verlet.update(other)
    assert verlet.builds == 2
    assert np.array_equal(around.numbers[: around.n_local], other.numbers)
    assert_current(around, other)


def test_earlier_neighborhoods_and_the_callers_arrays_stay(crystal):
    verlet = VerletList(CUTOFF, 1.0)
    earlier = verlet.update(crystal)
    kept = earlier.positions.copy()
    crystal.positions[:] += 0.01 * np.sin(
        np.arange(72).reshape(24, 3)
    )  # caller's own array
    before = crystal.positions.copy()
    later = verlet.update(crystal)
    assert verlet.builds == 1
    assert np.array_equal(earlier.positions, kept)
    assert not np.array_equal(later.positions, kept)
    assert np.array_equal(crystal.positions, before)


def test_lost_atoms_are_an_error_and_the_list_recovers(crystal):
    verlet = VerletList(CUTOFF, 1.0)
    verlet.update(crystal)
    positions = crystal.positions.copy()
    positions[5, 2] = np.nan
    with pytest.raises(InputError, match="atom 5"):
        verlet.update(dataclasses.replace(crystal, positions=positions))
    assert_current(verlet.update(crystal), crystal)


@pytest.mark.parametrize(
    ("cutoff", "skin"), [(0.0, 1.0), (np.nan, 1.0), (5.0, -1.0), (5.0, np.inf)]
)
def test_wrong_settings_are_refused(cutoff, skin):
    with pytest.raises(InputError, match="expected"):
        VerletList(cutoff, skin)
