"""Units, signs and orders of labels that ReadRules states."""

from __future__ import annotations

import numpy as np
import pytest

from trimpot.data import ReadRules, read
from trimpot.errors import InputError
from trimpot.units import BOHR_A, HARTREE_EV

POSITIONS = "Properties=species:S:1:pos:R:3:forces:R:3"
STRESS = 'stress="0.1 0.2 0.3 0.04 0.05 0.06"'


def first(tmp_path, rules, label=STRESS):
    path = tmp_path / "a.xyz"
    path.write_text(
        f'2\nLattice="4 0 0 0 4 0 0 0 4" {POSITIONS} energy=-3.0 {label}\n'
        "W 0 0 0 0.1 0 0\nW 2 2 2 -0.1 0 0\n"
    )
    return read(path, rules=rules)[0]


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("Ha", 27.2114), ("Ry", 13.6057), ("kcal/mol", 0.0433641), ("kJ/mol", 0.0103643)],
)
def test_energy_unit(tmp_path, unit, factor):
    assert first(tmp_path, ReadRules(energy_unit=unit)).energy == pytest.approx(
        -3.0 * factor, rel=1e-5
    )


def test_energies_per_atom(tmp_path):
    frame = first(tmp_path, ReadRules(energy_kind="per_atom", energy_unit="meV"))
    assert frame.energy == pytest.approx(-6e-3)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("Ha/bohr", 51.4221),
        ("Ry/bohr", 25.7110),
        ("kcal/mol/A", 0.0433641),
        ("meV/A", 1e-3),
    ],
)
def test_force_unit_and_sign(tmp_path, unit, factor):
    frame = first(tmp_path, ReadRules(force_unit=unit, force_sign="gradient"))
    np.testing.assert_allclose(frame.forces[0], [-0.1 * factor, 0, 0], rtol=1e-5)


def test_lengths_in_bohr(tmp_path):
    frame = first(tmp_path, ReadRules(length_unit="bohr"), 'virial="1 2 3 0 0 0"')
    assert frame.structure.volume == pytest.approx((4.0 * BOHR_A) ** 3)
    np.testing.assert_allclose(frame.structure.positions[1], 2.0 * BOHR_A)
    assert frame.stress[0, 0] == pytest.approx(-1.0 / frame.structure.volume)


@pytest.mark.parametrize(
    ("order", "yz", "xz", "xy"),
    [("yz xz xy", 0.04, 0.05, 0.06), ("xy yz xz", 0.05, 0.06, 0.04),
     ("xy xz yz", 0.06, 0.05, 0.04)],
)  # fmt: skip
def test_voigt_order(tmp_path, order, yz, xz, xy):
    stress = first(tmp_path, ReadRules(voigt_order=order)).stress
    assert (stress[1, 2], stress[0, 2], stress[0, 1]) == (yz, xz, xy)
    np.testing.assert_array_equal(stress, stress.T)
    np.testing.assert_array_equal(np.diag(stress), [0.1, 0.2, 0.3])


def test_virial_sign_and_unit(tmp_path):
    rules = ReadRules(virial_sign="+stress", energy_unit="Ha")
    stress = first(tmp_path, rules, 'virial=".1 .2 .3 0 0 0"').stress
    assert stress[1, 1] == pytest.approx(0.2 * HARTREE_EV / 64.0)


def test_code_outputs_keep_their_units():
    rules = ReadRules(energy_unit="Ha", stress_sign="compression", max_force=5.0)
    plain = rules.of_code_output()
    assert plain.energy_factor(3) == plain.stress_factor == plain.force_factor == 1.0
    assert plain.max_force == 5.0


def test_unknown_unit_is_refused():
    with pytest.raises(InputError, match="energy_unit = 'hartree', expected one of eV"):
        ReadRules(energy_unit="hartree")
