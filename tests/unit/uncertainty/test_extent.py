"""The extent of training data in the space of atoms' rows."""

from __future__ import annotations

import numpy as np
import pytest

from fitting_samples import SPECIES, free_terms
from spline_samples import scattered
from trimpot.splines.trust import full_upper, packed_upper, squared_lengths
from trimpot.uncertainty import reference
from trimpot.uncertainty.extent import INSIDE, Atoms, extent_of

COUNT = 24


def atoms_of(species=SPECIES, count=COUNT):
    terms = free_terms()
    structures = [
        scattered(species, n=4 + s % 4, shortest=1.9, seed=s) for s in range(count)
    ]
    folds = np.repeat(np.arange(4), count // 4)
    return terms, Atoms(tuple(t.native(None) for t in terms), SPECIES, structures, folds)


def all_rows(atoms):
    return np.concatenate([rows for _, _, rows in atoms.rows(1)])


def kinds_of(atoms):
    return np.concatenate([np.searchsorted(SPECIES, s.numbers) for s in atoms.structures])


def test_rows_come_in_the_order_of_atoms_however_many_at_once(monkeypatch):
    _, atoms = atoms_of()
    whole = all_rows(atoms)
    monkeypatch.setattr("trimpot.uncertainty.extent.AT_ONCE", 1)
    parts = list(atoms.rows(1))
    assert len(parts) == COUNT
    np.testing.assert_array_equal(np.concatenate([r for _, _, r in parts]), whole)
    assert [p[0] for p in parts] == atoms.folds.tolist()


def test_extent_equals_the_formulas_in_numpy():
    terms, atoms = atoms_of()
    rows, kinds = all_rows(atoms), kinds_of(atoms)
    sizes = [t.n_coefficients for t in terms]
    ridge = reference.ridges(rows, kinds, sizes)
    weights = reference.optimal_weights(rows, kinds, ridge)
    moment = reference.second_moment(rows, weights, ridge)
    found = extent_of(terms, atoms, threads=1)
    np.testing.assert_allclose(
        np.linalg.norm(rows @ found.factor, axis=1),
        reference.lengths(rows, moment),
        rtol=1e-7,
    )


def test_weights_come_near_the_smallest_ellipsoid():
    """With D-optimal weights no atom is farther than sqrt(k) (Kiefer and Wolfowitz)."""
    terms, atoms = atoms_of()
    rows, kinds = all_rows(atoms), kinds_of(atoms)
    ridge = reference.ridges(rows, kinds, [t.n_coefficients for t in terms])

    def farthest(steps):
        weights = reference.optimal_weights(rows, kinds, ridge, steps=steps)
        return reference.lengths(rows, reference.second_moment(rows, weights, ridge)).max()

    bound = np.sqrt(rows.shape[1])
    assert farthest(400) < 1.02 * bound
    assert farthest(2) < farthest(0)


def test_limit_of_one_species_is_the_edge_of_held_out_frames():
    terms, atoms = atoms_of()
    alone = [scattered((14,), n=4 + s % 4, shortest=1.9, seed=s) for s in range(COUNT)]
    atoms = Atoms(atoms.native, SPECIES, alone, atoms.folds)
    rows, kinds = all_rows(atoms), kinds_of(atoms)
    ends = np.cumsum([len(s) for s in alone])
    ridge = reference.ridges(rows, kinds, [t.n_coefficients for t in terms])
    weights = reference.optimal_weights(rows, kinds, ridge)
    fold_of_atom = np.repeat(atoms.folds, [len(s) for s in alone])
    held_out = []
    for f, end in enumerate(ends):
        others = fold_of_atom != atoms.folds[f]
        moment = reference.second_moment(rows[others], weights[others], ridge)
        held_out.append(reference.lengths(rows[end - len(alone[f]) : end], moment))
    found = extent_of(terms, atoms, threads=1)
    assert found.limits[0] == pytest.approx(reference.edge(held_out, inside=INSIDE))


def test_length_in_single_precision_is_that_in_double():
    terms, atoms = atoms_of()
    rows = all_rows(atoms)
    factor = extent_of(terms, atoms, threads=1).factor
    single = full_upper(packed_upper(factor.astype(np.float32)))
    np.testing.assert_allclose(
        squared_lengths(rows, single), np.sum((rows @ factor) ** 2, axis=1), rtol=2e-4
    )


def test_limits_of_two_species_are_in_proportion_to_their_own_edges():
    terms, atoms = atoms_of()
    rows, kinds = all_rows(atoms), kinds_of(atoms)
    ridge = reference.ridges(rows, kinds, [t.n_coefficients for t in terms])
    weights = reference.optimal_weights(rows, kinds, ridge)
    folds = np.repeat(atoms.folds, [len(s) for s in atoms.structures])
    held_out = np.empty(len(rows))
    for fold in range(4):
        mine = folds == fold
        moment = reference.second_moment(rows[~mine], weights[~mine], ridge)
        held_out[mine] = reference.lengths(rows[mine], moment)
    edges = [np.quantile(held_out[kinds == k], INSIDE, method="higher") for k in (0, 1)]
    assert abs(edges[1] / edges[0] - 1.0) > 0.05
    limits = extent_of(terms, atoms, threads=1).limits
    assert limits[1] / limits[0] == pytest.approx(edges[1] / edges[0], rel=1e-6)
