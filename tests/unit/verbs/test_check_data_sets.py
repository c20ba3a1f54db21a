"""check-data on data sets of the field: nothing but what is known to be wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from faults.field import FIELD
from trimpot import check_data

DATA = Path(__file__).parents[4] / "shared" / "data"
KNOWN = {
    "formate_cu": {"net-force"},
    "spice_les": {"energy-offset"},
    "water_rpbe_n2p2": {"labels-conflict"},
    "wbe_fitsnap": {"labels-conflict", "label-inconsistent"},
    "cumulene_gnl": {"label-inconsistent"},
    "ta_fitsnap": {"label-inconsistent"},
}
"""Warnings and errors that are true; docs/benchmarks/data-checks.md says why."""

FAST = ("carbon_gap17_100", "ta_fitsnap", "phosphorus_mbd", "charged_dimers_lode")
NAMES = (
    sorted(path.name for path in DATA.iterdir() if path.is_dir()) if DATA.is_dir() else []
)


def alarms(name):
    files = sorted(str(path) for path in (DATA / name).glob("*.extxyz.xz"))
    found = check_data(files, threads=1).findings
    return {f.code for f in found if f.severity != "note"}


@pytest.mark.parametrize("name", FAST)
def test_no_false_alarm_on_small_sets(name):
    if not (DATA / name).is_dir():
        pytest.skip(f"needs {DATA / name}")
    assert alarms(name) <= KNOWN.get(name, set())


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES or ["none"])
def test_no_false_alarm(name):
    if not (DATA / name).is_dir():
        pytest.skip(f"needs the data sets in {DATA}")
    assert alarms(name) <= KNOWN.get(name, set())


SEEN = [fault for fault in FIELD if fault.code is not None]
QUICK = ("energies per atom", "gradients", "one energy off by 5 eV", "stress in bar")


def assert_named(fault, folder):
    if not DATA.is_dir():
        pytest.skip(f"needs the data sets in {DATA}")
    found = check_data([str(path) for path in fault.write(folder)], threads=1).findings
    named = [f for f in found if f.code == fault.code and fault.remedy in f.remedy]
    assert named, [(f.code, f.title, f.remedy) for f in found]


def test_the_second_corpus_says_what_it_does_not_see():
    assert len(FIELD) >= 40
    assert {fault.first for fault in FIELD} == {"named", "vague", "wrong", "missed"}
    assert all(fault.remedy for fault in SEEN)


@pytest.mark.parametrize("name", QUICK)
def test_mistake_in_real_data_is_named(tmp_path, name):
    assert_named(next(fault for fault in SEEN if fault.name == name), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("fault", SEEN, ids=[f"{f.name}, {f.source}" for f in SEEN])
def test_every_mistake_in_real_data_is_named(tmp_path, fault):
    assert_named(fault, tmp_path)
