"""Several models side by side: suites, errors, times, the folder and its way back."""

import json

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

import trimpot
from crystal_subjects import SW_SI
from faulty_potentials import sound
from toy_potentials import Morse, crystal
from trimpot.cli.app import main
from trimpot.cli.shown_judged import property_tables
from trimpot.engines.ase import Calculator
from trimpot.engines.lammps.finding import find_lmp
from trimpot.errors import InputError
from trimpot.validation.properties.case import Case, Phase
from trimpot.validation.properties.equation_of_state import Settings, measure
from trimpot.validation.subjects import (
    subject_of_calculator,
    subject_of_file,
    subject_of_potential,
)
from trimpot.validation.suites import load_suite, suite_names, suite_variants
from trimpot.verbs import report, validate
from trimpot.verbs.judged_models import given_models

SUITE = """
name: toy
elements: [W]
phases:
  fcc: {lattice: fcc, elements: [W], a: 3.7}
  huge: {lattice: fcc, elements: [W], a: 30.0}
properties:
  size: {protocol: equation_of_state, phase: fcc, settings: {points: 11}}
  elastic: {protocol: elastic, phase: fcc, needs: {lattice: size}}
  gone: {protocol: equation_of_state, phase: huge, settings: {points: 11}}
quantities:
  a0: {property: size, value: a0, unit: A, reference: A0, tolerance: 0.01, source: here}
  C11: {property: elastic, value: C11, unit: GPa}
published:
  somebody: {source: paper, values: {C11: 500}}
  nobody: {source: paper, values: {}}
"""

QUICK = ["net-force", "size"]


def softer():
    """Another lattice constant than the sound potential."""
    return Morse(minimum=2.9, isolated={74: -9.0})


@pytest.fixture(scope="module")
def a0():
    path_free = validate(sound(), only=["derivatives"]).judged
    assert path_free.models[0].checks.passed

    subject = subject_of_potential(sound(), "sound")
    phase = Phase("fcc", "fcc", ("W",), 3.7)
    outcome = measure(subject, Case(phase), Settings(points=11), lambda _: None)
    return outcome.number("a0")


@pytest.fixture
def suite(tmp_path, a0):
    path = tmp_path / "toy.yaml"
    path.write_text(SUITE.replace("A0", f"{a0:.4f}"))
    return path


@pytest.fixture
def models(tmp_path):
    path = tmp_path / "good.trimpot"
    trimpot.save(sound(), path)
    other = subject_of_potential(softer(), "soft", "soft 1")
    return [path, other]


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "frames.extxyz"
    frames = []
    for seed in range(4):
        one = crystal(2, 3.0 + 0.05 * seed, seed=seed)
        atoms = Atoms(one.numbers, one.positions, cell=one.cell, pbc=True)
        atoms.info["config_type"] = "even" if seed % 2 == 0 else "odd"
        atoms.calc = Calculator(softer(), threads=1)
        found = (atoms.get_potential_energy(), atoms.get_forces(), atoms.get_stress())
        labels = dict(zip(("energy", "forces", "stress"), found, strict=True))
        atoms.calc = SinglePointCalculator(atoms, **labels)
        frames.append(atoms)
    write(path, frames)
    return path


def everything(models, suite, data, folder, **more):
    asked = {
        "suite": suite,
        "data": data,
        "time": True,
        "atoms": 16,
        "only": ["net-force", "gone", "elastic"],
        "output": folder,
        "processes": 1,
    }
    return validate(models, **(asked | more))


def test_a_folder_says_all_and_comes_back_without_measuring(
    models, suite, data, tmp_path, pages, monkeypatch
):
    folder = tmp_path / "judged"
    done = everything(models, suite, data, folder)
    files = {p.name for p in folder.iterdir()}
    assert files >= {"checks.json", "suite.json", "errors.json", "times.json"}
    assert files >= {"judged.json", "judged.md", "report.html", "checks.md"}
    good, soft = done.judged.models
    assert soft.errors.select("energy", "all")[0].rmse < 1e-6  # it made the labels
    assert good.errors.select("forces", "all")[0].rmse > 1.0
    assert good.microseconds[1] <= good.microseconds[0] <= good.microseconds[2]
    failed = [f[:2] for f in done.judged.suite.failures]
    assert failed == [("good", "gone"), ("soft", "gone")]

    for place in ("run_checks", "predict"):
        monkeypatch.setattr(f"trimpot.verbs.judging_parts.{place}", _not_again)
    monkeypatch.setattr("trimpot.verbs.judging_costs.interleaved", _not_again)
    result = report(folder)
    first, again = pages
    assert result.page == folder / "report.html"
    assert again.suite.to_dict() == first.suite.to_dict()
    assert again.suite.rows == first.suite.rows
    for one, other in zip(first.models, again.models, strict=True):
        assert other.checks.to_dict() == one.checks.to_dict()
        assert other.errors == one.errors
        assert other.microseconds == one.microseconds
        assert [p.title for p in other.curves] == [p.title for p in one.curves]
        for a, b in zip(one.comparisons, other.comparisons, strict=True):
            assert np.array_equal(a.residual, b.residual)
            assert np.array_equal(a.frame, b.frame)
    assert json.dumps(again.models[0].facts) == json.dumps(first.models[0].facts)
    assert (again.data, again.timed_on) == (first.data, first.timed_on)
    assert again.commands == first.commands
    assert again.commands["errors"].endswith(f"--data {data}")
    assert again.commands["checks"].endswith("--only net-force")
    assert again.commands["properties"].endswith("--only gone --only elastic")
    assert again.machine == first.machine
    assert first.models[0].curves

    repeated = everything(models, suite, data, folder)
    assert all(m.cached for m in repeated.judged.suite.measured["good"].values())
    models[0].unlink()
    report(folder)
    assert not pages[-1].models[0].curves
    assert pages[-1].models[0].checks.passed


def _not_again(*_args, **_more):
    raise AssertionError("measured again")


def test_an_interrupted_run_goes_on(models, suite, data, tmp_path, pages, monkeypatch):
    folder = tmp_path / "judged"
    with monkeypatch.context() as patch:
        patch.setattr("trimpot.verbs.judging_all.costs_of", _stopped)
        with pytest.raises(KeyboardInterrupt):
            everything(models, suite, data, folder)
    with pytest.raises(InputError, match="interrupted"):
        report(folder)
    assert not pages
    for place in ("run_checks", "predict"):
        monkeypatch.setattr(f"trimpot.verbs.judging_parts.{place}", _not_again)
    assert everything(models, suite, data, folder).judged.models[1].errors is not None


def _stopped(*_args):
    raise KeyboardInterrupt


def test_other_settings_data_and_models_are_judged_anew(models, data, tmp_path, pages):
    folder = tmp_path / "judged"
    asked = {"data": data, "only": ["net-force"], "output": folder}
    before = validate(models[:1], **asked)
    fitted = validate(models[:1], **asked, fit_e0=True)
    tables = [done.judged.models[0].errors for done in (before, fitted)]
    rmse = [errors.select("energy", "all")[0].rmse for errors in tables]
    assert rmse[1] < 0.1 * rmse[0]  # six eV of another zero
    constants = json.loads((folder / "errors.json").read_text())["models"]["good"]
    assert constants["constants"]["W"] == pytest.approx(-6.0, abs=1.5)
    some = validate(models[:1], **asked, where={"config_type": "odd"})
    assert some.judged.models[0].errors.frames == 2
    assert "where config_type is odd" in some.judged.data
    trimpot.save(sound((14, 74)), models[0])
    other = validate(models[:1], **asked)
    assert other.judged.models[0].facts["species"] == ["Si", "W"]
    assert len(pages) == 4


def test_folders_that_are_something_else_are_refused(models, tmp_path, pages):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/report.html").write_text("a training")
    with pytest.raises(InputError, match=r"holds something else \(report.html\)"):
        validate(models, only=["net-force"], output=tmp_path / "mine")
    assert (tmp_path / "mine/report.html").read_text() == "a training"
    with pytest.raises(InputError, match=r"no judged\.json"):
        report(tmp_path / "mine")
    with pytest.raises(InputError, match="stands alone"):
        report([tmp_path / "mine", models[0]])
    (tmp_path / "mine/judged.json").write_text('{"format": 7}')
    with pytest.raises(InputError, match="format 7"):
        report(tmp_path / "mine")
    assert not pages


def test_exit_code_and_table(models, suite, tmp_path, capsys):
    soft = tmp_path / "soft.trimpot"
    trimpot.save(sound(), soft)
    words = ["validate", str(models[0]), str(soft), "--suite", str(suite), "--no-checks"]
    assert main([*words, "--only", "size"]) == 0
    shown = capsys.readouterr().out
    assert "[somebody]" not in shown  # has no lattice constant
    assert main([*words, "--only", "elastic"]) == 0
    shown = capsys.readouterr().out
    assert "[somebody]" in shown
    assert "[nobody]" not in shown
    suite.write_text(suite.read_text().replace("reference: ", "reference: 1"))
    assert main([*words, "--only", "size", "--json"]) == 3
    document = json.loads(capsys.readouterr().out)
    assert document["rows"][0]["measured"]["good"]["verdict"] == "off"
    assert not document["passed"]


def test_a_report_of_models_is_made_in_judged(models, tmp_path, pages, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["report", "good.trimpot", "--only", "net-force"]) == 0
    assert main(["report", "judged", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.split("html\n", 1)[1])["models"] == ["good"]
    assert [p.title for p in pages] == ["Validation of good"] * 2
    assert main(["report", "judged", "--time"]) == 2
    assert "leave out all options" in capsys.readouterr().err
    assert main(["report", "judged", "good.trimpot"]) == 2
    assert models[0].is_file()


def test_a_property_that_fails_is_told_by_the_exit_code(models, suite):
    for only, passed in ((["size"], True), (["gone"], False)):
        found = validate(models[:1], suite=suite, checks=False, only=only)
        assert found.passed == passed


def test_a_suite_for_other_elements_is_refused(models):
    with pytest.raises(InputError, match="silicon is for Si, found the model good for W"):
        validate(models[:1], suite="silicon")


def test_long_properties_are_measured_where_they_are_asked_for(models, suite):
    text = suite.read_text().replace(
        "{protocol: elastic,", "{long: true, protocol: elastic,"
    )
    suite.write_text(text)
    found = validate(models[:1], suite=suite, checks=False)
    assert set(found.judged.suite.suite.properties) == {"size", "gone"}
    assert any("elastic" in note and "--long" in note for note in found.notes)
    for asked in ({"long": True}, {"only": ["elastic"]}):
        found = validate(models[:1], suite=suite, checks=False, **asked)
        rows = {row.quantity.name: row for row in found.judged.suite.rows}
        assert next(iter(rows["C11"].entries.values())).verdict == "measured"
        assert not any("--long" in note for note in found.notes)


def test_only_the_first_model_decides_on_properties(models, suite):
    asked = {"suite": suite, "only": ["size"], "processes": 1}
    assert validate(models, **asked).passed
    assert not validate(models[::-1], **asked).passed


def test_tables_fit_and_show_every_column_once(models, suite):
    result = validate(models, suite=suite, only=["elastic"], processes=1).judged.suite
    (wide,) = property_tables(result, 200)
    narrow = property_tables(result, 45)
    names = [str(c.header) for table in narrow for c in table.columns[3:]]
    assert (
        names == [str(c.header) for c in wide.columns[3:]] == ["good", "soft", "[somebody]"]
    )
    assert len(narrow) > 1
    assert [list(t.columns[0].cells)[-1].plain for t in narrow] == ["C11"] * len(narrow)
    assert len(list(narrow[-1].columns[0].cells)) == 1  # no row without a number
    cells = {str(c.header): list(c.cells) for c in wide.columns}
    assert cells["good"][0].style == "green"
    assert cells["soft"][0].style == "red"
    assert str(cells["soft"][0]).endswith("!")


def test_calculators_are_checked_where_asked_for(models):
    def lone():
        return Calculator(softer(), threads=1)

    subject = subject_of_calculator(lone, "ase", ["W"], "1")
    asked = {"time": True, "atoms": 16, "only": ["net-force"]}
    done = validate([models[0], subject], **asked)
    assert done.judged.models[1].checks is None
    assert done.judged.models[1].microseconds[0] > 0.0
    assert "no checks were made of ase" in done.notes[0]
    done = validate([models[0], subject], **asked, checks=True)
    assert done.judged.models[1].checks.passed
    assert validate(subject, only=["net-force"]).checks.passed


def test_models_are_told_apart(models, tmp_path):
    (tmp_path / "a").mkdir()
    trimpot.save(sound(), tmp_path / "a/model.trimpot")
    done = validate([tmp_path / "a/model.trimpot", models[0]], only=["net-force"])
    assert [m.name for m in done.judged.models] == ["a", "good"]
    both = {"mine": models[0], "b": tmp_path / "a/model.trimpot"}
    named = validate(both, only=["net-force"])
    assert [m.name for m in named.judged.models] == ["mine", "b"]
    text = 'lammps: ["pair_style zero 5", "pair_coeff * *"]\nelements: [W]\nname: EAM\n'
    (tmp_path / "w.lammps.yaml").write_text(text)
    for given, name in (([tmp_path / "w.lammps.yaml"], "EAM"), (None, "named")):
        found = given_models(given or {"named": tmp_path / "w.lammps.yaml"})
        assert [(m.name, m.kind) for m in found] == [(name, "LAMMPS zero")]
    with pytest.raises(InputError, match="called soft"):
        validate([models[1], models[1]])
    with pytest.raises(InputError, match="twice"):
        validate([models[0], models[0]])
    (tmp_path / "x.xyz").write_text("1\n\nW 0 0 0\n")
    with pytest.raises(InputError, match="no model by its name"):
        validate([models[0], tmp_path / "x.xyz"])
    with pytest.raises(InputError, match="nothing to judge"):
        validate(models, checks=False)
    with pytest.raises(InputError, match="'latice'; did you mean lattice"):
        validate(models, suite="tungsten", only=["latice"])
    with pytest.raises(InputError, match="neither a check nor a property 'sise'"):
        validate(models, suite="tungsten", only=["sise"])


@pytest.mark.skipif(find_lmp() is None, reason="needs LAMMPS")
def test_a_pair_style_that_does_not_run_is_a_result(models, data, suite, tmp_path):
    path = tmp_path / "wrong.lammps.yaml"
    path.write_text(
        'lammps: ["pair_style sw", "pair_coeff * * gone.sw W"]\nelements: [W]\n'
    )
    done = everything(
        [models[0], path], suite, data, None, only=["net-force", "size"], checks=True
    )
    good, wrong = done.judged.models
    assert wrong.checks is wrong.errors is wrong.microseconds is None
    assert good.checks.passed
    assert good.errors is not None
    assert good.microseconds is not None
    assert done.passed
    assert sorted(note.split(":")[0] for note in done.notes) == [
        "checks of wrong",
        "errors of wrong",
        "times of wrong",
    ]
    assert all("gone.sw" in note for note in done.notes)
    ((name, _, reason),) = done.judged.suite.failures
    assert name == "wrong"
    assert "gone.sw" in reason


@pytest.mark.skipif(find_lmp() is None, reason="needs LAMMPS")
def test_a_pair_style_has_errors_and_times(tmp_path, pages):
    (tmp_path / "Si.sw").write_text(SW_SI)
    text = 'lammps: ["pair_style sw", "pair_coeff * * Si.sw Si"]\nelements: [Si]\n'
    (tmp_path / "sw.lammps.yaml").write_text(text)
    ours = tmp_path / "ours.trimpot"
    trimpot.save(sound((14,)), ours)
    lone = validate(tmp_path / "sw.lammps.yaml", only=["net-force"])
    assert lone.checks.passed
    frame = Atoms("Si2", [[0, 0, 0], [1.4, 1.3, 1.36]], cell=5.43 * np.eye(3), pbc=True)
    frame.calc = subject_of_file(tmp_path / "sw.lammps.yaml").calculator()
    found = frame.get_potential_energy(), frame.get_forces(), frame.get_stress()
    labels = dict(zip(("energy", "forces", "stress"), found, strict=True))
    frame.calc = SinglePointCalculator(frame, **labels)
    write(tmp_path / "si.extxyz", frame)
    done = validate(
        [ours, tmp_path / "sw.lammps.yaml"],
        data=tmp_path / "si.extxyz",
        time=True,
        atoms=64,
        checks=False,
        output=tmp_path / "judged",
    )
    sw = done.judged.models[1]
    assert sw.errors.select("forces", "all")[0].rmse < 1e-4
    assert sw.errors.select("stress", "all")[0].rmse < 1e-4
    assert sw.microseconds[0] > 0.0
    assert "lammps" in done.judged.machine
    assert pages[0].models[1].facts is None


def test_every_suite_can_be_copied_and_used(tmp_path, capsys):
    for name in suite_names():
        folder = tmp_path / name
        assert main(["suites", name, "--copy", str(folder)]) == 0
        first = next(iter(suite_variants(name)), None)
        copied = load_suite(f"{folder / name}.yaml" + (f":{first}" if first else ""))
        there = load_suite(name + (f":{first}" if first else ""))
        assert list(copied.properties) == list(there.properties)
        assert copied.quantities == there.quantities
    assert main(["suites", name, "--copy", str(folder)]) == 2
    assert "already" in capsys.readouterr().err
    assert main(["suites", "unobtainium"]) == 2
