"""Settings of a training, and what goes in."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need PyTorch")

from training_samples import molecules  # noqa: E402

from trimpot.errors import InputError  # noqa: E402
from trimpot.networks.training import TrainingSettings  # noqa: E402
from trimpot.networks.training.schedule import Schedule  # noqa: E402


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 3}, "exactly one of both"),
        ({"seconds": None}, "exactly one of both"),
        ({"seconds": 0.0}, "seconds: found 0.0, expected a number above 0"),
        ({"batch_size": 0}, "batch_size: found 0, expected a number 1 or more"),
        ({"learning_rate": float("nan")}, "learning_rate: found nan"),
        ({"final_rate": 2.0}, "final_rate: found 2.0.*at most 1"),
        ({"ema": 1.0}, "ema: found 1.0"),
        ({"loss": "mae"}, "loss: found 'mae', expected mse or huber or l1"),
        ({"optimizer": "sgd"}, "optimizer: found 'sgd'"),
        ({"precision": "half"}, "precision: found 'half'"),
        ({"device": "gpu"}, "device: found 'gpu', expected auto, cpu, cuda"),
        ({"group_weights": {"bulk": -1.0}}, "group_weights: bulk: found -1.0"),
        (
            {"energy_weight": 0.0, "force_weight": 0.0, "stress_weight": 0.0},
            "only weights of 0",
        ),
    ],
)
def test_wrong_settings_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        TrainingSettings(**changes)


@pytest.mark.parametrize(
    ("validation", "frames", "expected"),
    [(0.05, 100, 5), (0.05, 3, 1), (0.0, 50, 0), (0.2, 1, 0), (1, 10, 1), (7, 10, 7)],
)
def test_validation_is_a_share_or_a_number(validation, frames, expected):
    assert TrainingSettings(validation=validation).validation_frames(frames) == expected


def test_more_validation_frames_than_there_are_are_refused():
    with pytest.raises(InputError, match="validation: found 10 frames of 10"):
        TrainingSettings(validation=10).validation_frames(10)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("energies", np.zeros(3), "equally many"),
        ("energies", np.array([0.0, np.inf]), "frame 1: found an infinite energy"),
        ("forces", (None, np.zeros((2, 3))), r"frame 1: found forces of shape \(2, 3\)"),
        ("forces", (np.full((3, 3), np.nan), None), "frame 0: found forces that are not"),
        ("stresses", (np.zeros((3, 3)), None), "frame 0: found a stress, but no volume"),
        ("stresses", (None, np.zeros(6)), r"frame 1: found a stress of shape \(6,\)"),
    ],
)
def test_data_that_cannot_be_are_refused(field, value, message):
    with pytest.raises(InputError, match=message):
        replace(molecules(2), **{field: value})


def test_the_stream_holds_every_frame_once_per_epoch_in_batches_of_one_size():
    settings = TrainingSettings(seconds=None, epochs=3, batch_size=4)
    schedule = Schedule(settings, 10)
    batches = [schedule.frames(step) for step in range(schedule.n_steps)]
    assert {len(batch) for batch in batches} == {4}
    stream = [frame for batch in batches for frame in batch]
    epochs = [stream[start : start + 10] for start in (0, 10, 20)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert epochs[0] != epochs[1]
    other = Schedule(replace(settings, seed=1), 10)
    assert other.frames(0) != schedule.frames(0)


def test_the_rate_rises_and_falls_to_its_final_share():
    settings = TrainingSettings(
        seconds=None, epochs=100, batch_size=1, warmup_steps=10, final_rate=0.01
    )
    schedule = Schedule(settings, 10)
    rates = [schedule.rate(k, schedule.fraction(k, 0.0)) for k in range(1001)]
    assert rates[0] == pytest.approx(0.1 * settings.learning_rate)
    assert max(rates) <= settings.learning_rate
    assert np.all(np.diff(rates[:10]) > 0.0)
    assert np.all(np.diff(rates[10:]) < 0.0)
    assert rates[-1] == pytest.approx(0.01 * settings.learning_rate)


def test_by_seconds_the_schedule_follows_the_clock():
    schedule = Schedule(TrainingSettings(seconds=200.0, validations=10), 10)
    assert schedule.n_steps is None
    assert schedule.fraction(10**6, 50.0) == 0.25
    assert schedule.fraction(0, 300.0) == 1.0
    assert [schedule.validations_due(0, s) for s in (0.0, 19.9, 20.1, 300.0)] == [
        0,
        0,
        1,
        10,
    ]
