"""ASE's KIM calculator (kimpy) beside our own."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import numpy as np
import pytest
from ase import Atoms, units
from ase.md.verlet import VelocityVerlet

import trimpot
from kim_host import need
from spline_samples import scattered

SCRIPT = """
import sys
import numpy as np
from ase import units
from ase.calculators.kim import KIM
from ase.io import read
from ase.md.verlet import VelocityVerlet

atoms = read("start.json")
atoms.calc = KIM(sys.argv[1])
VelocityVerlet(atoms, timestep=0.5 * units.fs).run(40)
energy, forces = atoms.get_potential_energy(), atoms.get_forces()
atoms.pbc = True
stress = atoms.get_stress()
np.savez("end.npz", positions=atoms.positions, energy=energy, forces=forces, stress=stress)
"""


def test_ase_moves_atoms_as_with_our_calculator(kim_models, tmp_path):
    """In a process of its own: kimpy writes a log where it is when the process ends."""
    need(importlib.util.find_spec("kimpy"), "kimpy", "pip install kimpy")
    name, potential = kim_models("sum", 3)
    one = scattered(potential.species, 8)
    atoms = Atoms(one.numbers, one.positions, cell=one.cell, pbc=(True, True, False))
    atoms.write(tmp_path / "start.json")
    subprocess.run([sys.executable, "-c", SCRIPT, name], cwd=tmp_path, check=True)
    theirs = np.load(tmp_path / "end.npz")
    atoms.calc = trimpot.Calculator(potential)
    VelocityVerlet(atoms, timestep=0.5 * units.fs).run(40)
    assert np.abs(atoms.positions - one.positions).max() > 0.05
    np.testing.assert_allclose(theirs["positions"], atoms.positions, atol=1e-8)
    assert theirs["energy"] == pytest.approx(atoms.get_potential_energy(), abs=1e-7)
    np.testing.assert_allclose(theirs["forces"], atoms.get_forces(), atol=1e-6)
    atoms.pbc = True
    np.testing.assert_allclose(theirs["stress"], atoms.get_stress(), atol=1e-8)
