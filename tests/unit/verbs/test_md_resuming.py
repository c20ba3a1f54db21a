# ruff: noqa: ARG002 - watchers follow the protocol
"""A run that goes on: the same bytes as one that never stopped, or a clear refusal."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from ase.build import bulk
from ase.io import read, write

from spline_samples import random_potential
from toy_potentials import Morse
from trimpot import save
from trimpot.cli.app import main
from trimpot.engines.ase import Calculator
from trimpot.engines.md_settings import MdSettings
from trimpot.errors import FileFormatError, InputError, StoppedRunError, WriteError
from trimpot.files import run_folder
from trimpot.verbs.dynamics import md
from trimpot.verbs.md_resuming import resume_md

ENSEMBLES = {
    "nve": {},
    "langevin": {},
    "langevin-ramp": {"ensemble": "langevin", "temperature_end_k": 900.0},
    "nvt": {},
    "npt": {"pressure_gpa": 1.0, "pressure_end_gpa": 3.0},
    "npt-full": {"pressure_gpa": 1.0, "trajectory_format": "extxyz.gz"},
}


class Killed(Exception):
    """Ends a run as a kill would, at any step."""


class Kill:
    def __init__(self, step):
        self.step = step
        self.lines = []

    def note(self, text):
        self.lines.append(text)

    def progress(self, stage, done, total):
        if done >= self.step:
            raise Killed


@pytest.fixture(scope="module")
def metal():
    return bulk("W", "bcc", a=3.1, cubic=True) * (2, 2, 2)


def settings(**changes):
    usual = {
        "temperature_k": 600.0,
        "timestep_fs": 2.0,
        "steps": 130,
        "checkpoint_interval": 20,
        "log_interval": 3,
        "trajectory_interval": 7,
        "structure_interval": 5,
        "grade_interval": 10,  # given: two runs may measure different ones
        "stop_grade": None,
        "barostat_time_fs": 200.0,
        "skin": 0.2,  # lists are made often, between checkpoints too
        "threads": 1,
    }
    return MdSettings(**{**usual, **changes})


def files_of(folder):
    """Return the bytes of all files, speed and place of the summary aside."""
    found = {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}
    summary = json.loads(found["summary.json"])
    del summary["speed"], summary["output"]
    return {**found, "summary.json": summary}


def begun(potential, metal, folder, step=50, **changes):
    """Leave a run that was killed at a step."""
    kill = Kill(step)
    with pytest.raises(Killed):
        md(potential, metal, settings(**changes), output=folder, watcher=kill)
    return kill


@pytest.mark.parametrize("precision", ["double", "mixed"])
@pytest.mark.parametrize("name", ENSEMBLES)
def test_files_are_those_of_a_run_that_never_stopped(
    trained, metal, tmp_path, name, precision
):
    changes = {"ensemble": name, **ENSEMBLES[name], "precision": precision}
    model, whole, parts = trained.potential, tmp_path / "whole", tmp_path / "parts"
    md(model, metal, settings(**changes), output=whole, figures=False)
    begun(model, metal, parts, 9, **changes)  # before the first interval is over
    with pytest.raises(Killed):
        resume_md(parts, model=model, watcher=Kill(90), changes={"threads": 2})
    resume_md(parts, model=model, figures=False, changes={"threads": 1})
    expected, found = files_of(whole), files_of(parts)
    assert found.keys() == expected.keys()
    assert [n for n in expected if found[n] != expected[n]] == []


def test_clusters_with_masses_of_their_own_go_on_too(trained, tmp_path):
    cluster = bulk("W", "bcc", a=3.1, cubic=True) * (2, 2, 2)
    cluster.pbc, cluster.cell = False, np.zeros((3, 3))
    cluster.set_masses([180.0] * 15 + [190.0])
    model, whole, parts = trained.potential, tmp_path / "whole", tmp_path / "parts"
    md(model, cluster, settings(ensemble="nvt"), output=whole, figures=False)
    begun(model, cluster, parts, ensemble="nvt")
    resume_md(parts, model=model, figures=False)
    assert files_of(parts) == files_of(whole)


def test_a_run_that_ended_before_its_summary_writes_it(trained, metal, tmp_path):
    md(trained.model, metal, settings(), output=tmp_path / "r", figures=False)
    expected = files_of(tmp_path / "r")
    for name in ("summary.json", "rdf.csv", "final.extxyz"):
        (tmp_path / "r" / name).unlink()
    resume_md(tmp_path / "r", figures=False)
    assert files_of(tmp_path / "r") == expected


def test_without_new_lists_the_bits_would_differ(trained, metal, tmp_path, monkeypatch):
    """The test above would see a list that is kept over a checkpoint."""
    renew = Calculator.renew

    def only_first(self):
        if not hasattr(self, "_follower"):
            renew(self)

    monkeypatch.setattr(Calculator, "renew", only_first)
    model, whole, parts = trained.potential, tmp_path / "whole", tmp_path / "parts"
    md(model, metal, settings(), output=whole, figures=False)
    begun(model, metal, parts, 50)
    resume_md(parts, model=model, figures=False)
    assert files_of(parts)["log.csv"] != files_of(whole)["log.csv"]


def test_a_complete_run_can_be_extended(trained, metal, tmp_path):
    """Steps that the checkpoint interval divides: the same bytes as one long run."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    changes = {"ensemble": "npt", "pressure_gpa": 0.0}
    md(trained.model, metal, settings(steps=120, **changes), output=whole, figures=False)
    md(trained.model, metal, settings(steps=60, **changes), output=parts, figures=False)
    with pytest.raises(InputError, match=r"complete with 60 steps.*--steps 120"):
        resume_md(parts)
    resume_md(parts, changes={"steps": 120}, figures=False)
    assert files_of(parts) == files_of(whole)


def test_a_ramp_ends_where_it_was_to_end(trained, metal, tmp_path):
    ramp = {"ensemble": "nvt", "temperature_end_k": 100.0, "steps": 40}
    md(trained.model, metal, settings(**ramp), output=tmp_path / "r", figures=False)
    done = resume_md(tmp_path / "r", changes={"steps": 80}, figures=False)
    assert done.settings.ramp_steps == 40
    assert done.settings.temperature_at(60) == 100.0


def test_the_cell_of_the_checkpoint_goes_on_not_that_of_the_file(metal, tmp_path):
    changes = {"ensemble": "npt-full", "pressure_gpa": 5.0}
    begun(Morse(), metal, tmp_path / "r", 70, **changes)
    done = resume_md(tmp_path / "r", model=Morse(), figures=False)
    log = np.genfromtxt(tmp_path / "r" / "log.csv", delimiter=",", names=True)
    volume = log["volume_a3_per_atom"]
    assert abs(volume[22] / volume[0] - 1.0) > 0.005  # just after the checkpoint, step 60
    assert np.ptp(log["conserved_ev_per_atom"]) < 0.1 * np.ptp(log["total_ev_per_atom"])
    assert done.result.samples.volume_a3[0] == volume[0]


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"temperature_k": 700.0}, r"temperature_k 600\.0 \(now 700\.0\)"),
        ({"checkpoint_interval": 10}, r"checkpoint_interval 20 \(now 10\)"),
        ({"steps": 30}, "40 steps of .* are done"),
        ({"steps": 1.5}, "steps is 1.5, expected a whole number"),
    ],
)
def test_other_settings_are_refused(trained, metal, tmp_path, changes, match):
    begun(trained.model, metal, tmp_path / "r")
    before = {p: p.read_bytes() for p in (tmp_path / "r").iterdir()}
    with pytest.raises(InputError, match=match):
        resume_md(tmp_path / "r", changes=changes)
    assert {p: p.read_bytes() for p in (tmp_path / "r").iterdir()} == before


def test_other_potentials_and_atoms_are_refused(trained, metal, tmp_path):
    model = tmp_path / "m.trimpot"
    save(trained.potential, model)
    folder = tmp_path / "r"
    begun(model, metal, folder)
    other = tmp_path / "o.trimpot"
    save(random_potential("pair", 1), other)
    with pytest.raises(InputError, match="is not the one of the run"):
        resume_md(folder, model=other)
    with pytest.raises(InputError, match="has 2 atoms, the run 16"):
        resume_md(folder, structure=bulk("W", cubic=True))
    wrong = metal.copy()
    wrong.numbers[3] = 42
    with pytest.raises(InputError, match="atom 3 of the structure is Mo"):
        resume_md(folder, structure=wrong)
    ion = metal.copy()
    ion.info["charge"] = 1
    with pytest.raises(InputError, match="has total charge 1, the run 0"):
        resume_md(folder, structure=ion)
    save(random_potential("pair", 1), model)  # the file was replaced meanwhile
    with pytest.raises(InputError, match="is not the one of the run"):
        resume_md(folder)
    model.unlink()
    with pytest.raises(InputError, match="is gone; give its new place"):
        resume_md(folder)
    resume_md(folder, model=trained.model, structure=metal, figures=False)


def test_potentials_without_a_file_are_asked_for(metal, tmp_path):
    begun(Morse(), metal, tmp_path / "r", precision="double")
    with pytest.raises(InputError, match="came from no file"):
        resume_md(tmp_path / "r")
    assert resume_md(tmp_path / "r", model=Morse(), figures=False).result.drift


def test_folders_without_a_run_are_refused(trained, metal, tmp_path):
    with pytest.raises(InputError, match="there is no folder"):
        resume_md(tmp_path / "none")
    with pytest.raises(InputError, match="there is no checkpoint"):
        resume_md(tmp_path)
    begun(trained.model, metal, tmp_path / "r")
    log, checkpoint = tmp_path / "r" / "log.csv", tmp_path / "r" / "checkpoint.trimpot-md"
    text = log.read_bytes()
    log.write_bytes(text[:100])
    with pytest.raises(InputError, match=r"log.csv has 100 bytes, expected at least"):
        resume_md(tmp_path / "r")
    log.write_bytes(text)
    damaged = bytearray(checkpoint.read_bytes())
    damaged[-5] ^= 1
    checkpoint.write_bytes(damaged)
    with pytest.raises(FileFormatError, match="does not match its checksum"):
        resume_md(tmp_path / "r")
    with pytest.raises(InputError, match=r"holds another run.*--resume"):
        md(trained.model, metal, settings(), output=tmp_path / "r")


def test_an_interrupted_run_says_how_to_go_on(trained, metal, tmp_path):
    kill = begun(trained.model, metal, tmp_path / "a run")
    assert kill.lines[-1].endswith(f"trimpot md --resume '{tmp_path / 'a run'}'")


def test_another_processor_is_told(trained, metal, tmp_path, monkeypatch):
    begun(trained.model, metal, tmp_path / "r")
    now = {"instruction_set": "other"}
    monkeypatch.setattr("trimpot.verbs.md_resuming.environment", lambda: now)
    notes = Kill(10**9)
    resume_md(tmp_path / "r", watcher=notes, figures=False)
    assert "instruction set was" in notes.lines[0]
    assert "last digits may differ" in notes.lines[0]


def test_a_run_that_extrapolates_goes_on_with_a_higher_limit(trained, metal, tmp_path):
    class Rising:
        """Grades that depend on the structure alone."""

        def grades(self, structure):
            apart = structure.positions - metal.positions
            return 20.0 * np.linalg.norm(apart, axis=1)

    folder, grader = tmp_path / "r", Rising()
    changes = {"grade_interval": 5, "stop_grade": 4.0}
    with pytest.raises(StoppedRunError, match="above stop_grade 4"):
        md(trained.model, metal, settings(**changes), output=folder, grader=grader)
    saved = read(folder / "extrapolation.extxyz", ":")
    assert saved[-1].arrays["grade"].max() > 4.0
    resume_md(folder, changes={"stop_grade": None}, grader=grader, figures=False)
    whole = tmp_path / "whole"
    changes["stop_grade"] = None
    model = trained.model
    md(model, metal, settings(**changes), output=whole, grader=grader, figures=False)
    expected, found = files_of(whole), files_of(folder)
    assert [n for n in expected if found[n] != expected[n]] == []


RUN = """
import resource, sys
from trimpot.cli.app import main
limit = int(sys.argv[1])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
sys.exit(main(sys.argv[2:]))
"""


def command(limit, *arguments):
    return [sys.executable, "-c", RUN, str(limit), *map(str, arguments)]


@pytest.fixture
def asked(trained, metal, tmp_path):
    """Arguments of a run and what it gives without interruption."""
    write(tmp_path / "w.extxyz", metal)
    arguments = ["md", trained.model, tmp_path / "w.extxyz", "--temperature", "600"]
    arguments += ["--ensemble", "npt", "--pressure", "0:2", "--steps", "900"]
    arguments += ["--checkpoint-interval", "50", "--trajectory-interval", "10"]
    arguments += ["--log-interval", "5", "--threads", "1", "--no-figures"]
    arguments += ["--grade-interval", "20", "--stop-grade", "never"]
    assert main([*map(str, arguments), "--output", str(tmp_path / "whole")]) == 0
    return arguments, tmp_path / "whole"


def test_a_full_disk_is_a_clear_error_and_nothing_is_lost(asked, tmp_path):
    arguments, whole = asked
    folder = tmp_path / "r"
    found = subprocess.run(
        command(60_000, *arguments, "--output", folder),
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 2
    assert "cannot write" in found.stderr
    assert f"trimpot md --resume {folder}" in found.stderr
    steps = [frame.info["step"] for frame in read(folder / "trajectory.extxyz", ":")]
    assert steps == list(range(0, 10 * len(steps), 10))
    assert (folder / "log.csv").read_text().endswith("\n")
    assert main(["md", "--resume", str(folder), "--no-figures"]) == 0
    assert files_of(folder) == {
        **files_of(whole),
        "summary.json": files_of(folder)["summary.json"],
    }


def test_checkpoints_on_a_full_disk_leave_the_one_before(
    trained, metal, tmp_path, monkeypatch
):
    from trimpot.verbs import md_folder

    written = md_folder.write_checkpoint

    def full(path, checkpoint):
        if checkpoint.state.step >= 60:
            raise WriteError("cannot write: No space left on device")
        written(path, checkpoint)

    monkeypatch.setattr(md_folder, "write_checkpoint", full)
    with pytest.raises(WriteError, match="No space left"):
        md(trained.model, metal, settings(), output=tmp_path / "r", figures=False)
    monkeypatch.setattr(md_folder, "write_checkpoint", written)
    md(trained.model, metal, settings(), output=tmp_path / "whole", figures=False)
    resume_md(tmp_path / "r", figures=False)
    assert files_of(tmp_path / "r")["log.csv"] == files_of(tmp_path / "whole")["log.csv"]


def test_kills_at_any_instant_lose_one_interval_at_most(asked, tmp_path):
    arguments, whole = asked
    folder, rng = tmp_path / "r", np.random.default_rng(0)
    go = command(0, *arguments, "--output", folder)
    for _ in range(2):
        log = folder / "log.csv"
        before = log.stat().st_size if log.exists() else 0
        with subprocess.Popen(go, stderr=subprocess.DEVNULL) as run:
            deadline = time.monotonic() + 30.0
            while not (log.exists() and log.stat().st_size > before + 2000):
                assert time.monotonic() < deadline
                assert run.poll() is None
                time.sleep(0.005)
            time.sleep(0.05 * rng.random())
            os.kill(run.pid, signal.SIGKILL)
        go = command(0, "md", "--resume", folder, "--no-figures")
    done = int(log.read_text().splitlines()[-1].split(",")[0])
    found = subprocess.run(go, capture_output=True, text=True, check=True)
    kept = int(found.stderr.split("goes on from step")[1].split()[0])
    assert kept > done - 55
    expected = files_of(whole)
    for name, content in files_of(folder).items():
        if name != "summary.json":
            assert content == expected[name]


def test_options_of_the_command(trained, metal, tmp_path, capsys):
    assert main(["md", "--output", str(tmp_path / "r")]) == 2
    assert "expected MODEL and STRUCTURE" in capsys.readouterr().err
    begun(trained.model, metal, tmp_path / "r")
    assert main(["md", "--resume", str(tmp_path / "r"), "--seed", "4"]) == 2
    assert "seed 0 (now 4)" in capsys.readouterr().err
    given = ["md", "--resume", str(tmp_path / "r"), "--steps", "140", "--no-figures"]
    assert main([*given, "--stop-grade", "never", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["settings"]["stop_grade"] is None
    assert document["settings"]["steps"] == 140


def test_a_folder_in_use_is_not_resumed(metal, tmp_path):
    begun(Morse(), metal, tmp_path / "r")
    before = {p: p.read_bytes() for p in (tmp_path / "r").iterdir()}
    with run_folder(tmp_path / "r"), pytest.raises(InputError, match="another run is"):
        resume_md(tmp_path / "r", model=Morse(), figures=False)
    after = {p: p.read_bytes() for p in (tmp_path / "r").iterdir()}
    assert {p: b for p, b in after.items() if p in before} == before


def test_a_run_that_is_extended_and_stopped_has_no_summary(trained, metal, tmp_path):
    md(trained.model, metal, settings(steps=60), output=tmp_path / "r", figures=False)
    assert (tmp_path / "r" / "summary.json").exists()
    with pytest.raises(Killed):
        resume_md(tmp_path / "r", changes={"steps": 120}, watcher=Kill(90))
    assert not (tmp_path / "r" / "summary.json").exists()


class Afar:
    """A grader for which every atom is far from the data."""

    def grades(self, structure):
        return np.full(len(structure), 7.0)


def test_a_run_that_stops_at_its_first_look_can_go_on(trained, metal, tmp_path):
    given = settings(steps=20, stop_grade=3.0)
    with pytest.raises(StoppedRunError, match="step 0"):
        md(trained.model, metal, given, output=tmp_path / "r", grader=Afar(), figures=False)
    done = resume_md(
        tmp_path / "r", changes={"stop_grade": 10.0}, grader=Afar(), figures=False
    )
    assert done.result.grades.largest == 7.0
    steps = [
        frame.info["step"] for frame in read(tmp_path / "r" / "trajectory.extxyz", ":")
    ]
    assert steps == [0, 7, 14]


def test_what_a_run_left_before_its_first_checkpoint_is_replaced(trained, metal, tmp_path):
    folder = tmp_path / "r"
    folder.mkdir()
    (folder / "log.csv").write_text("step,time_fs\n")
    (folder / "trajectory.extxyz").write_text("")
    done = md(trained.model, metal, settings(steps=20), output=folder, figures=False)
    assert done.result.samples.time_fs[-1] == 36.0
    (folder / "checkpoint.trimpot-md").unlink()
    for name in ("summary.json", "final.extxyz", "rdf.csv", "msd.csv"):
        (folder / name).unlink(missing_ok=True)
    with pytest.raises(InputError, match="holds another run"):
        md(trained.model, metal, settings(steps=20), output=folder, figures=False)
