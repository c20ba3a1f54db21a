"""`trimpot validate`: table, files, exit codes."""

import json

import pytest

import trimpot
from faulty_potentials import GOOD
from toy_potentials import crystal
from trimpot.cli.app import main
from trimpot.errors import DataError, InputError
from trimpot.verbs import validate

pytestmark = pytest.mark.usefixtures("pages")

QUICK = ["--only", "derivatives", "--only", "save-load", "--only", "isolated-energy"]


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.trimpot"
    trimpot.save(GOOD, path)
    return path


def test_table_files_and_exit_code(model, tmp_path, capsys):
    out = tmp_path / "judged"
    assert main(["validate", str(model), *QUICK, "--output", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "6 of 6 checks passed" in shown
    assert "stress-derivative" in shown
    (document,) = json.loads((out / "checks.json").read_text())["models"].values()
    assert document["passed"] is True
    assert document["model"] == str(model)
    assert {c["name"] for c in document["checks"]} >= {"save-load", "isolated-energy"}
    assert all(c["applies"] and c["passed"] for c in document["checks"])
    page = (out / "checks.md").read_text()
    assert page.startswith(f"# Physical checks of {tmp_path.name}")
    assert "| derivatives" in page


def test_a_mandatory_failure_exits_with_3_and_says_what_it_means(
    tmp_path, capsys, monkeypatch
):
    path = tmp_path / "model.trimpot"
    trimpot.save(GOOD, path)
    monkeypatch.setattr("trimpot.validation.checks.consistency._apart", lambda *_: 1e-3)
    out = str(tmp_path / "judged")
    words = ["validate", str(path), "--only", "save-load", "--output", out]
    assert main(words) == 3
    shown = capsys.readouterr()
    assert "FAILED: save-load" in shown.out
    assert "what others load is not what was judged" in shown.out
    assert "internal error" not in shown.err
    assert "## What failed" in (tmp_path / "judged/checks.md").read_text()
    assert main([*words, "--json"]) == 3
    (found,) = json.loads(capsys.readouterr().out)["models"].values()
    assert found["checks"]["counts"]["failed"] == 1


def test_structures_come_from_a_file(model, tmp_path, capsys):
    from ase import Atoms
    from ase.io import write

    given = crystal(3)
    file = tmp_path / "given.extxyz"
    write(file, Atoms(given.numbers, given.positions, cell=given.cell, pbc=True))
    done = validate(model, file, only=["derivatives"])
    assert done.passed
    write(file, Atoms("Cu", cell=[3, 3, 3], pbc=True))
    assert main(["validate", str(model), "--structures", str(file)]) == 2
    assert "structure 0: structure contains Cu" in capsys.readouterr().err
    (tmp_path / "broken.extxyz").write_text("3\nx\n")
    with pytest.raises(DataError):
        validate(model, tmp_path / "broken.extxyz")


def test_any_potential_can_be_judged_from_python(tmp_path):
    from toy_potentials import Morse

    done = validate(Morse(), only=["symmetries"], output=tmp_path)
    assert [m.name for m in done.judged.models] == ["Morse"]
    assert done.passed
    assert (tmp_path / "report.html").is_file()


def test_wrong_names_are_refused(model, capsys):
    assert main(["validate", str(model), "--only", "nve"]) == 2
    assert "there is no check 'nve'" in capsys.readouterr().err
    with pytest.raises(InputError, match="no file"):
        validate(model.parent / "none.trimpot")
