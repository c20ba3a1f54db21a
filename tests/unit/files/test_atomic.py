"""Interrupted and impossible writes leave the old file and no litter."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from trimpot.errors import TrimpotError, WriteError
from trimpot.files import atomic_write, load, save, write_bytes, write_text


def test_writes_and_replaces(tmp_path):
    write_text(tmp_path / "a", "old")
    write_text(tmp_path / "a", "new ü")
    assert (tmp_path / "a").read_text(encoding="utf-8") == "new ü"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_interrupted_block_keeps_the_old_file(error, tmp_path):
    write_text(tmp_path / "a", "old")
    with pytest.raises(error), atomic_write(tmp_path / "a") as handle:
        handle.write(b"half")
        raise error
    assert (tmp_path / "a").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_follows_links_and_keeps_the_usual_permissions(tmp_path):
    write_text(tmp_path / "real", "old")
    (tmp_path / "link").symlink_to("real")
    write_text(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"
    (tmp_path / "plain").touch()
    assert (tmp_path / "real").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize(
    ("path", "match"),
    [("missing/a", "create the folder"), ("file/a", "create the folder"), (".", "folder")],
)
def test_impossible_paths_are_explained(path, match, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match=match) as caught:
        write_bytes(tmp_path / path, b"x")
    assert isinstance(caught.value, TrimpotError)
    assert isinstance(caught.value, OSError)


def test_full_disk_is_explained(tmp_path):
    """RLIMIT_FSIZE makes the kernel refuse bytes as a full disk does."""
    write_text(tmp_path / "a", "old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
        with pytest.raises(WriteError, match="older file is unchanged; free space"):
            write_bytes(tmp_path / "a", b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert (tmp_path / "a").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_failing_fsync_is_explained(tmp_path, monkeypatch):
    write_text(tmp_path / "a", "old")

    def full(_):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WriteError, match="No space left on device"):
        write_text(tmp_path / "a", "new")
    assert (tmp_path / "a").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


WRITER = """
import sys
from trimpot.files import load, save
potential = load(sys.argv[1])
print("ready", flush=True)
while True:
    save(potential, sys.argv[2])
"""


def test_killed_writer_leaves_a_loadable_file(potential, tmp_path):
    save(potential, tmp_path / "source.trimpot")
    target = tmp_path / "target.trimpot"
    save(potential, target)
    command = [sys.executable, "-c", WRITER, str(tmp_path / "source.trimpot"), str(target)]
    for wait in (0.0, 0.003, 0.011, 0.029):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout.readline() == "ready\n"
            time.sleep(wait)
            writer.kill()
        assert load(target).species == potential.species


def test_content_reaches_the_disk_before_the_name_and_then_the_folder(
    tmp_path, monkeypatch
):
    done, fsync, replace = [], os.fsync, Path.replace

    def synced(descriptor):
        done.append("folder" if Path(f"/proc/self/fd/{descriptor}").is_dir() else "file")
        fsync(descriptor)

    def renamed(self, target):
        done.append("name")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", renamed)
    write_text(tmp_path / "a", "text")
    assert done == ["file", "name", "folder"]
