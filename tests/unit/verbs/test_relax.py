"""The verb relax and its command: files, formats, exit codes, refusals."""

import csv
import json
from dataclasses import fields
from inspect import signature
from types import SimpleNamespace

import numpy as np
import pytest
from ase.build import bulk
from ase.io import read, write

import trimpot
from toy_potentials import Morse
from trimpot.cli import relax as module
from trimpot.cli.app import main
from trimpot.engines.relaxation_settings import RelaxSettings
from trimpot.errors import DataError, InputError, NonFiniteResultError
from trimpot.files import run_folder
from trimpot.verbs.relaxing import relax

FILES = ["final.extxyz", "log.csv", "summary.json", "trajectory.extxyz"]
QUICK = RelaxSettings(threads=1, fmax=0.02, steps=300)


@pytest.fixture
def cells(tmp_path):
    path = tmp_path / "w.extxyz"
    atoms = bulk("W", "bcc", a=3.1, cubic=True) * (2, 2, 1)
    frames = []
    for seed in (1, 2):
        frame = atoms.copy()
        frame.rattle(0.08, seed=seed)
        frames.append(frame)
    write(path, frames)
    return path


def test_all_structures_of_a_file_are_relaxed_and_recorded(trained, cells, tmp_path):
    done = relax(trained.model, cells, QUICK, output=tmp_path / "r")
    assert sorted(p.name for p in (tmp_path / "r").iterdir()) == FILES
    assert done.converged
    final = read(tmp_path / "r" / "final.extxyz", ":")
    assert len(final) == 2
    calculator = trimpot.Calculator(trained.potential)
    for frame, result in zip(final, done.results, strict=True):
        calculator.calculate(frame, ["forces"])
        assert np.linalg.norm(calculator.results["forces"], axis=1).max() < 0.0201
        assert frame.get_potential_energy() == pytest.approx(result.last.energy)
        assert result.last.energy < result.first.energy
    rows = list(csv.DictReader((tmp_path / "r" / "log.csv").read_text().splitlines()))
    assert [r["structure"] for r in rows if r["step"] == "0"] == ["0", "1"]
    assert float(rows[-1]["energy_ev"]) == pytest.approx(done.results[1].last.energy)
    path = read(tmp_path / "r" / "trajectory.extxyz", ":")
    assert len(path) == len(rows)
    assert [f.info["step"] for f in path] == [int(r["step"]) for r in rows]
    summary = json.loads((tmp_path / "r" / "summary.json").read_text())
    assert summary["converged"] is True
    assert summary["structures"][1]["last"]["step"] == done.results[1].last.step


def test_one_structure_and_another_format(trained, cells, tmp_path):
    done = relax(
        trained.model,
        cells,
        QUICK,
        output=tmp_path / "r",
        index=0,
        write=tmp_path / "a.cif",
    )
    assert len(done.results) == 1
    again = read(tmp_path / "a.cif")
    assert len(again) == 8
    np.testing.assert_allclose(again.cell.lengths(), done.atoms[0].cell.lengths())
    distances = done.atoms[0].get_all_distances(mic=True)
    np.testing.assert_allclose(again.get_all_distances(mic=True), distances, atol=1e-3)


def test_the_path_can_be_thinned_and_always_has_its_end(trained, cells, tmp_path):
    thin = RelaxSettings(threads=1, steps=7, fmax=1e-9, trajectory_interval=5)
    relax(trained.model, cells, thin, output=tmp_path / "r", index=0)
    steps = [f.info["step"] for f in read(tmp_path / "r" / "trajectory.extxyz", ":")]
    assert steps == [0, 5, 7]
    none = RelaxSettings(threads=1, steps=2, trajectory_interval=0)
    relax(trained.model, cells, none, output=tmp_path / "n", index=0)
    assert not (tmp_path / "n" / "trajectory.extxyz").exists()


def test_names_that_cannot_hold_the_result_are_refused_before_any_work(cells, tmp_path):
    for name, match in (("POSCAR", "one structure"), ("a.nonsense", "format")):
        with pytest.raises(InputError, match=match):
            relax(Morse(), cells, QUICK, output=tmp_path / "r", write=tmp_path / name)
    assert not (tmp_path / "r").exists()
    with pytest.raises(DataError, match="structure 5"):
        relax(Morse(), cells, QUICK, output=tmp_path / "r", index=5)


def test_an_older_run_is_not_overwritten(trained, cells, tmp_path):
    relax(trained.model, cells, QUICK, output=tmp_path / "r")
    before = (tmp_path / "r" / "final.extxyz").read_bytes()
    with pytest.raises(InputError, match="holds another run"):
        relax(trained.model, cells, QUICK, output=tmp_path / "r")
    assert (tmp_path / "r" / "final.extxyz").read_bytes() == before


class BreaksSecond(Morse):
    """NaN once the atoms are those of a larger structure."""

    def evaluate(self, neighborhood, *, threads=0):
        good = super().evaluate(neighborhood, threads=threads)
        if neighborhood.n_local > 4:
            good.forces[0] = np.nan
        return good


def test_what_was_relaxed_before_an_error_stays(tmp_path):
    good = bulk("W", "fcc", a=3.7, cubic=True)
    good.rattle(0.05, seed=1)
    with pytest.raises(NonFiniteResultError, match=r"structure 1: step 0: atom 0"):
        relax(BreaksSecond(), [good, good * (2, 1, 1)], QUICK, output=tmp_path / "r")
    assert len(read(tmp_path / "r" / "final.extxyz", ":")) == 1
    assert not (tmp_path / "r" / "summary.json").exists()


def test_grades_are_in_log_and_final_structure(cells, tmp_path):
    grader = SimpleNamespace(grades=lambda s: np.full(len(s), 0.25))
    done = relax(Morse(), cells, QUICK, output=tmp_path / "r", index=1, grader=grader)
    rows = list(csv.DictReader((tmp_path / "r" / "log.csv").read_text().splitlines()))
    graded = [row["step"] for row in rows if row["grade"] == "0.25"]
    assert graded == [row["step"] for row in rows if int(row["step"]) % 10 == 0]
    assert read(tmp_path / "r" / "final.extxyz").arrays["grade"].tolist() == [0.25] * 8
    assert done.results[0].last.grade == 0.25


def test_the_command_says_why_it_stopped(trained, cells, tmp_path, capsys):
    arguments = ["relax", str(trained.model), str(cells), "--threads", "1"]
    first = [*arguments, "-o", str(tmp_path / "a"), "--fmax", "0.02", "--index", "-1"]
    assert main(first) == 0
    shown = capsys.readouterr()
    assert "converged after" in shown.out
    assert "(limit 0.02)" in shown.out
    assert "fmax" in shown.err
    second = [*arguments, "-o", str(tmp_path / "b"), "--steps", "1", "--json"]
    assert main(second) == module.NOT_CONVERGED == 3
    document = json.loads(capsys.readouterr().out)
    assert document["converged"] is False
    assert [s["last"]["step"] for s in document["structures"]] == [1, 1]
    assert (tmp_path / "b" / "final.extxyz").exists()
    assert main([*arguments, "-o", str(tmp_path / "c"), "--pressure", "3"]) == 2
    assert "the volume stays" in capsys.readouterr().err


def test_the_command_shows_the_defaults():
    options = signature(module.relax, eval_str=True).parameters
    names = {"pressure": "pressure_gpa", "smax": "smax_gpa"}
    for field in fields(RelaxSettings):
        option = next((o for o in options if names.get(o, o) == field.name), None)
        if option is None or field.name in {"threads", "symmetry"}:
            continue
        shown = options[option].annotation.__metadata__[0].show_default
        assert shown == str(field.default), field.name


def test_a_folder_in_use_is_not_relaxed_into(tmp_path):
    atoms = bulk("W", "fcc", a=3.7, cubic=True)
    with run_folder(tmp_path / "r"), pytest.raises(InputError, match="another run is"):
        relax(Morse(), atoms, QUICK, output=tmp_path / "r")
