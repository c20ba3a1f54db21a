"""ASE's KIM calculator (kimpy) beside our own."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from ase import Atoms, units
from ase.md.verlet import VelocityVerlet

import trimpot
from kim_host import need
from spline_samples import scattered


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_ase_moves_atoms_as_with_our_calculator(kim_models):
    need(importlib.util.find_spec("kimpy"), "kimpy", "pip install kimpy")
    from ase.calculators.kim import KIM

    name, potential = kim_models("sum", 3)
    one = scattered(potential.species, 8)
    atoms = Atoms(one.numbers, one.positions, cell=one.cell, pbc=(True, True, False))
    ours = atoms.copy()
    atoms.calc = KIM(name)
    ours.calc = trimpot.Calculator(potential)
    for system in (atoms, ours):
        VelocityVerlet(system, timestep=0.5 * units.fs).run(40)
    np.testing.assert_allclose(atoms.positions, ours.positions, atol=1e-8)
    assert np.abs(atoms.positions - one.positions).max() > 0.05
    energy = ours.get_potential_energy()
    assert atoms.get_potential_energy() == pytest.approx(energy, abs=1e-7)
    np.testing.assert_allclose(atoms.get_forces(), ours.get_forces(), atol=1e-6)
    atoms.pbc = ours.pbc = True
    np.testing.assert_allclose(atoms.get_stress(), ours.get_stress(), atol=1e-8)
