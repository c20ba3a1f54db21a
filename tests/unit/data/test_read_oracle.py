"""The fast reader against ASE's, and ASE formats through the same door."""

from __future__ import annotations

import io
import lzma
from pathlib import Path

import ase.build
import ase.db
import ase.io
import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms

from trimpot.data import ReadRules, read
from trimpot.errors import DataError

DATA = Path(__file__).parents[4] / "shared" / "data"
VOIGT = ([0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1])


def real(name):
    path = DATA / name
    if not path.exists():
        pytest.skip(f"reference data {name} not present")
    return path


@pytest.mark.parametrize(
    "name",
    [
        "carbon_gap17_100/C.extxyz.xz",
        "hea25_sample/HEA25.extxyz.xz",
        "fourG_n2p2/carbon_chain.extxyz.xz",
        "si_gap18_testdb/Si.extxyz.xz",
        "ethanol_methanol/test_dimers.extxyz.xz",
    ],
)
def test_same_as_ase_on_real_sets(name):
    path = real(name)
    with lzma.open(path, "rt") as file:
        expected = ase.io.read(io.StringIO(file.read()), ":", format="extxyz")
    data = read(path)
    assert len(data) == len(expected)
    for frame, atoms in zip(data, expected, strict=True):
        results = atoms.calc.results
        np.testing.assert_array_equal(frame.structure.numbers, atoms.numbers)
        np.testing.assert_array_equal(frame.structure.positions, atoms.positions)
        np.testing.assert_array_equal(frame.structure.cell, atoms.cell)
        np.testing.assert_array_equal(frame.structure.pbc, atoms.pbc)
        assert frame.energy == results["energy"]
        assert frame.config_type == atoms.info["config_type"]
        assert (frame.forces is None) == ("forces" not in results)
        if frame.forces is not None:
            np.testing.assert_array_equal(frame.forces, results["forces"])
        assert (frame.stress is None) == ("stress" not in results)
        if frame.stress is not None:
            np.testing.assert_allclose(frame.stress[VOIGT], results["stress"], rtol=1e-12)


def labelled(seed=0):
    atoms = ase.build.bulk("Cu", cubic=True)
    atoms.rattle(0.1, seed=seed)
    generator = np.random.default_rng(seed)
    atoms.calc = SinglePointCalculator(
        atoms,
        energy=-14.0 - seed,
        free_energy=-14.01 - seed,
        forces=generator.normal(size=(4, 3)),
        stress=generator.normal(size=6) / 100,
    )
    atoms.info["config_type"] = "hot"
    return atoms


def assert_labels(frame, atoms):
    results = atoms.calc.results
    assert frame.energy == results["energy"]
    np.testing.assert_array_equal(frame.forces, results["forces"])
    np.testing.assert_array_equal(frame.stress[VOIGT], results["stress"])
    np.testing.assert_allclose(frame.structure.positions, atoms.positions, atol=1e-12)


def test_trajectory_keeps_forces_on_fixed_atoms(tmp_path):
    images = [labelled(seed) for seed in range(3)]
    images[0].set_constraint(FixAtoms([0]))
    ase.io.write(tmp_path / "a.traj", images)
    data = read(tmp_path / "a.traj")
    for frame, atoms in zip(data, images, strict=True):
        assert_labels(frame, atoms)
    report = data.report.files[0]
    assert report.format == "traj"
    assert report.keys["energy"] == {"energy (calculator)": 3}
    assert any(key.startswith("free_energy") for key in report.ignored)


def test_database_fields_select(tmp_path):
    with ase.db.connect(tmp_path / "a.db") as database:
        for seed in range(3):
            database.write(labelled(seed), part=seed, config_type=f"g{seed}")
    data = read(tmp_path / "a.db", where={"part": (0, 2)})
    assert [f.config_type for f in data] == ["g0", "g2"]
    assert_labels(data[1], labelled(2))


def test_extxyz_written_by_ase(tmp_path):
    images = [labelled(seed) for seed in range(2)]
    ase.io.write(tmp_path / "a.extxyz", images)
    for frame, atoms in zip(read(tmp_path / "a.extxyz"), images, strict=True):
        np.testing.assert_allclose(frame.forces, atoms.calc.results["forces"], atol=1e-7)
        np.testing.assert_allclose(frame.stress[VOIGT], atoms.calc.results["stress"])


DUMP = """ITEM: TIMESTEP
0
ITEM: NUMBER OF ATOMS
2
ITEM: BOX BOUNDS pp pp pp
0 4
0 4
0 4
ITEM: ATOMS id type x y z fx fy fz
1 1 0 0 0 0.5 0 0
2 2 2 2 2 -0.5 0 0
"""


def test_lammps_dump_needs_elements(tmp_path):
    (tmp_path / "a.lammpstrj").write_text(DUMP)
    kind = "lammps-dump-text"
    with pytest.raises(DataError, match=r"types without elements.*type_names"):
        read(tmp_path / "a.lammpstrj", format=kind)
    data = read(
        tmp_path / "a.lammpstrj", format=kind, rules=ReadRules(type_names=("Ge", "Te"))
    )
    assert data[0].structure.numbers.tolist() == [32, 52]
    np.testing.assert_array_equal(data[0].forces, [[0.5, 0, 0], [-0.5, 0, 0]])
    with pytest.raises(DataError, match="unknown element 'Gx'"):
        read(tmp_path / "a.lammpstrj", format=kind, rules=ReadRules(type_names=("Gx",)))


def test_what_ase_cannot_read_is_one_kind_of_error(tmp_path):
    (tmp_path / "OUTCAR").write_text("not much\n")
    with pytest.raises(DataError, match="OUTCAR"):
        read(tmp_path / "OUTCAR")
    (tmp_path / "strange.bin").write_bytes(b"\x00\x01")
    with pytest.raises(DataError, match="ASE cannot read it as bin"):
        read(tmp_path / "strange.bin")


def test_published_tungsten_set_and_its_labels():
    data = read(real("w14_tungsten/w14.extxyz.xz"), where={"w14_index": (1, 2001, 9000)})
    assert len(data) == 3
    assert data[0].energy == -11.194840000000001
    assert data[0].stress[0, 0] == pytest.approx(0.00035410453044603556, rel=1e-15)
    assert data.report.files[0].n_not_selected == 9688
