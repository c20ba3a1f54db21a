"""The total charge of atoms in ASE: calculator, dynamics, relaxation, files."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need PyTorch")

from ase import Atoms  # noqa: E402
from ase.io import read, write  # noqa: E402

from network_samples import charged, core, structures  # noqa: E402
from trimpot.data import LabelKeys, ReadRules  # noqa: E402
from trimpot.data import read as read_frames  # noqa: E402
from trimpot.engines.ase import Calculator, structure_from_atoms  # noqa: E402
from trimpot.engines.md_checkpoint import (  # noqa: E402
    Checkpoint,
    read_checkpoint,
    write_checkpoint,
)
from trimpot.engines.md_settings import MdSettings  # noqa: E402
from trimpot.engines.md_start import movable  # noqa: E402
from trimpot.engines.md_state import RunState  # noqa: E402
from trimpot.engines.relaxation_settings import RelaxSettings  # noqa: E402
from trimpot.engines.singlepoint import evaluate  # noqa: E402
from trimpot.engines.structure_files import labelled_extxyz  # noqa: E402
from trimpot.errors import InputError  # noqa: E402
from trimpot.verbs.dynamics import md  # noqa: E402
from trimpot.verbs.relaxing import relax  # noqa: E402
from trimpot.verbs.singlepoints import singlepoint  # noqa: E402
from trimpot.verbs.structures import repeated  # noqa: E402

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def potential():
    return charged(prior=core())


def atoms_of(number=0, **info):
    s = structures()[number]
    return Atoms(s.numbers, s.positions, cell=s.cell, pbc=s.pbc, info=info)


def energy_of(potential, charge, number=0):
    return evaluate(potential, replace(structures()[number], charge=charge)).energy


@pytest.mark.parametrize("key", ["charge", "total_charge"])
def test_info_gives_the_charge_and_a_change_is_seen(potential, key):
    atoms = atoms_of()
    atoms.calc = Calculator(potential, threads=1)
    for charge in (0, 1, 1.0, np.int64(0)):
        atoms.info[key] = charge
        expected = energy_of(potential, int(charge))
        assert atoms.get_potential_energy() == pytest.approx(expected, abs=1e-9)
    del atoms.info[key]
    assert atoms.calc.check_state(atoms) == []
    atoms.info[key] = 1
    assert atoms.calc.check_state(atoms) == ["charge"]
    assert atoms.calc.check_state(atoms, tol=1e-6) == ["charge"]


@pytest.mark.parametrize("value", [0.5, "anion", None, [1], True, float("nan")])
def test_what_is_no_charge_is_refused(value):
    with pytest.raises(InputError, match=r"atoms.info\['charge'\] = .*whole number"):
        structure_from_atoms(atoms_of(charge=value))


def test_an_unknown_charge_is_refused_again_and_again(potential):
    atoms = atoms_of(charge=4)
    atoms.calc = Calculator(potential, threads=1)
    for _ in range(2):
        with pytest.raises(InputError, match=r"total charge \+4.*seen charges -1 \(Si\)"):
            atoms.get_forces()


def test_relaxation_and_dynamics_keep_the_charge(potential, tmp_path):
    start = tmp_path / "start.extxyz"
    write(start, atoms_of(1, total_charge=1))
    md(
        potential,
        start,
        MdSettings(
            ensemble="nve",
            steps=4,
            timestep_fs=0.1,
            temperature_k=10.0,
            trajectory_interval=2,
            threads=1,
        ),
        output=tmp_path / "run",
        figures=False,
    )
    frames = read(next((tmp_path / "run").glob("traj*")), ":")
    frames += read(next((tmp_path / "run").glob("final*")), ":")
    brief = RelaxSettings(steps=2, threads=1)
    relax(potential, start, brief, output=tmp_path / "relaxed")
    frames += read(next((tmp_path / "relaxed").glob("final*")), ":")
    for frame in frames:
        assert frame.info["total_charge"] == 1
        found = evaluate(potential, structure_from_atoms(frame)).energy
        assert frame.get_potential_energy() == pytest.approx(found, abs=1e-4)


def test_a_checkpoint_of_dynamics_keeps_the_charge(tmp_path):
    state = RunState(
        step=1,
        atoms=movable(atoms_of(charge=-1, other=3)),
        integrator={},
        analyses={},
        volume_a3=1.0,
        velocities="at rest",
    )
    write_checkpoint(tmp_path / "c", Checkpoint(state, {}))
    assert read_checkpoint(tmp_path / "c").state.atoms.info == {"charge": -1}


def test_copies_of_a_cell_have_a_charge_each():
    atoms = atoms_of(charge=1)
    assert repeated(atoms, (2, 3, 1)).info["charge"] == 6
    assert repeated(atoms_of(), (2, 3, 1)).info == {}
    assert atoms.info["charge"] == 1


def test_single_points_write_what_they_read(potential, tmp_path):
    frames = [atoms_of(1, ion=1), atoms_of(1, ion=0)]
    write(tmp_path / "in.extxyz", frames)
    keys, rules = LabelKeys(charge="ion"), ReadRules(require_labels=False)
    given = read_frames(tmp_path / "in.extxyz", keys=keys, rules=rules)
    result = singlepoint(potential, list(given), output=tmp_path / "out.extxyz")
    energies = [energy_of(potential, q, 1) for q in (1, 0)]
    assert [p.energy for p in result.points] == pytest.approx(energies, abs=1e-6)
    again = read_frames(tmp_path / "out.extxyz", keys=keys)
    assert [f.structure.charge for f in again] == [1, 0]
    usual = read_frames(tmp_path / "out.extxyz")
    assert [f.structure.charge for f in usual] == [1, 0]


def test_a_written_structure_says_its_charge(potential):
    structure = replace(structures()[0], charge=1)
    text = labelled_extxyz(structure, evaluate(potential, structure))
    assert " charge=1" in text
