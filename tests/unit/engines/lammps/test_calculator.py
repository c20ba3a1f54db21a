"""The calculator of LAMMPS' pair styles against single runs of lmp and differences."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import PropertyNotImplementedError

import lammps_oracle
from trimpot.engines.lammps.calculator import LammpsCalculator, PairLines
from trimpot.engines.lammps.finding import find_lmp
from trimpot.errors import EngineError, InputError

pytestmark = pytest.mark.skipif(find_lmp() is None, reason="needs lmp")

MORSE = (
    "pair_style morse 5.0",
    "pair_coeff 1 1 0.42 1.4 3.05",
    "pair_coeff 1 2 0.30 1.5 2.80",
    "pair_coeff 2 2 0.25 1.6 2.60",
)


@pytest.fixture(scope="module")
def calculator():
    made = LammpsCalculator(PairLines(MORSE, ("W", "Si")))
    yield made
    made.close()


def slab(crystal):
    atoms = crystal(pbc=(True, True, False))
    atoms.center(8.0, axis=2)
    return atoms


def cluster(crystal):
    atoms = crystal(pbc=False)
    atoms.set_cell([[40.0, 0, 0], [0, 40.0, 0], [0, 0, 40.0]])
    atoms.center()
    return atoms


CASES = {
    "turned crystal": lambda crystal: crystal(),
    "slab": slab,
    "cluster": cluster,
    "one atom in a cell": lambda _: bulk("W", "bcc", a=3.2),
    "left-handed": lambda _: Atoms(
        "WSi",
        [(0, 0, 0), (1.6, 1.5, 1.4)],
        cell=[(0, 3.1, 0), (3.2, 0, 0), (0, 0.4, 3.3)],
        pbc=True,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_agrees_with_a_single_run_of_lammps(case, calculator, crystal, tmp_path):
    atoms = CASES[case](crystal)
    expected = lammps_oracle.evaluate(
        lammps_oracle.find_lmp("MANYBODY"), tmp_path, atoms, (74, 14), MORSE
    )
    atoms.calc = calculator
    assert atoms.get_potential_energy() == pytest.approx(expected.energies[0], abs=1e-10)
    np.testing.assert_allclose(atoms.get_forces(), expected.forces, atol=1e-9)
    if atoms.pbc.all():
        np.testing.assert_allclose(
            atoms.get_stress(voigt=False),
            -expected.virial / atoms.get_volume(),
            atol=1e-9,
        )


def test_stress_is_the_slope_of_the_energy_in_a_turned_cell(calculator, crystal):
    atoms = crystal()
    atoms.calc = calculator
    step = 1e-4
    slopes = []
    for strain in (step, -step):
        moved = atoms.copy()
        shear = np.eye(3)
        shear[0, 1] = shear[1, 0] = 0.5 * strain
        moved.set_cell(atoms.cell.array @ shear, scale_atoms=True)
        moved.calc = calculator
        slopes.append(moved.get_potential_energy())
    slope = (slopes[0] - slopes[1]) / (2 * step * atoms.get_volume())
    assert atoms.get_stress()[5] == pytest.approx(slope, rel=1e-5)


@pytest.mark.parametrize("cubic", [True, False])
def test_moved_atoms_are_as_if_set_up_anew(cubic):
    potential = PairLines(MORSE, ("W", "Si"))
    stays = LammpsCalculator(potential)
    unit = bulk("W", "bcc", a=3.2, cubic=cubic)
    for n in range(3):  # other places, images and cells; of skewed cells any
        atoms = unit * (3, 2, 3)
        atoms.numbers[::4] = 14
        atoms.rattle(0.1, seed=n)
        atoms.positions += np.random.default_rng(n).integers(-2, 3, (len(atoms), 3)) @ (
            atoms.cell.array
        )
        strain = np.diag([1.0 + 0.02 * n, 1.0, 1.0])
        strain[0, 1] = 0.0 if cubic else 0.03 * n
        atoms.set_cell(atoms.cell.array @ strain, scale_atoms=True)
        found, fresh = [], LammpsCalculator(potential)
        for calculator in (stays, fresh):
            atoms.calc = calculator
            found.append(
                (atoms.get_potential_energy(), atoms.get_forces(), atoms.get_stress())
            )
        for one, other in zip(*found, strict=True):
            assert one == pytest.approx(other, rel=1e-10, abs=1e-12)
        fresh.close()
    stays.close()


def test_a_cluster_has_no_stress(calculator):
    atoms = Atoms("W2", [(0, 0, 0), (0, 0, 3)], calculator=calculator)
    with pytest.raises(PropertyNotImplementedError, match="periodic"):
        atoms.get_stress()


def test_an_unknown_element_is_named(calculator):
    with pytest.raises(InputError, match="knows W, Si, found Cu"):
        Atoms("Cu", calculator=calculator).get_potential_energy()


def test_what_lammps_refuses_is_quoted_and_the_next_call_starts_anew():
    bad = LammpsCalculator(PairLines(("pair_style nonsense 5.0",), ("W",)))
    for _ in range(2):
        with pytest.raises(EngineError, match="nonsense"):
            Atoms("W", calculator=bad).get_potential_energy()


def test_files_are_looked_up_in_the_given_folder(tmp_path):
    folder = tmp_path / "with blank"
    folder.mkdir()
    table = "# test\n\nPAIR\nN 3\n\n1 1.0 2.0 1.0\n2 2.0 1.0 1.0\n3 3.0 0.0 1.0\n"
    (folder / "x.table").write_text(table)
    lines = ("pair_style table linear 200", "pair_coeff * * x.table PAIR 3.0")
    atoms = Atoms("W2", [(0, 0, 0), (0, 0, 2.5)])
    calculator = LammpsCalculator(PairLines(lines, ("W",), folder))
    atoms.calc = calculator
    assert atoms.get_potential_energy() == pytest.approx(0.5, abs=0.02)
    own = Path(calculator._session.folder)
    calculator.close()
    assert not own.exists()


def test_lines_without_a_pair_style_are_refused():
    with pytest.raises(InputError, match="no pair_style"):
        PairLines(("pair_coeff * * x",), ("W",))
