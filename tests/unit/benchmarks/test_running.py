"""The integrator, its clock, and the states from which runs start."""

import subprocess
import sys

import numpy as np
import pytest
from ase import units

from toy_potentials import Morse, crystal
from trimpot.benchmarks.crystals import block_and_copies, default_crystal
from trimpot.benchmarks.running import RunSettings, run_nve
from trimpot.benchmarks.starting import start_from_crystal, start_from_structure
from trimpot.benchmarks.states import (
    ACCELERATION,
    State,
    load_state,
    save_state,
    thermal,
)
from trimpot.engines.following import follow
from trimpot.engines.singlepoint import evaluate
from trimpot.errors import InputError

TUNGSTEN = Morse(isolated={74: -2.0})


def total_energy(state):
    kinetic = 0.5 * (state.masses[:, None] * state.velocities**2).sum() / ACCELERATION
    return evaluate(TUNGSTEN, state.structure).energy + kinetic


def warm(temperature=600.0, seed=1):
    return thermal(crystal(2), temperature, np.random.default_rng(seed))


def test_energy_is_conserved_to_second_order_in_the_step():
    start = warm()
    errors = []
    for step, steps in ((4.0, 10), (2.0, 20), (1.0, 40)):
        end, _ = run_nve(follow(TUNGSTEN, threads=1), start, steps=steps, timestep_fs=step)
        errors.append(abs(total_energy(end) - total_energy(start)))
    assert errors[2] < 2e-5
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.3)


def test_reversed_velocities_lead_back():
    start = warm()
    there, _ = run_nve(follow(TUNGSTEN, threads=1), start, steps=20)
    turned = State(there.structure, -there.velocities)
    back, _ = run_nve(follow(TUNGSTEN, threads=1), turned, steps=20)
    np.testing.assert_allclose(
        back.structure.positions, start.structure.positions, atol=1e-10
    )


class CountingFollower:
    """Claims 2 s of list and 3 s of kernels a call, and a list at every second call."""

    def __init__(self):
        self.calls = self.builds = 0
        self.seconds = {"list": 0.0, "kernels": 0.0}

    def evaluate(self, structure):
        self.calls += 1
        self.builds += self.calls % 2
        self.seconds["list"] += 2.0
        self.seconds["kernels"] += 3.0
        return evaluate(TUNGSTEN, structure)

    def forces(self, structure):
        return self.evaluate(structure).forces


def test_only_the_timed_steps_count():
    follower = CountingFollower()
    _, timing = run_nve(follower, warm(), steps=4, warmup=3)
    assert follower.calls == 1 + 3 + 4
    assert (timing.list, timing.kernels, timing.builds) == (2.0, 3.0, 2)
    assert timing.seconds == timing.list + timing.kernels + timing.other
    assert timing.first_energy == evaluate(TUNGSTEN, warm().structure).energy


def test_settings_that_measure_nothing_are_refused():
    with pytest.raises(InputError, match="cannot be timed"):
        RunSettings(steps=0)


def test_velocities_have_the_temperature_and_no_drift():
    state = thermal(crystal(8), 300.0, np.random.default_rng(4))
    momenta = state.masses[:, None] * state.velocities
    assert np.abs(momenta.sum(axis=0)).max() < 1e-10
    assert state.temperature_k == pytest.approx(300.0, rel=0.05)
    from ase import Atoms

    atoms = Atoms(state.structure.numbers, velocities=state.velocities / units.fs)
    freedom = (3 * len(atoms) - 3) / (3 * len(atoms))
    assert state.temperature_k == pytest.approx(atoms.get_temperature() / freedom, rel=1e-9)


def test_copies_of_a_state_are_the_same_crystal():
    state = warm()
    twice = state.repeated((2, 1, 1))
    assert twice.structure.volume == pytest.approx(2 * state.structure.volume)
    assert evaluate(TUNGSTEN, twice.structure).energy == pytest.approx(
        2 * evaluate(TUNGSTEN, state.structure).energy, rel=1e-12
    )
    np.testing.assert_array_equal(twice.velocities[: len(state)], state.velocities)


def test_states_survive_a_file(tmp_path):
    state = warm()
    save_state(state, tmp_path / "s.npz")
    again = load_state(tmp_path / "s.npz")
    np.testing.assert_array_equal(again.structure.positions, state.structure.positions)
    np.testing.assert_array_equal(again.velocities, state.velocities)


@pytest.mark.parametrize(
    ("number", "minimum", "lattice", "per_cell"),
    [(74, 2.8, "bcc W", 2), (14, 2.35, "diamond Si", 8), (12, 3.2, "fcc Mg", 4)],
)
def test_the_default_crystal_has_no_pressure(number, minimum, lattice, per_cell):
    potential = Morse(isolated={number: -2.0}, cutoff=4.0, minimum=minimum)
    found = default_crystal(potential, 60, np.random.default_rng(0))
    assert found.description.startswith(lattice)
    assert len(found.structure) % per_cell == 0
    result = evaluate(potential, found.structure)
    stress = result.stress(found.structure.volume)
    stiffness = 0.5  # eV/A^3, of the order of an elastic constant
    assert abs(np.trace(stress)) / 3 < 0.01 * stiffness


def test_a_potential_without_a_minimum_keeps_the_experimental_volume():
    class Repulsive(Morse):
        def pair(self, r):
            inside = r < self.cutoff
            v, dv = (
                (1 - r / self.cutoff) ** 3,
                -3 * (1 - r / self.cutoff) ** 2 / self.cutoff,
            )
            return np.where(inside, v, 0.0), np.where(inside, dv, 0.0)

    found = default_crystal(Repulsive(isolated={74: 0.0}), 16, np.random.default_rng(0))
    assert "no minimum" in found.description
    assert found.structure.cell[0, 0] == pytest.approx(2 * 3.16, abs=0.02)


@pytest.mark.parametrize("n_atoms", [2, 250, 2000, 16_000, 100_000, 1_000_000])
@pytest.mark.parametrize("per_cell", [2, 4, 8])
def test_blocks_make_about_the_size_asked_for(per_cell, n_atoms):
    cells, copies = block_and_copies(per_cell, n_atoms)
    assert per_cell * cells**3 < 8000
    edge = (n_atoms / per_cell) ** (1 / 3)
    assert abs(cells * copies - edge) <= max(0.5 * cells if copies > 1 else 0.5, 0.2)


def test_several_elements_are_mixed():
    start = start_from_crystal(Morse(), 54)
    assert set(start.state.structure.numbers) == {14, 74}
    assert "random mixture" in start.description


def test_a_structure_is_repeated_where_it_is_periodic():
    slab = crystal(1)
    slab = type(slab)(
        slab.numbers, slab.positions, slab.cell, np.array([True, True, False])
    )
    start = start_from_structure(TUNGSTEN, slab, 30)
    assert len(start.state) == 32
    assert start.state.structure.cell[2, 2] == slab.cell[2, 2]


def test_peak_memory_sees_what_was_given_back():
    """In a process of its own: of a large one the system may take memory meanwhile."""
    code = """
import numpy as np
from trimpot.benchmarks.memory import PeakMemory
with PeakMemory() as memory:
    block = np.ones(8_000_000)
    del block
print(memory.added)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert 60e6 < int(done.stdout) < 110e6
