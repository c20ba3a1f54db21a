"""Runs that were stopped go on, lose at most one interval, and end at the same bits."""

import json
import os
import shutil
import signal
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

import trimpot
from trimpot.errors import InputError, WriteError
from trimpot.files import run_folder
from trimpot.fitting import Sums
from trimpot.fitting.blocks import Blocks
from trimpot.verbs import fitting_cached, train, unfinished
from trimpot.verbs.fitting_cached import BLOCKS_FILE
from trimpot.verbs.unfinished import UNFINISHED_FILE, UnfinishedPass

CHOOSE = {"model.terms.0.intervals": [8, 10]}


class Killed(BaseException):
    """Stops a run at once, as a signal does."""


class Notes:
    def __init__(self, stop_at=None):
        self.lines = []
        self.rows = []
        self.stop_at = stop_at

    def note(self, text):
        self.lines.append(text)

    def progress(self, stage, done, total):  # noqa: ARG002
        if stage == "rows":
            self.rows.append(done)
            if len(self.rows) == self.stop_at:
                raise Killed

    @property
    def text(self):
        return "\n".join(self.lines)


@pytest.fixture(autouse=True)
def always_stored(monkeypatch):
    """One frame a batch, and every batch is stored."""
    monkeypatch.setattr("trimpot.fitting.streaming.BATCH_BYTES", 1)
    monkeypatch.setattr(unfinished, "LARGEST_SHARE", 1e9)


@pytest.fixture
def values(values):
    """Pairs alone and no anchors: as fast as can be."""
    return {
        **values,
        "model": {"terms": values["model"]["terms"][:1]},
        "fit": {**values["fit"], "anchors": False},
        "checkpoint_seconds": 1e-9,
    }


def stopped(values, stop_at):
    notes = Notes(stop_at)
    with pytest.raises(Killed):
        train(values, watcher=notes)
    return notes


def same_coefficients(first, second):
    pairs = zip(first.potential.coefficients, second.potential.coefficients, strict=True)
    return all(a.tobytes() == b.tobytes() for a, b in pairs)


def names(output):
    return {p.name for p in Path(output).iterdir()}


@pytest.mark.parametrize("stop_at", [1, 4, 11])
def test_stopped_pass_goes_on_and_gives_the_same_file(stop_at, values):
    """12 training frames, one of them alone: 11 batches in 3 folds."""
    whole = train(values).model.read_bytes()
    (Path(values["output"]) / BLOCKS_FILE).unlink()
    stopped(values, stop_at)
    notes = Notes()
    again = train(values, watcher=notes)
    assert f"going on after {stop_at} of 11 frames" in notes.text
    assert notes.rows == list(range(stop_at + 1, 12))
    assert again.model.read_bytes() == whole
    assert UNFINISHED_FILE not in names(again.output)


def test_run_that_is_stopped_again_and_again_arrives(values):
    whole = train(values).model.read_bytes()
    (Path(values["output"]) / BLOCKS_FILE).unlink()
    for _ in range(5):
        stopped(values, 2)
    assert train(values, watcher=(notes := Notes())).model.read_bytes() == whole
    assert notes.rows == [11]


def test_choice_goes_on_within_a_candidate(values, tmp_path):
    whole = train({**values, "choose": CHOOSE})
    values = {**values, "choose": CHOOSE, "output": str(tmp_path / "again")}
    stopped(values, 15)  # in the second candidate
    again = train(values, watcher=(notes := Notes()))
    assert "(done before)" in notes.text
    assert "going on after 4 of 11 frames" in notes.text
    assert same_coefficients(whole, again)
    assert UNFINISHED_FILE not in names(again.output)


@pytest.mark.parametrize("damage", ["cut", "bit", "text"])
def test_damaged_sums_are_never_used(damage, values):
    whole = train(values).model.read_bytes()
    path = Path(values["output"]) / UNFINISHED_FILE
    path.with_name(BLOCKS_FILE).unlink()
    stopped(values, 4)
    content = bytearray(path.read_bytes())
    if damage == "bit":
        content[len(content) // 2] ^= 1
    path.write_bytes({"cut": content[:-8], "bit": content, "text": b"sums"}[damage])
    again = train(values, watcher=(notes := Notes()))
    assert f"{UNFINISHED_FILE} is not used" in notes.text
    assert notes.rows[0] == 1
    assert again.model.read_bytes() == whole


@pytest.mark.parametrize(
    "override",
    [
        "fit.folds=4",
        "model.terms.0.intervals=9",
        "fit.stress_weight=0",
        "fit.weights.hot.energy=2",
    ],
)
def test_sums_of_other_rows_are_never_used(override, values):
    stopped(values, 4)
    train(values, [override], watcher=(notes := Notes()))
    assert "belongs to other data" in notes.text
    assert notes.rows[0] == 1


def test_sums_of_another_release_are_never_used(values, monkeypatch):
    stopped(values, 4)
    monkeypatch.setattr("trimpot.files.unfinished_file.release", lambda: "0.0")
    train(values, watcher=(notes := Notes()))
    assert "another release" in notes.text


def test_sums_that_end_within_a_batch_are_never_used(values, monkeypatch):
    stopped(values, 2)
    monkeypatch.setattr("trimpot.fitting.streaming.BATCH_BYTES", 2**30)  # a fold a batch
    train(values, watcher=(notes := Notes()))
    assert notes.rows == [4, 8, 11]
    assert "it is not used" in " ".join(notes.text.split())
    assert "going on" not in notes.text


def test_anchors_strengths_and_choice_do_not_matter_to_the_sums(values):
    stopped(values, 4)
    train(values, ["fit.anchors=true", "fit.kappa=0.7"], watcher=(notes := Notes()))
    assert "going on after 4 of 11 frames" in notes.text


def test_nothing_is_stored_where_that_is_switched_off(values):
    stopped({**values, "checkpoint_seconds": 0}, 4)
    assert UNFINISHED_FILE not in names(values["output"])


def sums(frames, columns=2):
    blocks = Blocks.from_arrays(
        {
            "0.energy.gram": np.eye(columns),
            "0.energy.moment": np.ones(columns),
            "0.energy.sums": np.ones(2),
            "scale.energy": np.ones(1),
            "coverage": np.ones(columns),
            "anchors.rows": np.zeros((0, columns)),
            "anchors.bounds": np.zeros(0),
        }
    )
    return Sums(blocks, frames)


@pytest.mark.parametrize(
    ("cost", "seconds", "expected"), [(0.1, 60.0, 60.0), (6.0, 60.0, 126.0)]
)
def test_writing_takes_at_most_its_share(cost, seconds, expected, tmp_path, monkeypatch):
    """One batch a second; the last one is stored as well if that is cheap."""
    monkeypatch.setattr(unfinished, "LARGEST_SHARE", 0.05)
    clock, written = [0.0], []

    def save(*_):
        written.append(clock[0])
        clock[0] += cost

    monkeypatch.setattr(unfinished.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(unfinished, "save_unfinished", save)
    keeper = UnfinishedPass(tmp_path / "a", "key", seconds, Notes())
    for done in range(1, 1000):
        clock[0] += 1.0
        keeper.keep(sums(done), 2000)
    pauses = np.diff(written)
    assert len(pauses) > 5
    assert pauses.min() >= expected
    assert pauses.max() <= expected + cost + 1.0
    assert cost * len(written) <= 0.05 * clock[0]
    clock[0] = written[-1] + cost + 20.0 * cost + 1.0
    keeper.keep(sums(2000), 2000)
    assert written[-1] == clock[0] - cost


@pytest.mark.parametrize(("free", "told"), [(4_000_000, True), (40_000_000, False)])
def test_little_room_is_told_before_the_pass(free, told, values, monkeypatch):
    usage = shutil.disk_usage("/")._replace(free=free)
    monkeypatch.setattr("trimpot.verbs.room.shutil.disk_usage", lambda _: usage)
    train(values, watcher=(notes := Notes()))
    assert (f"has {free / 1e6:.1f} MB of free space" in notes.text) == told


def test_disk_without_room_for_sums_is_told_once_and_the_run_goes_on(values, monkeypatch):
    def full(*_):
        raise WriteError("cannot write x: No space left on device; free space")

    monkeypatch.setattr(unfinished, "save_unfinished", full)
    result = train(values, watcher=(notes := Notes()))
    assert (
        notes.text.count("warning: cannot write x: No space left on device; the run") == 1
    )
    assert notes.rows[-1] == 11
    assert result.model.exists()


@pytest.mark.parametrize("choose", [{}, CHOOSE])
def test_disk_without_room_for_blocks_does_not_cost_the_model(choose, values, monkeypatch):
    def full(*_):
        raise WriteError("cannot write x: No space left on device; free space")

    values = {**values, "choose": choose}
    whole = train(values)
    monkeypatch.setattr(fitting_cached, "save_blocks", full)
    values = {**values, "output": values["output"] + "2"}
    result = train(values, watcher=(notes := Notes()))
    assert "warning: cannot write x" in notes.text
    assert same_coefficients(whole, result)
    assert not {BLOCKS_FILE, UNFINISHED_FILE} & names(result.output)


def test_finished_pass_is_kept_until_the_model_where_blocks_are_not(values, monkeypatch):
    def stop(*_, **__):
        raise Killed

    values = {**values, "cache_gb": 0}
    with monkeypatch.context() as patch:
        patch.setattr("trimpot.verbs.fitting_cached.refit", stop)
        with pytest.raises(Killed):
            train(values)
    train(values, watcher=(notes := Notes()))
    assert "going on after 11 of 11 frames" in notes.text
    assert notes.rows == []
    assert UNFINISHED_FILE not in names(values["output"])


def test_two_runs_do_not_share_a_folder(values):
    with (
        run_folder(values["output"]),
        pytest.raises(InputError, match="another run is writing"),
    ):
        train(values)
    train(values)


def killed_after(values, seconds):
    """Train in another process and kill it; return whether it had ended before."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads
        child = os.fork()
    if child == 0:  # pragma: no cover - it is killed
        try:
            train(values)
        finally:
            os._exit(0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFEXITED(status)


def test_killed_runs_leave_whole_files_and_arrive(values):
    """Kills that come later and later, until one comes too late."""
    whole = train(values)
    output = whole.output.with_name("killed")
    values = {**values, "output": str(output)}
    kills = 0
    while kills < 30 and not killed_after(values, 0.01 * kills):
        kills += 1
        if (output / "model.trimpot").exists():
            trimpot.load(output / "model.trimpot")
        if (output / "log.jsonl").exists():
            lines = (output / "log.jsonl").read_text().splitlines()
            assert all(json.loads(line) for line in lines)
    assert kills > 2
    again = train(values)
    assert same_coefficients(whole, again)
    assert names(output) == names(whole.output)
