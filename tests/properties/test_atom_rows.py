"""Rows of atoms: the energy of each atom by each coefficient."""

from __future__ import annotations

import numpy as np
import pytest

from spline_samples import KINDS, random_potential, scattered
from trimpot import _native
from trimpot.neighbors import neighborhood
from trimpot.splines import reference
from trimpot.splines.packing import pack
from trimpot.splines.trust_rows import atom_rows, fitted_terms, frame_rows

WITH_ROWS = tuple(k for k in KINDS if k not in ("zbl", "sum"))


def rows_and_parts(kind, n_species, seed=3):
    potential = random_potential(kind, n_species)
    structure = scattered(potential.species, n=9, seed=seed)
    around = neighborhood(structure, potential.cutoff)
    native = [t.native(None) for t in potential.terms]
    found = [r for _, r in atom_rows(native, potential.species, around, threads=2)]
    return potential, structure, around, np.concatenate(found)


@pytest.mark.parametrize("kind", WITH_ROWS)
@pytest.mark.parametrize("n_species", [1, 2])
def test_rows_times_coefficients_are_the_energies_of_atoms(kind, n_species):
    potential, _, around, rows = rows_and_parts(kind, n_species)
    energies = rows @ np.concatenate(potential.coefficients)
    expected = reference.evaluate(potential, around).energies
    np.testing.assert_allclose(energies, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("kind", WITH_ROWS)
def test_rows_of_atoms_sum_to_the_energy_row_of_the_frame(kind):
    """Energies alone take another path through the kernels than rows with forces."""
    potential, structure, _, rows = rows_and_parts(kind, 2)
    native = [t.native(None) for t in potential.terms]
    whole = frame_rows(native, potential.species, [structure]).energy[0]
    scale = np.abs(rows).max()
    np.testing.assert_allclose(rows.mean(axis=0), whole, rtol=0, atol=1e-12 * scale)
    assert len(pack([structure], potential.species).positions) == len(rows)


def test_some_atoms_have_the_rows_that_they_have_among_all():
    potential, _, around, rows = rows_and_parts("triplet", 2)
    native = [t.native(None) for t in potential.terms]
    few = np.empty((3, rows.shape[1]))
    indices = np.searchsorted(potential.species, around.numbers).astype(np.int32)
    _native.atom_rows(
        native, around.positions, indices, around.first, around.neighbors, 4, few, 1
    )
    np.testing.assert_array_equal(few, rows[4:7])


def test_fitted_terms_are_found_by_the_number_of_coefficients():
    potential = random_potential("uf23", 2)
    counts = [t.n_coefficients for t in potential.terms]
    without = sum(counts[1:])
    assert fitted_terms(potential.terms, without) == tuple(
        t for t in potential.terms[1:] if t.n_coefficients
    )
    assert len(fitted_terms(potential.terms, without + 2)) == len([c for c in counts if c])
