"""``trimpot export`` and ``trimpot import``: folders, files, messages."""

from __future__ import annotations

import json

import numpy as np
import pytest

import trimpot
from trimpot.cli.app import main
from trimpot.files import save
from trimpot.files.lammps_example import example_structure
from trimpot.files.lammps_table import TableSettings
from trimpot.files.uf3 import read_uf3, write_uf3
from trimpot.splines.core import ZblTerm
from trimpot.splines.knots import clamped
from trimpot.splines.one_body import OneBody
from trimpot.splines.pair import PairCurve, PairTerm
from trimpot.splines.potential import SplinePotential
from trimpot.splines.triplet import TripletGrid, TripletTerm, grid_columns

SPECIES = TE, W = 52, 74
EXAMPLE = ("potential.in", "in.lammps", "example.data", "README.txt")


def parts():
    knots = clamped(np.linspace(0.0, 5.0, 9))
    columns = np.full(len(knots) - 4, -1, dtype=np.int32)
    columns[:-3] = np.arange(len(columns) - 3)
    values = np.linspace(2.0, -0.5, len(columns) - 3)
    one = OneBody(SPECIES), np.array([-1.0, -2.0])
    return [one, (PairTerm(SPECIES, (PairCurve((TE, W), knots, columns, 0.0),)), values)]


def core():
    outer = np.full((2, 2), 1.8)
    return ZblTerm(SPECIES, 0.5 * outer, outer), np.zeros(0)


def triplets():
    knots = (clamped(np.linspace(1.0, 4.0, 6)),) * 2 + (clamped(np.linspace(1.0, 8.0, 8)),)
    columns = grid_columns(knots, symmetric=True, leading=0)
    grid = TripletGrid(((TE, W, W),), *knots, columns)
    return TripletTerm(SPECIES, (grid,)), np.full(grid.n_free, 0.1)


def saved(path, *more):
    terms, values = zip(*parts(), *more, strict=True)
    potential = SplinePotential(SPECIES, terms, values)
    save(potential, path)
    return potential


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("verb", ["export", "import"])
def test_help_ends_with_an_example(verb, capsys):
    assert main([verb, "--help"]) == 0
    text = capsys.readouterr().out
    assert f"trimpot {verb}" in text[text.index("Example") :]
    assert "--json" in text


def test_defaults_in_help_are_those_of_the_settings(capsys):
    main(["export", "--help"])
    text = capsys.readouterr().out
    assert str(TableSettings.energy_bound) in text
    assert str(TableSettings.force_bound) in text


def test_table_export_writes_a_folder_and_says_what_to_know(folder, capsys):
    saved(folder / "my model.trimpot", core())
    assert main(["export", "my model.trimpot", "--to", "lammps-table"]) == 0
    out = capsys.readouterr().out
    written = folder / "my model-lammps-table"
    assert {p.name for p in written.iterdir()} == {"my_model.table", *EXAMPLE}
    for part in ("off by at most", "isolated atoms (Te -1.000000 eV", "0.500 A (Te-W)"):
        assert part in out
        assert part in (written / "README.txt").read_text()
    include = (written / "potential.in").read_text()
    assert "pair_coeff 1 2 my_model.table Te-W 5.0" in include
    energy = 'equal "pe+count(trimpot_Te)*(-1.0)+count(trimpot_W)*(-2.0)"'
    assert energy in include


@pytest.mark.parametrize(
    ("choice", "files", "note"),
    [
        ("table", {"m.uf3", "m.core.table"}, "is a table that LAMMPS adds"),
        ("drop", {"m.uf3"}, "1.800 A (W-W) is left out"),
    ],
)
def test_core_of_a_uf3_export(folder, capsys, choice, files, note):
    saved(folder / "m.trimpot", core(), triplets())
    arguments = ["export", "m.trimpot", "--to", "lammps-uf3", "--core", choice, "--json"]
    assert main([*arguments, "--output", "out"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document["files"]) == files | set(EXAMPLE)
    assert {p.name for p in (folder / "out").iterdir()} == set(document["files"])
    assert any(note in text for text in document["notes"])
    assert set(document["interpolation"]) == (
        {"Te-Te", "Te-W", "W-W"} if choice == "table" else set()
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--to", "lammps-table"], "lammps-uf3"),
        (["--to", "gulp"], "known: lammps, lammps-uf3, lammps-table, kim"),
        (["--to", "lammps-uf3", "--core", "refuse"], "core='table'"),
        (["--to", "lammps-uf3", "--core", "keep"], "expected one of 'refuse'"),
    ],
)
def test_refused_exports_leave_no_folder(folder, capsys, arguments, message):
    saved(folder / "m.trimpot", core(), triplets())
    assert main(["export", "m.trimpot", "-o", "out", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not (folder / "out").exists()


def test_bounds_of_the_table_can_be_set(folder, capsys):
    saved(folder / "m.trimpot")
    arguments = ["export", "m.trimpot", "--to", "lammps-table", "--points", "100"]
    assert main(arguments) == 2
    assert "above the bounds" in capsys.readouterr().err
    loose = ["--energy-bound", "0.1", "--force-bound", "1", "--inner", "0.8", "--json"]
    assert main([*arguments, *loose]) == 0
    pair = json.loads(capsys.readouterr().out)["interpolation"]["Te-W"]
    assert pair["inner"] == 0.8
    assert 0.0 < pair["energy_error"] < 0.1


def test_import_of_a_lammps_file(folder, capsys):
    terms, values = zip(*parts()[1:], triplets(), strict=True)
    write_uf3(SplinePotential(SPECIES, terms, values), folder / "a.uf3")
    assert main(["import", "a.uf3"]) == 0
    out = capsys.readouterr().out
    assert "pair_style uf3 file of Te W" in out
    assert "Energies of isolated atoms are zero" in out
    back, read = trimpot.load(folder / "a.trimpot"), read_uf3(folder / "a.uf3")
    for ours, theirs in zip(back.coefficients, read.coefficients, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert main(["import", "a.uf3"]) == 2
    assert "exists already" in capsys.readouterr().err
    energies = ["--isolated-energies", "W=-2", "--isolated-energies", "Te=-1"]
    assert main(["import", "a.uf3", "-o", "a.trimpot", *energies, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["isolated_energies"] == {"Te": -1.0, "W": -2.0}
    assert trimpot.load(folder / "a.trimpot").coefficients[0].tolist() == [-1.0, -2.0]


def test_import_of_a_uf3_file_is_known_by_its_content(folder, capsys):
    knots = clamped(np.linspace(1.0, 5.0, 9)).tolist()
    values = [3.0, *[0.5] * 7, 0.0, 0.0, 0.0]
    document = {"solution": {"W": -5.0, "W-W": values}, "knots": {"W-W": knots}}
    (folder / "tungsten").write_text("\n" + json.dumps(document))
    assert main(["import", "tungsten", "--output", "w.trimpot", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["source"] == "uf3 JSON file"
    assert shown["isolated_energies"] == {"W": -5.0}
    assert shown["coefficients"] == {"pair": 8}
    assert trimpot.load(folder / "w.trimpot").species == (74,)


@pytest.mark.parametrize("text", ["W", "W=", "W=low"])
def test_isolated_energies_need_a_number(folder, capsys, text):
    (folder / "a.uf3").write_text("")
    assert main(["import", "a.uf3", "--isolated-energies", text]) == 2
    assert "SYMBOL=EV" in capsys.readouterr().err


def test_missing_file_is_wrong_usage(capsys):
    assert main(["import", "nothing.uf3"]) == 2
    assert "cannot read nothing.uf3" in capsys.readouterr().err


def test_atoms_of_the_example_keep_their_distance():
    positions, edge = example_structure(SPECIES, 4.0)
    away = positions[:, None] - positions[None]
    away -= edge * np.round(away / edge)
    distances = np.linalg.norm(away, axis=-1) + 10.0 * np.eye(len(positions))
    assert distances.min() > 4.0
