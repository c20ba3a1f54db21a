"""Our evaluation of spline potentials against LAMMPS' pair_style uf3."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bcc100, bulk

import lammps_oracle as lammps
from trimpot.engines.ase import structure_from_atoms
from trimpot.files.uf3 import read_uf3, write_uf3
from trimpot.neighbors import neighborhood
from trimpot.splines.knots import clamped
from trimpot.splines.one_body import OneBody
from trimpot.splines.pair import PairCurve, PairTerm
from trimpot.splines.potential import SplinePotential
from trimpot.splines.triplet import TripletGrid, TripletTerm, grid_columns

ROOT = Path(__file__).parents[3]
PUBLISHED = ROOT.parent / "shared" / "potentials" / "uf3_W" / "W.uf3"
GE, TE, W = 32, 52, 74
ENERGY, FORCE = 1e-10, 1e-9  # eV/atom, eV/A


@pytest.fixture(scope="module")
def lmp():
    return lammps.find_lmp()


def _structures():
    rng = np.random.default_rng(5)
    crystal = bulk("W", "bcc", a=3.18, cubic=True)
    yield "bulk", crystal.repeat(2)
    rattled = crystal.repeat(3)
    rattled.positions += rng.normal(scale=0.15, size=(len(rattled), 3))
    yield "rattled", rattled
    strained = crystal.repeat((3, 2, 2))
    strain = np.array([[1.05, 0.04, -0.03], [0.02, 0.96, 0.06], [0.05, 0.01, 1.02]])
    strained.set_cell(strained.cell.array @ strain, scale_atoms=True)
    strained.positions += rng.normal(scale=0.1, size=(len(strained), 3))
    yield "triclinic", strained
    slab = bcc100("W", (2, 3, 5), a=3.18, vacuum=6.0)
    slab.positions += rng.normal(scale=0.1, size=(len(slab), 3))
    slab.pbc = True
    yield "surface", slab
    open_slab = slab.copy()
    open_slab.pbc = (True, True, False)
    yield "open surface", open_slab


STRUCTURES = dict(_structures())


def _alloy(atoms, seed=3):
    """The structure with every atom Ge or Te."""
    mixed = atoms.copy()
    mixed.numbers[:] = np.random.default_rng(seed).choice([GE, TE], size=len(mixed))
    mixed.numbers[:2] = GE, TE
    return mixed


def _pair_term(species, breaks_of, rng):
    curves, first = [], 0
    for pair, breaks in breaks_of.items():
        knots = clamped(breaks)
        columns = np.full(len(knots) - 4, -1, dtype=np.int32)
        columns[:-3] = first + np.arange(len(columns) - 3)
        curves.append(PairCurve(pair, knots, columns, 0.0))
        first += len(columns) - 3
    return PairTerm(species, tuple(curves)), rng.normal(size=first)


def _triplet_term(species, legs_of, rng):
    grids, first = [], 0
    for trio, legs in legs_of.items():
        knots = tuple(clamped(breaks) for breaks in legs)
        columns = grid_columns(knots, symmetric=trio[1] == trio[2], leading=0, first=first)
        grids.append(TripletGrid((trio,), *knots, columns))
        first += grids[-1].n_free
    return TripletTerm(species, tuple(grids)), 0.2 * rng.normal(size=first)


def _ge_te(even=True):
    """Random two-species potential: uneven cutoffs, a pair and trios left out."""
    rng = np.random.default_rng(11)
    species = (GE, TE)

    def spread(low, high, n):
        fraction = np.linspace(0.0, 1.0, n + 1)
        return low + (high - low) * (fraction if even else fraction**1.3)

    pair, pair_values = _pair_term(
        species,
        {(GE, GE): spread(0.0, 5.0, 9), (GE, TE): spread(0.0, 3.5, 8)},
        rng,
    )
    short, long, closing = spread(1.0, 3.6, 5), spread(0.8, 4.2, 6), spread(0.5, 5.5, 7)
    triplet, triplet_values = _triplet_term(
        species,
        {
            (GE, GE, GE): (long, long, spread(0.8, 8.4, 8)),
            (GE, GE, TE): (short, long, closing),
            (TE, GE, TE): (long, short, spread(0.5, 9.0, 9)),
            (TE, TE, TE): (short, short, spread(1.0, 7.2, 5)),
        },
        rng,
    )
    return SplinePotential(
        species,
        (OneBody(species), pair, triplet),
        (np.array([-1.5, -2.5]), pair_values, triplet_values),
    )


def _assert_equal(ours, theirs, n_atoms, energy_offset=0.0):
    assert ours.energy - energy_offset == pytest.approx(
        theirs.energy, abs=ENERGY * n_atoms, rel=0.0
    )
    np.testing.assert_allclose(ours.forces, theirs.forces, rtol=0.0, atol=FORCE)
    scale = n_atoms * FORCE  # the virial sums forces times distances of a few angstrom
    np.testing.assert_allclose(ours.virial, theirs.virial, rtol=0.0, atol=scale)


def _ours(potential, atoms):
    around = neighborhood(structure_from_atoms(atoms), potential.cutoff)
    return potential.evaluate(around, threads=1)


@pytest.mark.parametrize("name", STRUCTURES)
@pytest.mark.parametrize("bodies", [2, 3])
def test_published_tungsten_potential(lmp, tmp_path, name, bodies):
    if not PUBLISHED.exists():
        pytest.skip("needs the published W.uf3 in ../shared/potentials")
    potential = read_uf3(PUBLISHED)
    if bodies == 2:
        potential = SplinePotential(
            potential.species, potential.terms[:1], potential.coefficients[:1]
        )
    atoms = STRUCTURES[name]
    commands = (f"pair_style uf3 {bodies}", f"pair_coeff * * {PUBLISHED} W")
    theirs = lammps.evaluate(lmp, tmp_path, atoms, (W,), commands)
    _assert_equal(_ours(potential, atoms), theirs, len(atoms))


@pytest.mark.parametrize("even", [True, False], ids=["uniform knots", "uneven knots"])
@pytest.mark.parametrize("name", STRUCTURES)
def test_exported_two_species_potential(lmp, tmp_path, name, even):
    potential = _ge_te(even)
    export = write_uf3(potential, tmp_path / "ge_te.uf3")
    atoms = _alloy(STRUCTURES[name])
    theirs = lammps.evaluate(lmp, tmp_path, atoms, (GE, TE), export.commands)
    ours = _ours(potential, atoms)
    energies = export.isolated_energies
    offset = sum(energies[symbol] for symbol in atoms.get_chemical_symbols())
    _assert_equal(ours, theirs, len(atoms), offset)


def test_ordered_pairs_are_both_counted(lmp, tmp_path):
    species = (W,)
    pair, values = _pair_term(
        species, {(W, W): np.linspace(0.0, 5.0, 9)}, np.random.default_rng(1)
    )
    potential = SplinePotential(species, (pair,), (values,))
    export = write_uf3(potential, tmp_path / "w.uf3")
    dimer = Atoms("W2", [[5, 5, 5], [5, 5, 7.7]], cell=[20, 20, 20], pbc=True)
    theirs = lammps.evaluate(lmp, tmp_path, dimer, species, export.commands)
    v2 = pair.curves[0].values(values, np.array([2.7]))[0][0]
    assert theirs.energy == pytest.approx(2.0 * v2, abs=1e-12)
    _assert_equal(_ours(potential, dimer), theirs, 2)
