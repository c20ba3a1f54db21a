"""Which key holds the reference where two disagree."""

import numpy as np
import pytest

from trimpot.data.reference_keys import is_marked, reference_keys


def write(path, comment, columns="species:S:1:pos:R:3", rows=("W 0 0 0", "W 0 0 3")):
    cell = 'Lattice="9 0 0 0 9 0 0 0 9" pbc="T T T"'
    lines = [str(len(rows)), f"{cell} Properties={columns} {comment}", *rows]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("energy=1.0", None),
        ("REF_energy=1.0", None),
        ("energy=1.0 REF_energy=1.0", None),
        ("energy=1.0 REF_energy=2.0", "REF_energy"),
        ("energy=1.0 energy_dft=2.0", "energy_dft"),
        ("energy=1.0 total_energy=2.0", None),
        ("energy=1.0 REF_energy=2.0 dft_energy=3.0", None),
    ],
)
def test_a_marked_energy_counts_where_two_disagree(tmp_path, comment, expected):
    path = write(tmp_path / "a.xyz", comment)
    assert reference_keys([path]).energy == expected


def test_forces_too(tmp_path):
    rows = [f"W 0 0 {z} 0 0 {f} 0 0 {-f}" for z, f in ((0, 1.0), (3, 2.0))]
    columns = "species:S:1:pos:R:3:forces:R:3:REF_forces:R:3"
    path = write(tmp_path / "a.xyz", "energy=1.0", columns, rows)
    keys = reference_keys([path])
    assert keys.forces == "REF_forces"
    assert keys.energy is None
    assert np.all([keys.stress is None, keys.virial is None])


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("REF_energy", True),
        ("energy_ref", True),
        ("dft_forces", True),
        ("qm_energy", True),
        ("reference_stress", True),
        ("energy", False),
        ("forces", False),
    ],
)
def test_marks(key, expected):
    assert is_marked(key) is expected
