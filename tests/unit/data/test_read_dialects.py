"""Every dialect of the field gives the same frame; conflicts are refused."""

from __future__ import annotations

import gzip
import lzma

import numpy as np
import pytest

from trimpot.data import LabelKeys, ReadRules, read
from trimpot.errors import DataError, InputError
from trimpot.units import GPA_PER_EV_PER_A3

CELL = np.array([[4.0, 0.1, 0.0], [0.0, 4.2, 0.2], [0.3, 0.0, 4.4]])
VOLUME = float(np.linalg.det(CELL))
POSITIONS = np.array([[0.1, 0.2, 0.3], [2.1, 1.9, 2.2]])
FORCES = np.array([[0.5, -0.25, 0.125], [-0.5, 0.25, -0.125]])
ENERGY = -21.75
STRESS = np.array([[0.11, 0.01, 0.02], [0.01, 0.12, 0.03], [0.02, 0.03, 0.13]])
VIRIAL = -VOLUME * STRESS


def numbers(array):
    return " ".join(repr(float(x)) for x in np.ravel(array))


def voigt(tensor):
    return tensor[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]


def frame_text(comment=None, forces="forces", lattice="Lattice", kinds="SRR"):
    comment = f"energy={ENERGY!r}" if comment is None else comment
    s, p, f = kinds
    properties = f"species:{s}:1:pos:{p}:3" + (f":{forces}:{f}:3" if forces else "")
    head = f'{lattice}="{numbers(CELL)}" Properties={properties} {comment}'
    rows = [
        f"W {numbers(r)}" + (f" {numbers(f)}" if forces else "")
        for r, f in zip(POSITIONS, FORCES, strict=True)
    ]
    return "\n".join(["2", head, *rows]) + "\n"


def write(tmp_path, text, name="data.xyz"):
    path = tmp_path / name
    path.write_text(text)
    return path


def assert_reference(frame, *, stress=True):
    np.testing.assert_array_equal(frame.structure.numbers, [74, 74])
    np.testing.assert_array_equal(frame.structure.positions, POSITIONS)
    np.testing.assert_array_equal(frame.structure.cell, CELL)
    assert frame.structure.pbc.all()
    assert frame.energy == ENERGY
    np.testing.assert_array_equal(frame.forces, FORCES)
    if stress:
        np.testing.assert_allclose(frame.stress, STRESS, rtol=1e-13)


@pytest.mark.parametrize(
    ("energy", "forces"),
    [
        ("energy", "forces"),
        ("Energy", "Forces"),
        ("energy", "force"),
        ("REF_energy", "REF_forces"),
        ("REF_energy", "REF_force"),
        ("ref_energy", "ref_forces"),
        ("dft_energy", "dft_forces"),
        ("dft_energy", "dft_force"),
        ("DFT_energy", "DFT_forces"),
        ("energies", "forces"),
        ("total_energy", "forces"),
        ("free_energy", "forces"),
        ("energy_dft", "forces_dft"),
    ],
)
def test_energy_and_force_dialects(tmp_path, energy, forces):
    path = write(tmp_path, frame_text(f"{energy}={ENERGY!r}", forces))
    data = read(path)
    assert_reference(data[0], stress=False)
    assert data.report.files[0].keys["energy"] == {f"{energy} (frame field)": 1}


@pytest.mark.parametrize(
    "label",
    [
        f'stress="{numbers(STRESS)}"',
        f'stress="{numbers(voigt(STRESS))}"',
        f'REF_stress="{numbers(STRESS)}"',
        f'dft_stress="{numbers(voigt(STRESS))}"',
        f'virial="{numbers(VIRIAL)}"',
        f'virials="{numbers(VIRIAL)}"',
        f'REF_virial="{numbers(voigt(VIRIAL))}"',
        f'dft_virial="{numbers(VIRIAL)}"',
        f'stress="{numbers(STRESS)}" virial="{numbers(VIRIAL)}"',
        f'REF_stress="_JSON {STRESS.tolist()}"',
        f"stress={str(STRESS.tolist()).replace(' ', '')}",
        f"stress={{{numbers(STRESS)}}}",
    ],
)
def test_stress_dialects(tmp_path, label):
    path = write(tmp_path, frame_text(f"energy={ENERGY!r} {label}"))
    assert_reference(read(path)[0])


@pytest.mark.parametrize(
    ("unit", "sign", "factor"),
    [
        ("GPa", "tension", GPA_PER_EV_PER_A3),
        ("kbar", "tension", 10 * GPA_PER_EV_PER_A3),
        ("kbar", "compression", -10 * GPA_PER_EV_PER_A3),
        ("eV/A^3", "compression", -1.0),
    ],
)
def test_stress_units_and_signs(tmp_path, unit, sign, factor):
    text = frame_text(f'energy={ENERGY!r} stress="{numbers(factor * STRESS)}"')
    rules = ReadRules(stress_unit=unit, stress_sign=sign)
    np.testing.assert_allclose(read(write(tmp_path, text), rules=rules)[0].stress, STRESS)


def test_lower_case_header_words(tmp_path):
    text = frame_text(lattice="lattice", kinds="srr").replace("Properties", "properties")
    assert_reference(read(write(tmp_path, text))[0], stress=False)


@pytest.mark.parametrize("name", ["d.xyz", "d.extxyz", "d.xyz.gz", "d.extxyz.xz"])
def test_compression_and_line_ends(tmp_path, name):
    opener = {".gz": gzip.open, ".xz": lzma.open}.get(name[-3:], open)
    with opener(tmp_path / name, "wb") as file:
        file.write(frame_text().replace("\n", "\r\n").encode())
    assert_reference(read(tmp_path / name)[0], stress=False)


def test_groups_and_info(tmp_path):
    texts = [
        frame_text(f"energy={ENERGY!r} {extra}")
        for extra in ("config_type=bulk a=1", "config=slab b=2.5", 'group="hot Cu" c=T', "")
    ]
    data = read(write(tmp_path, "".join(texts)))
    assert [f.config_type for f in data] == ["bulk", "slab", "hot Cu", "default"]
    assert [dict(f.info) for f in data] == [{"a": 1}, {"b": 2.5}, {"c": True}, {}]
    assert [f.source for f in data] == [f"data.xyz#{i}" for i in range(4)]


def test_selected_keys_win(tmp_path):
    text = frame_text(f'energy=1.0 my_E={ENERGY!r} my_v="{numbers(VIRIAL)}"', "my_f")
    keys = LabelKeys(energy="my_E", forces="my_f", virial="my_v")
    data = read(write(tmp_path, text), keys=keys)
    assert_reference(data[0])
    assert data[0].info["energy"] == 1.0
    assert any(key.startswith("energy ") for key in data.report.files[0].ignored)


def test_stress_and_virial_key_exclude_each_other():
    with pytest.raises(InputError, match="expected one of them"):
        LabelKeys(stress="s", virial="v")


def test_equal_dialects_are_accepted_and_different_ones_refused(tmp_path):
    same = frame_text(f"energy={ENERGY!r} REF_energy={ENERGY!r}")
    assert read(write(tmp_path, same))[0].energy == ENERGY
    other = frame_text(f"energy={ENERGY!r} REF_energy=-20.0")
    with pytest.raises(DataError) as caught:
        read(write(tmp_path, other))
    for part in ("data.xyz frame 0", "energy", "REF_energy", "keys.energy: REF_energy"):
        assert part in str(caught.value)


def test_stress_against_virial_of_wrong_sign(tmp_path):
    text = frame_text(
        f'energy={ENERGY!r} stress="{numbers(STRESS)}" virial="{numbers(-VIRIAL)}"'
    )
    with pytest.raises(DataError, match="differ by the sign alone"):
        read(write(tmp_path, text))
    chosen = read(tmp_path / "data.xyz", keys=LabelKeys(stress="stress"))
    np.testing.assert_allclose(chosen[0].stress, STRESS)


def test_partial_labels_are_counted(tmp_path):
    text = frame_text() + frame_text(forces="") + frame_text("", "forces")
    report = read(write(tmp_path, text)).report
    assert [report.count(x) for x in ("energy", "forces", "stress")] == [2, 2, 0]
    assert report.n_frames == 3
    assert report.n_atoms == 6


def test_report_names_what_is_ignored(tmp_path):
    text = frame_text(f'energy={ENERGY!r} mace_energy=3.0 dipole="1 2 3"')
    report = read(write(tmp_path, text)).report
    assert set(report.files[0].ignored) == {
        "mace_energy (frame field) looks like a label but is not used as one",
        "dipole (frame field) is not kept",
    }
    assert "ignored   dipole" in str(report)
    assert report.to_dict()["files"][0]["n_atoms"] == 2


def test_where_selects_while_reading(tmp_path):
    texts = [
        frame_text(f"energy={ENERGY!r} part={i % 3} config_type=g{i}") for i in range(7)
    ]
    path = write(tmp_path, "".join(texts))
    data = read(path, where={"part": 1})
    assert [f.source for f in data] == ["data.xyz#1", "data.xyz#4"]
    assert data.report.files[0].n_not_selected == 5
    assert len(read(path, where={"part": (0, 2)})) == 5
    assert len(read(path, where={"config_type": ("g1", "g2")})) == 2
    with pytest.raises(
        DataError, match=r"no frame has the field 'prt'.*did you mean 'part'"
    ):
        read(path, where={"prt": 1})
    with pytest.raises(DataError, match=r"values that exist: part: 0 \(3\)"):
        read(path, where={"part": 9})


def test_lists_and_patterns(tmp_path):
    for name in ("b.xyz", "a.xyz"):
        write(tmp_path, frame_text(), name)
    assert [f.source for f in read(str(tmp_path / "*.xyz"))] == ["a.xyz#0", "b.xyz#0"]
    both = read([tmp_path / "b.xyz", tmp_path / "a.xyz"])
    assert [f.source for f in both] == ["b.xyz#0", "a.xyz#0"]
    assert "total: 2 frames" in str(both.report)
    with pytest.raises(InputError, match="no file matches"):
        read(tmp_path / "c.xyz")


def test_frames_are_frozen_and_fingerprint_sees_labels(tmp_path):
    data = read(write(tmp_path, frame_text()))
    for array in (data[0].forces, data[0].structure.positions, data[0].structure.numbers):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    renamed = read(write(tmp_path, frame_text(), "other.xyz"))
    changed = read(write(tmp_path, frame_text("energy=-21.7500001"), "third.xyz"))
    assert renamed.fingerprint == data.fingerprint
    assert changed.fingerprint != data.fingerprint
    assert data.species == (74,)
