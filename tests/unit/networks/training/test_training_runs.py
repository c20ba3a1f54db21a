"""Whole trainings: what is learned, how they go on, what they refuse."""

import csv
import json
import signal
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need PyTorch")

from training_samples import (  # noqa: E402
    NETWORK,
    SPECIES,
    Recorder,
    data_of,
    interrupt,
    mixed,
    molecules,
    settings,
    terminate,
)

from trimpot.contract import Structure  # noqa: E402
from trimpot.errors import FileFormatError, FitError, InputError, WriteError  # noqa: E402
from trimpot.networks.mlanet import MLANet  # noqa: E402
from trimpot.networks.training import train_network  # noqa: E402
from trimpot.networks.training.checkpoints import CHECKPOINT  # noqa: E402
from trimpot.networks.training.logs import COLUMNS  # noqa: E402

CLOCKS = ("seconds", "microseconds_per_atom")

TRAIN, VALID = mixed(8), mixed(3, seed=7)
NOTHING = data_of([])


def run(folder, watcher=None, train=TRAIN, valid=VALID, **changes):
    watcher = watcher or Recorder()
    chosen = settings(**changes)
    return train_network(NETWORK, SPECIES, train, valid, chosen, folder, watcher)


def same(one, other):
    """Whether two results are equal to the bit, clocks aside."""
    rows = [
        [{k: v for k, v in row.items() if k not in CLOCKS} for row in result.history]
        for result in (one, other)
    ]
    states = one.state.keys() == other.state.keys() and all(
        np.array_equal(one.state[name], other.state[name]) for name in one.state
    )
    constants = (one.mean_weight, one.scale) == (other.mean_weight, other.scale)
    return states and rows[0] == rows[1] and constants and one.steps == other.steps


def table(folder):
    with (folder / "training.csv").open() as handle:
        return list(csv.DictReader(handle))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of 8 steps, 3 epochs, that nothing interrupted."""
    return run(tmp_path_factory.mktemp("whole"))


def test_a_toy_is_learned(tmp_path):
    frames = molecules(12)
    quick = {"epochs": 40, "batch_size": 12, "learning_rate": 0.05, "validations": 4}
    result = run(tmp_path, train=frames, valid=frames, **quick)
    first, last = result.history[0], result.history[-1]
    zero = np.concatenate([f.ravel() for f in frames.forces]).std()
    assert last["valid_force_rmse"] < 0.5 * zero
    assert last["valid_loss"] < 0.5 * first["valid_loss"]
    assert last["loss"] < 0.5 * first["loss"]
    assert result.steps == 40 and result.epochs == 40.0


def test_the_result_is_the_network_of_the_best_validation(tmp_path):
    result = run(tmp_path)
    model = MLANet(
        NETWORK, SPECIES, mean_weight=result.mean_weight, scale=result.scale
    ).double()
    model.load_state_dict({k: torch.from_numpy(v) for k, v in result.state.items()})
    best = min(row["valid_loss"] for row in result.history)
    assert best == result.history[-1]["valid_loss"]
    errors = []
    from trimpot.networks import structure_graph

    for structure, energy in zip(VALID.structures, VALID.energies, strict=True):
        graph = structure_graph(structure, SPECIES, model.pruning.reach)
        found = model(model.pruning(graph), graph.species).sum().item()
        errors.append((found - energy) / len(structure))
    mae = result.history[-1]["valid_energy_mae"]
    assert np.abs(errors).mean() == pytest.approx(mae, rel=1e-9)


@pytest.mark.parametrize("after", [1, 4, 7])
def test_a_run_that_was_interrupted_goes_on_to_the_bit(tmp_path, whole, after):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, Recorder(after, interrupt))
    watcher = Recorder()
    assert same(run(tmp_path, watcher), whole)
    assert any(f"going on after step {after}" in note for note in watcher.notes)


@pytest.mark.parametrize("after", [3, 6])
def test_a_run_that_was_killed_goes_on_from_its_last_checkpoint(tmp_path, whole, after):
    """An error between steps leaves no new checkpoint: as if the power went."""

    def fail():
        raise RuntimeError("power")

    every_step = {"checkpoint_seconds": 0.0}
    with pytest.raises(RuntimeError, match="power"):
        run(tmp_path, Recorder(after, fail), **every_step)
    result = run(tmp_path)
    assert same(result, whole)
    rows = table(tmp_path)
    assert [int(row["step"]) for row in rows] == [row["step"] for row in whole.history]


def test_a_signal_waits_for_a_checkpoint(tmp_path, whole):
    before = signal.getsignal(signal.SIGTERM)
    watcher = Recorder(4, terminate)
    with pytest.raises(SystemExit) as stop:
        run(tmp_path, watcher)
    assert stop.value.code == 128 + signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before
    assert "stopped after step 4: checkpoint written" in watcher.notes
    assert same(run(tmp_path), whole)


def test_a_run_that_has_ended_gives_its_result_again(tmp_path, whole):
    first = run(tmp_path)
    assert same(first, whole)
    watcher = Recorder()
    assert same(run(tmp_path, watcher), whole)
    assert watcher.stages == []


def test_the_log_holds_the_history(tmp_path):
    result = run(tmp_path)
    rows = table(tmp_path)
    assert tuple(rows[0]) == COLUMNS
    assert [float(row["valid_loss"]) for row in rows] == pytest.approx(
        [row["valid_loss"] for row in result.history], rel=1e-8
    )
    lines = (tmp_path / "training.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == result.history
    assert not list(tmp_path.glob(".*partial"))


def test_notes_and_progress_tell_how_it_goes(tmp_path):
    watcher = Recorder()
    run(tmp_path, watcher)
    assert watcher.stages[10] == ("graphs", 11, 11)
    assert watcher.stages[-1] == ("training", 8, 8)
    text = "\n".join(watcher.notes)
    assert "8 training frames with 8 energies" in text and "4 stresses" in text
    assert "free memory" in text
    assert text.count("us/atom") == 3 and "validation F" in text and "meV/A^3" in text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"learning_rate": 0.1}, "training: learning_rate is 0.1 and was 0.01"),
        ({"seed": 3}, "training: seed is 3 and was 0"),
        ({"train": mixed(8, seed=1)}, "training frames is"),
        ({"valid": mixed(2, seed=7)}, 'validation frames is "2 frames'),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(tmp_path, changes, message):
    run(tmp_path, epochs=1)
    with pytest.raises(InputError, match=message):
        run(tmp_path, **({"epochs": 1} | changes))


def test_a_damaged_checkpoint_is_refused(tmp_path):
    run(tmp_path, epochs=1)
    path = tmp_path / CHECKPOINT
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    with pytest.raises(FileFormatError, match="checksum"):
        run(tmp_path, epochs=1)
    path.write_bytes(data[:100])
    with pytest.raises(FileFormatError, match="not a checkpoint, or damaged"):
        run(tmp_path, epochs=1)


def test_steps_that_are_not_finite_name_their_frames(tmp_path):
    bad = TRAIN.structures[2]
    x = bad.positions.copy()
    x[1] = x[0]
    twins = replace(bad, positions=x)
    structures = (*TRAIN.structures[:2], twins, *TRAIN.structures[3:])
    with pytest.raises(FitError, match=r"in training frames 2 \(counted from 0"):
        run(tmp_path, train=replace(TRAIN, structures=structures))
    assert not (tmp_path / CHECKPOINT).exists()


def test_training_stops_early_without_a_better_validation(tmp_path):
    result = run(tmp_path, epochs=40, validations=50, patience=2, learning_rate=0.5)
    assert result.steps < 40 * 8 // 3
    losses = [row["valid_loss"] for row in result.history]
    assert min(losses) == losses[-3]


def test_a_run_by_seconds_ends_in_time_and_goes_on(tmp_path):
    changes = {"seconds": 0.6, "epochs": None}
    watcher = Recorder()
    result = run(tmp_path / "one", watcher, **changes)
    assert 0.6 <= result.seconds < 3.0
    assert watcher.stages[-1] == ("training", 1, 1)
    assert result.history[-1]["rate"] < 0.1 * 5e-3

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "two", Recorder(0, interrupt), **changes)
    assert run(tmp_path / "two", **changes).seconds >= 0.6


def test_without_validation_frames_the_last_average_is_kept(tmp_path):
    result = run(tmp_path, valid=NOTHING)
    assert result.steps == 8
    assert "valid_loss" not in result.history[-1] and "loss" in result.history[-1]
    assert not same(result, run(tmp_path / "less", valid=NOTHING, epochs=2))


def test_frames_without_some_labels_are_learned(tmp_path):
    energies = TRAIN.energies.copy()
    energies[::2] = np.nan
    forces = (None, *TRAIN.forces[1:])
    result = run(tmp_path, train=replace(TRAIN, energies=energies, forces=forces))
    assert np.isfinite(result.history[-1]["loss"])
    only = replace(TRAIN, forces=(None,) * 8, stresses=(None,) * 8)
    result = run(tmp_path / "energies", train=only)
    assert result.history[-1]["force_loss"] == 0.0


def test_fixed_shapes_and_single_precision_train_the_same_network(tmp_path, whole):
    fixed = run(tmp_path / "fixed", fixed_shapes=True, engine="torch")
    for name, values in whole.state.items():
        assert np.allclose(fixed.state[name], values, atol=1e-9)
    options = {"fixed_shapes": True, "recorded": True, "engine": "torch"}
    recorded = run(tmp_path / "recorded", **options)
    assert all(np.array_equal(recorded.state[k], fixed.state[k]) for k in fixed.state)
    single = run(tmp_path / "single", precision="float32")
    assert single.state["embedding"].dtype == np.float32
    for name, values in whole.state.items():
        assert np.allclose(single.state[name], values, atol=2e-3)


def test_groups_have_weights(tmp_path):
    train = replace(TRAIN, groups=("a", "b") * 4)
    one = run(tmp_path / "one", train=train, epochs=1, group_weights={"a": 0.0})
    other = replace(train, energies=train.energies + np.tile([5.0, 0.0], 4))
    two = run(tmp_path / "two", train=other, epochs=1, group_weights={"a": 0.0})
    assert all(np.array_equal(one.state[k], two.state[k]) for k in one.state)
    with pytest.raises(
        InputError, match=r"group_weights: found c, expected groups.*: a, b"
    ):
        run(tmp_path / "three", train=train, group_weights={"c": 2.0})


def test_nothing_to_learn_is_refused(tmp_path):
    with pytest.raises(InputError, match="found no training frames"):
        run(tmp_path, train=NOTHING)
    bare = replace(
        TRAIN, energies=np.full(8, np.nan), forces=(None,) * 8, stresses=(None,) * 8
    )
    with pytest.raises(InputError, match="found no label with a weight"):
        run(tmp_path, train=bare)
    with pytest.raises(InputError, match="found no label with a weight"):
        run(tmp_path, train=replace(bare, energies=TRAIN.energies), energy_weight=0.0)


def test_atoms_without_neighbours_are_no_trouble(tmp_path):
    alone = Structure(
        np.array([8], np.int32), np.zeros((1, 3)), np.zeros((3, 3)), np.zeros(3, bool)
    )
    structures = [alone, *molecules(3).structures]
    result = run(tmp_path, train=data_of(structures), valid=data_of([alone]), epochs=1)
    assert result.history[-1]["valid_energy_mae"] < 1e-12


def test_files_that_cannot_be_written_are_errors(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError, match="cannot make the folder"):
        run(tmp_path / "file" / "folder")
    (tmp_path / "training.csv").mkdir()
    with pytest.raises(WriteError, match=r"cannot write .*training.csv"):
        run(tmp_path)


def test_tensorboard_that_is_not_installed_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch.utils.tensorboard", None)
    with pytest.raises(InputError, match="TensorBoard is not installed"):
        run(tmp_path, tensorboard=True)


def test_watchers_that_show_speed_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr("trimpot.networks.training.loop.LIVE_SECONDS", 0.0)
    watcher, lines = Recorder(), []
    watcher.live = lambda stage, line, short: lines.append((stage, line, short))
    run(tmp_path, watcher)
    assert len(lines) == 8
    assert lines[0][0] == "training" and "atoms/s, " in lines[0][1]
    assert lines[-1][1].endswith("0 s left")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("changes", [{}, {"fixed_shapes": False}, {"recorded": True}])
def test_a_gpu_trains_the_network_of_the_cpu(tmp_path, whole, changes):
    result = run(tmp_path, device="cuda", **changes)
    for name, values in whole.state.items():
        assert np.allclose(result.state[name], values, atol=1e-7)


def test_a_gpu_that_is_not_there_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(InputError, match="this PyTorch sees 0 GPUs"):
        run(tmp_path, device="cuda")
