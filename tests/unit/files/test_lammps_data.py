"""Boxes and data files of LAMMPS: turned and back, nothing lost."""

import io

import numpy as np
import pytest
from ase.io import read

from trimpot.files.lammps_box import Box
from trimpot.files.lammps_data import data_text

LEFT_HANDED = [[0.0, 3.0, 0.4], [3.1, 0.0, 0.2], [0.3, -0.2, 2.9]]
SKEWED = [[4.0, 0.0, 0.0], [-1.3, 3.9, 0.0], [1.7, 0.8, 5.0]]
TURNED = [[0.5, 4.0, 0.3], [-3.9, 0.9, 1.2], [0.2, -1.5, 5.0]]
PERIODS = [(1, 1, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1), (0, 0, 1), (0, 1, 0), (0, 0, 0)]


def made(cell, pbc, n=20, seed=0):
    positions = np.random.default_rng(seed).uniform(-6.0, 9.0, size=(n, 3))
    pbc = np.array(pbc, dtype=bool)
    return Box.of(np.array(cell), pbc, positions), positions, pbc


@pytest.mark.parametrize("cell", [SKEWED, TURNED, LEFT_HANDED])
@pytest.mark.parametrize("pbc", PERIODS)
def test_boxes_are_what_lammps_takes(cell, pbc):
    box, positions, pbc = made(cell, pbc)
    assert np.array_equal(box.matrix, np.tril(box.matrix))
    assert (np.diag(box.matrix) > 0.0).all()
    np.testing.assert_allclose(box.turn @ box.turn.T, np.eye(3), atol=1e-14)
    # periodic vectors are those of the structure, seen in another frame
    np.testing.assert_allclose(
        box.cell_from_lammps(box.matrix)[pbc], np.array(cell)[pbc], atol=1e-13
    )
    # what LAMMPS asks for: a period along every skewed direction
    assert box.matrix[1, 0] == pytest.approx(0.0, abs=1e-13) or pbc[1]
    for k in (0, 1):
        assert box.matrix[2, k] == pytest.approx(0.0, abs=1e-13) or pbc[2]
    tilts = np.abs(box.matrix / np.diag(box.matrix)) - np.eye(3)
    assert tilts.max() <= 0.5 + 1e-5
    inside = (box.to_lammps(positions) - box.origin) @ np.linalg.inv(box.matrix)
    assert (inside[:, ~pbc] > 0.0).all()
    assert (inside[:, ~pbc] < 1.0).all()
    back = box.from_lammps(box.to_lammps(positions))
    np.testing.assert_allclose(back, positions, atol=1e-13)


def test_tensors_turn_with_the_box():
    box, _, _ = made(TURNED, (1, 1, 1))
    stress = np.array([[1.0, 0.2, 0.3], [0.2, 2.0, 0.5], [0.3, 0.5, 3.0]])
    theirs = box.turn @ stress @ box.turn.T
    np.testing.assert_allclose(box.tensor_from_lammps(theirs), stress, atol=1e-13)


def test_a_box_that_fits_keeps_every_bit():
    box, positions, _ = made(SKEWED, (1, 1, 1))
    assert np.array_equal(box.matrix, SKEWED)
    assert np.array_equal(box.to_lammps(positions), positions)


def test_data_files_read_back():
    box, positions, _ = made(TURNED, (1, 1, 1), n=4)
    velocities = positions[::-1] / 7.0
    kinds = np.array([1, 2, 2, 1], dtype=np.int32)
    masses = [(2.014, "H"), (183.84, "W")]
    text = data_text("title", box, positions, kinds, masses, velocities=velocities)
    found = read(io.StringIO(text), format="lammps-data", atom_style="atomic")
    np.testing.assert_allclose(found.positions, box.to_lammps(positions), rtol=1e-14)
    found_masses, expected = found.get_masses(), [2.014, 183.84, 183.84, 2.014]
    np.testing.assert_allclose(found_masses, expected, rtol=1e-8)  # through ASE's units
    np.testing.assert_allclose(found.cell.array, box.matrix, atol=1e-14)
    assert text.startswith("title\n")
    assert "xy xz yz" in text
    plain, positions, _ = made(np.diag([3.0, 4.0, 5.0]), (1, 1, 1), n=4)
    assert "xy xz yz" not in data_text("t", plain, positions, kinds, masses)
    assert "xy xz yz" in data_text("t", plain, positions, kinds, masses, skewed=True)
