# ruff: noqa: ARG002 - watchers follow the protocol
"""Log and trajectory: what ASE and NumPy read back, also after an interruption."""

import errno
import gzip
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.io import read

from toy_potentials import Morse, crystal
from trimpot.engines.md import run
from trimpot.engines.md_outputs import (
    LOG_COLUMNS,
    AppendedFile,
    LogFile,
    TrajectoryFile,
    read_log,
)
from trimpot.engines.md_samples import Samples
from trimpot.engines.md_settings import MdSettings
from trimpot.errors import DataError, InputError, WriteError


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


def test_samples_come_back_from_the_log_bit_by_bit(tmp_path):
    result = record(tmp_path, timestep_fs=0.3, steps=37)
    found = Samples.of(read_log(tmp_path / "log.csv", 0.3))
    for name, values in vars(result.samples).items():
        if values is None:
            assert getattr(found, name) is None
        else:
            np.testing.assert_array_equal(getattr(found, name), values)


def test_logs_of_other_programs_are_refused(tmp_path):
    (tmp_path / "log.csv").write_text("Time,Energy\n0,1\n")
    with pytest.raises(DataError, match="does not name the columns"):
        read_log(tmp_path / "log.csv", 1.0)
    (tmp_path / "log.csv").write_text(",".join(LOG_COLUMNS) + "\n1,2\n")
    with pytest.raises(DataError, match="a line is not a sample"):
        read_log(tmp_path / "log.csv", 1.0)


def test_a_compressed_trajectory_is_smaller_and_ase_reads_it_as_it_is(tmp_path):
    plain = tmp_path / "t.extxyz"
    packed = tmp_path / "t.extxyz.gz"
    settings = MdSettings(temperature_k=600.0, steps=40, threads=1)
    with (
        TrajectoryFile(plain, 10) as one,
        TrajectoryFile(packed, 10, compressed=True) as other,
    ):
        run(Morse(), moving(), settings, outputs=(one, other))
    assert packed.stat().st_size < 0.7 * plain.stat().st_size
    pairs = zip(read(plain, ":"), read(packed, ":"), strict=True)
    for expected, found in pairs:
        np.testing.assert_array_equal(found.positions, expected.positions)
        np.testing.assert_array_equal(found.get_forces(), expected.get_forces())


@pytest.mark.parametrize("compressed", [False, True])
def test_a_file_goes_on_from_its_whole_part(tmp_path, compressed):
    path = tmp_path / "f"
    with AppendedFile(path, compressed=compressed) as file:
        file.append("first\n")
        whole = file.sync()
        file.append("lost\n")
    with path.open("ab") as torn:
        torn.write(b"\x1f\x8bhalf of a piece")
    with AppendedFile(path, whole=whole, compressed=compressed) as file:
        file.append("second\n")
    text = path.read_bytes()
    assert (gzip.decompress(text) if compressed else text) == b"first\nsecond\n"


def test_a_file_that_is_too_short_or_gone_is_refused(tmp_path):
    path = tmp_path / "f"
    with pytest.raises(InputError, match="has 0 bytes, expected at least 3"):
        AppendedFile(path, whole=3)
    path.write_text("ab")
    with pytest.raises(InputError, match="has 2 bytes, expected at least 3"):
        AppendedFile(path, whole=3)
    assert path.read_text() == "ab"
