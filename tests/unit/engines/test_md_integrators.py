"""Nose-Hoover chains and barostats: equations, conserved energy, exact ensembles."""

import numpy as np
import pytest
from ase import Atoms, units
from ase.calculators.calculator import Calculator as AseCalculator

from toy_potentials import Morse, crystal
from trimpot.engines.ase import Calculator
from trimpot.engines.md_chains import Chain
from trimpot.engines.md_nose_hoover import NoseHooverBarostat, NoseHooverThermostat
from trimpot.engines.md_statistics import average
from trimpot.engines.md_velocities import at_rest

KT = 600.0 * units.kB
PRESSURE = 5.0 * units.GPa
TIMES = {"kt": KT, "thermostat_time": 50.0 * units.fs}
BAROSTAT = {"pressure": PRESSURE, "barostat_time": 200.0 * units.fs}
KINDS = ("nvt", "npt", "npt-full")


def moving(atoms, seed=0):
    masses = atoms.get_masses()
    noise = np.random.default_rng(seed).normal(size=(len(atoms), 3))
    atoms.set_momenta(at_rest(noise * np.sqrt(masses * KT)[:, None], masses))
    return atoms


def metal(seed=0):
    s = crystal()
    atoms = Atoms(s.numbers, s.positions, cell=s.cell, pbc=True)
    atoms.calc = Calculator(Morse(), threads=1)
    return moving(atoms, seed)


def integrator(kind, atoms, timestep_fs=2.0, **changes):
    timestep = timestep_fs * units.fs
    if kind == "nvt":
        return NoseHooverThermostat(atoms, timestep, **{**TIMES, **changes})
    usual = {**TIMES, **BAROSTAT, "shape": kind == "npt-full"}
    return NoseHooverBarostat(atoms, timestep, **{**usual, **changes})


@pytest.mark.parametrize("kind", KINDS)
def test_motion_is_that_of_ases_integrators_with_their_degrees_of_freedom(kind):
    ase_md = pytest.importorskip("ase.md.nose_hoover_chain")
    if not hasattr(ase_md, "MTKNPT"):
        pytest.skip("this ASE has no barostat with chains")
    ours, theirs = metal(), metal()
    dof = 3 * len(ours)
    kw = {"timestep": 2.0 * units.fs, "temperature_K": 600.0, "tdamp": 50.0 * units.fs}
    pressure = {"pressure_au": PRESSURE, "pdamp": 200.0 * units.fs}
    if kind == "nvt":
        mine = integrator(kind, ours, dof=dof)
        other = ase_md.NoseHooverChainNVT(theirs, **kw)
    elif kind == "npt":
        mine = integrator(kind, ours, dof=dof)
        mine.cell_chain.masses[0] *= 9.0  # a choice of ASE that no average depends on
        other = ase_md.IsotropicMTKNPT(theirs, **kw, **pressure)
    else:
        mine = integrator(kind, ours, dof=dof, cell_dof=9)
        other = ase_md.MTKNPT(theirs, **kw, **pressure)
    start = ours.positions.copy()
    for _ in range(40):
        mine.step()
        other.step()
    assert np.abs(ours.positions - start).max() > 0.1
    np.testing.assert_allclose(ours.positions, theirs.positions, atol=1e-11)
    np.testing.assert_allclose(ours.cell.array, theirs.cell.array, atol=1e-11)
    np.testing.assert_allclose(ours.get_momenta(), theirs.get_momenta(), atol=1e-10)
    energy = ours.get_total_energy() + mine.extended_energy()
    assert energy == pytest.approx(other.get_conserved_energy(), abs=1e-10)


def reverse(atoms, mine):
    atoms.set_momenta(-atoms.get_momenta())
    mine.chain.momenta = [-p for p in mine.chain.momenta]
    if isinstance(mine, NoseHooverBarostat):
        mine.rates = -mine.rates
        mine.cell_chain.momenta = [-p for p in mine.cell_chain.momenta]


@pytest.mark.parametrize("kind", KINDS)
def test_time_can_be_reversed(kind):
    atoms = metal()
    start, cell = atoms.positions.copy(), atoms.cell.array.copy()
    mine = integrator(kind, atoms)
    for _ in range(50):
        mine.step()
    assert np.abs(atoms.positions - start).max() > 0.1
    reverse(atoms, mine)
    for _ in range(50):
        mine.step()
    np.testing.assert_allclose(atoms.positions, start, atol=1e-9)
    np.testing.assert_allclose(atoms.cell.array, cell, atol=1e-9)
    assert mine.chain.heat == pytest.approx(0.0, abs=1e-9)


def conserved(kind, timestep_fs, ramp=False):
    """Return the conserved energy over 400 fs, every 4 fs."""
    atoms = metal()
    mine = integrator(kind, atoms, timestep_fs)
    energies, steps = [], round(400.0 / timestep_fs)
    for step in range(steps):
        if ramp:
            done = step / steps
            mine.set_targets(KT * (1.0 + 2.0 * done), PRESSURE * (1.0 + done))
        mine.step()
        if step % round(4.0 / timestep_fs) == 0:
            energies.append(atoms.get_total_energy() + mine.extended_energy())
    return np.array(energies)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ramp", [False, True])
def test_error_of_the_conserved_energy_falls_with_the_square_of_the_step(kind, ramp):
    wide, narrow = (np.ptp(conserved(kind, dt, ramp)) for dt in (2.0, 1.0))
    assert wide < 0.2  # eV of 16 atoms; the thermostat alone exchanges more than that
    assert wide / narrow == pytest.approx(4.0, abs=0.6)


def test_a_chain_gives_temperature_and_fluctuations_of_the_canonical_ensemble():
    atoms = metal(3)
    mine = integrator("nvt", atoms, 3.0)
    found = []
    for step in range(6000):
        mine.step()
        if step > 500:
            found.append(2.0 * atoms.get_kinetic_energy() / (45.0 * units.kB))
    found = np.array(found)
    mean = average(found)
    assert mean.error < 12.0
    assert mean.mean == pytest.approx(600.0, abs=3.5 * mean.error)
    assert found.std() / found.mean() == pytest.approx(np.sqrt(2.0 / 45.0), rel=0.15)
    np.testing.assert_allclose(atoms.get_momenta().sum(axis=0), 0.0, atol=1e-9)


class Nothing(AseCalculator):
    """An ideal gas."""

    implemented_properties = ("energy", "forces", "stress")

    def get_property(self, name, atoms=None, allow_calculation=True):  # noqa: ARG002
        shapes = {"forces": (len(atoms), 3), "stress": (6,)}
        return np.zeros(shapes[name]) if name in shapes else 0.0


@pytest.mark.parametrize("kind", ["npt", "npt-full"])
def test_an_ideal_gas_has_the_volumes_that_it_must_have(kind):
    """N atoms whose centre of mass rests: V is distributed as V^(N-1) exp(-P V / kT)."""
    n = 6
    rng = np.random.default_rng(1)
    atoms = Atoms(f"W{n}", rng.random((n, 3)) * 5.0, cell=[5.0] * 3, pbc=True)
    atoms.calc = Nothing()
    moving(atoms)
    changes = {"pressure": n * KT / 125.0, "thermostat_time": 100.0 * units.fs}
    mine = integrator(kind, atoms, 20.0, **changes)
    volumes, temperatures = [], []
    for step in range(12_000):
        mine.step()
        if step >= 1000:
            volumes.append(atoms.get_volume())
            temperatures.append(2.0 * atoms.get_kinetic_energy() / (3 * n - 3))
    pv = average(changes["pressure"] * np.array(volumes) / KT)
    assert pv.error < 0.15
    assert pv.mean == pytest.approx(n, abs=4.0 * pv.error)
    spread = np.var(volumes) / np.mean(volumes) ** 2
    assert spread == pytest.approx(1.0 / n, rel=0.3)
    assert np.mean(temperatures) == pytest.approx(KT, rel=0.02)


def test_a_cell_of_a_gas_does_not_rotate_and_keeps_its_shape_where_asked():
    for kind in ("npt", "npt-full"):
        atoms = metal()
        mine = integrator(kind, atoms)
        for _ in range(60):
            mine.step()
        stretch = np.linalg.solve(metal().cell.array, atoms.cell.array)
        np.testing.assert_allclose(stretch, stretch.T, atol=1e-3)
        uniform = np.ptp(np.diag(stretch)) < 1e-12
        assert uniform == (kind == "npt")


def test_momenta_beyond_all_measure_overflow_a_chain_loudly():
    chain = Chain.of(45, KT, 50.0 * units.fs)
    with pytest.raises(OverflowError):
        for _ in range(5):
            chain.scale(1e9, KT, 1.0)


@pytest.mark.parametrize(("kind", "dof"), [("npt", 1), ("npt-full", 6)])
def test_the_strain_rates_have_their_share_of_the_heat(kind, dof):
    rng = np.random.default_rng(1)
    atoms = Atoms("W6", rng.random((6, 3)) * 5.0, cell=[5.0] * 3, pbc=True)
    atoms.calc = Nothing()
    moving(atoms)
    changes = {"pressure": 6 * KT / 125.0, "thermostat_time": 100.0 * units.fs}
    mine = integrator(kind, atoms, 20.0, **changes)
    found = []
    for _ in range(4000):
        mine.step()
        found.append(mine.inertia * np.sum(mine.rates**2) / KT)
    assert np.mean(found[500:]) == pytest.approx(dof, rel=0.15)
