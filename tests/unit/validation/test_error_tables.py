"""Error tables on hand-made predictions with known errors."""

import json
from dataclasses import dataclass

import numpy as np
import pytest

from toy_potentials import BatchedMorse, BatchedNotFinite, Morse, NotFinite, crystal, skewed
from trimpot.contract import Structure
from trimpot.engines.singlepoint import evaluate
from trimpot.errors import DataError, InputError, NonFiniteResultError
from trimpot.units import GPA_PER_EV_PER_A3
from trimpot.validation import Predictions, compare, error_tables, predict
from trimpot.validation.errors import cluster_errors


@dataclass(frozen=True)
class Frame:
    """The fields of trimpot.data.Frame that validation reads."""

    structure: Structure
    energy: float | None = None
    forces: np.ndarray | None = None
    stress: np.ndarray | None = None
    config_type: str = "default"
    source: str = "toy#0"


def structure_of(numbers, cell=4.0):
    n = len(numbers)
    return Structure(
        numbers=np.array(numbers, dtype=np.int32),
        positions=np.arange(3.0 * n).reshape(n, 3),
        cell=np.eye(3) * cell,
        pbc=np.ones(3, dtype=bool),
    )


def hand_made():
    """Two frames of W (errors +10, -30 meV/atom) and one W-Si frame without a stress."""
    frames = [
        Frame(structure_of([74, 74]), -20.0, np.zeros((2, 3)), np.zeros((3, 3)), "bulk"),
        Frame(structure_of([74]), -10.0, np.zeros((1, 3)), np.zeros((3, 3)), "bulk"),
        Frame(structure_of([74, 14]), -15.0, np.ones((2, 3)), None, "alloy"),
    ]
    alloy_forces = np.array([[1.0, 1.0, 1.3], [1.0, 1.0, 1.0]])
    predictions = Predictions(
        energies=np.array([-19.98, -10.03, -15.0]),
        forces=(np.full((2, 3), 0.1), np.full((1, 3), -0.2), alloy_forces),
        stresses=(np.full((3, 3), 0.01), np.zeros((3, 3)), np.zeros((3, 3))),
    )
    return predictions, frames


def only(tables, quantity, grouping, group):
    (row,) = [row for row in tables.select(quantity, grouping) if row.group == group]
    return row


def test_energies_are_per_atom_in_mev():
    tables = error_tables(*hand_made())
    row = only(tables, "energy", "all", "all")
    assert row.unit == "meV/atom"
    assert row.mae == pytest.approx((10 + 30 + 0) / 3)
    assert row.rmse == pytest.approx(np.sqrt((100 + 900) / 3))
    assert row.maximum == pytest.approx(30)
    assert row.bias == pytest.approx(-20 / 3)
    assert (row.frames, row.values) == (3, 3)


def test_groups_and_elements_of_forces():
    tables = error_tables(*hand_made())
    bulk = only(tables, "forces", "config_type", "bulk")
    assert bulk.rmse == pytest.approx(np.sqrt((6 * 100**2 + 3 * 200**2) / 9))
    assert bulk.mae == pytest.approx((6 * 100 + 3 * 200) / 9)
    silicon = only(tables, "forces", "element", "Si")
    assert (silicon.rmse, silicon.values) == (0.0, 3)
    tungsten = only(tables, "forces", "element", "W")
    assert tungsten.maximum == pytest.approx(300)
    assert tungsten.values == 12
    assert [row.group for row in tables.select("forces", "element")] == ["Si", "W"]


def test_stress_is_six_voigt_components_in_gpa():
    row = only(error_tables(*hand_made()), "stress", "all", "all")
    assert row.values == 12
    assert row.maximum == pytest.approx(0.01 * GPA_PER_EV_PER_A3)
    assert row.rmse == pytest.approx(0.01 * GPA_PER_EV_PER_A3 / np.sqrt(2))


def test_missing_labels_are_left_out_and_counted():
    tables = error_tables(*hand_made())
    assert tables.missing == {"energy": 0, "forces": 0, "stress": 1}
    assert [row.group for row in tables.select("stress", "config_type")] == ["bulk"]
    unlabelled = [Frame(structure_of([74]))]
    predictions = Predictions(np.zeros(1), (np.zeros((1, 3)),), (None,))
    empty = error_tables(predictions, unlabelled)
    assert empty.rows == ()
    assert empty.missing == {"energy": 1, "forces": 1, "stress": 1}


def test_one_frame_has_no_standard_error():
    row = only(error_tables(*hand_made()), "energy", "config_type", "alloy")
    assert row.mae_standard_error is None
    assert row.rmse_standard_error is None


def test_tables_survive_json():
    tables = error_tables(*hand_made())
    again = json.loads(json.dumps(tables.to_dict(), allow_nan=False))
    assert again["frames"] == 3
    assert again["rows"] == tables.to_rows()


def test_standard_errors_agree_with_a_bootstrap_over_frames():
    rng = np.random.default_rng(3)
    sizes = rng.integers(3, 30, 200)
    frame = np.repeat(np.arange(200), sizes)
    scale = np.repeat(rng.gamma(3.0, 1.0, 200), sizes)
    residual = scale * rng.normal(size=len(frame))
    found = cluster_errors(residual, frame)
    parts = [residual[frame == s] for s in range(200)]
    draws = [
        np.concatenate([parts[s] for s in rng.integers(0, 200, 200)]) for _ in range(600)
    ]
    mae = np.std([np.abs(draw).mean() for draw in draws])
    rmse = np.std([np.sqrt((draw**2).mean()) for draw in draws])
    assert found.mae_standard_error == pytest.approx(mae, rel=0.12)
    assert found.rmse_standard_error == pytest.approx(rmse, rel=0.12)


def test_equal_clusters_of_one_value_give_the_textbook_standard_error():
    residual = np.array([1.0, -2.0, 4.0, 3.0])
    found = cluster_errors(residual, np.arange(4))
    expected = np.std(np.abs(residual), ddof=1) / 2.0
    assert found.mae_standard_error == pytest.approx(expected)


def test_perfect_predictions_have_zero_errors():
    found = cluster_errors(np.zeros(4), np.array([0, 0, 1, 1]))
    assert found == (0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("potential", [Morse(), BatchedMorse()])
def test_predictions_keep_the_order_of_frames(potential, monkeypatch):
    monkeypatch.setattr("trimpot.validation.predictions.BATCH", 2)
    frames = [Frame(crystal(rattle=0.02 * k)) for k in range(4)] + [Frame(skewed())]
    seen = []
    predictions = predict(potential, frames, progress=lambda *done: seen.append(done))
    for k, frame in enumerate(frames):
        direct = evaluate(Morse(), frame.structure)
        assert predictions.energies[k] == pytest.approx(direct.energy, abs=1e-12)
        np.testing.assert_allclose(predictions.forces[k], direct.forces, atol=1e-12)
        np.testing.assert_allclose(
            predictions.stresses[k], direct.stress(frame.structure.volume), atol=1e-12
        )
    assert seen == [(2, 5), (4, 5), (5, 5)]


def test_potentials_that_batch_are_called_in_batches():
    potential = BatchedMorse()
    predict(potential, [Frame(crystal())] * 3)
    assert potential.batches == 1


def test_labels_of_the_potential_itself_have_no_error():
    potential = Morse()
    frames = []
    for structure in (crystal(), skewed()):
        found = evaluate(potential, structure)
        stress = found.stress(structure.volume)
        frames.append(Frame(structure, found.energy, found.forces, stress))
    tables = error_tables(predict(potential, frames, threads=1), frames)
    assert max(row.maximum for row in tables.rows) < 1e-9
    assert tables.missing == {"energy": 0, "forces": 0, "stress": 0}


def test_errors_name_the_frame():
    with pytest.raises(NonFiniteResultError, match=r"frame 0 \(liquid, toy#7\): atom 1"):
        predict(NotFinite(), [Frame(crystal(), config_type="liquid", source="toy#7")])
    for potential in (Morse(), BatchedMorse()):
        with pytest.raises(InputError, match=r"frame 1 .*Fe"):
            predict(potential, [Frame(crystal()), Frame(structure_of([26]))])


def test_a_failing_batch_names_its_frame():
    frames = [Frame(crystal()), Frame(skewed())]
    with pytest.raises(NonFiniteResultError, match=r"frame 1 .*atom 0"):
        predict(BatchedNotFinite(), frames)


def test_no_frames():
    predictions = predict(Morse(), [])
    assert len(predictions) == 0
    assert error_tables(predictions, []).rows == ()


def test_mismatches_are_refused():
    predictions, frames = hand_made()
    with pytest.raises(InputError, match="3 predictions for 2 frames"):
        error_tables(predictions, frames[:2])
    with pytest.raises(InputError, match="quantity"):
        compare(predictions, frames, "dipole")
    flat = Frame(structure_of([74], cell=0.0), stress=np.zeros((3, 3)))
    single = Predictions(np.zeros(1), (np.zeros((1, 3)),), (None,))
    with pytest.raises(DataError, match="volume"):
        compare(single, [flat], "stress")
