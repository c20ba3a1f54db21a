"""Known answers, other programs, odd cells, and what a neighbourhood promises."""

import dataclasses

import numpy as np
import pytest
from pair_sets import listed, sorted_rows

from trimpot import _native
from trimpot.contract import Structure
from trimpot.errors import InputError
from trimpot.neighbors import neighborhood, reference

ALL = np.ones(3, bool)
NONE = np.zeros(3, bool)


def atoms(positions, cell=((0.0,) * 3,) * 3, pbc=NONE):
    positions = np.array(positions, float).reshape(-1, 3)
    return Structure(
        np.ones(len(positions), np.int32), positions, np.array(cell, float), np.array(pbc)
    )


def rows(pairs):
    return sorted_rows(pairs.first, pairs.second, pairs.shifts)


def distances(structure, cutoff):
    return np.sort(np.linalg.norm(listed(structure, cutoff).vectors, axis=1))


@pytest.mark.parametrize("method", [listed, reference.pairs])
def test_shells_of_the_primitive_fcc_cell(method):
    structure = atoms([0.3, 9.0, -2.0], [[0, 2, 2], [2, 0, 2], [2, 2, 0]], ALL)
    r = np.linalg.norm(method(structure, 6.5).vectors, axis=1)
    squares, counts = np.unique(np.round(r**2, 9), return_counts=True)
    assert squares.tolist() == [8.0, 16.0, 24.0, 32.0, 40.0]
    assert counts.tolist() == [12, 6, 24, 12, 24]


@pytest.mark.parametrize("edge", [0.05, 0.5])
def test_cell_far_smaller_than_the_cutoff(edge):
    structure = atoms([0.0, 0.0, 0.0], edge * np.eye(3), ALL)
    cutoff = 10.2 * edge
    reach = np.arange(-11, 12)
    lattice = np.stack(np.meshgrid(reach, reach, reach), -1).reshape(-1, 3)
    expected = ((lattice**2).sum(axis=1) < 10.2**2).sum() - 1
    assert len(listed(structure, cutoff).first) == expected


@pytest.mark.parametrize("seed", range(8))
def test_other_vectors_of_the_same_lattice_give_the_same_distances(seed):
    rng = np.random.default_rng(seed)
    cell = np.diag([4.0, 5.0, 6.0]) + rng.normal(0.0, 0.3, (3, 3))
    structure = atoms(rng.uniform(0.0, 6.0, (7, 3)), cell, ALL)
    skewed = cell.copy()
    for _ in range(6):
        one, two = rng.choice(3, 2, replace=False)
        skewed[one] += rng.integers(-4, 5) * skewed[two]
    other = dataclasses.replace(structure, cell=skewed)
    np.testing.assert_allclose(
        distances(other, 6.0), distances(structure, 6.0), rtol=0, atol=1e-9
    )


@pytest.mark.parametrize("seed", range(24))
def test_agrees_with_vesin_and_ase(seed):
    from ase.neighborlist import primitive_neighbor_list
    from vesin import NeighborList

    rng = np.random.default_rng([11, seed])
    pbc = np.array([seed & 1, seed & 2, seed & 4], bool)
    cell = np.diag([6.0, 9.0, 12.0]) + rng.normal(0.0, 2.0, (3, 3))
    structure = atoms(rng.uniform(-1.0, 2.0, (30, 3)) @ cell, cell, pbc)
    cutoff = float(rng.uniform(2.0, 5.0))
    found = rows(listed(structure, cutoff))
    by_ase = primitive_neighbor_list(
        "ijS", pbc, structure.cell, structure.positions, cutoff, self_interaction=False
    )
    assert np.array_equal(found, sorted_rows(*by_ase))
    by_vesin = NeighborList(cutoff=cutoff, full_list=True).compute(
        structure.positions, structure.cell, pbc, "ijS"
    )
    assert np.array_equal(found, sorted_rows(*by_vesin))


def test_no_atom_and_one_atom():
    assert neighborhood(atoms([]), 5.0).first.tolist() == [0]
    assert neighborhood(atoms([], np.eye(3), ALL), 5.0).positions.shape == (0, 3)
    assert neighborhood(atoms([1e9, 0.0, 0.0]), 5.0).first.tolist() == [0, 0]


def test_coincident_atoms_are_pairs_of_zero_distance():
    point = [[1.0, 2.0, 3.0]] * 3
    assert distances(atoms(point), 0.5).tolist() == [0.0] * 6
    outside = np.array([[0.0] * 3, [10.0, 0.0, 0.0], [0.0, -20.0, 30.0]]) + point
    periodic = atoms(outside, 10.0 * np.eye(3), ALL)
    np.testing.assert_allclose(distances(periodic, 0.5), np.zeros(6), atol=1e-14)


def test_atoms_within_rounding_of_opposite_faces():
    below = np.nextafter(0.0, -1.0)
    for x in (0.0, below, -1e-17, 5.0, np.nextafter(5.0, 0.0), 5.0 + 1e-15):
        structure = atoms([[x, 0.1, 0.1], [4.9, 0.1, 0.1]], 5.0 * np.eye(3), ALL)
        np.testing.assert_allclose(distances(structure, 4.0), [0.1, 0.1], atol=1e-14)


def test_a_cell_of_a_million_angstrom():
    cell = 1e6 * np.eye(3)
    rng = np.random.default_rng(2)
    cluster = rng.uniform(
        -8.0, 8.0, (400, 3)
    )  # around a corner: eight far apart in the cell
    periodic = atoms(cluster, cell, ALL)
    isolated = atoms(cluster)
    assert len(neighborhood(periodic, 4.0).positions) < 4000
    np.testing.assert_allclose(
        distances(periodic, 4.0), distances(isolated, 4.0), rtol=0, atol=1e-9
    )


def test_one_atom_far_away_changes_nothing_for_the_others():
    rng = np.random.default_rng(2)
    cluster = rng.uniform(0.0, 20.0, (500, 3))
    with_escaped = np.vstack([cluster, [[1e9, -1e8, 3e7]]])
    assert np.array_equal(
        rows(listed(atoms(with_escaped), 3.0)), rows(listed(atoms(cluster), 3.0))
    )


def test_rows_of_directions_that_are_not_periodic_do_not_matter():
    rng = np.random.default_rng(4)
    cell = np.array([[4.0, 0.0, 0.0], [1.0, 5.0, 0.0], [0.0, 0.0, 0.0]])
    slab = atoms(rng.uniform(0.0, 9.0, (20, 3)), cell, [True, True, False])
    thick = dataclasses.replace(slab, cell=cell + np.outer([0, 0, 1], [3.0, 1.0, 0.2]))
    assert np.array_equal(rows(listed(slab, 5.0)), rows(listed(thick, 5.0)))


def test_the_result_does_not_depend_on_threads(crystal):
    copies = (
        3.165 * np.array([2, 2, 3]) * np.indices((9, 9, 7)).reshape(3, -1).T[:, None, :]
    )
    positions = (copies + crystal.positions).reshape(-1, 3)
    big = atoms(positions, crystal.cell * np.array([9, 9, 7])[:, None], ALL)
    one = neighborhood(big, 5.0, threads=1)
    for threads in (0, 2, 3):
        other = neighborhood(big, 5.0, threads=threads)
        for field in dataclasses.fields(one):
            assert np.array_equal(getattr(one, field.name), getattr(other, field.name))


@pytest.mark.parametrize("cutoff", [1.0, 5.0, 12.0])
def test_promises_of_a_neighborhood(crystal, cutoff):
    moved = dataclasses.replace(
        crystal, positions=crystal.positions + np.array([50.0, -33.0, 7.0])
    )
    around = neighborhood(moved, cutoff)
    n, n_all = len(moved), len(around.positions)
    assert around.n_local == n
    assert around.cutoff == cutoff
    assert np.array_equal(around.owners[:n], np.arange(n))
    assert np.array_equal(around.numbers, moved.numbers[around.owners])
    assert around.first[0] == 0
    assert around.first[-1] == len(around.neighbors)
    assert (np.diff(around.first) >= 0).all()
    assert len(around.owners) == n_all
    assert around.neighbors.min(initial=0) >= 0
    assert around.neighbors.max(initial=0) < n_all
    fractional = np.linalg.solve(moved.cell.T, around.positions[:n].T)
    assert (np.abs(fractional - 0.5) <= 0.5 + 1e-12).all()
    images = around.positions - moved.positions[around.owners]
    periods = images @ np.linalg.inv(moved.cell)
    np.testing.assert_allclose(periods, np.rint(periods), rtol=0, atol=1e-9)
    assert around.positions.flags.c_contiguous
    assert (around.first.dtype, around.neighbors.dtype) == (np.int64, np.int32)


def test_every_pair_is_listed_from_both_ends(crystal):
    pairs = listed(crystal, 6.0)
    back = sorted_rows(pairs.second, pairs.first, -pairs.shifts)
    assert np.array_equal(rows(pairs), back)


def test_inputs_are_not_changed_and_may_be_read_only(crystal):
    arrays = [v for v in vars(crystal).values() if isinstance(v, np.ndarray)]
    before = [array.tobytes() for array in arrays]
    for array in arrays:
        array.flags.writeable = False
    neighborhood(crystal, 5.0)
    assert [array.tobytes() for array in arrays] == before


def test_other_layouts_and_types_give_the_same_list(crystal):
    other = Structure(
        numbers=crystal.numbers.astype(np.int64),
        positions=np.asfortranarray(crystal.positions),
        cell=np.asfortranarray(crystal.cell),
        pbc=[True, True, True],
    )
    assert np.array_equal(rows(listed(other, 5.0)), rows(listed(crystal, 5.0)))


def test_positions_own_their_memory(crystal):
    positions = neighborhood(crystal, 5.0).positions
    kept = positions.copy()
    for _ in range(20):
        neighborhood(crystal, 6.0)
    assert np.array_equal(positions, kept)


SINGULAR = [[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [0.0, 0.0, 5.0]]
FLAT = [[1.0, 0.0, 0.0], [-0.5, 0.8, 0.0], [-0.5, -0.8, 0.0]]
WRONG = {
    "cutoff zero": ({}, 0.0, "cutoff is 0"),
    "cutoff negative": ({}, -3.0, "cutoff is -3"),
    "cutoff nan": ({}, np.nan, "cutoff is"),
    "cutoff infinite": ({}, np.inf, "positive finite"),
    "position nan": ({"positions": np.full((24, 3), np.nan)}, 5.0, "of atom 0"),
    "position infinite": ({"positions": np.full((24, 3), np.inf)}, 5.0, "finite"),
    "too far": ({"positions": np.full((24, 3), 1e11)}, 5.0, "wrap the positions"),
    "cell nan": ({"cell": np.full((3, 3), np.nan)}, 5.0, r"cell\[0\]\[0\]"),
    "no cell": ({"cell": np.zeros((3, 3))}, 5.0, "independent cell vectors"),
    "parallel": ({"cell": np.array(SINGULAR)}, 5.0, "independent cell vectors"),
    "flat": ({"cell": np.array(FLAT)}, 5.0, "independent cell vectors"),
    "tiny": ({"cell": 1e-6 * np.eye(3)}, 5.0, "too small beside the cutoff"),
    "cell shape": ({"cell": np.ones(3)}, 5.0, "cell has shape"),
    "pbc shape": ({"pbc": np.array(True)}, 5.0, "pbc has shape"),
    "pbc type": ({"pbc": np.array([1.0, 1.0, 1.0])}, 5.0, "pbc has type"),
    "positions shape": ({"positions": np.zeros((23, 3))}, 5.0, "positions has shape"),
    "complex": ({"positions": np.zeros((24, 3), complex)}, 5.0, "positions has type"),
    "numbers": ({"numbers": np.full(24, 1 << 40)}, 5.0, "numbers holds"),
}


@pytest.mark.parametrize("case", WRONG)
def test_errors_name_the_cause(crystal, case):
    changes, cutoff, message = WRONG[case]
    with pytest.raises(InputError, match=message):
        neighborhood(dataclasses.replace(crystal, **changes), cutoff)


def test_negative_threads_are_refused(crystal):
    with pytest.raises(InputError, match="threads is -1"):
        neighborhood(crystal, 5.0, threads=-1)


def test_reference_refuses_dependent_vectors(crystal):
    with pytest.raises(InputError, match="linearly dependent"):
        reference.pairs(dataclasses.replace(crystal, cell=np.array(SINGULAR)), 5.0)


def test_native_core_converts_nothing(crystal):
    """A converted output would lose its results; a converted input hides a copy."""
    x, cell, pbc = crystal.positions, crystal.cell, crystal.pbc
    for wrong in (x.astype(np.float32), np.asfortranarray(x), x[:, :2], x[::2]):
        with pytest.raises(TypeError):
            _native.build_neighbors(wrong, cell, pbc, 5.0, 1)
    with pytest.raises(TypeError):
        _native.build_neighbors(x, cell, pbc.astype(np.int8), 5.0, 1)


def test_native_refresh_checks_lengths_and_owners(crystal):
    x, cell = crystal.positions, crystal.cell
    positions, owners, shifts, *_ = _native.build_neighbors(x, cell, crystal.pbc, 5.0, 1)
    with pytest.raises(ValueError, match="differ in length"):
        _native.refresh_positions(positions[:-1].copy(), owners, shifts, x, cell)
    with pytest.raises(ValueError, match="beyond the positions"):
        _native.refresh_positions(positions, owners + 1, shifts, x, cell)
    fresh = np.empty_like(positions)
    _native.refresh_positions(fresh, owners, shifts, x, cell)
    assert np.array_equal(fresh, positions)


def test_the_charge_goes_along_and_must_be_whole(crystal):
    ion = dataclasses.replace(crystal, charge=np.int64(-1))
    assert neighborhood(ion, 5.0).charge == -1
    with pytest.raises(InputError, match=r"charge is 0\.5, expected"):
        neighborhood(dataclasses.replace(crystal, charge=0.5), 5.0)
