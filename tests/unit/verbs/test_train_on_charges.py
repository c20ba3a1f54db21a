"""Training on structures of several total charges, and what others do with them."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need PyTorch")

from ase.calculators.singlepoint import SinglePointCalculator  # noqa: E402
from ase.io import write  # noqa: E402

import trimpot  # noqa: E402
from trimpot.contract import Structure  # noqa: E402
from trimpot.data import Frame, read  # noqa: E402
from trimpot.data.charges import with_charge  # noqa: E402
from trimpot.errors import DataError, InputError  # noqa: E402
from trimpot.verbs import evaluate, train  # noqa: E402
from trimpot.verbs.charges import charge_notes  # noqa: E402
from trimpot.verbs.network_data import without_only_ones  # noqa: E402
from trimpot.verbs.showing import show  # noqa: E402

CONSTANT, WEAKER = 5.0, 0.6
"""A cation of the toy has more energy, and all of its bonds are weaker."""

TINY = {
    "kind": "mlanet",
    "cutoff": 4.2,
    "layers": 1,
    "channels": 8,
    "l_max": 1,
    "correlation": 2,
    "radial_hidden": 8,
    "gate_hidden": 4,
    "readout_hidden": 8,
    "pooling": ["sum", "attention"],
}


class Notes:
    def __init__(self):
        self.lines = []

    def note(self, text):
        self.lines.append(text)

    def progress(self, stage, done, total):
        pass


def ionized(atoms):
    """The same geometry with charge +1."""
    cation = atoms.copy()
    energy, forces = atoms.get_potential_energy(), atoms.get_forces()
    labels = {"energy": WEAKER * energy + CONSTANT, "forces": WEAKER * forces}
    cation.calc = SinglePointCalculator(cation, **labels)
    cation.info["charge"] = 1
    return cation


@pytest.fixture(scope="module")
def both_charges(frames, tmp_path_factory):
    """Every frame, neutral and ionised; atoms alone neutral."""
    path = tmp_path_factory.mktemp("ions") / "both.extxyz"
    write(path, [*frames, *(ionized(a) for a in frames if len(a) > 1)])
    return path


def configuration(path, output, **model):
    split = {"kind": "field", "field": "fold", "train": [0, 1, 2], "test": 3}
    return {
        "data": {"path": str(path), "split": split},
        "model": {**TINY, **model},
        "training": {
            "epochs": 60,
            "batch_size": 4,
            "validation": 2,
            "validations": 4,
            "device": "cpu",
            "learning_rate": 0.02,
            "warmup_steps": 20,
        },
        "output": str(output),
        "threads": 1,
        "figures": False,
    }


@pytest.fixture(scope="module")
def notes():
    return Notes()


@pytest.fixture(scope="module")
def learned(both_charges, tmp_path_factory, notes):
    output = tmp_path_factory.mktemp("charges") / "out"
    return train(configuration(both_charges, output), watcher=notes)


def rmse(result, quantity):
    (row,) = result.errors["test"].select(quantity, "all")
    return row.rmse


def test_it_learns_what_a_charge_changes(learned, both_charges, tmp_path):
    blind = train(configuration(both_charges, tmp_path / "blind", charges=False))
    for quantity in ("energy", "forces"):
        assert rmse(learned, quantity) < 0.4 * rmse(blind, quantity)
    potential = learned.potential
    assert potential.charges.kinds == ((74, 0), (74, 1))
    test = [f for f in read(both_charges) if f.info["fold"] == 3]
    neutral = [f for f in test if f.structure.charge == 0]
    found = potential.evaluate_many([f.structure for f in neutral])
    ions = [replace(f.structure, charge=1) for f in neutral]
    for frame, one, ion in zip(neutral, found, potential.evaluate_many(ions), strict=True):
        expected = (WEAKER - 1.0) * frame.energy + CONSTANT
        assert ion.energy - one.energy == pytest.approx(expected, abs=0.1 * abs(expected))


def test_it_says_which_charges_it_knows(learned, notes):
    known = "total charges 0 (W) and +1 (W)"
    assert any(line.startswith(known) for line in notes.lines)
    card = show(learned.model).card
    assert known in card
    assert "charged fragments that move apart" in card


def test_the_file_keeps_the_charges(learned, both_charges):
    loaded = trimpot.load(learned.model)
    structures = [f.structure for f in read(both_charges)]
    before, after = (p.evaluate_many(structures) for p in (learned.potential, loaded))
    assert [e.energy for e in before] == [e.energy for e in after]


def test_the_same_training_is_taken_again_and_other_charges_are_not(learned, both_charges):
    values = configuration(both_charges, learned.output)
    again = train(values)
    for name, weights in learned.potential.state.items():
        np.testing.assert_array_equal(again.potential.state[name], weights)
    values["model"] = {**values["model"], "charges": False}
    with pytest.raises(InputError, match="is of another training"):
        train(values)


def test_one_charge_is_known_on_request_only(frames, tmp_path):
    path = tmp_path / "ions.extxyz"
    write(path, [ionized(a) for a in frames if len(a) > 1])
    kinds = []
    for charges in ("auto", True):
        values = configuration(path, tmp_path / f"{charges}", charges=charges)
        values["training"]["epochs"] = 1
        notes = Notes()
        found = train(values, watcher=notes).potential.charges
        kinds.append(None if found is None else found.kinds)
        assert not any("not used" in line for line in notes.lines)
    assert kinds == [None, ((74, 1),)]


def test_a_charge_of_test_frames_alone_is_refused_before_training(frames, tmp_path):
    odd = ionized(frames[3])
    odd.info["charge"] = -2
    path = tmp_path / "odd.extxyz"
    write(path, [*frames, *(ionized(a) for a in frames if len(a) > 1), odd])
    with pytest.raises(InputError, match=r"odd.extxyz#.*charge -2.*seen charges 0"):
        train(configuration(path, tmp_path / "out"))


def test_models_without_charges_say_that_they_use_none(both_charges, values, learned):
    values["data"]["path"] = str(both_charges)
    notes = Notes()
    splines = train(values, watcher=notes)
    told = [line for line in notes.lines if "charges of 14 frames are not used" in line]
    assert len(told) == 1
    notes = Notes()
    evaluate(splines.potential, both_charges, watcher=notes)
    assert any("charges of 14 frames are not used" in line for line in notes.lines)
    notes = Notes()
    evaluate(learned.potential, both_charges, watcher=notes)
    assert not any("not used" in line for line in notes.lines)


def test_a_key_that_is_not_there_is_named(both_charges, tmp_path):
    values = configuration(both_charges, tmp_path / "out")
    values["data"]["keys"] = {"charge": "ion"}
    with pytest.raises(DataError, match=r"no field ion .but .*expected the total charge"):
        train(values)
    values = configuration(both_charges, tmp_path / "out", charges="yes")
    with pytest.raises(InputError, match="charges: found 'yes', expected true or false"):
        train(values)


def test_a_training_starts_from_a_network_with_charges(learned, both_charges, tmp_path):
    values = configuration(both_charges, tmp_path / "again")
    values["training"] |= {"start": str(learned.model), "epochs": 1}
    again = train(values)
    assert (
        again.training.history[0]["valid_loss"] < learned.training.history[0]["valid_loss"]
    )
    values = configuration(both_charges, tmp_path / "blind", charges=False)
    values["training"]["start"] = str(learned.model)
    with pytest.raises(InputError, match=r"training\.start: found a network of W with"):
        train(values)


def test_the_only_ion_is_learned_not_validated_on():
    rng = np.random.default_rng(0)
    numbers, positions = np.array([74, 74], np.int32), rng.normal(size=(2, 3))
    structures = [
        Structure(numbers, positions, np.zeros((3, 3)), np.zeros(3, bool), int(k == 2))
        for k in range(6)
    ]
    frames = [Frame(s, energy=0.0) for s in structures]
    held = np.array([True, False, True, False, False, False])
    assert without_only_ones(frames, held).tolist() == [True] + 5 * [False]


def test_a_charge_from_another_field_is_written_where_others_look():
    assert with_charge({"ion": 1, "charge": 3}, 1) == {"ion": 1, "charge": 1}
    assert with_charge({"ion": 1, "charge": 0.5}, 0) == {"ion": 1, "charge": 0}
    assert with_charge({"total_charge": 2.0}, 2) == {"total_charge": 2.0}
    assert with_charge({"a": 1}, 0) == {"a": 1}


def test_moving_structures_without_a_field_are_said_to_be_neutral(learned, frames):
    neutral, cation = frames[0].copy(), ionized(frames[0])
    assert "taken as neutral" in charge_notes(learned.potential, [neutral, cation])[0]
    assert not charge_notes(learned.potential, [cation])
    blind = replace(learned.potential, charges=None, state=learned.potential.state)
    assert "knows no charges" in charge_notes(blind, [cation])[0]
    assert not charge_notes(blind, [neutral])
