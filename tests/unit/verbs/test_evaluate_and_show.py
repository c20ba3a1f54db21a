import json

import pytest

import trimpot
from trimpot.data import read
from trimpot.errors import FileFormatError, InputError
from trimpot.verbs import evaluate, show


def test_evaluate_repeats_the_errors_of_training(trained, data_file):
    tables = evaluate(trained.model, data_file, where={"fold": 3}).tables
    assert tables.to_dict() == trained.errors["test"].to_dict()


def test_evaluate_takes_potentials_and_frames(trained, data_file):
    from_files = evaluate(trained.model, [data_file]).tables
    from_objects = evaluate(trained.potential, read(data_file).frames).tables
    assert from_files.to_dict() == from_objects.to_dict()


def test_evaluate_writes_tables_and_figures(trained, data_file, tmp_path):
    result = evaluate(trained.model, data_file, output=tmp_path / "judged")
    assert result.output == tmp_path / "judged"
    found = {p.name for p in (tmp_path / "judged").rglob("*.*")}
    assert found == {
        *("errors.json", "errors.md", "parity.png", "errors_per_group.png"),
        *("uncertainty.json", "uncertainty.png"),
    }
    errors = json.loads((tmp_path / "judged" / "errors.json").read_text())
    assert errors["data"] == result.tables.to_dict()


def test_evaluate_refuses_nothing_and_unknown_elements(trained, frames, tmp_path):
    from ase.io import write

    with pytest.raises(InputError, match="nothing to evaluate"):
        evaluate(trained.potential, [])
    other = frames[0].copy()
    other.calc = frames[0].calc
    other.numbers[0] = 14
    write(tmp_path / "si.extxyz", other)
    with pytest.raises(InputError, match="Si"):
        evaluate(trained.potential, tmp_path / "si.extxyz")


def test_show_prints_a_card_with_the_recorded_errors(trained):
    result = show(trained.model)
    assert result.output is None
    for part in (
        "# Model card: model.trimpot",
        "pair 4.2",
        "training frames",
        "test energy",
    ):
        assert part in result.card


def test_show_draws_the_curves(trained, tmp_path):
    show(trained.potential, output=tmp_path / "card")
    found = {p.name for p in (tmp_path / "card").rglob("*.*")}
    assert found == {"card.md", "pair_curves.png", "triplet_slices.png"}


def test_show_refuses_other_potentials():
    with pytest.raises(InputError, match="cannot show"):
        show(object())


def test_show_refuses_a_record_of_errors_that_is_none(trained, tmp_path):
    from dataclasses import replace

    for record in ({"test": 3}, {"test": {"rows": [{"x": 1}]}}, [1]):
        broken = replace(trained.potential, provenance={"errors": record})
        trimpot.save(broken, tmp_path / "a.trimpot")
        with pytest.raises(FileFormatError, match="recorded errors"):
            show(tmp_path / "a.trimpot")


def test_pair_curve_is_half_the_dimer_energy(trained):
    import numpy as np
    from ase import Atoms

    from trimpot.verbs.drawing import pair_curves

    (curve,) = pair_curves(trained.potential)
    calculator = trimpot.Calculator(trained.potential)
    alone = Atoms("W", calculator=calculator).get_potential_energy()
    for index in (30, 150, 399):
        dimer = Atoms("W2", [[0, 0, 0], [0, 0, curve.r[index]]], calculator=calculator)
        expected = 0.5 * (dimer.get_potential_energy() - 2 * alone)
        assert curve.energy[index] == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert curve.density.sum() > 0
    assert np.all(np.diff(curve.edges) > 0)


def test_triplet_slices_are_the_energy_of_a_trimer(trained):
    """A trimer's energy beyond its pairs is the sum of three V3, one per centre."""
    import numpy as np
    from ase import Atoms

    from trimpot.verbs.drawing import triplet_slices

    angles = triplet_slices(trained.potential)[1]
    leg = float(angles.r[1])
    at = int(np.argmin(np.abs(angles.angle_degrees - 60.0)))
    side = leg  # equilateral: the three V3 are the same
    calculator = trimpot.Calculator(trained.potential)
    corners = [[0, 0, 0], [leg, 0, 0], [leg / 2, np.sqrt(leg**2 - (side / 2) ** 2), 0]]
    trimer = Atoms("W3", corners, calculator=calculator).get_potential_energy()
    dimer = Atoms("W2", corners[:2], calculator=calculator).get_potential_energy()
    alone = Atoms("W", calculator=calculator).get_potential_energy()
    beyond_pairs = trimer - 3 * dimer + 3 * alone
    assert angles.energy[1, at] == pytest.approx(beyond_pairs / 3, rel=1e-8, abs=1e-12)
