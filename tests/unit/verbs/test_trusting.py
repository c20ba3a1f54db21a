"""Grades and uncertainties from training to the command line."""

from __future__ import annotations

import json

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.calculator import PropertyNotImplementedError

import trimpot
from trimpot.cli.app import main
from trimpot.verbs import refit, train
from trimpot.verbs.showing import show


def without(trained, output, *more):
    """The same training without uncertainties."""
    config = trained.output / "config.yaml"
    overrides = [f"output={output}", "uncertainty=false", "figures=false", *more]
    return train(config, overrides)


def test_a_trained_potential_knows_its_limits(trained):
    calculator = trimpot.Calculator(trimpot.load(trained.model), threads=1)
    atoms = bulk("W", "bcc", a=3.1, cubic=True) * (2, 1, 1)
    inside = calculator.get_grades(atoms)
    assert inside.shape == (4,)
    atoms.positions[0] += 1.3
    assert calculator.get_grades(atoms).max() > 10.0 * inside.max()
    found = calculator.get_uncertainty(atoms)
    assert found.forces.shape == (4, 3)
    assert (found.forces > 0.0).all()
    assert found.energy is None  # 20 held-out frames are needed


def test_training_and_evaluation_say_what_uncertainties_are_worth(
    trained, data_file, capsys
):
    written = json.loads((trained.output / "uncertainty.json").read_text())
    assert set(written) == {"test"}
    assert main(["evaluate", str(trained.model), str(data_file), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert 0.0 <= document["uncertainty"]["share_of_frames_with_grade_above_1"] <= 1.0
    coverage = document["uncertainty"]["coverage_of_95_percent_intervals"]
    assert 0.5 < coverage["forces"] <= 1.0
    assert main(["evaluate", str(trained.model), str(data_file)]) == 0
    assert "grade above 1" in capsys.readouterr().out


def test_uncertainty_can_be_left_out_and_changes_no_coefficient(trained, tmp_path):
    plain = without(trained, tmp_path / "plain")
    for a, b in zip(
        plain.potential.coefficients, trained.potential.coefficients, strict=True
    ):
        np.testing.assert_array_equal(a, b)
    assert plain.potential.grader() is None
    assert not (plain.output / "uncertainty.json").exists()
    assert plain.model.stat().st_size < trained.model.stat().st_size
    calculator = trimpot.Calculator(plain.potential)
    with pytest.raises(PropertyNotImplementedError, match="uncertainty: true"):
        calculator.get_grades(bulk("W"))
    assert "no extrapolation grades" in show(plain.model).card
    assert "98 %" in show(trained.model).card


def test_a_refit_without_data_has_no_grades(trained, tmp_path):
    first = without(trained, tmp_path / "again", "cache_gb=2.0")
    again = refit(first.output / "config.yaml")
    assert again.potential.grader() is None
