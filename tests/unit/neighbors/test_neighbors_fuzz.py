"""The native list holds exactly the pairs of the brute-force reference, shifts included."""

import numpy as np
import pytest
from pair_sets import (
    affordable_cutoff,
    differing_rows,
    listed,
    random_structure,
    sorted_rows,
)

from trimpot.contract import Structure
from trimpot.neighbors import reference

PBC = [np.array([a, b, c], bool) for a in (0, 1) for b in (0, 1) for c in (0, 1)]


def assert_same_pairs(structure, cutoff):
    """Identical sets, but for pairs that rounding alone puts on one side of the cutoff."""
    expected = reference.pairs(structure, cutoff)
    found = listed(structure, cutoff)
    rows = sorted_rows(found.first, found.second, found.shifts)
    wanted = sorted_rows(expected.first, expected.second, expected.shifts)
    assert len(np.unique(rows, axis=0)) == len(rows)
    for first, second, *shift in differing_rows(rows, wanted):
        r = structure.positions[second] - structure.positions[first]
        r = np.linalg.norm(r + np.array(shift) @ structure.cell)
        assert r == pytest.approx(cutoff, abs=1e-11), (first, second, shift)
    return expected


def fuzz(seed):
    """One random cell: any cutoff, then a distance in it, give or take one ulp."""
    rng = np.random.default_rng([20261120, seed])
    volume = 10.0 ** rng.uniform(0.0, 4.0)
    structure = random_structure(rng, PBC[seed % 8], volume)
    cutoff = affordable_cutoff(rng, structure, volume)
    expected = assert_same_pairs(structure, cutoff)
    distances = np.linalg.norm(expected.vectors, axis=1)
    if distances.any():
        distance = rng.choice(distances[distances > 0.0])
        direction = rng.choice([0.0, distance, np.inf])
        assert_same_pairs(structure, float(np.nextafter(distance, direction)))


@pytest.mark.parametrize("block", range(25))
def test_random_cells_match_brute_force(block):
    for seed in range(20 * block, 20 * (block + 1)):
        fuzz(seed)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(25, 500))
def test_ten_thousand_random_cells_match_brute_force(block):
    for seed in range(20 * block, 20 * (block + 1)):
        fuzz(seed)


@pytest.mark.parametrize("ulps", [-1, 0, 1])
@pytest.mark.parametrize("pbc", PBC, ids=str)
def test_cutoff_is_exclusive_to_the_last_bit(pbc, ulps):
    """Positions in eighths: every difference and square is exact, so the sets agree."""
    rng = np.random.default_rng(3)
    cell = np.array([[2.5, 0.0, 0.0], [1.25, 2.0, 0.0], [-0.5, 0.75, 3.0]])
    positions = rng.integers(-40, 41, (20, 3)) / 8.0
    positions[1] = positions[0] + np.array([1.5, 2.0, 0.0])
    structure = Structure(np.ones(20, np.int32), positions, cell, pbc)
    on_edge = 0
    for distance in (0.625, 1.25, 2.5, 3.25):  # 3-4-5 and 5-12-13 triangles among them
        cutoff = float(np.nextafter(distance, np.inf * ulps)) if ulps else distance
        expected = reference.pairs(structure, cutoff)
        found = listed(structure, cutoff)
        on_edge += np.sum((expected.vectors**2).sum(axis=1) == distance**2)
        assert np.array_equal(
            sorted_rows(found.first, found.second, found.shifts),
            sorted_rows(expected.first, expected.second, expected.shifts),
        )
    assert (on_edge > 0) == (ulps > 0)


@pytest.mark.parametrize("seed", range(40))
def test_bins_match_brute_force_for_more_atoms(seed):
    """Enough atoms for dense bins (uniform) and sorted ones (clusters far apart)."""
    rng = np.random.default_rng([5, seed])
    n = 120
    positions = rng.uniform(-5.0, 15.0, (n, 3))
    if seed % 2:
        positions += rng.choice([0.0, 1e4, -3e5], (n, 3))
    cell = rng.normal(0.0, 3.0, (3, 3)) + np.diag([9.0, 11.0, 13.0])
    structure = Structure(np.ones(n, np.int32), positions, cell, PBC[seed // 2 % 8])
    assert_same_pairs(structure, float(rng.uniform(1.0, 4.0)))
