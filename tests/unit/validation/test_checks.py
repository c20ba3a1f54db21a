"""Every physical check passes a sound potential and catches the fault planted for it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from faulty_potentials import FAULTS, GOOD, LISTS, Altered, sound
from toy_potentials import Morse, crystal
from trimpot.errors import InputError, NonFiniteResultError
from trimpot.files import load
from trimpot.validation.checks import (
    FAMILIES,
    NAMES,
    CheckSettings,
    Known,
    grade_of,
    run_checks,
)
from trimpot.verbs.known_facts import known_of

QUICK = CheckSettings(drift_ps=0.2, calls=300, trios=1)
NETWORK = Path(__file__).parents[2] / "reference/potential_files/mlanet/sample.trimpot"


def known(name):
    """What is known of the sound potential; to test its file, another one is in there."""
    facts = replace(known_of(GOOD), reloaded=None)
    if name != "save-load":
        return facts
    e0s, curve, core = GOOD.coefficients
    other = replace(GOOD, coefficients=(e0s, curve * (1.0 + 1e-15), core))
    return replace(facts, reloaded=lambda: other)


def failed(checks):
    return {v.spec.name: v.value for v in checks.verdicts if not v.passed}


def test_sound_potential_passes_every_check():
    potential = sound((14, 74))
    checks = run_checks(potential, known_of(potential), settings=QUICK)
    assert [v.spec.name for v in checks.verdicts] == list(NAMES)
    assert failed(checks) == {}
    assert checks.passed
    assert all(v.applies for v in checks.verdicts)


def test_every_check_has_a_planted_fault():
    assert len(NAMES) >= 30
    assert set(FAULTS) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_planted_fault_is_caught(name, monkeypatch):
    if name in LISTS:
        monkeypatch.setattr("trimpot.engines.singlepoint.neighborhood", LISTS[name])
    (verdict,) = run_checks(FAULTS[name](), known(name), (), QUICK, only=[name]).verdicts
    assert not verdict.passed
    assert verdict.grade in "DEF"
    assert np.isfinite(verdict.value), verdict.detail


@pytest.mark.parametrize(
    ("value", "bound", "grade"),
    [
        (0.0, 1e-9, "A"),
        (1e-11, 1e-9, "A"),
        (1e-10, 1e-9, "B"),
        (1e-9, 1e-9, "C"),
        (1e-8, 1e-9, "D"),
        (1e-7, 1e-9, "E"),
        (1e-6, 1e-9, "F"),
        (0.0, 0.0, "A"),
        (1e-300, 0.0, "F"),
        (float("nan"), 1.0, "F"),
        (float("inf"), 1.0, "F"),
    ],
)
def test_grade(value, bound, grade):
    assert grade_of(value, bound) == grade


def test_single_arithmetic_has_bounds_of_its_own_and_is_smooth_in_double():
    network = replace(load(NETWORK), precision="float32")
    families = ["derivatives", "symmetries", "cells", "separation", "consistency"]
    checks = run_checks(network, known_of(network), (), QUICK, only=families)
    assert failed(checks) == {}
    assert checks["rotation-forces"].bound == 1e-3
    assert checks["moving"].bound == 1e-10, "the double version is judged"
    assert checks["rotation-energy"].value > 1e-10, "too much for double arithmetic"
    double = replace(known_of(network), single=False)
    assert not run_checks(network, double, only=["rotation-energy"]).passed


def test_what_a_potential_lacks_is_not_applicable_and_says_why():
    only = ["consistency", "isolated-energy", "nve-drift-mixed"]
    checks = run_checks(Altered(), Known(), (), QUICK, only=only)
    reasons = {v.spec.name: v.detail for v in checks.verdicts if not v.applies}
    assert reasons == {
        "batch": "the potential evaluates one structure at a time",
        "mixed-precision": "the potential computes in one precision only",
        "nve-drift-mixed": "the potential computes in one precision only",
        "save-load": "the potential has no file",
        "isolated-energy": "nobody says what energies isolated atoms ought to have",
    }
    assert checks.passed
    assert checks["batch"].grade == "-"


def test_direct_forces_are_not_judged_as_a_gradient():
    nothing = np.full((3, 3), np.nan)
    potential = Altered(lambda _, e: (e.energies, e.forces, nothing, False))
    potential.conservative = False
    checks = run_checks(potential, Known(), (), QUICK)
    named = {v.spec.name for v in checks.verdicts if not v.applies}
    assert {"forces-derivative", "supercell-virial", "nve-drift", "virial-moment"} <= named
    assert "predicted directly" in checks["nve-drift"].detail
    assert failed(checks) == {}


class Broken(Morse):
    def evaluate(self, neighborhood, *, threads=0):  # noqa: ARG002 - the contract
        raise NonFiniteResultError("energy of atom 0 is nan")


def test_a_potential_that_raises_fails_and_nothing_crashes():
    checks = run_checks(Broken(), Known(), (), QUICK)
    assert not checks.passed
    assert len(checks.verdicts) == len(NAMES)
    verdict = checks["rotation-energy"]
    assert np.isnan(verdict.value)
    assert verdict.grade == "F"
    assert verdict.detail == "NonFiniteResultError: energy of atom 0 is nan"


def test_structures_of_the_user_are_judged():
    """A fault that only cells of 54 atoms have is found if such a cell is given."""
    potential = Altered(
        lambda a, e: (e.energies, e.forces * (1.0 - 2.0 * (a.n_local == 54)), e.virial)
    )
    run = {"settings": QUICK, "only": ["forces-derivative"]}
    assert run_checks(potential, known("x"), **run).passed
    checks = run_checks(potential, known("x"), [crystal(3)], **run)
    assert not checks.passed
    assert checks["forces-derivative"].detail.startswith("structure 0, atom")


def test_advice_fails_without_failing_the_whole():
    faulty = FAULTS["dimer-force-flips"]()
    checks = run_checks(faulty, known("x"), (), QUICK, only=["repulsion"])
    assert not checks["dimer-force-flips"].passed
    assert checks.passed
    assert checks.counts["advice"] >= 1


def test_names_of_checks_and_families_choose():
    seen = []
    checks = run_checks(
        GOOD,
        known("x"),
        settings=QUICK,
        only=["net-force", "derivatives"],
        progress=lambda *step: seen.append(step),
    )
    assert [v.spec.name for v in checks.verdicts][-1] == "net-force"
    assert len(checks.verdicts) == 5
    assert seen[0] == ("derivatives", 0, 2)
    assert seen[-1][1:] == (2, 2)
    with pytest.raises(InputError, match="did you mean net-force"):
        run_checks(GOOD, only=["net-forces"])
    with pytest.raises(InputError, match="drift_ps is 0"):
        CheckSettings(drift_ps=0.0)


def test_every_check_explains_itself_and_stands_in_the_documentation():
    page = Path(__file__).parents[3] / "docs/how-to/validate.md"
    text = page.read_text("utf-8")
    for family in FAMILIES:
        for spec in family.specs:
            assert spec.meaning.endswith("."), spec.name
            assert spec.title, spec.name
            assert f"| `{spec.name}` |" in text, spec.name


def test_examination_becomes_plain_json():
    checks = run_checks(GOOD, known("x"), settings=QUICK, only=["derivatives"])
    document = json.loads(json.dumps(checks.to_dict()))
    assert document["counts"]["passed"] == 4
    assert document["checks"][0]["grade"] in "ABC"
    assert document["checks"][0]["meaning"].startswith("Forces are not the slope")
