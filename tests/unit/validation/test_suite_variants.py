"""Variants of a suite, molecules in suites, and what else a file may say."""

import json

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule

from crystal_subjects import lj_subject
from trimpot.errors import InputError
from trimpot.validation.kept_results import key_of
from trimpot.validation.properties.case import Phase
from trimpot.validation.properties.protocols import PROTOCOLS
from trimpot.validation.running_suites import RunSettings, run_suite
from trimpot.validation.suites import (
    Property,
    load_suite,
    suite_names,
    suite_variants,
)

TEXT = """
name: metals
phases: {fcc: {lattice: fcc}}
properties:
  size: {protocol: equation_of_state, phase: fcc, settings: {points: 11}}
quantities:
  a0: {property: size, value: a0, unit: A, tolerance: 1 %, source: common, theory: DFT}
  B: {property: size, value: B, unit: GPa, tolerance: 10 %, source: common}
published: {other: {source: paper}}
variants:
  Cu:
    phases: {fcc: {a: 3.9}}
    quantities: {a0: {reference: 4.0}, B: {reference: 100, source: own, tolerance: 20 %}}
    published: {other: {values: {a0: 3.9}}}
  Ag:
    phases: {fcc: {a: 4.1}}
    properties: {size: {settings: {points: 15}}}
    quantities: {a0: {reference: 4.1}}
    published: {other: {values: {}}}
  CuAg:
    elements: [Cu, Ag]
    phases: {fcc: {lattice: rocksalt, a: 5.0}}
    published: {other: {values: {}}}
"""


@pytest.fixture
def suite_file(tmp_path):
    path = tmp_path / "metals.yaml"
    path.write_text(TEXT)
    return path


def test_a_variant_puts_its_own_into_what_is_common(suite_file):
    copper = load_suite(f"{suite_file}:Cu")
    assert (copper.name, copper.elements) == ("metals:Cu", ("Cu",))
    assert copper.properties["size"].phase.a == 3.9
    a0, bulk_modulus = copper.quantities.values()
    assert (a0.reference, a0.source, a0.theory) == (4.0, "common", "DFT")
    assert a0.tolerance == pytest.approx(0.04)
    assert (bulk_modulus.reference, bulk_modulus.source) == (100.0, "own")
    assert bulk_modulus.tolerance == pytest.approx(20.0)
    assert copper.published[0].values == {"a0": 3.9}
    silver = load_suite(f"{suite_file}:Ag")
    assert silver.properties["size"].settings.points == 15
    assert silver.quantities["a0"].reference == 4.1
    assert copper.properties["size"].settings.points == 11


def test_what_has_no_reference_has_no_source_and_no_tolerance(suite_file):
    unknown = load_suite(f"{suite_file}:Ag").quantities["B"]
    assert (unknown.reference, unknown.tolerance, unknown.source) == (None, None, "")


def test_the_variant_of_a_model_is_the_one_whose_elements_it_knows(suite_file):
    assert load_suite(suite_file, elements=("Cu", "W")).name == "metals:Cu"
    assert load_suite(suite_file, ("Ag",)).name == "metals:Ag"
    alloy = load_suite(f"{suite_file}:CuAg", elements=("Cu", "Ag"))
    assert alloy.properties["size"].phase.elements == ("Cu", "Ag")


@pytest.mark.parametrize(
    ("which", "elements", "words"),
    [
        ("{file}", (), "expected one of Cu, Ag, CuAg; name one, for example :Cu"),
        ("{file}", ("W",), "the model knows W"),
        ("{file}", ("Cu", "Ag"), "several variants for a model of Cu, Ag"),
        ("{file}:Au", ("Cu",), "no variant 'Au', expected one of Cu, Ag, CuAg"),
        ("tungsten:W", ("W",), "found no variants, expected no ':W'"),
        ("fcc-metal:Xx", (), "no variant 'Xx', expected one of Cu"),
        ("wolfram:W", (), "found no suite 'wolfram:W'"),
    ],
)
def test_a_variant_that_does_not_fit_is_told(suite_file, which, elements, words):
    with pytest.raises(InputError, match=words):
        load_suite(which.format(file=suite_file), elements=elements)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("    elements: [Cu, Ag]", "    element: [Cu, Ag]", "did you mean elements"),
        ("elements: [Cu, Ag]", "elements: [Cu, Xx]", "Xx"),
        ("elements: [Cu, Ag]", "elements: Cu", "rocksalt takes 2"),
        ("  CuAg:\n    elements: [Cu, Ag]", "  CuAg:", "CuAg"),
        ("a: 5.0", "b: 5.0", "unknown key 'b'"),
    ],
)
def test_what_is_wrong_with_a_variant_is_told(suite_file, old, new, words):
    assert old in TEXT
    suite_file.write_text(TEXT.replace(old, new))
    name = "CuAg"
    with pytest.raises(InputError, match=words):
        load_suite(f"{suite_file}:{name}")


@pytest.mark.parametrize(
    "which", [f"{s}:{v}" for s in suite_names() for v in suite_variants(s)]
)
def test_every_variant_that_comes_along_is_read_and_has_sources(which):
    suite = load_suite(which)
    assert suite.name == which
    known = [q for q in suite.quantities.values() if q.reference is not None]
    assert {"a0", "B", "C11", "C12", "C44"} <= {q.name for q in known}
    assert all(q.source and q.theory for q in known)
    values = {q.name: q.reference for q in known}
    born = values["C11"] - values["C12"], values["C44"]
    assert min(born) > 0.0
    mean = (values["C11"] + 2.0 * values["C12"]) / 3.0
    assert mean == pytest.approx(values["B"], rel=0.4)  # PBE beside experiment


OF_CRYSTALS = (
    *("equation_of_state", "elastic", "phonons", "vacancy"),
    *("interstitial", "migration", "surface", "gamma_line"),
)

MOLECULE = """
name: small
elements: [H, O]
phases: {molecule: {structure: water.extxyz}}
properties:
  wrong: {protocol: NAME, phase: molecule}
"""


@pytest.mark.parametrize("protocol", OF_CRYSTALS)
def test_protocols_of_crystals_refuse_a_molecule(tmp_path, protocol):
    molecule("H2O").write(tmp_path / "water.extxyz")
    path = tmp_path / "small.yaml"
    path.write_text(MOLECULE.replace("NAME", protocol))
    with pytest.raises(
        InputError, match=r"wrong: .* molecule is a molecule, but .* takes a crystal"
    ):
        load_suite(path)


def test_a_molecule_is_a_phase_of_its_own_shape():
    water = molecule("H2O")
    phase = Phase("molecule", "file", ("O", "H"), 1.0, given=water)
    assert phase.is_molecule
    np.testing.assert_array_equal(phase.primitive().positions, water.positions)
    assert not Phase("fcc", "fcc", ("Cu",), 3.6).is_molecule


def test_results_of_a_box_and_of_a_molecule_in_it_are_kept_apart():
    def key(periodic):
        atoms = Atoms("Cu2", [[0, 0, 0], [0, 0, 2.5]], cell=[9, 9, 9], pbc=periodic)
        phase = Phase("box", "file", ("Cu",), 9.0, given=atoms)
        protocol = PROTOCOLS["equation_of_state"]
        return key_of(lj_subject(), Property("x", protocol, phase, protocol.settings()), {})

    assert key(True) != key(False)


@pytest.mark.parametrize("text", ["0\n\n", "1\npbc='T T F'\nH 0 0 0\n"])
def test_a_file_without_atoms_or_of_a_slab_is_no_phase(tmp_path, text):
    (tmp_path / "water.extxyz").write_text(text)
    path = tmp_path / "small.yaml"
    path.write_text(MOLECULE.replace("NAME", "elastic"))
    with pytest.raises(InputError, match="holds neither a crystal nor a molecule"):
        load_suite(path)


def test_published_models_may_have_errors_and_a_cost(tmp_path):
    bulk("Cu", "fcc", a=3.9).write(tmp_path / "own.extxyz")
    path = tmp_path / "metals.yaml"
    errors = "errors: {energy: 5.1, force: 0.15}, cost: 10.5, "
    text = TEXT.replace("{source: paper}", "{" + errors + "source: paper}")
    path.write_text(text.replace("name: metals", "name: metals\ncost_unit: relative"))
    suite = load_suite(f"{path}:Cu")
    assert suite.published[0].errors == {"energy": 5.1, "force": 0.15}
    assert (suite.published[0].cost, suite.cost_unit) == (10.5, "relative")
    result = run_suite([lj_subject()], suite, RunSettings(processes=1))
    plain = json.loads(json.dumps(result.to_dict()))
    assert plain["published"]["other"]["cost"] == 10.5
    assert plain["cost_unit"] == "relative"
    path.write_text(text.replace("energy: 5.1", "energie: 5.1"))
    with pytest.raises(InputError, match="did you mean energy"):
        load_suite(f"{path}:Cu")


def test_a_value_that_may_be_missing_is_no_error(tmp_path):
    path = tmp_path / "metals.yaml"
    row = (
        "  peak: {property: size, value: peak, unit: A, optional: true}\npublished: {other"
    )
    path.write_text(TEXT.replace("published: {other", row, 1))
    suite = load_suite(f"{path}:Cu")
    result = run_suite([lj_subject()], suite, RunSettings(processes=1))
    entries = {row.quantity.name: row.entries["LJ"] for row in result.rows}
    assert (entries["peak"].verdict, entries["peak"].value) == ("missing", None)
    assert entries["a0"].verdict == "within"
    path.write_text(path.read_text().replace("optional: true", "optional: maybe"))
    with pytest.raises(InputError, match="expected true or false"):
        load_suite(f"{path}:Cu")
