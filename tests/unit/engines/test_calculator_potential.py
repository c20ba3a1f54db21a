"""ASE calculators as potentials: the same numbers, and checks that still find faults."""

import numpy as np
import pytest
from ase.calculators.calculator import Calculator as AseCalculator

from toy_potentials import Morse, WrongForceSign, cluster, crystal, skewed
from trimpot.contract import Structure
from trimpot.engines.ase import Calculator
from trimpot.engines.calculator_potential import CalculatorPotential
from trimpot.engines.following import follow
from trimpot.engines.periods import cell_of, lattice_basis
from trimpot.engines.singlepoint import evaluate
from trimpot.errors import InputError
from trimpot.neighbors import neighborhood
from trimpot.validation.checks import run_checks

SPECIES = (14, 74)


class TotalsOnly(Calculator):
    """Tells no energies of atoms."""

    def calculate(self, *args, **kwargs):
        super().calculate(*args, **kwargs)
        self.results.pop("energies")


class Endless(AseCalculator):
    """A force at every distance."""

    implemented_properties = ("energy", "forces")

    def calculate(self, atoms=None, properties=("energy",), system_changes=()):
        super().calculate(atoms, properties, system_changes)
        self.results = {"energy": 0.0, "forces": np.ones((len(atoms), 3))}


def open_slab():
    one = skewed()
    cell = one.cell.copy()
    cell[2] *= 4.0
    return Structure(one.numbers, one.positions, cell, np.array([True, True, False]))


def in_a_large_cell():
    """No atom sees an image along any direction, or only along the first."""
    one = cluster()
    numbers, x = one.numbers, one.positions
    yield Structure(numbers, x, 30.0 * np.eye(3), np.ones(3, dtype=bool))
    yield Structure(numbers, x, np.diag([6.5, 30.0, 30.0]), np.ones(3, dtype=bool))


STRUCTURES = [crystal(), crystal(1), skewed(), cluster(), open_slab(), *in_a_large_cell()]


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("kind", [Calculator, TotalsOnly])
def test_numbers_are_those_of_the_potential_inside(structure, kind):
    inside = Morse()
    adapted = CalculatorPotential(lambda: kind(inside, threads=1), SPECIES, 5.0)
    expected = evaluate(inside, structure)
    (whole,) = adapted.evaluate_many([structure])
    moving = follow(adapted).evaluate(structure)
    for found in (evaluate(adapted, structure), whole, moving):
        assert found.energy == pytest.approx(expected.energy, abs=1e-10)
        assert np.allclose(found.forces, expected.forces, atol=1e-11)
        assert np.allclose(found.virial, expected.virial, atol=1e-10)
    if kind is Calculator:
        assert np.allclose(whole.energies, expected.energies, atol=1e-12)


def test_energies_of_atoms_that_nobody_tells_are_right_where_atoms_are_alone():
    adapted = CalculatorPotential(lambda: TotalsOnly(Morse(), threads=1), SPECIES, 5.0)
    far = Structure(
        np.array([14, 74], dtype=np.int32),
        np.array([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]]),
        np.zeros((3, 3)),
        np.zeros(3, dtype=bool),
    )
    assert evaluate(adapted, far).energies.tolist() == [-3.0, -2.0]


def test_the_cutoff_is_found():
    adapted = CalculatorPotential(lambda: Calculator(Morse(cutoff=4.3)), SPECIES)
    assert adapted.cutoff == pytest.approx(4.3, abs=1e-6)
    with pytest.raises(InputError, match="interact at 15"):
        _ = CalculatorPotential(Endless, (74,)).cutoff


def test_a_basis_spans_what_the_vectors_span():
    rng = np.random.default_rng(0)
    for rank in (1, 2, 3):
        basis = rng.normal(size=(rank, 3)) * 4.0
        whole = rng.integers(-3, 4, size=(12, rank)).astype(float)
        whole[:2, 0] = (2.0, 3.0)  # neither generates what both do
        whole[:2, 1:] = 0.0
        found = lattice_basis(whole @ basis)
        span = whole @ basis
        back = span @ np.linalg.pinv(found)
        assert np.allclose(back, np.round(back), atol=1e-9)
        assert np.allclose(back @ found, span, atol=1e-9)
        inside = found @ np.linalg.pinv(basis)
        assert np.allclose(inside, np.round(inside), atol=1e-9)


def test_a_small_cell_is_found_again():
    one = skewed()
    cell, pbc = cell_of(neighborhood(one, 5.0))
    assert pbc.all()
    assert np.linalg.det(cell) == pytest.approx(abs(np.linalg.det(one.cell)), rel=1e-9)


def test_checks_pass_and_find_a_fault_through_a_calculator():
    def of(potential):
        adapted = CalculatorPotential(lambda: TotalsOnly(potential, threads=1), SPECIES)
        return run_checks(adapted, only=["derivatives", "symmetries", "cells", "save-load"])

    good = of(Morse())
    assert good.passed
    assert good["save-load"].grade == "-"
    assert not of(WrongForceSign())["forces-derivative"].passed


class StressFree(Calculator):
    implemented_properties = ("energy", "free_energy", "forces")


@pytest.mark.parametrize(("inside", "passed"), [(Morse, True), (WrongForceSign, False)])
def test_forces_are_checked_where_there_is_no_stress(inside, passed):
    adapted = CalculatorPotential(lambda: StressFree(inside(), threads=1), SPECIES, 5.0)
    found = run_checks(adapted, only=["derivatives", "nve-order"])
    assert found["forces-derivative"].passed == passed
    assert found["nve-order"].passed == passed
    assert not found["stress-derivative"].applies


def test_unknown_elements_are_refused_by_name():
    adapted = CalculatorPotential(lambda: Calculator(Morse()), (74,), 5.0)
    with pytest.raises(InputError, match="Si"):
        evaluate(adapted, skewed())
