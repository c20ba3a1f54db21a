"""The verb md and its command: files, start, refusals, interruption."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import fields
from typing import get_args, get_type_hints

import numpy as np
import pytest
from ase.build import bulk
from ase.io import read, write

from toy_potentials import Morse
from trimpot.cli import md as module
from trimpot.cli.app import main
from trimpot.engines.lammps.settings import LammpsSettings
from trimpot.engines.md_settings import MdSettings
from trimpot.errors import DataError, InputError, NonFiniteResultError
from trimpot.verbs.dynamics import md
from trimpot.verbs.md_engines import EngineName

FILES = [
    "checkpoint.trimpot-md",
    "figures",
    "final.extxyz",
    "log.csv",
    "rdf.csv",
    "summary.json",
    "trajectory.extxyz",
]


class Notes:
    def __init__(self):
        self.lines = []
        self.done = []

    def note(self, text):
        self.lines.append(text)

    def progress(self, stage, done, total):
        self.done.append((stage, done, total))


@pytest.fixture
def cell(tmp_path):
    path = tmp_path / "w.extxyz"
    atoms = bulk("W", "bcc", a=3.1, cubic=True)
    write(path, [atoms, atoms * (2, 1, 1)])
    return path


def settings(**changes):
    usual = {"temperature_k": 300.0, "steps": 60, "trajectory_interval": 20, "threads": 1}
    return MdSettings(**{**usual, **changes})


def test_a_run_is_recorded_in_its_folder(trained, cell, tmp_path):
    watcher = Notes()
    done = md(
        trained.model,
        cell,
        settings(),
        output=tmp_path / "run",
        supercell=(2, 2, 2),
        watcher=watcher,
    )
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == FILES
    assert len(read(tmp_path / "run" / "trajectory.extxyz", ":")) == 4
    final = read(tmp_path / "run" / "final.extxyz")
    assert len(final) == 32
    np.testing.assert_allclose(final.positions, done.result.atoms.positions, atol=1e-8)
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["settings"]["temperature_k"] == 300.0
    assert summary["model"] == str(trained.model)
    assert summary["drift"] is None  # 7 samples are too few
    assert watcher.lines[0].startswith("W32: nve, 60 steps of 1 fs (0.06 ps)")
    assert watcher.done[-1] == ("dynamics", 60, 60)


def test_the_index_chooses_a_structure(trained, cell, tmp_path):
    done = md(trained.potential, cell, settings(), output=tmp_path / "r", index=0)
    assert len(done.result.atoms) == 2


def test_a_run_goes_on_from_its_final_structure_but_not_in_copies(trained, cell, tmp_path):
    md(trained.potential, cell, settings(), output=tmp_path / "a")
    final, watcher = tmp_path / "a" / "final.extxyz", Notes()
    plain = settings(temperature_k=None)
    done = md(trained.potential, final, plain, output=tmp_path / "b", watcher=watcher)
    assert any("velocities of the structure kept" in line for line in watcher.lines)
    first = done.result.samples
    log = np.genfromtxt(tmp_path / "a" / "log.csv", delimiter=",", names=True)
    assert first.total[0] == pytest.approx(log["total_ev_per_atom"][-1], abs=1e-6)
    copies = {"output": tmp_path / "c", "supercell": (2, 1, 1)}
    with pytest.raises(InputError, match="no velocities"):
        md(trained.potential, final, plain, **copies)
    assert not (tmp_path / "c").exists()
    again = Notes()
    md(trained.potential, final, settings(), **copies, watcher=again)
    assert any("copies would move as one" in line for line in again.lines)


def test_no_trajectory_on_request(trained, cell, tmp_path):
    md(trained.potential, cell, settings(trajectory_interval=0), output=tmp_path / "r")
    assert "trajectory.extxyz" not in {p.name for p in (tmp_path / "r").iterdir()}


def test_an_older_run_is_not_overwritten(trained, cell, tmp_path):
    md(trained.potential, cell, settings(), output=tmp_path / "r")
    before = (tmp_path / "r" / "log.csv").read_bytes()
    with pytest.raises(InputError, match="holds another run"):
        md(trained.potential, cell, settings(seed=2), output=tmp_path / "r")
    assert (tmp_path / "r" / "log.csv").read_bytes() == before


def test_structures_that_cannot_be_used(trained, cell, tmp_path):
    (tmp_path / "noise.cif").write_text("nothing")
    for path, error, match in (
        (tmp_path / "none.cif", InputError, "there is no file"),
        (tmp_path / "noise.cif", DataError, "ASE cannot read structure -1"),
    ):
        with pytest.raises(error, match=match):
            md(trained.potential, path, settings(), output=tmp_path / "r")
    with pytest.raises(DataError, match="structure 7"):
        md(trained.potential, cell, settings(), output=tmp_path / "r", index=7)
    wire = bulk("W", cubic=True)
    wire.pbc = [True, False, True]
    with pytest.raises(InputError, match="not periodic along cell vector b"):
        md(trained.potential, wire, settings(), output=tmp_path / "r", supercell=(1, 2, 1))
    assert not (tmp_path / "r").exists()


class Breaks(Morse):
    """NaN on atom 0 from the thirtieth evaluation on."""

    def evaluate(self, neighborhood, *, threads=0):
        good = super().evaluate(neighborhood, threads=threads)
        if self.calls >= 30:
            good.forces[0] = np.nan
        return good


def test_a_run_that_breaks_says_when_and_leaves_its_files(cell, tmp_path):
    watcher = Notes()
    with pytest.raises(NonFiniteResultError, match=r"step 29 \(29 fs\): atom 0 \(W\)"):
        md(Breaks(), cell, settings(), output=tmp_path / "r", watcher=watcher)
    assert "ended early" in watcher.lines[-1]
    steps = np.genfromtxt(tmp_path / "r" / "log.csv", delimiter=",", names=True)["step"]
    np.testing.assert_array_equal(steps, [0, 10, 20])
    assert len(read(tmp_path / "r" / "trajectory.extxyz", ":")) == 2


def test_command(trained, cell, tmp_path, capsys):
    arguments = ["md", str(trained.model), str(cell), "--supercell", "1x2x2"]
    arguments += ["--temperature", "300", "--steps", "200", "--threads", "1"]
    assert main([*arguments, "--output", str(tmp_path / "a")]) == 0
    shown = capsys.readouterr()
    for part in ("temperature", "pressure", "energy drift", "us/atom/step", "ns/day"):
        assert part in shown.out
    assert "new velocities of 300 K" in shown.err
    assert main([*arguments, "--output", str(tmp_path / "b"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["atoms"] == 16
    assert document["drift"]["samples"] == 17
    assert main([*arguments, "--output", str(tmp_path / "b")]) == 2
    assert "holds another run" in capsys.readouterr().err


def test_a_log_gets_speed_and_remaining_time_now_and_then(
    trained, cell, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("trimpot.cli.terminal.LIVE_SECONDS", 0.0)
    arguments = ["md", str(trained.model), str(cell), "--temperature", "300"]
    arguments += ["--steps", "40", "--threads", "1", "--no-figures"]
    assert main([*arguments, "--output", str(tmp_path / "r")]) == 0
    lines = [x for x in capsys.readouterr().err.splitlines() if x.startswith("dynamics")]
    assert len(lines) == 4
    line = r"dynamics: step 30 of 40, [0-9.]+ us/atom/step, [0-9.]+ ns/day, 0:00:0\d left"
    assert re.fullmatch(line, lines[2])


@pytest.mark.parametrize(
    ("option", "value", "match"),
    [
        ("--supercell", "2x2", "expected NXxNYxNZ"),
        ("--ensemble", "nph", "expected nve or langevin"),
        ("--temperature", "3:4:5", "expected a number, or FROM:TO"),
        ("--stop-grade", "high", "expected a number or never"),
        ("--precision", "half", "expected auto or double or mixed"),
        ("--steps", "-5", "steps is -5"),
    ],
)
def test_wrong_options_are_code_two(trained, cell, tmp_path, capsys, option, value, match):
    place = ["--output", str(tmp_path / "r")]
    assert main(["md", str(trained.model), str(cell), option, value, *place]) == 2
    assert match in capsys.readouterr().err
    assert not (tmp_path / "r").exists()


MEASURED = "so many that they take a fifth of the time"


def test_defaults_in_the_help_are_those_of_the_settings():
    usual = MdSettings()
    words = {
        name: extra.show_default
        for name, hint in get_type_hints(module.md, include_extras=True).items()
        for extra in getattr(hint, "__metadata__", ())
        if isinstance(getattr(extra, "show_default", None), str)
    }
    programs = ("lmp", "mpiexec", "lammps_include", "mpicxx")
    of_engines = {name: words.pop(name) for name in ("engine", "ranks", *programs)}
    assert of_engines["engine"] == get_args(EngineName)[0]
    assert of_engines["ranks"] == str(LammpsSettings().ranks)
    names = {re.sub("_(k|fs|per_ps)$", "", f.name): f.name for f in fields(usual)}
    assert len(words) == 17
    for name, text in words.items():
        default = getattr(usual, names[name])
        assert text == (MEASURED if default is None else str(default))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_command_leaves_readable_files(trained, cell, tmp_path, number):
    arguments = f"md {trained.model} {cell} --output {tmp_path / 'r'} --temperature 300"
    arguments += " --steps 10000000 --log-interval 2 --trajectory-interval 2 --threads 1"
    command = [sys.executable, "-m", "trimpot.cli.app", *arguments.split()]
    log, deadline = tmp_path / "r" / "log.csv", time.monotonic() + 30.0
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as run:
        while not (log.exists() and log.stat().st_size > 2000):
            if time.monotonic() > deadline or run.poll() is not None:
                run.kill()
                break
            time.sleep(0.02)
        os.kill(run.pid, number)
        _, errors = run.communicate(timeout=30)
    assert run.returncode == 128 + number
    assert "stopped" in errors
    steps = np.genfromtxt(log, delimiter=",", names=True)["step"]
    frames = read(tmp_path / "r" / "trajectory.extxyz", ":")
    assert abs(frames[-1].info["step"] - steps[-1]) <= 2
    np.testing.assert_array_equal(steps, 2 * np.arange(len(steps)))
