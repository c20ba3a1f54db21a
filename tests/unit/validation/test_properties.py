"""Protocols against independent answers: exact theory, literature; and planted failures."""

import json

import numpy as np
import pytest
from ase.calculators.calculator import Calculator
from ase.calculators.lj import LennardJones
from ase.data import atomic_masses
from ase.units import _amu, _e

from crystal_subjects import (
    BCC_CU,
    D0,
    DIAMOND_SI,
    FCC_CU,
    STIFFNESS,
    lj_subject,
    measured,
    sw_subject,
)
from trimpot.engines.lammps.finding import find_lmp
from trimpot.errors import InputError
from trimpot.units import GPA_PER_EV_PER_A3
from trimpot.validation.properties.outcome import Outcome
from trimpot.validation.subjects import subject_of_calculator

C11_LJ = np.sqrt(2.0) * STIFFNESS / D0 * GPA_PER_EV_PER_A3
"""Born's sum over nearest neighbours of fcc; C12 = C44 = C11 / 2."""


@pytest.fixture(scope="module")
def lj():
    return lj_subject()


@pytest.fixture(scope="module")
def lj_lattice(lj):
    return measured(lj, "equation_of_state", FCC_CU)


@pytest.fixture(scope="module")
def sw(tmp_path_factory):
    if find_lmp() is None:
        pytest.skip("needs lmp")
    return sw_subject(tmp_path_factory.mktemp("sw"))


@pytest.fixture(scope="module")
def sw_lattice(sw):
    return measured(sw, "equation_of_state", DIAMOND_SI, points=21)


def numbers(outcome):
    assert outcome.failure is None
    return {name: value.value for name, value in outcome.values.items()}


def test_lj_crystal_has_the_exact_lattice_constant_and_bulk_modulus(lj_lattice):
    found = numbers(lj_lattice)
    assert found["a0"] == pytest.approx(np.sqrt(2.0) * D0, abs=1e-5)
    assert found["B"] == pytest.approx(C11_LJ * 2.0 / 3.0, rel=2e-3)


def test_lj_crystal_has_the_exact_elastic_constants(lj, lj_lattice):
    found = numbers(measured(lj, "elastic", FCC_CU, lj_lattice, strain=1e-3))
    expected = {"C11": C11_LJ, "C12": C11_LJ / 2, "C44": C11_LJ / 2}
    assert {k: found[k] for k in expected} == pytest.approx(expected, rel=1e-3)


def test_lj_vacancy_without_relaxation_costs_its_bonds(lj, lj_lattice):
    found = numbers(measured(lj, "vacancy", FCC_CU, lj_lattice, repeat=(3, 3, 3)))
    bond = -lj_lattice.number("energy") / 6.0
    assert found["unrelaxed"] == pytest.approx(6.0 * bond, rel=1e-6)
    assert 0.9 * found["unrelaxed"] < found["formation"] <= found["unrelaxed"] + 1e-9


def test_lj_phonons_are_those_of_the_exact_dynamical_matrix(lj, lj_lattice):
    pytest.importorskip("phonopy")
    unit = np.sqrt(STIFFNESS / atomic_masses[29] * _e / _amu) * 1e10 / 1e12 / (2 * np.pi)
    at_x = [2.0 * unit, 2.0 * unit, np.sqrt(8.0) * unit]
    at_l = [np.sqrt(2.0) * unit, np.sqrt(2.0) * unit, np.sqrt(8.0) * unit]
    reference = [
        {"segment": 0, "at": 1.0, "frequencies": at_x},
        {"segment": 3, "at": 1.0, "frequencies": at_l},
    ]
    found = measured(
        lj, "phonons", FCC_CU, lj_lattice, reference=reference, displacement=0.005, mesh=8
    )
    values = numbers(found)
    assert values["rmse"] < 2e-3 * at_x[-1]
    assert values["highest"] == pytest.approx(at_x[-1], rel=2e-3)
    density = found.curves["density"]
    assert np.trapezoid(density.y, density.x) == pytest.approx(3.0, rel=0.05)
    assert [name for _, name in found.curves["bands"].marks][:3] == ["G", "X", "U|K"]


def test_bcc_of_lennard_jones_fails_as_a_result(lj):
    lattice = measured(lj, "equation_of_state", BCC_CU)
    assert lattice.failure is None
    found = measured(lj, "elastic", BCC_CU, lattice)
    assert "not stable" in found.failure
    assert found.number("lowest") < 0.0 < found.number("C11")


def test_lj_vacancy_hops_over_a_barrier(lj, lj_lattice):
    found = measured(lj, "migration", FCC_CU, lj_lattice, repeat=(2, 2, 2), images=3)
    path = found.curves["path"].y
    assert numbers(found)["barrier"] == pytest.approx(path.max())
    assert path[-1] == pytest.approx(0.0, abs=1e-3)  # the ends are equivalent
    assert path[1] == pytest.approx(path[3], abs=0.02 * path.max())
    assert np.argmax(path) == 2


def test_imaginary_modes_are_a_failure_with_curves(lj):
    pytest.importorskip("phonopy")
    lattice = measured(lj, "equation_of_state", BCC_CU)
    found = measured(lj, "phonons", BCC_CU, lattice, repeat=(3, 3, 3), mesh=6)
    assert "imaginary" in found.failure
    assert found.curves["bands"].y.min() < -0.1


def test_a_curve_without_minimum_is_a_failure_with_the_curve():
    repulsive = subject_of_calculator(
        lambda: LennardJones(epsilon=1.0, sigma=9.0, rc=6.0), "wall", ("Cu",), "wall"
    )
    found = measured(repulsive, "equation_of_state", FCC_CU, points=11)
    assert "no minimum" in found.failure
    assert len(found.curves["energy"].x) == 11


class Broken(Calculator):
    """Says nothing but NaN."""

    implemented_properties = ["energy", "forces", "stress"]  # noqa: RUF012

    def calculate(self, atoms, *_args):
        self.results = {
            "energy": float("nan"),
            "forces": np.full((len(atoms), 3), np.nan),
            "stress": np.full(6, np.nan),
        }


@pytest.mark.parametrize(
    "protocol",
    [
        "equation_of_state",
        "elastic",
        "vacancy",
        "surface",
        "interstitial",
        "migration",
        "gamma_line",
    ],
)
def test_nan_is_a_failure_of_every_protocol(protocol):
    broken = subject_of_calculator(Broken, "broken", ("Cu",), "nan")
    more = {} if protocol == "equation_of_state" else {"steps": 3}
    if protocol == "gamma_line":
        more["system"] = "111<112>"
    found = measured(broken, protocol, FCC_CU, **more)
    assert found.failure
    assert json.dumps(found.to_dict(), allow_nan=False)


def test_an_outcome_survives_json(lj_lattice):
    stored = json.dumps(lj_lattice.to_dict(), allow_nan=False)
    back = Outcome.from_dict(json.loads(stored))
    assert back.values == lj_lattice.values
    np.testing.assert_array_equal(back.curves["energy"].y, lj_lattice.curves["energy"].y)
    assert back.to_dict() == json.loads(stored)


def test_sw_silicon_is_that_of_the_literature(sw, sw_lattice):
    found = numbers(sw_lattice)
    assert found["a0"] == pytest.approx(5.431, abs=1e-3)
    assert found["energy"] == pytest.approx(-2.0 * 2.1683, abs=1e-3)
    # Balamane, Halicioglu, Tiller, Phys. Rev. B 46, 2250 (1992), tables III and VI
    elastic = numbers(measured(sw, "elastic", DIAMOND_SI, sw_lattice, strain=2e-3))
    expected = {"C11": 151.4, "C12": 76.4, "C44": 56.4}
    assert {k: elastic[k] for k in expected} == pytest.approx(expected, rel=0.01)


# Point defects: Balamane et al. 1992, as 64 sites give; 216 give 2.69, 5.00, 4.47 eV


def test_sw_vacancy_is_that_of_the_literature(sw, sw_lattice):
    outcome = measured(sw, "vacancy", DIAMOND_SI, sw_lattice, repeat=(2, 2, 2))
    found = numbers(outcome)
    assert found["unrelaxed"] == pytest.approx(2.0 * 2.1683, abs=2e-3)  # four half bonds
    assert found["formation"] == pytest.approx(2.82, abs=0.05)
    assert any("ideal vacancy" in note for note in outcome.notes)


def test_sw_surfaces_cost_the_bonds_that_they_cut(sw, sw_lattice):
    found = numbers(
        measured(sw, "surface", DIAMOND_SI, sw_lattice, relaxed=False, thickness=12.0)
    )
    bond, a = 2.1683, sw_lattice.number("a0")
    expected = {
        "100": 2.0 * bond / a**2,
        "110": np.sqrt(2.0) * bond / a**2,
        "111": 2.0 / np.sqrt(3.0) * bond / a**2,
    }
    assert found == pytest.approx(expected, rel=2e-3)


def test_sw_interstitial_is_that_of_the_literature(sw, sw_lattice):
    found = measured(
        sw,
        "interstitial",
        DIAMOND_SI,
        sw_lattice,
        sites=["tetrahedral", "dumbbell_110"],
        repeat=(2, 2, 2),
    )
    values = numbers(found)
    assert values["tetrahedral"] == pytest.approx(5.25, abs=0.1)
    assert values["dumbbell_110"] == pytest.approx(4.68, abs=0.1)


def test_lj_stacking_fault_of_nearest_neighbours_costs_nothing(lj, lj_lattice):
    found = measured(
        lj, "gamma_line", FCC_CU, lj_lattice, points=7, thickness=12.0, system="111<112>"
    )
    values = numbers(found)
    assert values["stacking_fault"] == pytest.approx(0.0, abs=1e-6)  # as many neighbours
    assert values["unstable"] > 1e-3
    assert found.curves["line"].y[-1] == pytest.approx(0.0, abs=1e-6)  # a whole shift


def test_lj_gamma_line_of_slip_is_symmetric(lj, lj_lattice):
    settings = {"system": "111<110>", "points": 5, "thickness": 12.0}
    line = measured(lj, "gamma_line", FCC_CU, lj_lattice, **settings).curves["line"].y
    np.testing.assert_allclose(line, line[::-1], atol=1e-5)
    assert np.argmax(line) == 2


def test_unknown_settings_sites_and_facets_are_named(lj):
    for protocol, settings, words in (
        ("elastic", {"strian": 0.01}, "did you mean strain"),
        ("elastic", {"strain": "much"}, "strain: found 'much'"),
        ("surface", {"facets": ["1-10"]}, "found the facet"),
        ("interstitial", {"sites": ["here"]}, "found the site 'here'"),
        ("gamma_line", {"system": "110<111>"}, "fcc has no system 110<111>"),
        ("gamma_line", {"system": "1<1>"}, "found the system '1<1>'"),
    ):
        with pytest.raises(InputError, match=words):
            measured(lj, protocol, FCC_CU, **settings)
