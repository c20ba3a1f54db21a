"""Scans of scaled structures, and checks that catch collapses and false wells."""

from dataclasses import replace

import numpy as np
import pytest

from toy_potentials import Morse, cluster, crystal
from trimpot.engines.singlepoint import evaluate
from trimpot.errors import InputError
from trimpot.units import GPA_PER_EV_PER_A3
from trimpot.validation.scaling_scans import (
    ScaledScan,
    check_compression,
    check_expansion,
    check_floor,
    check_pressure,
    check_wells,
    largest_fall,
    scaled_scan,
    wells,
)
from trimpot.validation.scans import bent_trimer_scan, trimer_scan

SCALE = np.arange(0.7, 1.9, 0.005)
REST = int(np.abs(SCALE - 1.0).argmin())


def rose(scale=SCALE, *, eta=5.0, bump=0.0, at=0.8, width=0.02):
    """Universal binding curve of depth 4 eV with a bump."""
    a = eta * (scale - 1.0)
    energy = -4.0 * (1.0 + a) * np.exp(-a)
    energy = energy + bump * np.exp(-(((scale - at) / width) ** 2))
    slope = np.gradient(energy, scale)
    return ScaledScan("x", scale, energy, -slope / (3.0 * 10.0 * scale**2))


def test_pressure_is_the_slope_of_the_energy_and_energies_are_above_isolated_atoms():
    structure = crystal(2, 3.1, 0.05, 74, seed=1)
    scale = np.linspace(0.95, 1.05, 101)
    scan = scaled_scan(Morse(), structure, scale, name="W")
    volume = structure.volume * scale**3 / len(structure)
    slope = np.gradient(scan.energy, volume, edge_order=2)
    np.testing.assert_allclose(scan.pressure[2:-2], -slope[2:-2], atol=1e-4)
    found = evaluate(Morse(), structure)
    assert scan.energy[50] == pytest.approx(found.energy / len(structure) + 2.0)
    assert scan.name == "W"


def test_scaled_scans_refuse_bad_input():
    with pytest.raises(InputError, match="ascending"):
        scaled_scan(Morse(), crystal(), np.array([1.0, 0.9]), name="x")
    with pytest.raises(InputError, match="volume"):
        scaled_scan(Morse(), cluster(), np.array([1.0]), name="x")
    with pytest.raises(InputError, match="no scale from 2"):
        rose().lowest(2.0, 3.0)


def test_a_binding_curve_passes():
    scan = rose()
    assert scan.lowest(0.9, 1.1) == REST
    found = [
        check_wells(scan, 0.7, 1.4),
        check_pressure(scan, 0.7, 1.4),
        check_compression(scan, REST),
        check_expansion(scan, REST),
        check_floor("x", scan.scale, scan.energy, -4.0),
    ]
    assert all(check.passed for check in found), [str(check) for check in found]


def test_a_dip_on_the_way_in_is_a_collapse():
    scan = rose(bump=-6.0, at=0.75)
    check = check_compression(scan, REST)
    assert not check.passed
    assert check.detail.startswith("at scale 0.75")
    assert not check_pressure(scan, 0.7, 1.4).passed
    assert check_wells(scan, 0.7, 1.4).value == 2
    assert check_expansion(scan, REST).passed


def test_energies_above_isolated_atoms_fall_on_expansion():
    scan = rose(bump=0.5, at=1.8)
    assert not check_expansion(scan, REST).passed
    higher = replace(rose(), energy=rose().energy + 0.5)
    assert check_expansion(higher, REST).value == pytest.approx(0.26, abs=0.01)
    assert check_compression(scan, REST).passed


def test_a_deeper_well_is_found():
    scan = rose(bump=-9.0, at=0.75)
    check = check_floor("x", scan.scale, scan.energy, -4.0)
    assert check.value == pytest.approx(-4.0 - scan.energy.min())
    assert not check.passed
    assert check.detail == "at 0.75"


def test_pressure_of_the_wrong_sign_is_in_gpa():
    scan = replace(rose(), pressure=np.full(len(SCALE), 0.01))
    check = check_pressure(scan, 0.7, 1.4)
    assert check.value == pytest.approx(0.01 * GPA_PER_EV_PER_A3)
    assert check_pressure(scan, 0.7, 0.99).value == 0.0


@pytest.mark.parametrize(
    ("energy", "depth", "expected"),
    [
        ([3, 1, 0, 1, 3], 0.5, [2]),
        ([3, 0, 2, 1, 3], 0.5, [1, 3]),
        ([3, 0, 2, 1, 3], 1.5, [1]),
        ([0, 2, 1, 3], 0.5, [0, 2]),
        ([3, 2, 1], 0.5, [2]),
        ([3, 1, 2, 0], 0.5, [1, 3]),
        ([1, 1, 1], 0.5, [0]),
    ],
)
def test_wells_are_minima_between_walls(energy, depth, expected):
    assert wells(np.array(energy, dtype=float), depth) == expected


def test_largest_fall_remembers_the_highest_point():
    assert largest_fall(np.array([0.0, 2.0, 1.5, 1.8, 1.0, 5.0])) == (1.0, 4)
    assert largest_fall(np.array([0.0, 1.0])) == (0.0, 0)


def test_trimers_of_any_angle_agree_with_the_named_ones():
    r = np.linspace(2.0, 3.0, 5)
    named = trimer_scan(Morse(), (74, 14, 74), r, geometry="isosceles")
    found = bent_trimer_scan(Morse(), (74, 14, 74), r, 100.0)
    np.testing.assert_array_equal(found.energy, named.energy)
    assert (named.name, found.name) == ("Si-W-W isosceles", "Si-W-W 100 degrees")
