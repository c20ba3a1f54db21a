"""check-data on planted faults: each is named with its remedy, and clean data are clean."""

from __future__ import annotations

import json
import re
from collections import Counter

import numpy as np
import pytest

from faults.clean import ODD, SETS, TUNGSTEN, bcc, changed, labelled, metal, text
from faults.corpus import CORPUS
from trimpot import check_data, read
from trimpot.cli.app import main
from trimpot.config import data_settings
from trimpot.data import ReadRules
from trimpot.errors import DataError

FAULTS = {fault.name: fault for fault in CORPUS}
CURED_BY_SETTINGS = [
    fault.name
    for fault in CORPUS
    if fault.code
    in {
        *(
            "energy-force-unit",
            "force-sign",
            "energy-per-atom",
            "energy-unit",
            "length-unit",
        ),
        *("stress-unit", "stress-sign", "stress-is-virial", "virial-is-stress"),
        *("stress-order", "cell-left-handed", "e0-mismatch", "key-misspelt", "key-missing"),
    }
    and "in some frames" not in fault.name
    and fault.name != "energy beyond 1e6 eV/atom"  # no unit: a factor by design
]


def checked(paths, settings=()):
    data = data_settings([str(path) for path in paths], settings)
    return check_data(
        list(data.path), keys=data.keys, rules=data.rules, E0s=data.E0s, threads=1
    )


@pytest.mark.parametrize("name", SETS)
def test_clean_data_give_no_finding(tmp_path, name):
    path = tmp_path / "clean.extxyz"
    path.write_text(text(SETS[name]()))
    result = checked([path])
    assert result.findings == ()
    assert len(result.frames) == len(SETS[name]())
    assert not result.failed(strict=True)


@pytest.mark.parametrize("name", ODD)
def test_unusual_data_are_no_fault(tmp_path, name):
    path = tmp_path / "odd.extxyz"
    path.write_text(text(ODD[name]()))
    assert checked([path]).findings == ()


def test_windows_line_ends_and_blank_lines_are_no_fault(tmp_path):
    path = tmp_path / "odd.extxyz"
    path.write_bytes((text(metal()).replace("\n", "\r\n") + "\r\n\r\n").encode())
    result = checked([path])
    assert result.findings == ()
    assert len(result.frames) == len(metal())


def test_the_corpus_is_large_and_varied():
    assert len(CORPUS) == len(FAULTS) >= 100
    assert len({fault.code for fault in CORPUS}) >= 45


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_named_with_its_remedy(tmp_path, name):
    fault = FAULTS[name]
    result = checked(fault.write(tmp_path), fault.settings)
    named = [f for f in result.findings if f.code == fault.code]
    assert named, [f"{f.code}: {f.evidence}" for f in result.findings]
    assert any(fault.remedy in f.remedy for f in named), [f.remedy for f in named]
    assert all(f.evidence and f.title for f in result.findings)


@pytest.mark.parametrize("name", CURED_BY_SETTINGS)
def test_remedy_cures(tmp_path, name):
    fault = FAULTS[name]
    paths = fault.write(tmp_path)
    found = next(f for f in checked(paths, fault.settings).findings if f.code == fault.code)
    options = re.search(r"`(--set [^`]*)`", found.remedy).group(1)
    settings = [s.strip().replace('"', "") for s in options.split("--set ") if s.strip()]
    if name == "molecules in Ha and Ha/bohr":
        settings.append("data.rules.force_unit=Ha/bohr")
    assert checked(paths, settings).findings == ()


def test_bad_frames_do_not_hide_the_others(tmp_path):
    path = tmp_path / "bad.extxyz"
    path.write_text(FAULTS["NaN force"].make())
    result = checked([path])
    (finding,) = result.findings
    assert finding.frames == ("bad.extxyz#5",)
    assert len(result.frames) == len(metal()) - 1
    assert [f.source for f in result.frames[4:6]] == ["bad.extxyz#4", "bad.extxyz#6"]


def test_every_bad_frame_is_listed(tmp_path):
    bad = changed(metal(), (2, 30, 60), energy=float("nan"))
    path = tmp_path / "bad.extxyz"
    path.write_text(text(bad))
    (finding,) = checked([path]).findings
    assert finding.frames == ("bad.extxyz#2", "bad.extxyz#30", "bad.extxyz#60")


@pytest.mark.parametrize(
    "name",
    ["number of atoms too large", "number of atoms too small", "number of atoms is a word"],
)
def test_reading_goes_on_after_a_wrong_number_of_atoms(tmp_path, name):
    path = FAULTS[name].write(tmp_path)[0]
    assert len(checked([path]).frames) == len(metal()) - 1


def test_one_wrong_file_among_good_ones(tmp_path):
    (tmp_path / "good.extxyz").write_text(text(metal()))
    flipped = changed(metal(), forces=lambda s: -s.forces, group="flipped")
    (tmp_path / "bad.extxyz").write_text(text(flipped))
    result = checked([tmp_path / "good.extxyz", tmp_path / "bad.extxyz"])
    (sign,) = (f for f in result.findings if f.code == "force-sign")
    assert sign.evidence.startswith("bad.extxyz")
    assert "labels-conflict" in {f.code for f in result.findings}


def equal_sizes():
    """Frames that all have 8 atoms: no size tells energies per atom from another unit."""
    rng = np.random.default_rng(3)
    samples = []
    for _ in range(30):
        sites, cell = bcc((2, 2, 1), 3.2 * (1.0 + 0.02 * rng.normal()))
        moved = sites + 0.1 * rng.normal(size=sites.shape)
        samples.append(labelled(TUNGSTEN, [74] * 8, moved, cell, "hot"))
    return tuple(samples)


def findings_of(tmp_path, samples):
    path = tmp_path / "data.extxyz"
    path.write_text(text(samples))
    return checked([path]).findings


def test_energies_per_atom_where_all_frames_have_one_size(tmp_path):
    samples = changed(equal_sizes(), energy=lambda s: s.energy / 8)
    found = findings_of(tmp_path, samples)
    assert [f.code for f in found] == ["energy-per-atom"]
    assert "energy_kind=per_atom" in found[0].remedy


def test_both_causes_of_a_ratio_that_cannot_be_decided(tmp_path):
    samples = changed(equal_sizes(), energy=lambda s: s.energy / 10.0)
    (found,) = findings_of(tmp_path, samples)
    assert "kJ/mol/nm" in found.title
    samples = changed(equal_sizes(), energy=lambda s: s.energy / 9.0)
    (found,) = findings_of(tmp_path, samples)
    assert found.code == "energy-per-atom"
    assert "kJ/mol/nm" in found.title


def test_a_group_of_energies_per_atom(tmp_path):
    odd = [i for i, s in enumerate(metal()) if s.group == "hot"]
    samples = changed(metal(), odd, energy=lambda s: s.energy / len(s))
    found = next(f for f in findings_of(tmp_path, samples) if f.code == "energy-offset")
    assert "per atom" in found.title
    assert len(found.frames) == len(odd)


def test_velocities_in_the_column_of_forces(tmp_path):
    rng = np.random.default_rng(4)
    samples = changed(metal(), forces=lambda s: rng.normal(0.0, 0.02, s.forces.shape))
    assert "energy-force-mismatch" in {f.code for f in findings_of(tmp_path, samples)}


def test_duplicates_are_only_noted(tmp_path):
    path = tmp_path / "twice.extxyz"
    path.write_text(text((*metal(), *metal()[:9])))
    result = checked([path])
    assert [(f.code, f.severity, len(f.frames)) for f in result.findings] == [
        ("duplicates", "note", 9)
    ]


def test_overview_counts_labels_per_group(tmp_path):
    path = tmp_path / "a.extxyz"
    path.write_text(text(changed(metal(), range(5), stress=None)))
    groups = {g.name: g for g in checked([path]).groups}
    assert {name: g.frames for name, g in groups.items()} == Counter(
        s.group for s in metal()
    )
    assert (groups["md"].energy, groups["md"].forces, groups["md"].stress) == (24, 24, 19)
    distances = [
        np.linalg.norm(s.positions[0] - s.positions[1:], axis=1).min()
        for s in metal()
        if s.group == "md"
    ]
    assert groups["md"].smallest_distance <= min(distances) + 1e-6
    assert groups["IsolatedAtom"].volume_per_atom is None


def test_where_that_selects_nothing_is_refused(tmp_path):
    path = tmp_path / "a.extxyz"
    path.write_text(text(metal()))
    with pytest.raises(DataError, match="config_type"):
        check_data(path, where={"config_type": "none"}, threads=1)
    assert len(check_data(path, where={"config_type": "md"}, threads=1).frames) == 24


def test_structures_without_labels_can_be_checked(tmp_path):
    path = tmp_path / "a.extxyz"
    path.write_text(text(changed(metal(), energy=None, forces=None, stress=None)))
    assert [f.code for f in check_data(path, threads=1).findings] == ["labels-missing"]
    rules = ReadRules(require_labels=False)
    assert check_data(path, rules=rules, threads=1).findings == ()


def run(capsys, *arguments):
    code = main([*map(str, arguments), "--threads", "1"])
    return code, capsys.readouterr()


def test_command_on_clean_data(tmp_path, capsys):
    path = tmp_path / "clean.extxyz"
    path.write_text(text(metal()))
    code, shown = run(capsys, "check-data", path)
    assert code == 0
    assert "nothing wrong was found" in shown.out
    assert "strained" in shown.out


def test_command_exit_codes(tmp_path, capsys):
    (wrong,) = FAULTS["forces are gradients"].write(tmp_path)
    code, shown = run(capsys, "check-data", wrong)
    assert code == 3
    assert "--set data.rules.force_sign=gradient" in shown.out
    assert "Traceback" not in shown.out + shown.err
    code, _ = run(capsys, "check-data", wrong, "--set", "data.rules.force_sign=gradient")
    assert code == 0
    (close,) = FAULTS["atoms 0.7 A apart"].write(tmp_path)
    assert run(capsys, "check-data", close)[0] == 0
    assert run(capsys, "check-data", close, "--strict")[0] == 3
    assert run(capsys, "check-data", tmp_path / "absent.extxyz")[0] == 2


def test_command_json(tmp_path, capsys):
    (path,) = FAULTS["stress in kbar"].write(tmp_path)
    code, shown = run(capsys, "check-data", path, "--json")
    document = json.loads(shown.out)
    assert code == 3
    assert document["counts"]["error"] == 1
    (finding,) = document["findings"]
    assert set(finding) == {
        *("code", "severity", "title", "evidence", "remedy", "n_frames", "frames")
    }
    assert document["frames"] == len(metal())
    assert document["near_frames"]["stresses"] > 5


def test_command_writes_results_and_clean_frames(tmp_path, capsys):
    (path,) = FAULTS["forces 0 in some frames"].write(tmp_path)
    out, good = tmp_path / "checked", tmp_path / "good.extxyz"
    code, _ = run(capsys, "check-data", path, "--output", out, "--clean", good)
    assert code == 3
    assert json.loads((out / "findings.json").read_text())["clean"] == str(good)
    page = (out / "findings.md").read_text()
    assert "forces-zero" in page
    assert "## What is in the data" in page
    assert (out / "figures" / "data.png").stat().st_size > 10_000
    kept = read(good)
    assert len(kept) == len(metal()) - 4
    original = read(path)[0]
    np.testing.assert_allclose(kept[0].forces, original.forces, atol=1e-7)
    np.testing.assert_allclose(kept[0].stress, original.stress, atol=1e-7)
    assert kept[0].config_type == original.config_type
    assert run(capsys, "check-data", good)[0] == 0


def test_command_takes_a_configuration(tmp_path, capsys):
    path = tmp_path / "train.yaml"
    (data,) = FAULTS["stress in GPa"].write(tmp_path)
    path.write_text(f"data:\n  path: {data}\n  rules: {{stress_unit: GPa}}\n")
    assert run(capsys, "check-data", path)[0] == 0
