"""Outputs of VASP, Quantum ESPRESSO, CP2K and LAMMPS, read from files made by hand."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from trimpot.data import LabelKeys, ReadRules, read
from trimpot.errors import DataError

ROOT = Path(__file__).parents[3]
FILES = ROOT / "tests" / "reference" / "dft_outputs"
KBAR = 1602.1766208  # kbar per eV/A^3
RYDBERG, BOHR = 13.60569193, 0.52917720859  # CODATA 2006, as in Quantum ESPRESSO
VASP = ("OUTCAR", "vasprun.xml")
END = {
    "OUTCAR": "General timing and accounting",
    "vasprun.xml": "</modeling>",
    "pw_relax.pwo": "JOB DONE.",
    "forces.lammpstrj": "",  # a dump has no end
}
STRUCTURES = ReadRules(require_labels=False)


def symmetric(xx, yy, zz, xy, yz, zx):
    """Return a tensor from components in the order in which VASP prints them."""
    return np.array([[xx, xy, zx], [xy, yy, yz], [zx, yz, zz]], dtype=float)


def copy_cut(tmp_path, name, keep):
    """Copy the part of a file that ``keep`` returns."""
    path = tmp_path / name
    path.write_text(keep((FILES / name).read_text()))
    return path


@pytest.mark.parametrize("name", VASP)
def test_vasp_gives_what_the_file_prints(name):
    first, second = read(FILES / name)
    assert first.structure.numbers.tolist() == [32, 52]
    assert first.structure.pbc.all()
    np.testing.assert_allclose(first.structure.cell, 4.0 * np.eye(3))
    np.testing.assert_allclose(second.structure.cell, 4.1 * np.eye(3))
    np.testing.assert_allclose(
        second.structure.positions, [[0, 0, 0], [2.05, 2.05, 2.0]], atol=1e-7
    )
    np.testing.assert_array_equal(first.forces, [[0.1, 0, -0.2], [-0.1, 0, 0.2]])
    np.testing.assert_array_equal(second.forces, [[0.05, 0.25, 0], [-0.05, -0.25, 0]])
    # "in kB" has compression positive, Trimpot tension.
    np.testing.assert_allclose(
        first.stress, -symmetric(16, 32, 48, 1, 2, 3) / KBAR, rtol=1e-7
    )
    np.testing.assert_allclose(
        second.stress, -symmetric(-8, -8, -16, 0, 0.5, -0.5) / KBAR, rtol=1e-7
    )


@pytest.mark.parametrize("name", VASP)
def test_vasp_energy_is_the_one_of_the_forces(name):
    """TOTEN, and the report says so; the extrapolated energy on demand."""
    data = read(FILES / name)
    assert [frame.energy for frame in data] == pytest.approx([-10.5, -10.75], abs=1e-12)
    report = data.report.files[0]
    assert report.keys["energy"] == {"free_energy (calculator)": 2}
    assert any("free_energy taken" in note for note in report.notes)
    assert report.pressure_gpa == pytest.approx((-32 / 30, 3.2))  # from kB, compression
    assert data.report.warnings == ()

    extrapolated = read(FILES / name, keys=LabelKeys(energy="energy"))
    assert [f.energy for f in extrapolated] == pytest.approx([-10.4, -10.65], abs=1e-12)
    assert extrapolated.report.files[0].notes == {}


@pytest.mark.parametrize("name", [*VASP, "pw_relax.pwo"])
def test_rules_on_stress_are_for_other_files(name):
    """Unit and sign of a code's output are known; rules for extended XYZ do not apply."""
    rules = ReadRules(stress_unit="kbar", stress_sign="compression")
    for frame, plain in zip(
        read(FILES / name, rules=rules), read(FILES / name), strict=True
    ):
        np.testing.assert_array_equal(frame.stress, plain.stress)


def test_high_pressure_in_vasp_is_believed(tmp_path):
    text = (FILES / "OUTCAR").read_text()
    path = tmp_path / "OUTCAR"
    path.write_text(re.sub(r"in kB .*", "in kB  3000.0 3000.0 3000.0 0.0 0.0 0.0", text))
    data = read(path)
    assert data[0].stress[0, 0] == pytest.approx(-3000.0 / KBAR)
    assert "160 GPa" in data.report.warnings[0]


def test_quantum_espresso_gives_what_the_file_prints():
    data = read(FILES / "pw_relax.pwo")
    first, second = data
    assert data.report.files[0].format == "espresso-out"
    assert data.report.files[0].notes == {}  # one energy only
    assert data.report.warnings == ()
    assert first.structure.numbers.tolist() == [32, 52]
    np.testing.assert_allclose(first.structure.cell, np.diag([8, 8, 10]) * BOHR, rtol=1e-7)
    np.testing.assert_allclose(
        first.structure.positions[1], np.array([4, 4, 5]) * BOHR, rtol=1e-7
    )
    np.testing.assert_array_equal(second.structure.cell, np.diag([4.5, 4.25, 5.0]))
    np.testing.assert_array_equal(second.structure.positions[1], [2.2, 2.1, 2.5])
    assert [f.energy / RYDBERG for f in data] == pytest.approx([-20.5, -20.75], rel=1e-8)
    unit = RYDBERG / BOHR
    np.testing.assert_allclose(
        first.forces, unit * np.array([[0.01, 0, 0], [-0.01, 0, 0]]), rtol=1e-7
    )
    np.testing.assert_allclose(
        second.forces, unit * np.array([[0, 0.02, 0], [0, -0.02, 0]]), rtol=1e-7
    )
    expected = symmetric(1e-4, 2e-4, 3e-4, 2e-5, 3e-5, 0) * RYDBERG / BOHR**3
    np.testing.assert_allclose(first.stress, -expected, rtol=1e-6)
    # The pressure that the file prints, P = 29.42 and -14.71 kbar.
    pressures = [-np.trace(frame.stress) / 3 * KBAR for frame in data]
    assert pressures == pytest.approx([29.42, -14.71], abs=0.01)


def test_lammps_dump_has_forces_and_no_energy():
    """ASE gives a dump the energy 0.0, which would be fitted."""
    data = read(FILES / "forces.lammpstrj")
    assert [frame.energy for frame in data] == [None, None]
    assert data.report.files[0].labels == {"energy": 0, "forces": 2, "stress": 0}
    np.testing.assert_array_equal(data[0].forces, [[0.5, 0, 0], [-0.5, 0, 0]])
    np.testing.assert_array_equal(data[1].forces, [[0.25, 0.125, 0], [-0.25, -0.125, 0]])
    np.testing.assert_array_equal(data[1].structure.cell, 4.2 * np.eye(3))
    np.testing.assert_array_equal(data[1].structure.positions[1], [2.1, 2, 2])
    assert data[1].structure.numbers.tolist() == [32, 52]  # sorted by id


def test_lammps_data_file_is_a_structure():
    path = FILES / "structure.lmp"
    (frame,) = read(path, format="lammps-data", rules=STRUCTURES)
    assert frame.structure.numbers.tolist() == [32, 52]  # from the masses
    np.testing.assert_array_equal(frame.structure.cell, np.diag([4, 4, 5]))
    rules = ReadRules(require_labels=False, type_names=("Si", "C"))
    (renamed,) = read(path, format="lammps-data", rules=rules)
    assert renamed.structure.numbers.tolist() == [14, 6]
    with pytest.raises(DataError, match="no energies and no forces"):
        read(path, format="lammps-data")


def test_lammps_data_file_without_elements(tmp_path):
    """ASE would take types 1 and 2 as hydrogen and helium."""
    path = copy_cut(
        tmp_path, "structure.lmp", lambda text: re.sub(r"Masses\n\n.*\n.*\n", "", text)
    )
    with pytest.raises(DataError, match=r"types without elements.*type_names"):
        read(path, format="lammps-data", rules=STRUCTURES)


def test_lammps_units_other_than_metal(tmp_path):
    path = copy_cut(
        tmp_path, "structure.lmp", lambda text: text.replace("= metal", "= real")
    )
    with pytest.raises(DataError, match="units 'real', expected metal"):
        read(path, format="lammps-data", rules=STRUCTURES)
    path = copy_cut(tmp_path, "forces.lammpstrj", lambda text: "ITEM: UNITS\nreal\n" + text)
    with pytest.raises(DataError, match="units 'real', expected metal"):
        read(path, format="lammps-dump-text")
    path = copy_cut(
        tmp_path, "forces.lammpstrj", lambda text: "ITEM: UNITS\nmetal\n" + text
    )
    assert len(read(path, format="lammps-dump-text")) == 2


def test_cp2k_restart_is_a_structure():
    (frame,) = read(FILES / "cp2k.restart", rules=STRUCTURES)
    assert frame.structure.numbers.tolist() == [32, 52]
    np.testing.assert_array_equal(frame.structure.cell, np.diag([4, 4, 5]))
    np.testing.assert_array_equal(frame.structure.positions[1], [2, 2, 2.5])


@pytest.mark.parametrize("name", END)
@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz"])
def test_compressed(tmp_path, name, suffix):
    compress = {"gz": gzip, "bz2": bz2, "xz": lzma}[suffix].compress
    path = tmp_path / f"{name}.{suffix}"
    path.write_bytes(compress((FILES / name).read_bytes()))
    assert read(path).fingerprint == read(FILES / name).fingerprint
    assert read(path).report.warnings == ()
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match=re.escape(path.name)):
        read(path)


def test_an_at_sign_in_a_name_is_only_a_name(tmp_path):
    """ASE takes what follows the sign as the number of a frame."""
    path = shutil.copy(FILES / "OUTCAR", tmp_path / "OUTCAR@300K")
    assert len(read(path)) == 2


@pytest.mark.parametrize(
    ("name", "message"),
    [("cp2k.out", "this is CP2K output"), ("log.lammps", "this is a LAMMPS log")],
)
def test_outputs_that_are_not_read_say_so(name, message):
    with pytest.raises(DataError, match=f"{message}, which is not read.*extended XYZ"):
        read(FILES / name)


@pytest.mark.parametrize("name", END)
def test_files_cut_anywhere(tmp_path, name):
    """Whole steps with a warning, or an error; never other numbers, never a traceback."""
    text = (FILES / name).read_text()
    whole = read(FILES / name)
    read_as = whole.report.files[0].format
    path = tmp_path / name
    outcomes = set()
    for length in range(3, len(text), 53):
        path.write_text(text[:length])
        try:
            data = read(path, format=read_as)
        except DataError as error:
            assert name in str(error)
            outcomes.add("error")
            continue
        assert bool(data.report.warnings) == (END[name] not in text[:length])
        for frame, expected in zip(data, whole, strict=False):
            np.testing.assert_array_equal(frame.structure.cell, expected.structure.cell)
            np.testing.assert_array_equal(
                frame.structure.positions, expected.structure.positions
            )
            for label in ("energy", "forces", "stress"):
                if (value := getattr(frame, label)) is not None:
                    np.testing.assert_array_equal(value, getattr(expected, label))
        outcomes.add(len(data))
    assert outcomes >= ({"error"} if name == "forces.lammpstrj" else {"error", 1})


def test_stopped_calculation_is_a_warning(tmp_path):
    path = copy_cut(tmp_path, "OUTCAR", lambda text: text[: text.rindex("POSITION")])
    data = read(path)
    assert len(data) == 1
    assert "is missing at the end" in data.report.warnings[0]


def test_files_of_several_codes_are_reported_each(tmp_path):
    shutil.copy(FILES / "OUTCAR", tmp_path / "OUTCAR")
    own = tmp_path / "own.xyz"
    own.write_text(
        '2\nLattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3 REF_energy=-10.4\n'
        "Ge 0 0 0\nTe 2 2 2\n"
    )
    paths = [tmp_path / "OUTCAR", FILES / "pw_relax.pwo", FILES / "forces.lammpstrj"]
    data = read(paths)
    assert [file.labels for file in data.report.files] == [
        {"energy": 2, "forces": 2, "stress": 2},
        {"energy": 2, "forces": 2, "stress": 2},
        {"energy": 0, "forces": 2, "stress": 0},
    ]
    assert data.report.count("energy") == 4
    assert data.report.warnings == ()
    (warning,) = read([*paths, own]).report.warnings
    assert "OUTCAR gives free_energy" in warning
    assert "own.xyz gives REF_energy" in warning


def test_every_documented_message_is_raised(tmp_path):
    page = (ROOT / "docs" / "errors.md").read_text().split("\n## Outputs of codes\n")[1]
    quotes = re.findall(r"^### `(.+)`$", page, re.MULTILINE)

    def cut(name, mark):
        return copy_cut(tmp_path, name, lambda text: text[: text.rindex(mark)])

    def cases():
        yield FILES / "log.lammps"
        yield cut("OUTCAR", "POTCAR")
        yield cut("vasprun.xml", " <calculation>")  # a warning: the first step is whole
        yield copy_cut(tmp_path, "vasprun.xml", lambda t: t[: t.index(" <calculation>")])
        yield cut("pw_relax.pwo", "-0.02")
        yield cut("forces.lammpstrj", "1 1 Ge")
        yield cut("cp2k.restart", "&END SUBSYS")
        yield copy_cut(tmp_path, "structure.lmp", lambda t: t.replace("metal", "real"))
        yield copy_cut(tmp_path, "structure.lmp", lambda t: t.replace("Masses", ""))
        yield copy_cut(tmp_path, "forces.lammpstrj", lambda t: t.replace(" element", " ix"))

    said = []
    for path in cases():
        kind = "lammps-data" if path.suffix == ".lmp" else None
        try:
            said += read(path, format=kind).report.warnings
        except DataError as error:
            said.append(str(error))
    assert [quote for quote in quotes if not any(quote in text for text in said)] == []
    assert len(quotes) >= 8
