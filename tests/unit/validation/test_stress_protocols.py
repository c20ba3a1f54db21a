# ruff: noqa: ARG002 - planted graders follow the contract
"""Stress tests, molecules, dimers and bond scans: a sound potential and planted faults."""

import time

import ase.io
import numpy as np
import pytest
from ase import Atoms, units
from ase.calculators.calculator import Calculator as AseCalculator

from crystal_subjects import FCC_CU, lennard_jones, lj_subject, measured
from faulty_potentials import (
    GOOD,
    Altered,
    Remembering,
    bump,
    nan_where,
    pairs,
    ramp,
    shortest,
    wave,
    wave_slope,
)
from toy_potentials import AttractiveCore, Morse
from trimpot.contract import Evaluation
from trimpot.engines.ase import Calculator, structure_from_atoms
from trimpot.engines.calculator_potential import CalculatorPotential
from trimpot.errors import InputError
from trimpot.validation.kept_results import key_of
from trimpot.validation.properties.case import Phase
from trimpot.validation.properties.protocols import PROTOCOLS
from trimpot.validation.subjects import subject_of_calculator, subject_of_potential
from trimpot.validation.suites import load_suite

FCC_W = Phase("fcc", "fcc", ("W",), 3.75)
SHORT = {"runs": 2, "picoseconds": 0.6, "atoms": 32}
HOT = {"heating": {**SHORT, "end": 6000.0}, "hot_gas": {**SHORT, "settle_ps": 0.2}}


def subject(potential):
    return subject_of_potential(potential, "planted", "key")


def held(found):
    """Values of an outcome whose failure, if any, spoils none of them."""
    assert not any(found.fails(name) for name in found.values)
    return {name: value.value for name, value in found.values.items()}


@pytest.mark.parametrize("protocol", ["heating", "hot_gas"])
def test_sound_potential_survives(protocol):
    found = measured(subject(GOOD), protocol, FCC_W, **HOT[protocol])
    values = held(found)
    assert found.failure is None
    assert values["stable_runs"] == values["runs"] == 2.0
    assert values["stable_ps"] == pytest.approx(0.6)
    assert values["closest"] > 1.0
    assert found.curves["energy"].y.shape[1] == 2
    if protocol == "heating":
        assert values["temperature"] == 6000.0


def test_forces_that_become_nan_end_a_run_where_it_got_hot():
    planted = subject(nan_where(lambda a: shortest(a) < 2.2)())
    found = measured(planted, "heating", FCC_W, **HOT["heating"])
    values = held(found)
    assert values["survived"] == 0.0
    assert 600.0 < values["temperature"] < 6000.0
    assert "2 of 2 runs unstable" in found.failure
    assert "nan" in found.failure
    assert any("seed 1" in note for note in found.notes)


def test_hole_in_the_core_is_found_by_hot_atoms_and_under_pressure():
    hole = subject(pairs(*bump(1.8, 0.2, -40.0))())
    heated = measured(hole, "heating", FCC_W, **HOT["heating"])
    assert held(heated)["survived"] == 0.0
    assert "below that of the phase at rest" in heated.failure
    squeezed = {"runs": 1, "atoms": 32, "stage_fs": 30.0, "shrink": 0.03}
    found = measured(hole, "compression", FCC_W, **squeezed)
    assert held(found)["survived"] == 0.0
    assert 0.4 < found.number("volume") < 0.95
    sound = measured(subject(GOOD), "compression", FCC_W, **squeezed, pressure=60.0)
    assert sound.failure is None
    assert sound.number("pressure") >= 60.0
    assert sound.number("pressure_fall") == 0.0


def test_atoms_on_top_of_each_other_end_a_run():
    found = measured(
        subject(pairs(*bump(0.0, 1.2, -300.0))()), "hot_gas", FCC_W, **HOT["hot_gas"]
    )
    assert held(found)["survived"] == 0.0
    assert "covalent radii" in found.failure


class Kicked(Altered):
    """Forces with noise, which no thermostat can take up."""

    def __init__(self):
        super().__init__()
        self.rng = np.random.default_rng(0)

    def changed(self, around, good):
        noise = 30.0 * self.rng.standard_normal(good.forces.shape)
        return Evaluation(good.energies, good.forces + noise, good.virial)


def test_forces_that_heat_end_a_run_at_constant_temperature():
    settings = {**SHORT, "temperature": 600.0}
    sound = measured(subject(GOOD), "long_nvt", FCC_W, **settings)
    assert held(sound)["survived"] == 1.0
    assert sound.number("displacement") < 0.3
    assert sound.number("drift") < 5.0
    leaking = measured(subject(Remembering(push=10.0)), "long_nvt", FCC_W, **settings)
    assert leaking.number("drift") > 100.0 * sound.number("drift")
    found = measured(subject(Kicked()), "long_nvt", FCC_W, **settings)
    assert held(found)["survived"] == 0.0
    assert "K at 600 K" in found.failure


def test_grades_are_counted():
    class Grader:
        def grades(self, structure):
            near = shortest_of(structure) < 2.3
            return np.full(len(structure), 2.0 if near else 0.5)

    class Graded(Altered):
        def grader(self, *, threads):
            return Grader()

        def uncertainties(self, structures, *, threads):
            return None

    found = measured(subject(Graded()), "heating", FCC_W, **HOT["heating"])
    assert 0.0 < found.number("extrapolated") < 1.0
    assert any("beyond the training data from" in note for note in found.notes)
    assert (
        "extrapolated"
        not in measured(
            subject(GOOD), "heating", FCC_W, **{**SHORT, "picoseconds": 0.05}
        ).values
    )


def shortest_of(structure):
    atoms = Atoms(structure.numbers, structure.positions, cell=structure.cell, pbc=True)
    apart = atoms.get_all_distances(mic=True)
    return apart[apart > 0.0].min()


def test_calculator_moves_as_the_potential_does():
    settings = {"runs": 1, "picoseconds": 0.1, "atoms": 32}
    mine = measured(subject(Morse()), "heating", FCC_W, **settings)
    theirs = measured(
        subject_of_calculator(lambda: Calculator(Morse(), threads=1), "M", ("W",), "key"),
        "heating",
        FCC_W,
        **settings,
    )
    assert mine.curves["energy"].y == pytest.approx(theirs.curves["energy"].y, abs=1e-9)


def test_calculator_potential_has_the_virial_of_its_stress():
    atoms = FCC_W.conventional()
    atoms.rattle(0.1, seed=0)
    follower = CalculatorPotential(lambda: Calculator(Morse(), threads=1), (74,)).follow(
        skin=0.0, threads=1, precision="double"
    )
    structure = structure_from_atoms(atoms)
    expected = Calculator(Morse())._evaluate(structure)
    assert follower.evaluate(structure).virial == pytest.approx(expected.virial)


def test_model_without_stress_is_compressed_without_a_pressure():
    class NoStress(Calculator):
        implemented_properties = ("energy", "free_energy", "forces")

    blind = subject_of_calculator(
        lambda: NoStress(Morse(), threads=1), "blind", ("W",), "key"
    )
    settings = {"runs": 1, "atoms": 4, "stage_fs": 10.0, "shrink": 0.05, "smallest": 0.7}
    found = measured(blind, "compression", FCC_W, **settings)
    assert "pressure" not in found.values
    assert found.number("volume") == pytest.approx(0.95**6)
    assert any("no stress" in note for note in found.notes)


def test_lennard_jones_dimer_is_exact():
    found = measured(lj_subject(), "dimers", FCC_CU, longest=3.0)
    shift = lennard_jones()
    far = Atoms("Cu2", [(0, 0, 0), (3.0, 0, 0)], calculator=shift).get_potential_energy()
    near = Atoms("Cu2", [(0, 0, 0), (2 ** (1 / 6) * 2.5, 0, 0)], calculator=shift)
    assert found.failure is None
    assert found.number("Cu-Cu_distance") == pytest.approx(2 ** (1 / 6) * 2.5, abs=1e-3)
    depth = far - near.get_potential_energy()
    assert found.number("Cu-Cu_depth") == pytest.approx(depth, abs=1e-3)
    assert found.number("Cu-Cu_flips") == 1.0
    assert found.number("Cu-Cu_hole") == 0.0


def test_dimers_tell_of_holes_and_of_pairs_that_only_repel():
    alloy = Phase("CsCl", "cesiumchloride", ("W", "Si"), 3.1)
    hole = measured(subject(AttractiveCore()), "dimers", alloy)
    assert {name.partition("_")[0] for name in hole.values} == {"Si-Si", "Si-W", "W-W"}
    assert 0.8 < hole.number("W-W_hole") < 1.5
    assert hole.number("W-W_wall") > 5.0
    assert any("W-W attracts below" in note for note in hole.notes)
    repelling = measured(subject(Morse(depth=0.5, minimum=9.0)), "dimers", FCC_W)
    assert "no minimum" in repelling.failure
    assert repelling.fails("W-W_distance")
    assert not repelling.fails("W-W_flips")


@pytest.mark.parametrize(
    ("fault", "value"),
    [
        (pairs(*ramp(2.5, 0, 0.05)), "jumps"),
        (pairs(*ramp(2.5, 1, 1.0)), "jumps"),
        (pairs(lambda r: 4.0 * wave(r), lambda r: 4.0 * wave_slope(r)), "flips"),
        (pairs(*bump(2.1, 0.1, -3.0)), "extra_minima"),
        (pairs(*bump(1.3, 0.4, -60.0)), "collapses"),
    ],
)
def test_bond_scans_find_what_is_not_smooth(fault, value):
    settings = {"structures": 3, "atoms": 32}
    sound = held(measured(subject(GOOD), "bond_scans", FCC_W, **settings))
    assert sound["clean"] == 1.0
    assert sound["scans"] == 9.0
    found = measured(subject(fault()), "bond_scans", FCC_W, **settings)
    assert found.number(value) > 0.0
    assert found.number("clean") < 1.0


N2 = Phase("N2", "file", ("N",), 1.0, given=Atoms("N2", [(0, 0, 0), (0, 0, 1.1)]))
STIFF = 8.0
"""2 D a^2 of a Morse bond of 1 eV and 2/A, eV/A^2."""


class MorseBond(AseCalculator):
    """D (1 - exp(-a (r - 1.1)))^2 of two atoms."""

    implemented_properties = ("energy", "forces")

    def __init__(self, depth):
        super().__init__()
        self.depth = depth

    def calculate(self, atoms=None, properties=("energy",), system_changes=()):
        apart = atoms.positions[1] - atoms.positions[0]
        r = np.sqrt(apart @ apart)
        x = np.exp(-2.0 * (r - 1.1))
        pull = 4.0 * self.depth * (1.0 - x) * x * apart / r
        self.results = {
            "energy": self.depth * (1.0 - x) ** 2,
            "forces": np.array([pull, -pull]),
        }


def morse_bond(depth):
    return subject_of_calculator(lambda: MorseBond(depth), "Morse", ("N",), str(depth))


def test_bond_fluctuates_as_its_stiffness_says():
    found = measured(
        morse_bond(1.0), "molecule", N2, temperatures=[150.0], runs=2, picoseconds=3.0
    )
    values = held(found)
    assert values["survived"] == 1.0
    assert values["largest_bond_change"] < 0.5
    bonds = found.curves["bonds_N-N"]
    width = bonds.x[1] - bonds.x[0]
    assert bonds.y.sum() * width == pytest.approx(1.0)
    mean = (bonds.x * bonds.y).sum() * width
    spread = np.sqrt(((bonds.x - mean) ** 2 * bonds.y).sum() * width)
    assert spread == pytest.approx(np.sqrt(units.kB * 150.0 / STIFF), rel=0.2)


def test_weak_bond_breaks():
    found = measured(morse_bond(0.02), "molecule", N2, runs=2, picoseconds=2.0)
    values = held(found)
    assert values["survived"] == 0.0
    assert values["runs"] == 4.0
    assert values["largest_bond_change"] > 0.5
    assert "bond N-N (0, 1)" in found.failure


def test_bond_lengths_are_compared_with_reference_frames(tmp_path):
    rng, spread = np.random.default_rng(0), np.sqrt(units.kB * 150.0 / STIFF)
    error = {}
    for name, length in (("same", 1.11), ("longer", 1.3)):
        frames = [
            Atoms("N2", [(0, 0, 0), (r, 0, 0)]) for r in rng.normal(length, spread, 1000)
        ]
        ase.io.write(tmp_path / f"{name}.xyz", frames)
        found = measured(
            morse_bond(1.0),
            "molecule",
            N2,
            temperatures=[150.0],
            runs=2,
            picoseconds=1.5,
            reference=str(tmp_path / f"{name}.xyz"),
        )
        error[name] = found.number("bond_error")
        assert found.curves["bonds_N-N"].y.shape[1] == 2
    assert error["same"] < 0.6
    assert error["longer"] > 1.5


SUITE = """
name: molecule
elements: [N]
phases: {N2: {structure: N2.xyz}}
properties:
  bonds: {protocol: PROTOCOL, phase: N2}
quantities:
  survived: {property: bonds, value: survived, unit: ""}
"""


def test_suites_take_molecules_for_protocols_that_know_them(tmp_path):
    ase.io.write(tmp_path / "N2.xyz", N2.given)
    path = tmp_path / "molecule.yaml"
    path.write_text(SUITE.replace("PROTOCOL", "molecule"))
    assert load_suite(path).properties["bonds"].phase.is_molecule
    path.write_text(SUITE.replace("PROTOCOL", "elastic"))
    with pytest.raises(InputError, match="is a molecule, but elastic takes a crystal"):
        load_suite(path)


def test_crystals_are_no_molecules_and_references_must_fit(tmp_path):
    with pytest.raises(InputError, match="found no file"):
        measured(morse_bond(1.0), "molecule", N2, reference=str(tmp_path / "none.xyz"))
    ase.io.write(tmp_path / "other.xyz", Atoms("NO", [(0, 0, 0), (0, 0, 1)]))
    with pytest.raises(InputError, match="other atoms than the phase"):
        measured(morse_bond(1.0), "molecule", N2, reference=str(tmp_path / "other.xyz"))


def test_results_are_kept_by_what_files_of_settings_hold(tmp_path):
    ase.io.write(tmp_path / "N2.xyz", N2.given)
    reference = tmp_path / "reference.xyz"
    suite = tmp_path / "molecule.yaml"
    asked = f"molecule, settings: {{reference: {reference}}}"
    suite.write_text(SUITE.replace("PROTOCOL", asked))
    keys = []
    for length in (1.1, 1.1, 1.2):
        ase.io.write(reference, Atoms("N2", [(0, 0, 0), (0, 0, length)]))
        keys.append(key_of(morse_bond(1.0), load_suite(suite).properties["bonds"], {}))
    assert keys[0] == keys[1] != keys[2]


def test_limits_are_settings_and_a_slip_in_one_is_told():
    molecule = PROTOCOLS["molecule"]
    limits = molecule.settings_from({"limits": {"closest": 0.3}}, "bonds").limits
    assert (limits.closest, limits.hottest) == (0.3, 10.0)
    with pytest.raises(InputError, match="closet"):
        PROTOCOLS["heating"].settings_from({"limits": {"closet": 0.3}}, "hot")
    found = measured(subject(GOOD), "heating", FCC_W, **SHORT, limits={"closest": 0.8})
    assert held(found)["survived"] == 0.0  # nearest neighbours are at 0.82
    assert "of the sum of their covalent radii" in found.failure


@pytest.mark.parametrize("protocol", ["heating", "compression", "hot_gas", "long_nvt"])
def test_model_that_is_too_slow_is_not_run(protocol):
    class Slow(Calculator):
        def calculate(self, *args, **more):
            time.sleep(0.02)
            super().calculate(*args, **more)

    slow = subject_of_calculator(lambda: Slow(Morse(), threads=1), "slow", ("W",), "key")
    found = measured(slow, protocol, FCC_W, atoms=4, limits={"minutes": 0.5})
    assert found.failure.startswith("not measured")
    assert not found.values


def test_crystal_that_melts_is_lost():
    settings = {"picoseconds": 1.5, "runs": 1, "atoms": 32}
    cold = measured(subject(GOOD), "long_nvt", FCC_W, **settings, temperature=300.0)
    assert cold.failure is None
    assert cold.number("displacement") < 0.25
    molten = measured(subject(GOOD), "long_nvt", FCC_W, **settings, temperature=20_000.0)
    assert "the crystal is lost" in molten.failure
    assert molten.number("survived") == 0.0
