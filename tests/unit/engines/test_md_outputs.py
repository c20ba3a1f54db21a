# ruff: noqa: ARG002 - watchers follow the protocol
"""Log and trajectory: what ASE and NumPy read back, also after an interruption."""

import errno
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.io import read

from toy_potentials import Morse, crystal
from trimpot.engines.md import run
from trimpot.engines.md_outputs import LOG_COLUMNS, LogFile, TrajectoryFile
from trimpot.engines.md_settings import MdSettings
from trimpot.errors import WriteError


def moving():
    structure = crystal()
    return Atoms(
        numbers=structure.numbers,
        positions=structure.positions,
        cell=structure.cell,
        pbc=structure.pbc,
        info={"energy": -1.0, "config_type": "stale"},
    )


def record(folder, watcher=None, **changes):
    usual = {"temperature_k": 600.0, "steps": 40, "log_interval": 5, "threads": 1}
    settings = MdSettings(**{**usual, **changes})
    with (
        LogFile(folder / "log.csv", settings.log_interval) as log,
        TrajectoryFile(folder / "t.extxyz", 10) as trajectory,
    ):
        return run(Morse(), moving(), settings, outputs=(log, trajectory), watcher=watcher)


def columns(folder):
    return np.genfromtxt(folder / "log.csv", delimiter=",", names=True)


def test_log_holds_the_samples(tmp_path):
    samples = record(tmp_path).samples
    log = columns(tmp_path)
    assert log.dtype.names == LOG_COLUMNS
    np.testing.assert_array_equal(log["step"], np.arange(0, 41, 5))
    np.testing.assert_allclose(log["time_fs"], np.arange(0, 41, 5))
    for name, values in (
        ("potential_ev_per_atom", samples.potential),
        ("kinetic_ev_per_atom", samples.kinetic),
        ("total_ev_per_atom", samples.total),
    ):
        np.testing.assert_allclose(log[name], values, rtol=1e-13)
    np.testing.assert_allclose(log["temperature_k"], samples.temperature_k, rtol=1e-7)
    np.testing.assert_allclose(log["pressure_gpa"], samples.pressure_gpa, rtol=1e-7)


def test_trajectory_has_energies_forces_momenta_and_stress(tmp_path):
    result = record(tmp_path)
    frames = read(tmp_path / "t.extxyz", ":")
    assert [frame.info["step"] for frame in frames] == [0, 10, 20, 30, 40]
    assert frames[3].info["time_fs"] == 30.0
    assert "config_type" not in frames[0].info
    log = columns(tmp_path)
    for frame, total in zip(frames, log["total_ev_per_atom"][::2], strict=True):
        assert frame.get_total_energy() / 16 == pytest.approx(total, abs=1e-7)
    last = frames[-1]
    np.testing.assert_allclose(last.get_forces(), result.atoms.get_forces(), atol=1e-8)
    np.testing.assert_allclose(last.get_stress(), result.atoms.get_stress(), atol=1e-8)
    np.testing.assert_allclose(last.positions, result.atoms.positions, atol=1e-8)


class StopsAt:
    def __init__(self, step):
        self.step = step

    def note(self, text):
        pass

    def progress(self, stage, done, total):
        if done >= self.step:
            raise KeyboardInterrupt


def test_an_interrupted_run_leaves_readable_files(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        record(tmp_path, StopsAt(25))
    assert [frame.info["step"] for frame in read(tmp_path / "t.extxyz", ":")] == [0, 10, 20]
    assert columns(tmp_path)["step"][-1] == 25


class Torn:
    """A file whose n-th write stops halfway."""

    def __init__(self, handle, good, error):
        self.handle, self.left, self.error = handle, good, error

    def write(self, data):
        if self.left == 0:
            self.handle.write(data[: len(data) // 2])
            raise self.error
        self.left -= 1
        return self.handle.write(data)

    def flush(self):
        self.handle.flush()

    def close(self):
        self.handle.close()


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), WriteError),
        (SystemExit(143), SystemExit),
    ],
)
def test_a_piece_that_is_cut_is_taken_back(tmp_path, monkeypatch, error, raised):
    opened = Path.open

    def torn(self, mode):
        handle = opened(self, mode)
        return Torn(handle, 2, error) if mode == "xb" and self.suffix != ".csv" else handle

    monkeypatch.setattr(Path, "open", torn)
    with pytest.raises(raised):
        record(tmp_path)
    assert [frame.info["step"] for frame in read(tmp_path / "t.extxyz", ":")] == [0, 10]


def test_files_that_exist_are_not_touched(tmp_path):
    (tmp_path / "log.csv").write_text("precious")
    with pytest.raises(WriteError, match="File exists"):
        record(tmp_path)
    assert (tmp_path / "log.csv").read_text() == "precious"
