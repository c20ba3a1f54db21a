"""One run at a time writes to a folder, and a killed one locks nobody out."""

import fcntl
import subprocess
import sys

import pytest

from trimpot.errors import InputError, WriteError
from trimpot.files import make_folder, run_folder, write_text
from trimpot.writing.folders import LOCK_FILE

HOLDER = """
import sys, time
from trimpot.files import run_folder
with run_folder(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""
LEFTOVER = ".model.trimpot.0123abcd.partial"


def test_second_run_is_refused_until_the_first_ends(tmp_path):
    (tmp_path / "out").mkdir()
    with run_folder(tmp_path / "out") as folder:
        with pytest.raises(InputError, match=r"another run is writing .*process \d+ on"):
            run_folder(folder).__enter__()
        with run_folder(tmp_path / "other"):
            pass
    with run_folder(folder):
        pass
    assert list(folder.iterdir()) == []


def test_new_folder_does_not_stay_behind_without_content(tmp_path):
    with run_folder(tmp_path / "empty"):
        pass
    with run_folder(tmp_path / "full") as folder:
        write_text(folder / "a", "text")
    assert [p.name for p in tmp_path.iterdir()] == ["full"]


def test_lock_ends_with_an_error(tmp_path):
    with pytest.raises(RuntimeError), run_folder(tmp_path):
        raise RuntimeError
    with run_folder(tmp_path):
        pass


def test_killed_run_locks_nobody_out(tmp_path):
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(InputError, match=f"process {holder.pid} "):
            run_folder(tmp_path).__enter__()
        holder.kill()
    assert (tmp_path / LOCK_FILE).exists()
    with run_folder(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_lock_file_that_was_removed_meanwhile_is_made_anew(tmp_path, monkeypatch):
    """The run before ends between opening and locking."""
    real, calls = fcntl.flock, []

    def flock(descriptor, how):
        if not calls:
            (tmp_path / LOCK_FILE).unlink()
        calls.append(how)
        return real(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    with run_folder(tmp_path):
        assert (tmp_path / LOCK_FILE).exists()
    assert len(calls) == 2


def test_file_systems_without_locks_are_used_without(tmp_path, monkeypatch):
    def flock(*_):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", flock)
    with run_folder(tmp_path) as folder:
        write_text(folder / "a", "text")
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_leftovers_of_killed_runs_go_and_files_in_work_stay(tmp_path):
    make_folder(tmp_path / "figures")
    leftovers = [tmp_path / LEFTOVER, tmp_path / "figures" / ".a.png.00000000.partial"]
    others = [tmp_path / name for name in (".hidden", "a.partial", ".a.b.partial")]
    for path in (*leftovers, *others):
        path.write_bytes(b"half")
    in_work = tmp_path / ".b.ffffffff.partial"
    with in_work.open("xb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with run_folder(tmp_path):
            pass
    assert {p for p in tmp_path.rglob("*") if p.is_file()} == {*others, in_work}


def test_writing_a_file_removes_its_own_leftovers(tmp_path):
    (tmp_path / LEFTOVER).write_bytes(b"half")
    (tmp_path / ".other.0123abcd.partial").write_bytes(b"half")
    write_text(tmp_path / "model.trimpot", "new")
    found = {p.name for p in tmp_path.iterdir()}
    assert found == {"model.trimpot", ".other.0123abcd.partial"}


def test_folders_that_cannot_be_made_are_explained(tmp_path):
    (tmp_path / "file").touch()
    assert make_folder(tmp_path / "a" / "b" / "c").is_dir()
    for path in ("file", "file/deeper"):
        with pytest.raises(WriteError, match=r"cannot make the folder .*; give a folder"):
            make_folder(tmp_path / path)
