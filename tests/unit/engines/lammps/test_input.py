"""What LAMMPS is told, and how what it says is understood."""

import numpy as np
import pytest

from trimpot.engines.lammps.dump_files import read_frame
from trimpot.engines.lammps.md_input import (
    Segment,
    dumps_of,
    input_text,
    noise_seed,
    stops,
    thermo_interval,
)
from trimpot.engines.lammps.metal import TEMPERATURE_FACTOR
from trimpot.engines.lammps.running import ended
from trimpot.engines.lammps.thermo import COLUMNS, Listener, Row
from trimpot.engines.md_settings import MdSettings
from trimpot.errors import EngineError

PAIR = ("pair_style trimpot", "pair_coeff * * model.trimpot W")


def text_of(first=0, last=None, **changes):
    settings = MdSettings(**changes)
    segment = Segment(first, last or settings.steps, "read_data start.data")
    return input_text(settings, segment, PAIR, boundary="p p p")


def words_after(text, start):
    line = next(line for line in text.splitlines() if line.startswith(start))
    return line.removeprefix(start).split()


def temperatures(text):
    words = words_after(text, "fix move all nvt temp")
    return tuple(float(word) / TEMPERATURE_FACTOR for word in words[:2])


def test_frames_that_others_contain_are_not_written():
    settings = MdSettings(structure_interval=500, checkpoint_interval=1000)
    (dump,) = dumps_of(settings)
    assert (dump.name, dump.interval) == ("trajectory", 100)
    odd = MdSettings(trajectory_interval=0, structure_interval=70, checkpoint_interval=100)
    assert [d.name for d in dumps_of(odd)] == ["checkpoint", "structure"]
    assert thermo_interval(odd) == 10
    assert thermo_interval(MdSettings(log_interval=25, trajectory_interval=60)) == 5


def test_a_ramp_goes_over_processes():
    ramp = {
        "ensemble": "nvt",
        "temperature_k": 300.0,
        "temperature_end_k": 900.0,
        "ramp_steps": 200,
        "steps": 300,
    }
    settings = MdSettings(**ramp)
    assert stops(settings, 0) == [200, 300]
    assert stops(settings, 250) == [300]
    inside = text_of(100, 200, **ramp)  # goes on within the ramp
    low, high = (
        float(w) / TEMPERATURE_FACTOR for w in words_after(inside, "fix move")[3:5]
    )
    assert (low, high) == pytest.approx((300.0, 900.0))
    assert "run 200 upto start 0 stop 200\n" in inside
    after = text_of(200, 300, **ramp)
    assert temperatures(after) == pytest.approx((900.0, 900.0))
    assert "run 300 upto\n" in after


def test_noise_differs_from_process_to_process():
    seeds = {noise_seed(seed, step) for seed in (0, 1) for step in (0, 1000)}
    assert len(seeds) == 4
    assert all(0 < seed < 900_000_000 for seed in seeds)
    usual = {"ensemble": "langevin", "temperature_k": 300.0, "friction_per_ps": 4.0}
    damping, seed = words_after(text_of(**usual), "fix heat all langevin")[2:4]
    assert float(damping) == 0.25
    assert int(seed) == noise_seed(0, 0)


NUMBERS = (
    "100 -5.5 1.25 -4.25 10 20 30 1 2 3 " + "1602176.5 3204353 4806529.5 0 0 0"
).split()


def test_rows_are_known_by_their_columns():
    assert len(NUMBERS) == len(COLUMNS)
    row = Row.of(" ".join(NUMBERS))
    assert (row.step, row.potential, row.kinetic) == (100, -5.5, 1.25)
    np.testing.assert_array_equal(row.matrix, [[10, 0, 0], [1, 20, 0], [2, 3, 30]])
    np.testing.assert_allclose(np.diag(row.stress), [-1, -2, -3])  # pressure is positive
    assert row.volume_a3 == 6000.0
    assert row.is_finite
    assert not Row.of(" ".join(["100", "-nan", *NUMBERS[2:]])).is_finite
    assert Row.of("Loop time of 0.5 on 2 procs for 2 steps with 16 atoms") is None


def test_errors_warnings_and_processes_are_heard():
    listener = Listener()
    assert listener.hear("  1 by 2 by 4 MPI processor grid\n") is None
    assert listener.ranks == 8
    warning = "WARNING: Dangerous things (src/src/x.cpp:12)\n"
    assert listener.hear(warning) == "Dangerous things"
    assert listener.hear(warning) is None
    listener.hear("ERROR on proc 1: step 7: not a finite number (src/src/y.cpp:3)\n")
    listener.hear("Last input line: run 10\n")
    assert listener.error == "step 7: not a finite number"
    assert listener.tail(1) == "  Last input line: run 10"


@pytest.mark.parametrize(
    ("code", "words"),
    [(-9, "signal SIGKILL"), (247, "signal SIGKILL"), (143, "signal SIGTERM")],
)
def test_signals_have_names(code, words):
    assert ended(code) == words
    assert ended(1) == "exit code 1"


def test_frames_that_are_cut_are_refused(tmp_path):
    path = tmp_path / "x.bin"
    for content in (
        b"",
        b"\0" * 100,
        b"\xf6" + b"\xff" * 7 + b"DUMPCUSTOM\1\0\0\0\2\0\0\0",
    ):
        path.write_bytes(content)
        with pytest.raises(EngineError, match=r"cannot read x\.bin"):
            read_frame(path)
