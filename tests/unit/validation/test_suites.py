"""Suites: what is read, what is refused, and runs that order, keep, resume and survive."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.calculator import Calculator
from ase.calculators.lj import LennardJones

import crystal_subjects
from crystal_subjects import lj_subject
from trimpot.errors import EngineError, InputError
from trimpot.validation.properties.outcome import NOT_MEASURED
from trimpot.validation.running_suites import RunSettings, run_suite
from trimpot.validation.subjects import subject_of_calculator
from trimpot.validation.suites import load_suite, suite_names, suite_variants

TEXT = """
name: copper
elements: [Cu]
phases:
  fcc: {lattice: fcc, elements: [Cu], a: 3.9}
properties:
  vacancy:
    {protocol: vacancy, phase: fcc, needs: {lattice: size}, settings: {repeat: [2, 2, 2]}}
  elastic:
    {protocol: elastic, phase: fcc, needs: {lattice: size}, settings: {strain: 0.001}}
  size: {protocol: equation_of_state, phase: fcc, settings: {points: 11}}
quantities:
  a0: {property: size, value: a0, unit: A, reference: 3.968, tolerance: 0.001, source: x}
  C11:
    {property: elastic, value: C11, unit: GPa, reference: 100, tolerance: 8 %, source: here}
  Ev: {property: vacancy, value: formation, unit: eV}
published:
  other: {source: paper, values: {C11: 110, a0: 3.9685}}
"""


@pytest.fixture
def suite_file(tmp_path):
    path = tmp_path / "copper.yaml"
    path.write_text(TEXT)
    return path


@pytest.mark.parametrize("name", [n for n in suite_names() if not suite_variants(n)])
def test_every_suite_that_comes_along_is_read_and_has_sources(name):
    suite = load_suite(name)
    assert suite.name == name
    for quantity in suite.quantities.values():
        assert quantity.reference is None or quantity.source
    for column in suite.published:
        assert column.source
        assert set(column.values) <= set(suite.quantities)


def test_tungsten_has_the_published_columns():
    columns = {column.name: column for column in load_suite("tungsten").published}
    assert set(columns) >= {"UF2", "UF2,3", "SNAP", "qSNAP", "GAP", "EAM4", "MTP"}
    assert columns["UF2,3"].values["C11"] == 558.4
    assert "10.1038/s41524-023-01092-7" in columns["UF2,3"].source


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("protocol: vacancy", "protocol: vacency", "found 'vacency', expected one of"),
        ("phase: fcc, needs", "phase: bcc, needs", "found 'bcc', expected one of fcc"),
        (
            "{lattice: size}, settings: {strain",
            "{lattice: nil}, settings: {strain",
            "'nil'",
        ),
        ("strain: 0.001", "strian: 0.001", "did you mean strain"),
        ("{lattice: size}, settings: {r", "{latice: size}, settings: {r", "mean lattice"),
        ("unit: eV}", "unit: eV, minus: nothing}", "found 'nothing', expected one of"),
        ("strain: 0.001", "strain: 0.5", "expected a strain"),
        ("points: 11}", "points: 11}, needs: {lattice: elastic}", "circle"),
        ("tolerance: 8 %", "tolerance: 8 percent", "found '8 percent'"),
        (", source: here", "", "reference without a source"),
        ("C11: 110", "C13: 110", "unknown key 'C13'"),
        ("a: 3.9}", "a: -1}", "expected a length"),
        ("lattice: fcc, el", "lattice: fccc, el", "'fccc', expected one of"),
        ("protocol: vacancy", "protocol: gamma_line", "unknown key 'repeat'"),
        (
            "protocol: elastic, phase: fcc, needs: {lattice: size}, "
            "settings: {strain: 0.001}",
            "protocol: phonons, phase: fcc, settings: {path: G-H}",
            "properties: elastic: phonons: found 'G-H'",
        ),
        ("name: copper", "title: copper", "unknown key 'title'"),
        ("elements: [Cu]\nph", "elements: [Xx]\nph", "Xx"),
        ("name: copper", "name: copper\nname: gold", "stands twice"),
        ("value: a0", "value: [a0]", "expected a text"),
    ],
)
def test_what_is_wrong_with_a_suite_is_told(suite_file, old, new, words):
    assert old in TEXT
    suite_file.write_text(TEXT.replace(old, new, 1))
    with pytest.raises(InputError, match="(?s)" + words.replace("(", r"\(")):
        load_suite(suite_file)


def test_an_unknown_suite_lists_those_that_there_are():
    with pytest.raises(InputError, match="tungsten"):
        load_suite("wolfram")


@pytest.mark.parametrize("processes", [1, 2])
def test_a_run_measures_in_order_and_judges(suite_file, tmp_path, processes):
    steps = []
    settings = RunSettings(tmp_path / "kept", processes)
    suite = load_suite(suite_file)
    result = run_suite([lj_subject()], suite, settings, steps.append)
    assert steps[0].property == "size"
    assert [step.done for step in steps] == [1, 2, 3]
    assert not result.failures
    a0, c11, vacancy = result.rows
    assert a0.entries["LJ"].verdict == "within"
    assert c11.entries["LJ"].verdict == "off"
    assert c11.published["other"].verdict == "near"
    assert vacancy.entries["LJ"].verdict == "measured"
    assert json.dumps(result.to_dict(), allow_nan=False)
    again = run_suite([lj_subject()], suite, settings, steps.append)
    assert all(step.measured.cached for step in steps[3:])
    assert again.to_dict() == result.to_dict()


def test_another_model_or_setting_is_measured_anew(suite_file, tmp_path):
    settings = RunSettings(tmp_path / "kept", 1)
    run_suite([lj_subject()], load_suite(suite_file), settings)
    other = subject_of_calculator(crystal_subjects.lennard_jones, "LJ", ("Cu",), "other")
    result = run_suite([other], load_suite(suite_file), settings)
    assert not any(found.cached for found in result.measured["LJ"].values())
    suite_file.write_text(TEXT.replace("strain: 0.001", "strain: 0.002"))
    result = run_suite([lj_subject()], load_suite(suite_file), settings)
    found = result.measured["LJ"]
    assert found["size"].cached
    assert not found["elastic"].cached


def test_energies_of_phases_count_from_another(tmp_path):
    path = tmp_path / "phases.yaml"
    phases = "phases: {bcc: {lattice: bcc, elements: [Cu], a: 3.1}, "
    text = TEXT.replace(
        "phases:\n  fcc: {lattice: fcc, elements: [Cu], a: 3.9}",
        phases + ("fcc: {lattice: fcc, elements: [Cu], a: 3.9}}"),
    )
    text = text.replace(
        "quantities:",
        (
            "  bcc: {protocol: equation_of_state, phase: bcc, settings: {points: 11}}\n"
            "quantities:\n"
            "  order: {property: bcc, value: energy, minus: size, unit: eV/atom}"
        ),
    )
    path.write_text(text)
    result = run_suite([lj_subject()], load_suite(path).only(("bcc", "size")))
    found = result.rows[0].entries["LJ"].value
    outcomes = result.measured["LJ"]
    energies = [outcomes[name].outcome.number("energy") for name in ("bcc", "size")]
    assert found == pytest.approx(energies[0] - energies[1], abs=1e-12)
    assert found > 0.0
    assert (
        not load_suite(path).only(("bcc",)).quantities
    )  # what it counts from is not there


def test_what_is_not_measured_is_no_result(suite_file, tmp_path):
    class Blind(Calculator):
        implemented_properties = ("energy",)

        def calculate(self, *_args):
            raise EngineError(f"{NOT_MEASURED}it would take too long")

    blind = subject_of_calculator(Blind, "blind", ("Cu",), "key")
    settings = RunSettings(tmp_path / "kept", 1)
    for _ in range(2):
        result = run_suite([blind], load_suite(suite_file), settings)
        assert {r.entries["blind"].verdict for r in result.rows} == {"missing"}
        assert not any(m.cached for m in result.measured["blind"].values())


def test_only_takes_what_is_needed_along(suite_file):
    settings = RunSettings(processes=1, only=("elastic",))
    result = run_suite([lj_subject()], load_suite(suite_file), settings)
    assert set(result.measured["LJ"]) == {"size", "elastic"}
    assert [row.quantity.name for row in result.rows] == ["a0", "C11"]
    with pytest.raises(InputError, match="no property 'nil'"):
        run_suite([lj_subject()], load_suite(suite_file), RunSettings(only=("nil",)))


class Dying(LennardJones):
    """Ends its process when it is asked about a vacancy."""

    def calculate(self, atoms, *args):
        if len(atoms) == 31:
            os.kill(os.getpid(), signal.SIGKILL)
        super().calculate(atoms, *args)


class Refusing(Calculator):
    implemented_properties = ["energy", "forces"]  # noqa: RUF012

    def calculate(self, *_args):
        raise KeyError("foreign trouble")


def dying():
    return Dying(epsilon=0.4, sigma=2.5, rc=crystal_subjects.CUTOFF)


def test_failures_of_any_kind_are_results(suite_file):
    subjects = [
        subject_of_calculator(dying, "dying", ("Cu",), "1"),
        subject_of_calculator(Refusing, "refusing", ("Cu",), "1"),
        subject_of_calculator(Refusing, "silver", ("Ag",), "1"),
    ]
    result = run_suite(subjects, load_suite(suite_file), RunSettings(processes=2))
    failures = {(model, name): why for model, name, why in result.failures}
    assert "SIGKILL" in failures["dying", "vacancy"]
    assert ("dying", "elastic") not in failures
    assert "KeyError: 'foreign trouble'" in failures["refusing", "size"]
    assert "size, which it needs, failed" in failures["refusing", "elastic"]
    assert "does not know Cu" in failures["silver", "size"]
    verdicts = {m: entry.verdict for m, entry in result.rows[0].entries.items()}
    assert verdicts == {"dying": "within", "refusing": "failed", "silver": "missing"}


SLOW = """
import sys, time
from pathlib import Path
from ase.calculators.lj import LennardJones
from trimpot.validation.running_suites import RunSettings, run_suite
from trimpot.validation.subjects import subject_of_calculator
from trimpot.validation.suites import load_suite

class Slow(LennardJones):
    def calculate(self, atoms, *args):
        if len(atoms) == 31:
            time.sleep({seconds})
        super().calculate(atoms, *args)

subject = subject_of_calculator(
    lambda: Slow(epsilon=0.4, sigma=2.5, rc={cutoff}), "LJ", ("Cu",), "slow"
)
def report(step):
    print(step.property, step.measured.cached, flush=True)
run_suite([subject], load_suite("{suite}"), RunSettings(Path("{kept}"), 2), report)
"""


def ended_within(group, seconds):
    """Whether all processes of a group, zombies of others aside, end in time."""
    for _ in range(int(10 * seconds)):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def test_a_killed_run_goes_on_where_it_was(suite_file, tmp_path):
    words = {"cutoff": crystal_subjects.CUTOFF, "suite": suite_file, "kept": tmp_path / "k"}
    script = tmp_path / "run.py"
    script.write_text(SLOW.format(seconds=60, **words))
    with subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as run:
        done = {run.stdout.readline().split()[0] for _ in range(2)}
        assert done == {"size", "elastic"}
        run.kill()
        run.wait(20)
        assert ended_within(run.pid, 20.0)
    script.write_text(SLOW.format(seconds=0, **words))
    again = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, check=True
    )
    cached = dict(line.split() for line in again.stdout.splitlines())
    assert cached == {"size": "True", "elastic": "True", "vacancy": "False"}


def test_a_damaged_result_is_measured_again(suite_file, tmp_path):
    settings = RunSettings(tmp_path / "kept", 1, only=("size",))
    suite = load_suite(suite_file)
    expected = run_suite([lj_subject()], suite, settings).measured["LJ"]["size"]
    (kept,) = Path(tmp_path / "kept").rglob("*.json")
    kept.write_text(kept.read_text()[:100])
    found = run_suite([lj_subject()], suite, settings).measured["LJ"]["size"]
    assert not found.cached
    assert found.outcome.number("a0") == expected.outcome.number("a0")


def test_rows_that_do_not_fit_their_protocol_are_refused(suite_file):
    for old, new, words in (
        ("unit: A,", "unit: nm,", "found the unit 'nm'"),
        ("value: a0", "value: b0", "has no value 'b0'"),
    ):
        suite_file.write_text(TEXT.replace(old, new))
        settings = RunSettings(processes=1, only=("size",))
        result = run_suite([lj_subject()], load_suite(suite_file), settings)
        with pytest.raises(InputError, match=words):
            _ = result.rows


def test_a_suite_may_bring_its_own_structure(suite_file, tmp_path):
    bulk("Cu", "fcc", a=3.9, cubic=True).write(tmp_path / "own.extxyz")
    suite_file.write_text(
        TEXT.replace("lattice: fcc, elements: [Cu], a: 3.9", "structure: own.extxyz")
    )
    result = run_suite([lj_subject()], load_suite(suite_file), RunSettings(processes=1))
    assert result.measured["LJ"]["size"].outcome.number("a0") == pytest.approx(
        3.9685, abs=1e-3
    )
    values = result.measured["LJ"]["elastic"].outcome
    np.testing.assert_allclose(values.number("C11"), values.number("C33"), rtol=1e-6)
