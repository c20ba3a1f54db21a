"""The ASE calculator: results, signs, caching, refusals."""

import copy
import threading

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import PropertyNotImplementedError
from ase.filters import FrechetCellFilter
from ase.io import read, write
from ase.md.verlet import VelocityVerlet
from ase.optimize import BFGS
from ase.units import fs

from toy_potentials import Morse, NotFinite, crystal, skewed
from trimpot.engines.ase import Calculator, structure_from_atoms
from trimpot.engines.singlepoint import evaluate
from trimpot.errors import InputError, NonFiniteResultError


def atoms_of(structure, potential=None):
    atoms = Atoms(
        numbers=structure.numbers,
        positions=structure.positions,
        cell=structure.cell,
        pbc=structure.pbc,
    )
    atoms.calc = Calculator(potential or Morse(), threads=1)
    return atoms


def test_equals_direct_evaluation():
    structure = skewed()
    atoms = atoms_of(structure)
    direct = evaluate(Morse(), structure)
    assert atoms.get_potential_energy() == pytest.approx(direct.energy, abs=1e-12)
    assert atoms.get_potential_energy(force_consistent=True) == atoms.get_potential_energy()
    np.testing.assert_allclose(atoms.get_potential_energies(), direct.energies, atol=1e-12)
    np.testing.assert_allclose(atoms.get_forces(), direct.forces, atol=1e-12)
    np.testing.assert_allclose(
        atoms.get_stress(voigt=False), direct.stress(structure.volume), atol=1e-13
    )


def test_forces_alone_are_the_same_and_the_rest_is_computed_when_asked():
    structure = skewed()
    full, lean = atoms_of(structure), atoms_of(structure)
    lean.calc.forces_only = True
    assert np.array_equal(lean.get_forces(), full.get_forces())
    assert list(lean.calc.results) == ["forces"]
    assert lean.get_potential_energy() == full.get_potential_energy()
    assert np.array_equal(lean.get_stress(), full.get_stress())
    lean.positions[0] += 0.01
    full.positions[0] += 0.01
    assert lean.get_potential_energy() == full.get_potential_energy()
    assert np.array_equal(lean.get_forces(), full.get_forces())


def test_stress_is_negative_when_compressed_and_positive_when_stretched():
    for scale, sign in ((0.80, -1.0), (1.06, 1.0)):
        atoms = bulk("W", "bcc", a=3.165 * scale, cubic=True)
        atoms.calc = Calculator(Morse())
        assert np.all(sign * atoms.get_stress()[:3] > 0.0)


def test_stress_voigt_order_and_value_follow_from_energy():
    atoms = atoms_of(skewed())
    stress = atoms.get_stress(voigt=False)
    cell, step = atoms.cell.array.copy(), 1e-5
    for a, b in ((0, 0), (1, 2), (0, 2), (0, 1)):
        energies = []
        for sign in (1, -1):
            strain = np.eye(3)
            strain[a, b] += sign * step / 2
            strain[b, a] += sign * step / 2
            strained = atoms.copy()
            strained.set_cell(cell @ strain, scale_atoms=True)
            strained.calc = Calculator(Morse())
            energies.append(strained.get_potential_energy())
        slope = (energies[0] - energies[1]) / (2 * step) / atoms.get_volume()
        assert stress[a, b] == pytest.approx(slope, abs=1e-7)


def test_one_call_serves_all_properties_until_something_changes():
    potential = Morse()
    atoms = atoms_of(crystal(), potential)
    for _ in range(2):
        atoms.get_potential_energy()
        atoms.get_forces()
        atoms.get_stress()
    assert potential.calls == 1
    atoms.set_initial_charges(np.ones(len(atoms)))
    atoms.info["note"] = "irrelevant"
    atoms.get_forces()
    assert potential.calls == 1


@pytest.mark.parametrize("change", ["position", "cell", "number", "pbc", "remove"])
def test_changes_in_place_are_seen(change):
    potential = Morse()
    atoms = atoms_of(crystal(), potential)
    before = atoms.get_potential_energy()
    if change == "position":
        atoms.positions[0, 0] += 0.1
    elif change == "cell":
        atoms.cell[0, 0] *= 1.01
    elif change == "number":
        atoms.numbers[3] = 14
    elif change == "pbc":
        atoms.pbc[2] = False
    else:
        del atoms[5]
    after = atoms.get_potential_energy()
    assert potential.calls == 2
    assert after != before
    assert after == pytest.approx(
        evaluate(Morse(), structure_from_atoms(atoms)).energy, abs=1e-10
    )


def test_states_within_a_tolerance_are_equal_on_request():
    atoms = atoms_of(crystal())
    atoms.get_potential_energy()
    atoms.positions[0, 0] += 1e-9
    assert atoms.calc.check_state(atoms) == ["positions"]
    assert atoms.calc.check_state(atoms, tol=1e-6) == []


def test_unknown_element_is_refused_again_and_again():
    atoms = atoms_of(crystal())
    atoms.numbers[:] = 26
    for _ in range(2):
        with pytest.raises(InputError, match="contains Fe"):
            atoms.get_forces()


def test_returned_arrays_are_copies():
    atoms = atoms_of(crystal())
    atoms.get_forces()[:] = 0.0
    assert np.abs(atoms.get_forces()).max() > 0.0


def test_unknown_element_is_named_with_the_known_ones():
    atoms = atoms_of(crystal())
    atoms.numbers[2] = 26
    with pytest.raises(InputError, match=r"contains Fe.*only Si, W"):
        atoms.get_forces()


def test_non_finite_result_names_the_atom_and_leaves_no_results():
    atoms = atoms_of(crystal(), NotFinite())
    with pytest.raises(NonFiniteResultError, match=r"atom 1 \(W\)"):
        atoms.get_potential_energy()
    assert atoms.calc.results == {}


def test_non_finite_position_is_refused():
    atoms = atoms_of(crystal())
    atoms.positions[4, 1] = np.nan
    with pytest.raises(InputError, match="position of atom 4"):
        atoms.get_forces()


def test_cluster_has_no_stress_but_keeps_its_other_results():
    potential = Morse()
    atoms = Atoms("W2", positions=[[0, 0, 0], [0, 0, 2.5]])
    atoms.calc = Calculator(potential)
    atoms.get_forces()
    with pytest.raises(PropertyNotImplementedError):
        atoms.get_stress()
    atoms.get_forces()
    assert potential.calls == 1


def test_left_handed_cell_has_the_stress_of_its_right_handed_twin():
    right = atoms_of(skewed())
    left = right.copy()
    left.set_cell(left.cell.array[[1, 0, 2]], scale_atoms=False)
    left.calc = Calculator(Morse())
    assert np.linalg.det(left.cell.array) < 0.0
    np.testing.assert_allclose(left.get_stress(), right.get_stress(), atol=1e-12)


def test_no_atoms():
    atoms = Atoms(cell=[3, 3, 3], pbc=True)
    atoms.calc = Calculator(Morse())
    assert atoms.get_potential_energy() == 0.0
    assert atoms.get_forces().shape == (0, 3)
    np.testing.assert_array_equal(atoms.get_stress(), np.zeros(6))


def test_bad_settings_are_refused():
    with pytest.raises(InputError, match="skin"):
        Calculator(Morse(), skin=-1.0)
    with pytest.raises(InputError, match="threads"):
        Calculator(Morse(), threads=-2)


def moving(*, skin=1.0):
    atoms = atoms_of(crystal(rattle=0.0))
    atoms.calc = Calculator(Morse(), skin=skin, threads=1)
    velocities = 0.03 * np.random.default_rng(5).normal(size=(len(atoms), 3))
    atoms.set_velocities(velocities - velocities.mean(axis=0))
    return atoms


def test_forces_stay_right_while_atoms_move_through_the_skin():
    atoms = moving(skin=0.2)
    VelocityVerlet(atoms, timestep=2.0 * fs).run(100)
    fresh = evaluate(Morse(), structure_from_atoms(atoms))
    np.testing.assert_allclose(atoms.get_forces(), fresh.forces, atol=1e-11)


def test_trajectories_do_not_depend_on_the_skin():
    ends = []
    for skin in (0.0, 1.0):
        atoms = moving(skin=skin)
        VelocityVerlet(atoms, timestep=2.0 * fs).run(60)
        ends.append(atoms.positions)
    np.testing.assert_allclose(ends[0], ends[1], atol=1e-9)


def test_energy_error_falls_with_the_square_of_the_time_step():
    spreads = []
    for step_fs, steps in ((2.0, 40), (1.0, 80)):
        atoms = moving()
        dynamics = VelocityVerlet(atoms, timestep=step_fs * fs)
        energies = [atoms.get_total_energy()]
        for _ in dynamics.irun(steps):
            energies.append(atoms.get_total_energy())  # noqa: PERF401 - one per step
        spreads.append(np.std(energies))
    assert spreads[0] / spreads[1] == pytest.approx(4.0, abs=0.4)


def test_reversed_velocities_lead_back():
    atoms = moving()
    start = atoms.positions.copy()
    VelocityVerlet(atoms, timestep=2.0 * fs).run(150)
    atoms.set_velocities(-atoms.get_velocities())
    VelocityVerlet(atoms, timestep=2.0 * fs).run(150)
    np.testing.assert_allclose(atoms.positions, start, atol=1e-8)


def test_cell_relaxation_ends_without_stress():
    atoms = bulk("W", "bcc", a=2.6)
    atoms.calc = Calculator(Morse(), threads=1)
    assert atoms.get_stress()[0] < -0.1
    assert BFGS(FrechetCellFilter(atoms), logfile=None).run(fmax=1e-6, steps=100)
    np.testing.assert_allclose(atoms.get_stress(), 0.0, atol=1e-6)
    assert 2.6 < np.linalg.norm(atoms.cell[0]) * 2.0 / np.sqrt(3.0) < 3.2


def test_one_atom_in_empty_space_has_its_own_energy():
    atoms = Atoms("Si")
    atoms.calc = Calculator(Morse())
    assert atoms.get_potential_energy() == -3.0
    np.testing.assert_array_equal(atoms.get_forces(), np.zeros((1, 3)))


def test_results_travel_through_trajectory_files(tmp_path):
    atoms = atoms_of(skewed())
    forces = atoms.get_forces()
    stress = atoms.get_stress()
    write(tmp_path / "one.traj", atoms)
    again = read(tmp_path / "one.traj")
    np.testing.assert_array_equal(again.get_forces(), forces)
    np.testing.assert_array_equal(again.get_stress(), stress)
    assert again.calc.name == "trimpot"


def test_deep_copy_is_independent_and_keeps_results():
    potential = Morse()
    atoms = atoms_of(crystal(), potential)
    energy = atoms.get_potential_energy()
    twin = copy.deepcopy(atoms)
    assert twin.get_potential_energy() == energy
    assert potential.calls == 1
    twin.positions[0] += 0.2
    assert twin.get_potential_energy() != energy
    assert atoms.get_potential_energy() == energy


def test_calculators_in_threads_do_not_disturb_each_other():
    potential = Morse()
    expected = [evaluate(potential, crystal(seed=seed)).forces for seed in range(4)]
    found = [None] * 4

    def run(seed):
        for _ in range(5):
            found[seed] = atoms_of(crystal(seed=seed), potential).get_forces()

    workers = [threading.Thread(target=run, args=(seed,)) for seed in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for got, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(got, wanted, atol=1e-12)


def test_structure_is_a_copy():
    atoms = bulk("W", cubic=True)
    structure = structure_from_atoms(atoms)
    atoms.positions += 1.0
    atoms.numbers[:] = 1
    assert structure.positions[0, 0] == 0.0
    assert structure.numbers[0] == 74
    assert structure.numbers.dtype == np.int32
