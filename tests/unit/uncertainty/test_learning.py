"""What grades and uncertainties are made of: held-out fits, batches, limits, distances."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce

import numpy as np
import pytest

from fitting_samples import SPECIES
from trimpot.contract import Structure
from trimpot.fitting.solving import add_penalty, data_equations, penalty_of
from trimpot.neighbors import neighborhood
from trimpot.splines.grading import CLOSER, distance_grades
from trimpot.splines.trust import QUANTITIES, squared_lengths, trust_of
from trimpot.splines.trust_rows import atom_rows, frame_rows
from trimpot.uncertainty import learn_trust, reference
from trimpot.uncertainty.learning import _some_frames
from trust_samples import FRAMES, JOB, POTENTIAL, SETTINGS, learned, squeezed


def calibrated_on(job, monkeypatch):
    """Errors and leverages, by quantity, that the variances are found from."""
    seen = []
    monkeypatch.setattr(
        "trimpot.uncertainty.learning.variances", lambda *p: seen.append(p) or (0.0, 0.0)
    )
    learn_trust(job, threads=1)
    return dict(zip(QUANTITIES, seen, strict=True))


def test_errors_and_leverages_are_those_of_fits_without_the_frames(monkeypatch):
    blocks, strengths = JOB.result.blocks, JOB.result.chosen.strengths
    errors, leverages = [], []
    for fold in range(SETTINGS.folds):
        others = [b for f, b in enumerate(blocks.folds) if f != fold]
        total = {
            q: reduce(lambda a, b: a.plus(1.0, b), [o[q] for o in others])
            for q in others[0]
        }
        equations = data_equations(
            total, blocks.scales, strengths.kappa, SETTINGS.stress_weight
        )
        matrix = np.tril(equations.matrix) + np.tril(equations.matrix, -1).T
        matrix = np.asfortranarray(matrix)  # add_penalty works in place on no other order
        add_penalty(matrix, penalty_of(JOB.model.free), strengths)
        mine = np.flatnonzero(JOB.folds == fold)
        rows = frame_rows(JOB.native, SPECIES, [FRAMES[f].structure for f in mine]).energy
        values = np.concatenate([JOB.targets.values["energy"][f] for f in mine])
        errors.append(values - rows @ np.linalg.solve(matrix, equations.moment))
        leverages.append(reference.leverages(rows, matrix))
    found = calibrated_on(JOB, monkeypatch)["energy"]
    np.testing.assert_allclose(found[0], np.concatenate(errors), rtol=1e-4, atol=1e-8)
    np.testing.assert_allclose(found[1], np.concatenate(leverages), rtol=1e-4)


def test_structures_of_the_extent_stand_beside_their_folds(monkeypatch):
    from trimpot.uncertainty import learning

    seen, original = [], learning.extent_of

    def spy(terms, atoms, **more):
        seen.append(atoms)
        return original(terms, atoms, **more)

    monkeypatch.setattr(learning, "extent_of", spy)
    learn_trust(JOB, threads=1)
    place = {id(s): k for k, s in enumerate(JOB.targets.structures)}
    (atoms,) = seen
    assert len(atoms.structures) == len(FRAMES)
    assert [JOB.folds[place[id(s)]] for s in atoms.structures] == atoms.folds.tolist()


def test_some_frames_are_random_ones():
    rng = np.random.default_rng(0)
    found = _some_frames(np.full(1000, 5), 500, rng)
    assert len(found) == 100
    assert (np.diff(found) > 0).all()
    assert found[-1] > 900


def test_lone_atoms_and_frames_without_weight_do_not_calibrate(monkeypatch):
    cell = 12.0 * np.eye(3)
    lone = replace(
        FRAMES[0],
        structure=Structure(np.array([14]), np.zeros((1, 3)), cell, np.array([True] * 3)),
        energy=0.0,
        forces=np.zeros((1, 3)),
        stress=None,
    )
    job, _ = learned([*FRAMES, lone])
    weights = {q: w.copy() for q, w in job.targets.weights.items()}
    weights["energy"][0] = 0.0
    job = replace(job, targets=replace(job.targets, weights=weights))
    found = calibrated_on(job, monkeypatch)
    assert len(found["forces"][0]) == 3 * sum(len(f) for f in FRAMES)
    assert len(found["energy"][0]) == len(FRAMES)  # with the lone atom, without frame 0


def test_each_species_has_a_limit_of_its_own():
    structure = next(
        f.structure for f in FRAMES if len(set(f.structure.numbers.tolist())) == 2
    )
    heavy = structure.numbers == 74
    before = POTENTIAL.grader(threads=1).grades(structure)
    limits = POTENTIAL.statistics["trust_limits"] * [1.0, 100.0]
    statistics = {**POTENTIAL.statistics, "trust_limits": limits}
    found = replace(POTENTIAL, statistics=statistics).grader(threads=1).grades(structure)
    np.testing.assert_allclose(found, before / np.where(heavy, 100.0, 1.0), rtol=1e-6)


@pytest.mark.parametrize("order", [[0, 1, 2], [0, 2, 1]])
def test_the_closest_pair_of_an_atom_counts(order):
    r = trust_of(POTENTIAL.statistics).shortest[0, 1]
    chain = Structure(
        np.array([14, 74, 74])[order],
        np.array([[0.0, 0, 0], [0.5 * r, 0, 0], [0, 0.9 * r, 0]])[order],
        np.zeros((3, 3)),
        np.zeros(3, dtype=bool),
    )
    hood = neighborhood(chain, POTENTIAL.cutoff)
    shortest = trust_of(POTENTIAL.statistics).shortest
    assert distance_grades(hood, SPECIES, shortest)[0] == pytest.approx(2.0**CLOSER)


def test_a_grade_is_the_larger_one_of_extent_and_distance():
    trust, wins = trust_of(POTENTIAL.statistics), np.zeros(2, dtype=int)
    for frame, scale in zip(FRAMES[:30], np.linspace(0.8, 0.99, 30), strict=True):
        structure = squeezed(frame.structure, scale)
        hood = neighborhood(structure, POTENTIAL.cutoff)
        rows = np.concatenate([r for _, r in atom_rows(JOB.native, SPECIES, hood)])
        limits = trust.limits[np.searchsorted(SPECIES, structure.numbers)]
        far = np.sqrt(squared_lengths(rows, trust.extent)) / limits
        close = distance_grades(hood, SPECIES, trust.shortest)
        found = POTENTIAL.grader(threads=1).grades(structure)
        np.testing.assert_allclose(found, np.maximum(far, close), rtol=1e-4)
        wins += np.sum((far > close) & (close > 0.0)), np.sum(close > far)
    assert (wins > 0).all()


def test_batches_of_atoms_and_frames_change_nothing(monkeypatch):
    some = [f.structure for f in FRAMES[:8]]
    small = some[0]
    n = 2 + 32 // len(small)
    large = Structure(
        np.tile(small.numbers, n),
        np.concatenate([small.positions + k * small.cell[0] for k in range(n)]),
        small.cell * np.array([[float(n)], [1.0], [1.0]]),
        small.pbc,
    )
    whole = POTENTIAL.uncertainties([*some, large], threads=1)
    monkeypatch.setattr("trimpot.splines.trust_rows.BATCH_BYTES", 1)  # 32 atoms, a frame
    parts = POTENTIAL.uncertainties([*some, large], threads=1)
    for a, b in zip(parts, whole, strict=True):
        np.testing.assert_allclose(a.grades, b.grades, rtol=1e-5)
        np.testing.assert_allclose(a.forces, b.forces, rtol=1e-5)
        assert a.energy == pytest.approx(b.energy, rel=1e-5)


def test_penalties_are_in_the_posterior():
    strengths = replace(JOB.result.chosen.strengths, ridge=1e-2, curvature=1e-2)
    chosen = replace(JOB.result.chosen, strengths=strengths)
    job = replace(JOB, result=replace(JOB.result, chosen=chosen))
    blocks = job.result.blocks
    equations = data_equations(
        blocks.total(), blocks.scales, strengths.kappa, SETTINGS.stress_weight
    )
    matrix = np.asfortranarray(np.tril(equations.matrix) + np.tril(equations.matrix, -1).T)
    add_penalty(matrix, penalty_of(job.model.free), strengths)
    w = learn_trust(job, threads=1).posterior.astype(np.float64)
    np.testing.assert_allclose(w @ w.T @ matrix, np.eye(len(matrix)), atol=1e-2)
