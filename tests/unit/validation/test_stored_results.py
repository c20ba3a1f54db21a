"""Results that went through JSON say the same."""

import json

import pytest

from crystal_subjects import lj_subject
from toy_potentials import NotFinite
from trimpot.errors import InputError
from trimpot.validation.checks import Examination, run_checks
from trimpot.validation.running_suites import RunSettings, run_suite
from trimpot.validation.stored_suites import result_from_dict, result_to_dict
from trimpot.validation.suites import load_suite
from trimpot.verbs.plain import finite_plain

TEXT = """
name: copper
elements: [Cu]
phases:
  fcc: {lattice: fcc, elements: [Cu], a: 3.9}
  far: {lattice: fcc, elements: [Cu], a: 9.9}
properties:
  size: {protocol: equation_of_state, phase: fcc, settings: {points: 11}}
  gone: {protocol: equation_of_state, phase: far, settings: {points: 11}}
quantities:
  a0: {property: size, value: a0, unit: A, reference: 3.968, tolerance: 0.001, source: x}
  a1: {property: gone, value: a0, unit: A}
published:
  other: {source: paper, values: {a0: 3.9685}}
"""


def test_a_suite_and_its_failures_come_back(tmp_path):
    path = tmp_path / "copper.yaml"
    path.write_text(TEXT)
    result = run_suite([lj_subject()], load_suite(path), RunSettings(processes=1))
    text = json.dumps(result_to_dict(result), allow_nan=False)
    again = result_from_dict(json.loads(text))
    assert again.rows == result.rows
    assert again.failures == result.failures != ()
    for name, one in result.suite.properties.items():
        assert again.suite.properties[name].settings == one.settings
        assert again.suite.properties[name].phase == one.phase
    assert again.to_dict() == result.to_dict()
    assert result_to_dict(again) == result_to_dict(result)
    with pytest.raises(InputError, match="malformed"):
        result_from_dict({"models": {}})


def test_checks_come_back_with_what_is_not_a_number():
    found = run_checks(NotFinite(), only=["net-force", "save-load", "rotation-energy"])
    assert not found.passed
    text = json.dumps(finite_plain(found.to_dict()), allow_nan=False)
    again = Examination.from_dict(json.loads(text))
    assert again.counts == found.counts
    assert [v.grade for v in again.verdicts] == [v.grade for v in found.verdicts]
    assert [v.detail for v in again.verdicts] == [v.detail for v in found.verdicts]
    with pytest.raises(InputError, match="malformed"):
        Examination.from_dict({"checks": [{"name": "x"}]})
