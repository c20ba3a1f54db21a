"""Relaxation finds minima: of atoms, volume, shape and enthalpy, and says when not."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.constraints import FixAtoms
from scipy.optimize import minimize_scalar

from toy_potentials import Morse
from trimpot.engines.ase import structure_from_atoms
from trimpot.engines.relaxation import relax
from trimpot.engines.relaxation_settings import RelaxSettings
from trimpot.engines.singlepoint import evaluate
from trimpot.errors import InputError, NonFiniteResultError
from trimpot.units import GPA_PER_EV_PER_A3


def fcc(a=3.75):
    return bulk("W", "fcc", a=a, cubic=True)


def energy(atoms):
    return evaluate(Morse(), structure_from_atoms(atoms), threads=1).energy


def settings(**changes):
    return RelaxSettings(**{"threads": 1, "fmax": 1e-4, "smax_gpa": 1e-3, **changes})


def best_lattice_constant(pressure_gpa=0.0):
    """The minimum of the enthalpy of a perfect crystal, by a scan of one number."""
    pressure = pressure_gpa / GPA_PER_EV_PER_A3
    return minimize_scalar(
        lambda a: energy(fcc(a)) + pressure * a**3,
        bounds=(3.2, 4.2),
        method="bounded",
        options={"xatol": 1e-7},
    ).x


@pytest.mark.parametrize("optimizer", ["lbfgs", "bfgs", "fire"])
def test_displaced_atoms_go_back_to_the_perfect_crystal(optimizer):
    atoms = fcc() * (2, 2, 2)
    perfect = energy(atoms)
    atoms.rattle(0.1, seed=1)
    before = atoms.positions.copy()
    done = relax(Morse(), atoms, settings(optimizer=optimizer))
    assert done.converged
    assert done.last.energy == pytest.approx(perfect, abs=1e-5)
    assert np.array_equal(atoms.positions, before)  # the start is not modified
    forces = evaluate(Morse(), structure_from_atoms(done.atoms), threads=1).forces
    assert done.last.fmax == pytest.approx(np.linalg.norm(forces, axis=1).max(), abs=1e-9)
    assert done.last.fmax < 1e-4
    np.testing.assert_allclose(done.atoms.get_forces(), forces, atol=1e-9)
    np.testing.assert_allclose(done.atoms.cell.array, atoms.cell.array)


@pytest.mark.parametrize("pressure_gpa", [0.0, 20.0, -5.0])
def test_the_cell_has_the_lowest_enthalpy(pressure_gpa):
    done = relax(Morse(), fcc(), settings(cell="full", pressure_gpa=pressure_gpa))
    assert done.converged
    a = best_lattice_constant(pressure_gpa)
    np.testing.assert_allclose(done.atoms.cell.array, a * np.eye(3), atol=2e-4)
    assert done.last.pressure_gpa == pytest.approx(pressure_gpa, abs=2e-3)


def test_a_strained_cell_becomes_cubic_again():
    atoms = fcc()
    strain = np.array([[0.04, 0.03, 0.0], [0.0, -0.02, 0.01], [0.02, 0.0, 0.01]])
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + strain), scale_atoms=True)
    done = relax(Morse(), atoms, settings(cell="full"))
    metric = done.atoms.cell.array @ done.atoms.cell.array.T
    a = best_lattice_constant()
    np.testing.assert_allclose(metric, a * a * np.eye(3), atol=3e-3)


def test_only_the_volume_moves():
    atoms = fcc()
    stretched = atoms.cell.array @ np.diag([1.06, 1.0, 1.0])
    atoms.set_cell(stretched, scale_atoms=True)
    done = relax(Morse(), atoms, settings(cell="volume"))
    assert done.converged
    factor = done.atoms.cell.array[0, 0] / stretched[0, 0]
    assert factor < 0.995
    np.testing.assert_allclose(done.atoms.cell.array, factor * stretched, atol=1e-9)
    assert done.last.pressure_gpa == pytest.approx(0.0, abs=1e-3)
    stress = GPA_PER_EV_PER_A3 * done.atoms.get_stress(voigt=False)
    assert stress[0, 0] - stress[1, 1] > 1.0  # still stretched along x


def test_only_the_shape_moves():
    atoms = fcc()
    atoms.set_cell(atoms.cell.array @ np.diag([1.06, 1.0, 1.0]), scale_atoms=True)
    done = relax(Morse(), atoms, settings(cell="shape"))
    assert done.converged
    assert done.atoms.get_volume() == pytest.approx(atoms.get_volume(), rel=1e-9)
    lengths = done.atoms.cell.lengths()
    np.testing.assert_allclose(lengths, lengths.mean(), atol=2e-3)
    assert abs(done.last.pressure_gpa) > 0.1  # the volume could not move


def test_fixed_atoms_stay():
    atoms = fcc() * (2, 2, 1)
    del atoms[3]
    atoms.set_constraint(FixAtoms([0, 1]))
    done = relax(Morse(), atoms, settings())
    assert done.converged
    np.testing.assert_array_equal(done.atoms.positions[:2], atoms.positions[:2])
    assert not np.allclose(done.atoms.positions[2:], atoms.positions[2:])


def test_a_cluster_has_no_stress():
    dimer = Atoms("W2", positions=[[0, 0, 0], [2.3, 0, 0]])
    done = relax(Morse(), dimer, settings())
    assert done.converged
    assert done.last.pressure_gpa is None
    r = np.linspace(2.0, 3.0, 100001)
    expected = r[np.argmin(Morse().pair(r)[0])]
    assert done.atoms.get_distance(0, 1) == pytest.approx(expected, abs=1e-4)


def test_too_few_steps_are_said():
    atoms = fcc() * (2, 2, 2)
    atoms.rattle(0.1, seed=1)
    seen = []
    done = relax(
        Morse(), atoms, settings(steps=2), reached=lambda p, _: seen.append(p.step)
    )
    assert not done.converged
    assert done.reason == "steps"
    assert seen == [0, 1, 2]
    assert "not converged: all 2 steps" in done.stop_line
    assert "limit 0.0001" in done.stop_line


def test_what_is_converged_takes_no_step():
    done = relax(Morse(), fcc(), settings())
    assert (done.converged, done.last.step) == (True, 0)


def test_a_cell_that_runs_away_is_stopped():
    class Repels(Morse):
        def pair(self, r):
            v, dv = super().pair(r)
            return -v, -dv

    done = relax(Repels(minimum=1.0), fcc(), settings(cell="full", max_step=0.5))
    assert done.reason == "volume"
    assert "not hold this structure together" in done.stop_line


def test_nan_stops_with_step_and_atom():
    class Breaks(Morse):
        def evaluate(self, neighborhood, *, threads=0):
            good = super().evaluate(neighborhood, threads=threads)
            if self.calls > 2:
                good.forces[1] = np.nan
            return good

    atoms = fcc() * (2, 1, 1)
    atoms.rattle(0.1, seed=1)
    with pytest.raises(NonFiniteResultError, match=r"step 2: atom 1 \(W\)"):
        relax(Breaks(), atoms, settings())


def test_unknown_elements_are_input_errors_at_once():
    with pytest.raises(InputError, match="contains Cu"):
        relax(Morse(), bulk("Cu"), settings())


def test_grades_are_looked_at_at_the_start_and_the_end():
    class ByPlace:
        def grades(self, structure):
            return np.arange(len(structure)) / 10.0

    atoms = fcc()
    atoms.rattle(0.05, seed=1)
    done = relax(Morse(), atoms, settings(), grader=ByPlace())
    assert done.first.grade == done.last.grade == 0.3
    np.testing.assert_array_equal(done.atoms.arrays["grade"], [0.0, 0.1, 0.2, 0.3])


def test_the_space_group_is_kept():
    pytest.importorskip("spglib")
    atoms = fcc()
    atoms.rattle(1e-7, seed=1)
    done = relax(Morse(), atoms, settings(cell="full", symmetry=True))
    assert done.converged


def test_symmetry_without_spglib_says_what_to_do(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "spglib", None)
    with pytest.raises(InputError, match="pip install spglib"):
        relax(Morse(), fcc(), settings(symmetry=True))


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"cell": "isotropic"}, "none, volume, shape, full"),
        ({"fmax": 0.0}, "fmax"),
        ({"steps": -1}, "steps"),
        ({"steps": 2.5}, "steps"),
        ({"optimizer": "cg"}, "lbfgs"),
        ({"pressure_gpa": 5.0}, "the volume stays"),
        ({"pressure_gpa": 5.0, "cell": "shape"}, "the volume stays"),
        ({"pressure_gpa": float("nan"), "cell": "full"}, "pressure"),
    ],
)
def test_settings_that_are_refused(changes, match):
    with pytest.raises(InputError, match=match):
        RelaxSettings(**changes)


def test_a_cell_without_three_periods_is_refused():
    slab = fcc()
    slab.pbc = (True, True, False)
    with pytest.raises(InputError, match="T T F"):
        relax(Morse(), slab, settings(cell="full"))
    with pytest.raises(InputError, match="no atoms"):
        relax(Morse(), Atoms(), settings())


@pytest.mark.parametrize("pressure_gpa", [20.0, -5.0])
def test_a_volume_under_pressure_has_the_lowest_enthalpy(pressure_gpa):
    done = relax(Morse(), fcc(), settings(cell="volume", pressure_gpa=pressure_gpa))
    assert done.converged
    a = best_lattice_constant(pressure_gpa)
    np.testing.assert_allclose(done.atoms.cell.lengths(), a, atol=2e-4)
    assert done.last.pressure_gpa == pytest.approx(pressure_gpa, abs=2e-3)


def test_fire_takes_over_where_no_smaller_force_is_found(monkeypatch):
    # the first step already counts as stalled, so that FIRE has to go on
    monkeypatch.setattr("trimpot.engines.relaxation.STALLED", 0)
    atoms = fcc() * (2, 2, 2)
    atoms.rattle(0.2, seed=3)
    done = relax(Morse(), atoms, settings(max_step=0.05))
    assert done.converged
    assert done.taken_over is not None
    assert f"FIRE took over at step {done.taken_over}" in done.stop_line
    assert relax(Morse(), atoms, settings(optimizer="fire")).taken_over is None


def test_stress_that_falls_is_progress_where_forces_vanish_by_symmetry():
    slow = settings(cell="volume", max_step=0.001)
    done = relax(Morse(), fcc(3.6), slow)
    assert done.last.step > 60
    assert done.last.stress_gpa < done.first.stress_gpa
    assert done.taken_over is None
