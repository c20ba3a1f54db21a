"""The physical checks pass a sound potential and catch each planted bug."""

import numpy as np
import pytest

from toy_potentials import (
    AttractiveCore,
    HardCutoff,
    Morse,
    NonExtensive,
    NotRotated,
    OrderDependent,
    ShiftedCutoff,
    WrongForceSign,
    WrongStressSign,
    cluster,
    crystal,
    short_sighted,
    skewed,
)
from trimpot.errors import InputError
from trimpot.validation.check import Check
from trimpot.validation.derivatives import check_forces, check_stress
from trimpot.validation.physics import potential_checks, structure_checks
from trimpot.validation.scans import (
    check_isolated_atoms,
    check_repulsion,
    dimer_scan,
    isolated_energies,
    trimer_scan,
)
from trimpot.validation.smoothness import check_cutoff_crossing
from trimpot.validation.symmetry import (
    check_cell_choice,
    check_extensivity,
    check_fragments,
    check_net_force,
    check_permutation,
    check_rotation,
    check_translation,
)


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def failed(checks):
    return {check.name for check in checks if not check.passed}


@pytest.mark.parametrize("structure", [skewed(), cluster()], ids=["skewed", "cluster"])
def test_sound_potential_passes_on_structures(structure, rng):
    checks = structure_checks(Morse(), structure, rng)
    assert failed(checks) == set(), [str(check) for check in checks]


def test_sound_potential_passes_alone():
    checks = potential_checks(Morse(), repulsive_below=2.0)
    assert failed(checks) == set(), [str(check) for check in checks]
    # 3 pairs; per centre and pair of neighbours 2 crossings and 3 geometries
    assert len(checks) == 3 + 2 * 3 * 5


def test_finite_differences_catch_a_wrong_force_sign():
    structure = skewed()
    assert check_forces(Morse(), structure, atoms=[0]).passed
    check = check_forces(WrongForceSign(), structure, atoms=[0])
    assert not check.passed
    assert "atom 0 W" in check.detail


def test_finite_differences_catch_a_wrong_stress_sign():
    assert check_stress(Morse(), skewed()).passed
    assert not check_stress(WrongStressSign(), skewed()).passed


def test_stress_of_a_cluster_is_refused():
    with pytest.raises(InputError, match="volume"):
        check_stress(Morse(), cluster())


def test_wide_step_is_refused():
    with pytest.raises(InputError, match="step"):
        check_forces(Morse(), skewed(), step=0.5)


def test_rotation_catches_a_preferred_direction(rng):
    assert failed(check_rotation(Morse(), cluster(), rng)) == set()
    assert failed(check_rotation(NotRotated(), cluster(), rng)) == {
        "rotation: energy",
        "rotation: forces",
        "reflection: energy",
        "reflection: forces",
    }


def test_translation_and_net_force_catch_an_external_field(rng):
    assert "translation: energy" in failed(check_translation(NotRotated(), cluster(), rng))
    assert "net force" in failed(check_net_force(NotRotated(), cluster()))
    assert failed(check_net_force(Morse(), cluster())) == set()


def test_permutation_catches_a_special_atom(rng):
    assert failed(check_permutation(OrderDependent(), skewed(), rng)) == {
        "permutation: energy"
    }


def test_supercells_catch_a_non_extensive_energy():
    structure = skewed()
    assert failed(check_extensivity(Morse(), structure, times=(2, 2, 1))) == set()
    assert "extensivity: energy" in failed(
        check_extensivity(NonExtensive(), structure, times=(2, 2, 1))
    )


def test_supercell_leaves_open_directions_alone():
    slab = skewed()
    slab = type(slab)(
        slab.numbers, slab.positions, slab.cell, np.array([True, True, False])
    )
    (energy, *_) = check_extensivity(Morse(), slab, times=(2, 2, 2))
    assert energy.passed
    assert energy.detail == "2x2x1 supercell"


def test_cell_choice_catches_a_short_sighted_list(rng, monkeypatch):
    assert failed(check_cell_choice(Morse(), skewed(), rng)) == set()
    monkeypatch.setattr("trimpot.engines.singlepoint.neighborhood", short_sighted)
    found = failed(check_cell_choice(Morse(), skewed(), rng))
    assert {"skewed cell: energy", "other images: energy"} <= found


def test_fragments_are_independent():
    assert failed(check_fragments(Morse(), cluster())) == set()
    assert "separate fragments: energy" in failed(
        check_fragments(NonExtensive(), cluster())
    )


def test_smoothness_catches_a_hard_cutoff_in_energy_and_force():
    trio = (74, 14, 74)
    assert failed(check_cutoff_crossing(Morse(), trio)) == set()
    assert failed(check_cutoff_crossing(HardCutoff(), trio)) == {
        "cutoff crossing: energy jump",
        "cutoff crossing: force jump",
    }


def test_smoothness_finds_a_force_jump_behind_a_continuous_energy():
    potential = ShiftedCutoff()
    _, force = check_cutoff_crossing(potential, (74, 74, 74))
    _, slope = potential.pair(np.array(potential.cutoff - 1e-12))
    assert not force.passed
    assert force.value == pytest.approx(abs(float(slope)), rel=1e-3)
    assert abs(float(force.detail.split()[1]) - potential.cutoff) < 1e-3


def test_smoothness_looks_where_it_is_told():
    assert failed(check_cutoff_crossing(HardCutoff(), (74, 74, 74), radii=[4.0])) == set()
    with pytest.raises(InputError, match="radii"):
        check_cutoff_crossing(HardCutoff(), (74, 74, 74), radii=[0.0])


def test_dimer_scan_is_the_pair_function():
    potential = Morse()
    r = np.linspace(0.4, 6.0, 57)
    scan = dimer_scan(potential, 74, 14, r)
    energy, slope = potential.pair(r)
    np.testing.assert_allclose(scan.energy, energy, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(scan.force, -slope, rtol=1e-10, atol=1e-14)
    fine = np.linspace(2.0, 3.0, 10001)
    lowest = fine[np.argmin(potential.pair(fine)[0])]
    assert scan.name == "W-Si"
    assert scan.force_flips == 1
    assert scan.minima == pytest.approx([lowest], abs=0.01)


@pytest.mark.parametrize("geometry", ["equilateral", "isosceles", "linear"])
def test_trimer_scan_force_is_the_slope_of_its_energy(geometry):
    r = np.linspace(2.0, 2.4, 401)
    scan = trimer_scan(Morse(), (74, 14, 74), r, geometry=geometry)
    slope = np.gradient(scan.energy, r, edge_order=2)
    np.testing.assert_allclose(scan.force[2:-2], -slope[2:-2], atol=2e-4)
    assert scan.name == f"Si-W-W {geometry}"


def test_repulsion_catches_a_collapsing_core_and_says_where():
    r = np.arange(0.2, 2.0, 0.02)
    assert check_repulsion(dimer_scan(Morse(), 74, 74, r), 1.9).passed
    check = check_repulsion(dimer_scan(AttractiveCore(), 74, 74, r), 1.9)
    assert not check.passed
    assert "attractive from" in check.detail


def test_scans_refuse_bad_input():
    with pytest.raises(InputError, match="ascending"):
        dimer_scan(Morse(), 74, 74, np.array([1.0, 0.5]))
    with pytest.raises(InputError, match="geometry"):
        trimer_scan(Morse(), (74, 74, 74), np.array([1.0, 2.0]), geometry="bent")
    with pytest.raises(InputError, match="shorter bonds"):
        check_repulsion(dimer_scan(Morse(), 74, 74, np.array([1.0, 2.0])), 0.5)


def test_isolated_atoms():
    potential = Morse()
    assert isolated_energies(potential) == potential.isolated
    assert check_isolated_atoms(potential, {74: -2.0, 14: -3.0}).passed
    check = check_isolated_atoms(potential, {74: -2.0, 14: -3.1})
    assert not check.passed
    assert check.detail == "Si"
    with pytest.raises(InputError, match="in common"):
        check_isolated_atoms(potential, {1: 0.0})


def test_checks_do_not_modify_the_structure(rng):
    structure = crystal()
    before = (structure.positions.copy(), structure.cell.copy())
    check_rotation(Morse(), structure, rng)
    check_forces(Morse(), structure, atoms=[0])
    np.testing.assert_array_equal(structure.positions, before[0])
    np.testing.assert_array_equal(structure.cell, before[1])


def test_nan_never_passes():
    assert not Check("x", float("nan"), 1.0, "eV").passed
    assert Check("x", 0.5, 1.0, "eV").to_dict()["passed"] is True
    assert str(Check("x", 2.0, 1.0, "eV", "here")).startswith("FAIL x: 2.00e+00")
