"""Shell completion: scripts, verbs, choices, files, in bash as it asks."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from trimpot.cli.app import main

TRIMPOT = Path(sys.executable).with_name("trimpot")


@pytest.fixture
def offered(monkeypatch, capsys):
    """What bash is told for the last of the words (the protocol of COMP_WORDS)."""

    def ask(*words, folder="."):
        monkeypatch.chdir(folder)
        monkeypatch.setenv("_TRIMPOT_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", "\n".join(("trimpot", *words)))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        main([])
        return capsys.readouterr().out.split()

    return ask


def test_verbs_options_and_choices_are_offered(offered):
    assert "train" in offered("tr")
    assert "--supercell" in offered("md", "--sup")
    assert offered("relax", "--cell", "") == ["none", "volume", "shape", "full"]
    assert offered("relax", "--optimizer", "l") == ["lbfgs"]
    assert "langevin" in offered("md", "--ensemble", "l")
    assert offered("md", "--precision", "m") == ["mixed"]
    assert offered("validate", "m.trimpot", "--only", "nve-o") == ["nve-order"]
    assert "tungsten" in offered("validate", "m.trimpot", "--suite", "")
    assert offered("export", "m.trimpot", "--to", "lammps-t") == ["lammps-table"]


def test_files_that_fit_are_offered_and_folders_are_left_to_the_shell(tmp_path, offered):
    for name in ("a.trimpot", "b.trimpot", "a.extxyz", "c.yaml", "d.yml"):
        (tmp_path / name).touch()
    assert offered("evaluate", "", folder=tmp_path) == ["a.trimpot", "b.trimpot"]
    assert offered("show", "b", folder=tmp_path) == ["b.trimpot"]
    assert offered("train", "", folder=tmp_path) == ["c.yaml", "d.yml"]
    assert offered("show", f"{tmp_path}/a.t") == [f"{tmp_path}/a.trimpot"]
    assert offered("evaluate", "a.trimpot", "", folder=tmp_path) == []
    (tmp_path / "runs").mkdir()
    assert offered("evaluate", "", folder=tmp_path) == []
    assert offered("evaluate", "a", folder=tmp_path) == ["a.trimpot"]
    assert offered("evaluate", "nowhere/", folder=tmp_path) == []


@pytest.mark.skipif(
    shutil.which("bash") is None or not TRIMPOT.exists(), reason="needs bash and trimpot"
)
def test_bash_completes_a_verb():
    source = {**os.environ, "_TRIMPOT_COMPLETE": "source_bash"}
    script = subprocess.run(
        [TRIMPOT], env=source, capture_output=True, text=True, check=True
    ).stdout
    ask = (
        f"{script}\ncomplete -p trimpot >&2\n"
        f"COMP_WORDS=({TRIMPOT} tr)\nCOMP_CWORD=1\n"
        f'_trimpot_completion {TRIMPOT}\nprintf "%s\\n" "${{COMPREPLY[@]}}"\n'
    )
    run = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=True)
    assert "train" in run.stdout.split()
    assert "-F _trimpot_completion trimpot" in run.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_has_a_script(shell, monkeypatch, capsys):
    monkeypatch.setenv("_TRIMPOT_COMPLETE", f"source_{shell}")
    assert main([]) == 0
    assert "_TRIMPOT_COMPLETE" in capsys.readouterr().out
