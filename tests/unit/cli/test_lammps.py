"""``trimpot lammps``, and the export that runs with it, in the real LAMMPS."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.io import read, write

import trimpot
from spline_samples import random_potential
from trimpot.cli.app import main
from trimpot.engines.ase import structure_from_atoms
from trimpot.engines.singlepoint import evaluate
from trimpot.files import save

SPECIES = 14, 74
LOOP = """units metal
lattice bcc 3.2
region b block 0 4 0 4 0 4
create_box 1 b
create_atoms 1 box
mass 1 183.84
pair_style lj/cut 4
pair_coeff * * 0.01 2.5
fix 1 all nve
thermo 1
run 2000000000
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch, cache):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    return tmp_path


def trimpot_process(*arguments, **options):
    code = "import sys; from trimpot.cli.app import main; sys.exit(main())"
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def finished(*arguments):
    process = trimpot_process(*arguments)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


@pytest.mark.parametrize("verb", ["build", "run"])
def test_help_ends_with_an_example(verb, capsys):
    assert main(["lammps", verb, "--help"]) == 0
    text = capsys.readouterr().out
    assert "trimpot" in text[text.index("Example") :]


def test_build_says_how_to_use_it(capsys):
    assert main(["lammps", "build"]) == 0
    out = capsys.readouterr().out
    assert "trimpot lammps run" in out
    assert "export LAMMPS_PLUGIN_PATH=" in out
    plugin = Path(out.split("plugin load ")[1].split()[0])
    assert plugin.is_file()


def test_run_passes_arguments_output_and_exit_code(folder):
    (folder / "in.lammps").write_text('print "told ${what}"\nexit_ ${what}\n')
    code, out, _ = finished(
        "lammps", "run", "in.lammps", "--", "-var", "what", "7", "-log", "none"
    )
    assert "told 7" in out
    assert code == 1
    assert "Unknown command: exit_" in out
    assert main(["lammps", "run", "missing.in"]) == 2


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_ranks(folder, stop):
    (folder / "in.loop").write_text(LOOP)
    process = trimpot_process("lammps", "run", "in.loop", "-n", "2", "--", "-log", "none")
    for line in process.stdout:
        if line.split()[:1] == ["5"]:
            break
    assert ranks_of(folder)
    process.send_signal(stop)
    process.communicate(timeout=30)
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[stop]
    time.sleep(0.2)
    assert ranks_of(folder) == []


def ranks_of(folder):
    """Processes that work in a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            name = (entry / "comm").read_text().strip()
            if name == "lmp" and (entry / "cwd").readlink() == folder:
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def energy_of(folder, *arguments):
    """The potential energy of the first step that an exported folder prints."""
    words = ["in.lammps", *arguments, "--", "-log", "none", "-var", "steps", "0"]
    process = trimpot_process("lammps", "run", *words, cwd=folder)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    rows = out.splitlines()
    first = next(i for i, line in enumerate(rows) if line.split()[:1] == ["Step"]) + 1
    return float(rows[first].split()[2])


@pytest.mark.parametrize("pbc", [True, (True, True, False)])
def test_an_export_runs_as_it_is(folder, pbc, capsys):
    potential = random_potential("sum", 2)
    save(potential, folder / "m.trimpot")
    atoms = bulk("W", "bcc", a=3.2) * (3, 3, 3)
    atoms.numbers[::3] = 14
    atoms.positions += 0.1 * np.random.default_rng(0).normal(size=atoms.positions.shape)
    atoms.pbc = pbc
    write(folder / "start.extxyz", atoms)
    arguments = ["export", "m.trimpot", "--to", "lammps", "--structure", "start.extxyz"]
    assert main([*arguments, "-o", "out"]) == 0
    assert "next: cd out && trimpot lammps run in.lammps -n 4" in capsys.readouterr().out
    names = {p.name for p in (folder / "out").iterdir()}
    assert names == {"model.trimpot", "in.lammps", "data.lammps", "README.md"}
    expected = evaluate(potential, structure_from_atoms(read("start.extxyz"))).energy
    for ranks in ("1", "2"):  # printed with 8 digits, in mixed precision
        found = energy_of(folder / "out", "-n", ranks)
        assert found == pytest.approx(expected, rel=1e-5)


def test_an_export_has_a_structure_of_its_own(folder, capsys):
    save(random_potential("pair", 2), folder / "m.trimpot")
    assert main(["export", "m.trimpot", "--to", "lammps"]) == 0
    assert "made up from the elements" in capsys.readouterr().out
    text = (folder / "m-lammps" / "in.lammps").read_text()
    assert "pair_coeff * * model.trimpot Si W" in text
    assert "timestep 0.0005 " in text  # silicon is light
    assert trimpot.load(folder / "m-lammps" / "model.trimpot").species == SPECIES
    assert np.isfinite(energy_of(folder / "m-lammps"))


def test_exports_say_what_is_missing_here(folder, capsys, monkeypatch):
    save(random_potential("pair", 2), folder / "m.trimpot")
    monkeypatch.setattr("trimpot.verbs.exporting_plugin.find_program", lambda _: None)
    assert main(["export", "m.trimpot", "--to", "lammps"]) == 0
    assert "not found on this machine: pip install" in capsys.readouterr().out


def test_structures_that_do_not_fit_are_refused(folder, capsys):
    save(random_potential("pair", 2), folder / "m.trimpot")
    write(folder / "h.extxyz", Atoms("H2", [[0, 0, 0], [0, 0, 0.8]]))
    arguments = ["export", "m.trimpot", "--structure", "h.extxyz", "-o", "out"]
    assert main([*arguments, "--to", "lammps"]) == 2
    assert "H" in capsys.readouterr().err
    assert main([*arguments, "--to", "lammps-uf3"]) == 2
    assert "lammps-uf3 does not take" in capsys.readouterr().err
    assert not (folder / "out").exists()


def test_dynamics_from_the_command_line(folder, capsys):
    save(random_potential("pair", 2), folder / "m.trimpot")
    write(folder / "w.extxyz", bulk("W", "bcc", a=3.2, cubic=True))
    start = ["md", "m.trimpot", "w.extxyz", "--supercell", "2x2x2", "--temperature", "300"]
    short = ["--steps", "20", "--timestep", "0.1", "--no-figures", "--json"]
    assert main([*start, *short, "--engine", "lammps", "--ranks", "2"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["atoms"] == 16
    assert "2 MPI processes" in shown.err
    resume = ["md", "--resume", "md", "--steps", "30", "--no-figures"]
    assert main([*resume, "--engine", "embedded"]) == 2
    assert "begun with the engine lammps" in capsys.readouterr().err
    assert main([*resume, "--ranks", "1"]) == 0
    assert "1 MPI process\n" in capsys.readouterr().err
    facts = json.loads((folder / "md" / "summary.json").read_text())
    assert (facts["engine"]["ranks"], facts["settings"]["steps"]) == (1, 30)
    assert main([*start, "--ranks", "2", "-o", "other"]) == 2
    assert "belong to --engine" in capsys.readouterr().err
    assert main([*start, "--engine", "gromacs", "-o", "other"]) == 2
    assert "expected embedded or lammps" in capsys.readouterr().err
