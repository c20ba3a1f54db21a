"""What LAMMPS makes of exported tables, cores and folders, against our own evaluation."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

import lammps_oracle as lammps
from trimpot.contract import Structure
from trimpot.engines.ase import structure_from_atoms
from trimpot.files.lammps_example import example_structure
from trimpot.files.lammps_table import TableSettings, write_table
from trimpot.files.uf3 import read_uf3_json, write_uf3
from trimpot.splines.core import ZblTerm
from trimpot.splines.knots import clamped
from trimpot.splines.one_body import OneBody
from trimpot.splines.pair import PairCurve, PairTerm
from trimpot.splines.potential import SplinePotential
from trimpot.splines.triplet import TripletGrid, TripletTerm, grid_columns
from trimpot.verbs.exporting import export

PUBLISHED = Path(__file__).parents[4] / "shared" / "potentials" / "uf3_W"
SPECIES = GE, TE = 32, 52
SPACING = 15.0  # between dimers, angstrom


@pytest.fixture(scope="module")
def lmp():
    return lammps.find_lmp()


def _pairs(rng):
    curves, first = [], 0
    for pair, cutoff in {(GE, GE): 5.0, (GE, TE): 4.2, (TE, TE): 4.6}.items():
        knots = clamped(np.linspace(0.0, cutoff, 15))
        columns = np.full(len(knots) - 4, -1, dtype=np.int32)
        columns[:-3] = first + np.arange(len(columns) - 3)
        curves.append(PairCurve(pair, knots, columns, 0.0))
        first += len(columns) - 3
    return PairTerm(SPECIES, tuple(curves)), rng.normal(size=first)


def _triplets(rng):
    knots = (clamped(np.linspace(1.0, 4.0, 6)),) * 2 + (clamped(np.linspace(1.0, 8.0, 8)),)
    columns = grid_columns(knots, symmetric=True, leading=0)
    grid = TripletGrid(((GE, TE, TE),), *knots, columns)
    return TripletTerm(SPECIES, (grid,)), rng.normal(size=grid.n_free)


def _core():
    outer = np.array([[1.7, 1.8], [1.8, 1.9]])
    return ZblTerm(SPECIES, 0.5 * outer, outer), np.zeros(0)


def _potential(*, triplets):
    rng = np.random.default_rng(17)
    parts = [(OneBody(SPECIES), np.array([-4.0, -3.0])), _pairs(rng), _core()]
    if triplets:
        parts.append(_triplets(rng))
    terms, values = zip(*parts, strict=True)
    return SplinePotential(SPECIES, terms, values)


def _row_of_dimers(r):
    """Ge-Te dimers of these lengths, out of each other's reach."""
    n = len(r)
    positions = np.zeros((n, 2, 3))
    positions[:, :, 0] = SPACING * np.arange(1, n + 1)[:, None]
    positions[:, :, 1:] = 6.0
    positions[:, 1, 1] += r
    cell = [SPACING * (n + 1), 20.0, 20.0]
    return Atoms([GE, TE] * n, positions.reshape(-1, 3), cell=cell, pbc=True)


def _ours(potential, atoms):
    return potential.evaluate_many([structure_from_atoms(atoms)], threads=1)[0]


def _without_isolated(potential, atoms):
    energies = dict(zip(SPECIES, potential.coefficients[0].tolist(), strict=True))
    return _ours(potential, atoms).energy - sum(energies[z] for z in atoms.numbers)


@pytest.mark.parametrize("interpolation", ["spline", "linear"])
def test_stated_errors_are_those_of_lammps(lmp, tmp_path, interpolation):
    """A coarse table, so that its errors stand out; random distances miss the worst."""
    potential = _potential(triplets=False)
    settings = TableSettings(
        points=400, interpolation=interpolation, energy_bound=1.0, force_bound=10.0
    )
    done = write_table(potential, tmp_path / "a.table", settings=settings)
    stated = done.pairs["Ge-Te"]
    atoms = _row_of_dimers(np.random.default_rng(1).uniform(0.5, 4.2, size=400))
    theirs = lammps.evaluate(lmp, tmp_path, atoms, SPECIES, done.commands)
    exact = _ours(potential, atoms).forces
    worst = np.max(np.abs(theirs.forces - exact) / np.maximum(1.0, np.abs(exact)))
    assert 0.2 * stated.force_error <= worst <= 1.01 * stated.force_error
    one = _row_of_dimers(np.array([2.3]))
    theirs = lammps.evaluate(lmp, tmp_path, one, SPECIES, done.commands)
    expected = _without_isolated(potential, one)
    assert theirs.energy == pytest.approx(expected, abs=stated.energy_error)


def test_table_in_the_bulk(lmp, tmp_path):
    potential = _potential(triplets=False)
    done = write_table(potential, tmp_path / "a.table")
    atoms = bulk("Ge", "bcc", a=3.1, cubic=True).repeat(3)
    rng = np.random.default_rng(2)
    atoms.numbers[:] = rng.choice(SPECIES, size=len(atoms))
    atoms.numbers[:2] = SPECIES
    atoms.positions += rng.normal(scale=0.3, size=(len(atoms), 3))
    theirs = lammps.evaluate(lmp, tmp_path, atoms, SPECIES, done.commands)
    expected = _without_isolated(potential, atoms)
    assert theirs.energy == pytest.approx(expected, abs=1e-6 * len(atoms))
    np.testing.assert_allclose(
        theirs.forces, _ours(potential, atoms).forces, rtol=0.0, atol=2e-4
    )


def test_core_table_beside_a_uf3_file(lmp, tmp_path):
    potential = _potential(triplets=True)
    done = write_uf3(potential, tmp_path / "a.uf3", core="table")
    assert done.dropped == ("isolated-atom energies",)
    atoms = _row_of_dimers(np.linspace(0.55, 4.0, 60))
    theirs = lammps.evaluate(lmp, tmp_path, atoms, SPECIES, done.commands)
    exact = _ours(potential, atoms).forces
    error = np.abs(theirs.forces - exact) / np.maximum(1.0, np.abs(exact))
    assert error.max() <= done.core_table.pairs["Ge-Te"].force_error + 1e-9
    crowded = bulk("Te", "bcc", a=2.3, cubic=True).repeat(3)
    rng = np.random.default_rng(4)
    crowded.numbers[:] = rng.choice(SPECIES, size=len(crowded))
    crowded.numbers[:2] = SPECIES
    crowded.positions += rng.normal(scale=0.1, size=(len(crowded), 3))
    theirs = lammps.evaluate(lmp, tmp_path, crowded, SPECIES, done.commands)
    np.testing.assert_allclose(
        theirs.forces, _ours(potential, crowded).forces, rtol=1e-6, atol=1e-5
    )
    expected = _without_isolated(potential, crowded)
    assert theirs.energy == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("to", ["lammps-table", "lammps-uf3"])
def test_exported_folder_runs_as_it_is(lmp, tmp_path, to):
    potential = _potential(triplets=to == "lammps-uf3")
    done = export(potential, to, output=tmp_path / "out")
    run = subprocess.run(
        [lmp, "-in", "in.lammps"],
        cwd=done.output,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    lines = run.stdout.splitlines()
    row = next(i for i, line in enumerate(lines) if "v_trimpot_energy" in line.split())
    energy = float(lines[row + 1].split()[1])
    positions, edge = example_structure(SPECIES, max(done.exact_from.values()))
    numbers = np.array([SPECIES[i % 2] for i in range(len(positions))], dtype=np.int32)
    atoms = Structure(numbers, positions, edge * np.eye(3), np.ones(3, dtype=bool))
    (ours,) = potential.evaluate_many([atoms], threads=1)
    assert energy == pytest.approx(ours.energy, abs=1e-6 * len(atoms))
    dump = np.loadtxt(done.output / "forces.dump", skiprows=9)
    np.testing.assert_allclose(dump[:, 5:], ours.forces, rtol=1e-8, atol=2e-4)


@pytest.mark.parametrize(
    "name", ["model_2.json", "model_2and3.json", "manuscript_uf23.json"]
)
def test_json_of_uf3_through_lammps(lmp, tmp_path, name):
    path = PUBLISHED / name
    if not path.exists():
        pytest.skip(f"needs the published {name} in ../shared/potentials")
    potential = read_uf3_json(path)
    done = write_uf3(potential, tmp_path / "w.uf3")
    atoms = bulk("W", "bcc", a=3.18, cubic=True).repeat(3)
    atoms.positions += np.random.default_rng(0).normal(scale=0.2, size=(len(atoms), 3))
    theirs = lammps.evaluate(lmp, tmp_path, atoms, (74,), done.commands)
    ours = _ours(potential, atoms)
    expected = theirs.energy + len(atoms) * done.isolated_energies["W"]
    assert ours.energy == pytest.approx(expected, abs=1e-10 * len(atoms), rel=0.0)
    np.testing.assert_allclose(theirs.forces, ours.forces, rtol=0.0, atol=1e-9)
