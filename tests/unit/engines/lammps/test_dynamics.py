"""Dynamics in LAMMPS beside the embedded engine: the same start, files and physics."""

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from ase.io import read

from spline_samples import random_potential
from toy_potentials import Morse
from trimpot.engines.lammps.settings import LammpsSettings
from trimpot.engines.md_settings import MdSettings
from trimpot.errors import EngineError, InputError
from trimpot.splines.potential import SplinePotential
from trimpot.verbs.dynamics import md
from trimpot.verbs.md_resuming import resume_md

RANDOM = random_potential("sum", 2)
POTENTIAL = SplinePotential(  # weak: crystals stay together while they are looked at
    RANDOM.species, RANDOM.terms, tuple(0.05 * c for c in RANDOM.coefficients)
)
TWO, ONE = LammpsSettings(ranks=2), LammpsSettings()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch, cache):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    return tmp_path


class Watcher:
    """Takes notes, and does something at a step."""

    def __init__(self, step=None, act=None):
        self.lines, self.step, self.act = [], step, act

    def note(self, text):
        self.lines.append(text)

    def progress(self, stage, done, total):  # noqa: ARG002
        if self.act is not None and done >= self.step:
            act, self.act = self.act, None
            act()


def settings(**changes):
    usual = {
        "temperature_k": 300.0,
        "steps": 40,
        "timestep_fs": 0.25,
        "log_interval": 4,
        "trajectory_interval": 20,
        "structure_interval": 10,
        "checkpoint_interval": 20,
        "precision": "double",
        "threads": 1,
    }
    return MdSettings(**{**usual, **changes})


def run(atoms, output, lammps=None, *, watcher=None, **changes):
    return md(
        POTENTIAL,
        atoms,
        settings(**changes),
        output=output,
        lammps=lammps,
        figures=False,
        watcher=watcher or Watcher(),
    )


def log_of(folder):
    return np.genfromtxt(folder / "log.csv", delimiter=",", names=True)


def largest_difference(a, b, name):
    return np.abs(log_of(a)[name] - log_of(b)[name]).max()


@pytest.mark.parametrize(
    ("pbc", "lammps"),
    [
        (True, TWO),
        (True, ONE),
        ((True, True, False), TWO),
        ((False, True, False), ONE),
        (False, TWO),
    ],
)
def test_both_engines_take_the_same_steps(crystal, folder, pbc, lammps):
    atoms = crystal(pbc)
    run(atoms, "ours")
    done = run(atoms, "theirs", lammps)
    names = ["potential", "kinetic", "conserved"]
    for name in [f"{n}_ev_per_atom" for n in names]:
        assert largest_difference(folder / "ours", folder / "theirs", name) < 1e-11
    if pbc is True:
        assert largest_difference(folder / "ours", folder / "theirs", "pressure_gpa") < 1e-8
    ours, theirs = (
        read(folder / name / "trajectory.extxyz", ":") for name in ("ours", "theirs")
    )
    assert len(ours) == len(theirs) == 3
    for a, b in zip(ours, theirs, strict=True):
        assert a.info == b.info
        np.testing.assert_array_equal(a.cell.array, b.cell.array)
        np.testing.assert_allclose(b.positions, a.positions, atol=2e-8)  # as written
        np.testing.assert_allclose(b.get_momenta(), a.get_momenta(), atol=2e-7)
        np.testing.assert_allclose(b.get_forces(), a.get_forces(), atol=2e-7)
        if pbc is True:
            np.testing.assert_allclose(b.get_stress(), a.get_stress(), atol=1e-11)
    files = {p.name for p in (folder / "ours").iterdir()}
    assert {p.name for p in (folder / "theirs").iterdir()} == {*files, "lammps"}
    for name in {"msd.csv", "rdf.csv"} & files:
        a, b = (
            np.genfromtxt(folder / f / name, delimiter=",", skip_header=1)
            for f in ("ours", "theirs")
        )
        np.testing.assert_allclose(b, a, rtol=1e-6, atol=1e-10)
    summary = json.loads((folder / "theirs" / "summary.json").read_text())
    assert summary["engine"]["name"] == "lammps"
    assert done.result.velocities == "new velocities of 300 K, seed 0"
    assert not list((folder / "theirs" / "lammps").glob(".work*"))


def test_a_run_goes_on_to_rounding(crystal, folder):
    held = {"ensemble": "nvt", "temperature_end_k": 500.0, "steps": 60}
    run(crystal(), "whole", TWO, **held)

    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(crystal(), "part", TWO, watcher=Watcher(44, stop), **held)
    assert (folder / "part" / "lammps" / "restart.40").is_file()
    watcher = Watcher()
    resume_md(
        "part", model=POTENTIAL, programs={"ranks": 1}, figures=False, watcher=watcher
    )
    assert "goes on from step 40" in watcher.lines
    whole, part = log_of(folder / "whole"), log_of(folder / "part")
    np.testing.assert_array_equal(part["step"], whole["step"])
    for name in ("potential_ev_per_atom", "kinetic_ev_per_atom"):
        np.testing.assert_allclose(part[name], whole[name], rtol=0, atol=1e-10)
    ours, theirs = (
        read(folder / name / "trajectory.extxyz", ":") for name in ("whole", "part")
    )
    assert [a.info["step"] for a in ours] == [a.info["step"] for a in theirs]
    assert [p.name for p in (folder / "part" / "lammps").glob("restart.*")] == [
        "restart.60"
    ]
    # what is added to it holds the last temperature of the ramp
    resume_md("part", model=POTENTIAL, changes={"steps": 80}, figures=False)
    assert log_of(folder / "part")["step"][-1] == 80


@pytest.mark.parametrize("ensemble", ["npt", "npt-full"])
def test_barostats_move_the_cell_in_our_frame(crystal, folder, ensemble):
    atoms = crystal(repeats=(4, 4, 4))
    held = {
        "ensemble": ensemble,
        "pressure_gpa": -5.0,
        "barostat_time_fs": 300.0,
        "log_interval": 40,
        "structure_interval": 0,
    }
    ours = run(atoms, "ours", **held).result.atoms
    theirs = run(atoms, "theirs", TWO, **held).result.atoms
    moved = np.abs(ours.cell.array - atoms.cell.array).max()
    assert moved > 0.01
    # both hold the same pressure, with other inertia of shear and other splitting of steps
    grown = ours.get_volume() - atoms.get_volume()
    assert theirs.get_volume() - atoms.get_volume() == pytest.approx(grown, rel=0.05)
    away = theirs.get_scaled_positions(wrap=False) - ours.get_scaled_positions(wrap=False)
    assert np.abs(away).max() < 1e-3
    change = np.linalg.solve(atoms.cell.array, theirs.cell.array)
    if ensemble == "npt":  # the shape stays
        np.testing.assert_allclose(change, change[0, 0] * np.eye(3), atol=1e-12)
    else:  # the first vector keeps its direction
        np.testing.assert_allclose(np.cross(theirs.cell[0], atoms.cell[0]), 0.0, atol=1e-10)
    first, expected = (
        log_of(folder / f)["conserved_ev_per_atom"][0] for f in ("theirs", "ours")
    )
    assert first == pytest.approx(expected)


def test_langevin_heats(crystal, folder):
    held = {"ensemble": "langevin", "friction_per_ps": 100.0, "steps": 400}
    done = run(crystal(), "hot", TWO, checkpoint_interval=0, **held).result
    assert done.samples.conserved is None
    assert np.isfinite(done.samples.temperature_k).all()
    momentum = done.atoms.get_momenta().sum(axis=0)
    np.testing.assert_allclose(momentum, 0.0, atol=1e-8)
    assert not (folder / "hot" / "checkpoint.trimpot-md").exists()


def children_in(folder):
    """Processes of LAMMPS in a folder: (pid, is its binary)."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").readlink() == folder:
                yield int(entry.name), (entry / "exe").readlink().name == "lmp"
        except OSError:
            continue


def test_a_killed_lammps_is_told_with_its_last_words(crystal, folder):
    def kill():
        place = folder / "run" / "lammps"
        pid = next(pid for pid, is_lmp in children_in(place) if is_lmp)
        os.kill(pid, signal.SIGKILL)

    watcher = Watcher(200, kill)
    with pytest.raises(EngineError, match=r"(?s)from outside after step \d+ .*SIGKILL"):
        run(crystal(), "run", TWO, watcher=watcher, steps=1_000_000)
    assert "trimpot md --resume run" in watcher.lines[-1]
    assert list(children_in(folder / "run" / "lammps")) == []
    names = {p.name for p in (folder / "run" / "lammps").iterdir()}
    assert {n.partition(".")[0] for n in names} == {
        "in",
        "log",
        "model",
        "restart",
        "start",
    }


def test_lammps_errors_are_told(crystal, folder, monkeypatch):
    monkeypatch.setattr(
        "trimpot.engines.lammps.dynamics.pair_words", lambda *_: "precision triple"
    )
    with pytest.raises(EngineError, match=r"stopped before its first step: .*triple"):
        run(crystal(), "run", ONE)
    assert not (folder / "run" / "log.csv").exists()


def test_mpiexec_of_another_library_is_noticed(crystal, folder):
    fake = folder / "mpiexec"
    fake.write_text('#!/bin/sh\nshift 2\nexec "$@"\n')  # one process, not two
    fake.chmod(0o755)
    with pytest.raises(EngineError, match="belong to different MPI libraries"):
        run(crystal(), "run", LammpsSettings(ranks=2, mpiexec=str(fake)))


def test_what_cannot_be_done_is_refused(crystal, folder):
    atoms = crystal()
    with pytest.raises(InputError, match=r"stop_grade given.*grade_interval too"):
        run(atoms, "run", ONE, stop_grade=2.0)
    with pytest.raises(InputError, match="cannot be stored"):
        md(Morse(), atoms, settings(), output="run", lammps=ONE)
    atoms.info["charge"] = 1
    with pytest.raises(InputError, match="charge"):
        run(atoms, "run", ONE)
    with pytest.raises(InputError, match="ranks is 0"):
        LammpsSettings(ranks=0)
    assert not (folder / "run").exists()
    run(crystal(), "embedded", steps=20)
    with pytest.raises(InputError, match="engine embedded and cannot go on with lammps"):
        resume_md("embedded", model=POTENTIAL, engine="lammps", changes={"steps": 40})


def test_nobody_looks_at_grades_unless_told(crystal):
    watcher = Watcher()
    run(crystal(), "run", ONE, watcher=watcher, steps=4)
    assert any("does not look at extrapolation grades" in line for line in watcher.lines)


class Rising:
    """A grader whose grades rise with every look."""

    def __init__(self):
        self.looks = 0

    def grades(self, structure):
        self.looks += 1
        return np.full(len(structure), float(self.looks))


def test_grades_are_looked_at_here_and_stop_lammps(crystal, folder):
    from trimpot.errors import StoppedRunError

    with pytest.raises(StoppedRunError, match=r"step 15 .*above stop_grade 3"):
        md(
            POTENTIAL,
            crystal(),
            settings(grade_interval=5, steps=1_000_000),
            output="run",
            grader=Rising(),
            lammps=TWO,
        )
    saved = read(folder / "run" / "extrapolation.extxyz", ":")
    assert [a.info["step"] for a in saved] == [5, 10, 15]
    assert list(children_in(folder / "run" / "lammps")) == []
