# ruff: noqa: ARG002 - toys follow the contract, threads or not
"""Dynamics: equations of motion, thermostat, start, refusals."""

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk
from ase.constraints import FixAtoms

from spline_samples import random_potential
from toy_potentials import Morse, NotFinite, crystal, skewed
from trimpot.engines.ase import Calculator, structure_from_atoms
from trimpot.engines.md import run
from trimpot.engines.md_settings import MdSettings
from trimpot.engines.singlepoint import evaluate
from trimpot.errors import InputError, NonFiniteResultError, StoppedRunError

EV_PER_AMU_A2_FS2 = 103.642696
"""1 amu (A/fs)^2 in eV: 1.66053907e-27 kg * (1e5 m/s)^2 / 1.602176634e-19 C."""


def atoms_of(structure):
    return Atoms(
        numbers=structure.numbers,
        positions=structure.positions,
        cell=structure.cell,
        pbc=structure.pbc,
    )


def settings(**changes):
    usual = {"temperature_k": 600.0, "timestep_fs": 2.0, "steps": 200, "threads": 1}
    return MdSettings(**{**usual, **changes})


def test_positions_follow_newton_in_fs_and_amu():
    atoms = atoms_of(skewed())
    start = run(Morse(), atoms, settings(steps=1)).atoms
    potential, dt = Morse(), 0.5
    mass = start.get_masses()[:, None] * EV_PER_AMU_A2_FS2  # eV fs^2 / A^2
    x = start.get_positions()
    v = start.get_velocities() * units.fs  # A/fs

    def force(x):
        moved = start.copy()
        moved.positions = x
        return evaluate(potential, structure_from_atoms(moved)).forces

    for _ in range(40):
        v = v + 0.5 * dt * force(x) / mass
        x = x + dt * v
        v = v + 0.5 * dt * force(x) / mass
    end = run(Morse(), start, settings(steps=40, timestep_fs=dt)).atoms
    assert np.abs(x - start.positions).max() > 0.05
    np.testing.assert_allclose(end.positions, x, atol=2e-6)


def test_constant_energy_is_conserved_and_its_drift_is_the_slope_of_a_line():
    result = run(Morse(), atoms_of(crystal()), settings(steps=1500, log_interval=2))
    samples, drift = result.samples, result.drift
    counted = samples.time_fs >= 0.2 * 3000.0
    slope = np.polyfit(samples.time_fs[counted], samples.total[counted], 1)[0]
    assert drift.slope == pytest.approx(slope * 1e6, rel=1e-6)
    assert drift.start_fs == 600.0
    assert drift.samples == counted.sum()
    assert drift.fluctuation < 0.1
    assert abs(drift.slope) < 4.0 * drift.error
    assert np.ptp(samples.kinetic) > 100.0 * np.ptp(samples.total)


def test_energy_fluctuation_falls_with_the_square_of_the_time_step():
    wide, narrow = (
        run(
            Morse(),
            atoms_of(crystal()),
            settings(timestep_fs=dt, steps=int(600 / dt), log_interval=int(2 / dt)),
        ).drift.fluctuation
        for dt in (2.0, 1.0)
    )
    assert wide / narrow == pytest.approx(4.0, abs=0.5)


@pytest.mark.parametrize("start", ["rest", "hot"])
def test_langevin_reaches_its_temperature_and_fluctuates_as_it_should(start):
    atoms = atoms_of(crystal(rattle=0.0))
    atoms.numbers[::3] = 14  # two masses
    if start == "hot":
        atoms.set_momenta(np.random.default_rng(1).normal(0.0, 6.0, (len(atoms), 3)))
    result = run(
        Morse(),
        atoms,
        settings(
            ensemble="langevin",
            steps=4000,
            friction_per_ps=25.0,
            log_interval=4,
            equilibration=0.1,
            seed=3,
        ),
    )
    found, t = result.averages.temperature_k, result.samples.temperature_k[100:]
    assert 2.0 < found.error < 15.0
    assert found.mean == pytest.approx(600.0, abs=3.5 * found.error)
    # canonical: var(T) / T^2 = 2 / (3 N - 3)
    assert t.std() / t.mean() == pytest.approx(np.sqrt(2.0 / 45.0), rel=0.25)
    assert result.drift is None
    np.testing.assert_allclose(result.atoms.get_momenta().sum(axis=0), 0.0, atol=1e-9)


def test_new_velocities_have_the_temperature_and_no_total_momentum():
    atoms = atoms_of(skewed())
    result = run(Morse(), atoms, settings(steps=1, timestep_fs=1e-6))
    momenta = result.atoms.get_momenta()
    assert "new velocities of 600 K" in result.velocities
    assert result.samples.temperature_k[0] == pytest.approx(600.0, abs=1e-6)
    assert momenta == pytest.approx(
        run(Morse(), atoms, settings(steps=1, timestep_fs=1e-6)).atoms.get_momenta()
    )
    np.testing.assert_allclose(momenta.sum(axis=0), 0.0, atol=1e-9)
    other = run(Morse(), atoms, settings(steps=1, seed=1)).atoms.get_momenta()
    assert np.abs(other - momenta).max() > 0.1


def test_velocities_of_the_structure_are_kept_but_for_the_centre_of_mass():
    atoms = atoms_of(skewed())
    own = np.random.default_rng(2).normal(0.0, 2.0, (len(atoms), 3))
    masses = atoms.get_masses()[:, None]
    own -= masses * own.sum(axis=0) / masses.sum()
    atoms.set_momenta(own + masses * np.array([0.0, 0.01, 0.0]))
    positions = atoms.positions.copy()
    result = run(Morse(), atoms, settings(steps=1, timestep_fs=1e-6, temperature_k=None))
    np.testing.assert_allclose(result.atoms.get_momenta(), own, atol=1e-5)
    assert "kept" in result.velocities
    assert "centre of mass removed" in result.velocities
    np.testing.assert_array_equal(atoms.positions, positions)
    assert atoms.calc is None
    again = run(Morse(), result.atoms, settings(steps=1))
    assert "600 K is not used" in again.velocities
    assert "centre of mass" not in again.velocities


def test_a_run_can_be_continued():
    whole = run(Morse(), atoms_of(crystal()), settings(steps=60)).atoms
    half = run(Morse(), atoms_of(crystal()), settings(steps=30)).atoms
    end = run(Morse(), half, settings(steps=30, temperature_k=None)).atoms
    np.testing.assert_allclose(end.positions, whole.positions, atol=1e-10)


def test_pressure_has_its_kinetic_part_and_clusters_have_none():
    result = run(Morse(), atoms_of(skewed()), settings(steps=10))
    last = result.atoms
    last.calc = Calculator(Morse())
    stress = last.get_stress(include_ideal_gas=True)
    expected = -stress[:3].mean() / units.GPa
    assert result.samples.pressure_gpa[-1] == pytest.approx(expected, rel=1e-6)
    cluster = atoms_of(skewed())
    cluster.pbc = False
    result = run(Morse(), cluster, settings(steps=10))
    assert result.samples.pressure_gpa is None
    assert result.averages.pressure_gpa is None


@pytest.mark.parametrize("ensemble", ["nve", "langevin", "nvt", "npt", "npt-full"])
def test_samples_cost_no_evaluations_and_do_not_change_the_motion(ensemble):
    ends = []
    for interval in (1, 50):
        potential = Morse()
        pressure = 0.0 if ensemble.startswith("npt") else None
        usual = settings(
            steps=50, log_interval=interval, ensemble=ensemble, pressure_gpa=pressure
        )
        ends.append(run(potential, atoms_of(crystal()), usual).atoms)
        assert potential.calls == 51
    np.testing.assert_array_equal(ends[0].positions, ends[1].positions)


def test_speed_is_that_of_the_steps():
    result = run(Morse(), atoms_of(crystal()), settings(steps=20))
    speed = result.speed
    assert speed.us_per_atom_step == pytest.approx(1e6 * speed.seconds / 20 / 16)
    days_per_ns = 1e6 / 2.0 * speed.seconds / 20 / 86400.0
    assert speed.ns_per_day == pytest.approx(1.0 / days_per_ns)


class Fails(Morse):
    """NaN on atom 5 from the fourth evaluation on."""

    def evaluate(self, neighborhood, *, threads=0):
        good = super().evaluate(neighborhood)
        if self.calls > 3:
            good.forces[5] = np.nan
        return good


class Throws(Morse):
    """Absurd, yet finite, forces on two atoms."""

    def evaluate(self, neighborhood, *, threads=0):
        good = super().evaluate(neighborhood)
        good.forces[0], good.forces[1] = self.force, -self.force
        return good


def test_non_finite_forces_stop_the_run_at_a_step_and_an_atom():
    with pytest.raises(NonFiniteResultError, match=r"step 3 \(6 fs\): atom 5 \(W\)"):
        run(Fails(), atoms_of(crystal()), settings())
    with pytest.raises(NonFiniteResultError, match=r"step 0 \(0 fs\): atom 1 \(W\)"):
        run(NotFinite(), atoms_of(crystal()), settings())


@pytest.mark.parametrize("ensemble", ["nve", "langevin", "nvt", "npt", "npt-full"])
@pytest.mark.parametrize("force", [1e10, 1e30, 1e300])
def test_atoms_thrown_out_of_reach_stop_the_run(force, ensemble):
    potential = Throws()
    potential.force = force
    pressure = 0.0 if ensemble.startswith("npt") else None
    with pytest.raises((NonFiniteResultError, StoppedRunError), match=r"step \d+ \("):
        run(
            potential,
            atoms_of(crystal()),
            settings(ensemble=ensemble, pressure_gpa=pressure),
        )


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"ensemble": "nph"}, "ensemble is 'nph', expected nve or langevin or nvt"),
        ({"ensemble": "npt"}, "npt has no pressure"),
        ({"ensemble": "nvt", "pressure_gpa": 1.0}, "nvt has no barostat"),
        ({"ensemble": "nvt", "temperature_end_k": 0.0}, "temperature of 0 K"),
        ({"temperature_end_k": 900.0}, "nve has no thermostat"),
        ({"ensemble": "npt", "pressure_gpa": float("inf")}, "pressure_gpa is inf"),
        ({"barostat_time_fs": 0.0}, "barostat_time_fs"),
        ({"trajectory_format": "traj"}, "expected extxyz or extxyz.gz"),
        ({"checkpoint_interval": -1}, "checkpoint_interval is -1"),
        ({"ensemble": "langevin", "temperature_k": None}, "no temperature"),
        ({"temperature_k": -1.0}, "temperature_k is -1.0"),
        ({"timestep_fs": 0.0}, "timestep_fs is 0.0"),
        ({"timestep_fs": float("nan")}, "timestep_fs is nan"),
        ({"steps": 0}, "steps is 0"),
        ({"steps": 1e5}, "steps is 100000.0, expected a whole number"),
        ({"friction_per_ps": 0.0}, "friction_per_ps"),
        ({"log_interval": 0}, "log_interval is 0"),
        ({"trajectory_interval": -1}, "trajectory_interval"),
        ({"equilibration": 1.0}, "equilibration is 1.0"),
        ({"precision": "half"}, "expected auto or double or mixed"),
        ({"seed": -1}, "seed is -1"),
        ({"skin": float("inf")}, "skin is inf"),
    ],
)
def test_bad_settings_are_refused(changes, match):
    with pytest.raises(InputError, match=match):
        settings(**changes)


def test_structures_that_cannot_move_are_refused():
    with pytest.raises(InputError, match="1 atoms, expected at least 2"):
        run(Morse(), bulk("W"), settings())
    fixed = atoms_of(crystal())
    fixed.set_constraint(FixAtoms([0]))
    with pytest.raises(InputError, match="FixAtoms"):
        run(Morse(), fixed, settings())
    with pytest.raises(InputError, match="no velocities and no temperature"):
        run(Morse(), atoms_of(crystal()), settings(temperature_k=None))
    other = atoms_of(crystal())
    other.numbers[3] = 26
    with pytest.raises(InputError, match="contains Fe"):
        run(Morse(), other, settings())
    broken = atoms_of(crystal())
    broken.set_momenta(np.full((16, 3), np.nan))
    with pytest.raises(InputError, match="momentum of atom 0"):
        run(Morse(), broken, settings())
    with pytest.raises(InputError, match="double precision only"):
        run(Morse(), atoms_of(crystal()), settings(precision="mixed"))


def test_cells_that_a_barostat_cannot_hold_are_refused():
    barostat = settings(ensemble="npt", pressure_gpa=0.0)
    slab = atoms_of(crystal())
    slab.pbc = (True, True, False)
    with pytest.raises(InputError, match="three periodic directions"):
        run(Morse(), slab, barostat)
    thin = bulk("W", a=3.165, cubic=True) * (1, 2, 2)
    with pytest.raises(InputError, match=r"3\.1\d A thick along vector a.*cutoff of 5 A"):
        run(Morse(), thin, barostat)


def test_a_cell_that_runs_away_stops_the_run():
    atoms = atoms_of(crystal())
    with pytest.raises(StoppedRunError, match=r"step \d+ .*volume is (3|[0-9.]+) times"):
        run(
            Morse(),
            atoms,
            settings(
                ensemble="npt", pressure_gpa=-300.0, barostat_time_fs=100.0, steps=3000
            ),
        )


def test_a_ramp_takes_temperature_and_pressure_along_and_then_holds():
    result = run(
        Morse(),
        atoms_of(crystal()),
        settings(
            ensemble="npt",
            temperature_k=100.0,
            temperature_end_k=1500.0,
            pressure_gpa=0.0,
            pressure_end_gpa=20.0,
            thermostat_time_fs=40.0,
            barostat_time_fs=200.0,
            steps=3000,
            ramp_steps=2000,
            log_interval=5,
        ),
    )
    samples = result.samples
    middle = (samples.step > 900) & (samples.step < 1100)
    end = samples.step > 2100
    assert samples.temperature_k[middle].mean() == pytest.approx(800.0, rel=0.15)
    assert samples.temperature_k[end].mean() == pytest.approx(1500.0, rel=0.1)
    assert samples.pressure_gpa[middle].mean() == pytest.approx(10.0, abs=1.5)
    assert samples.pressure_gpa[end].mean() == pytest.approx(20.0, abs=1.0)
    later = samples.conserved[
        5:
    ]  # the start is a jolt: its pressure is not that of the barostat
    assert np.ptp(later) < 0.01 * np.ptp(samples.total)
    fixed = settings(temperature_k=100.0, temperature_end_k=300.0, ensemble="nvt", steps=10)
    assert [fixed.temperature_at(k) for k in (0, 5, 10, 20)] == [100.0, 200.0, 300.0, 300.0]


def test_the_fastest_precision_on_offer_is_taken():
    assert run(Morse(), atoms_of(crystal()), settings(steps=1)).precision == "double"
    spline = random_potential("pair", 1)
    atoms = atoms_of(crystal())
    assert run(spline, atoms, settings(steps=1)).precision == "mixed"
    assert run(spline, atoms, settings(steps=1, precision="double")).precision == "double"
