"""Grades and uncertainties of a small potential that was fitted to Morse labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fitting_samples import SPECIES, free_terms, labelled_frames
from spline_samples import lone_dimer, profile_of, scattered
from trimpot.contract import GradedPotential, Structure
from trimpot.errors import FileFormatError
from trimpot.files import load, save
from trimpot.fitting import (
    Model,
    QuantityWeights,
    fit,
    folds_of,
    make_targets,
)
from trimpot.fitting.solving import add_penalty, data_equations, penalty_of
from trimpot.splines.grading import CLOSER
from trimpot.splines.packing import pack
from trimpot.splines.pair_settings import PairSettings
from trimpot.splines.profile import pair_profile
from trimpot.splines.trust import trust_of
from trimpot.splines.trust_rows import frame_rows
from trimpot.uncertainty import Job, learn_trust, reference
from trust_samples import FRAMES, JOB, POTENTIAL, SETTINGS, learned, squeezed


def largest(potential, structure):
    return potential.grader(threads=1).grades(structure).max()


def test_new_frames_like_those_of_the_data_are_inside():
    new = [f.structure for f in labelled_frames(60, first_seed=500)]
    found = np.array([largest(POTENTIAL, s) for s in new])
    assert np.mean(found > 1.0) < 0.1


def test_pairs_closer_than_in_the_data_are_outside_the_more_the_closer():
    shortest = trust_of(POTENTIAL.statistics).shortest[0, 1]
    found = [largest(POTENTIAL, lone_dimer(14, 74, f * shortest)) for f in (0.95, 0.8, 0.5)]
    assert found[0] >= 0.95**-CLOSER * (1.0 - 1e-6)
    assert found[0] < found[1] < found[2]
    assert found[2] >= 2.0**CLOSER


def test_squeezed_crystals_are_outside():
    for frame in FRAMES[:10]:
        assert largest(POTENTIAL, squeezed(frame.structure, 0.75)) > 1.5


def test_atoms_at_one_place_and_elements_that_never_met_have_infinite_grades():
    assert largest(POTENTIAL, lone_dimer(14, 74, 0.0)) == np.inf
    alone = [f for f in FRAMES if len(set(f.structure.numbers.tolist())) == 2]
    apart = [
        replace(
            f,
            structure=scattered((z,), n=6, shortest=1.9, seed=s),
            forces=np.zeros((6, 3)),
            stress=None,
            energy=float(z),
        )
        for s, f in enumerate(alone[:30])
        for z in SPECIES
    ]
    _, potential = learned(apart)
    assert largest(potential, lone_dimer(14, 74, 2.5)) == np.inf
    assert largest(potential, lone_dimer(14, 14, 2.5)) < np.inf


def test_grades_do_not_depend_on_orientation_order_or_number_of_copies():
    structure = FRAMES[3].structure
    grades = POTENTIAL.grader(threads=1).grades(structure)
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))[0]
    turned = replace(
        structure, positions=structure.positions @ turn, cell=structure.cell @ turn
    )
    np.testing.assert_allclose(POTENTIAL.grader().grades(turned), grades, rtol=1e-3)
    order = np.random.default_rng(0).permutation(len(structure))
    mixed = replace(
        structure, positions=structure.positions[order], numbers=structure.numbers[order]
    )
    np.testing.assert_allclose(POTENTIAL.grader().grades(mixed), grades[order], rtol=1e-3)
    twice = Structure(
        np.tile(structure.numbers, 2),
        np.concatenate([structure.positions, structure.positions + structure.cell[0]]),
        structure.cell * np.array([[2.0], [1.0], [1.0]]),
        structure.pbc,
    )
    found = POTENTIAL.grader().grades(twice)
    np.testing.assert_allclose(found, np.tile(grades, 2), rtol=1e-3)


def test_leverages_are_those_of_the_normal_equations():
    blocks, strengths = JOB.result.blocks, JOB.result.chosen.strengths
    equations = data_equations(
        blocks.total(), blocks.scales, strengths.kappa, SETTINGS.stress_weight
    )
    matrix = np.tril(equations.matrix) + np.tril(equations.matrix, -1).T
    matrix = np.asfortranarray(matrix)  # add_penalty works in place
    add_penalty(matrix, penalty_of(JOB.model.free), strengths)
    structure = scattered(SPECIES, n=6, shortest=1.9, seed=900)
    rows = frame_rows(JOB.native, SPECIES, [structure])
    trust = trust_of(POTENTIAL.statistics)
    (found,) = POTENTIAL.uncertainties([structure], threads=1)
    energy, forces, stress = (
        np.sqrt(c + f * reference.leverages(some, matrix))
        for some, (c, f) in zip(
            (rows.energy, rows.forces, rows.stress), trust.variances, strict=True
        )
    )
    assert found.energy == pytest.approx(6 * energy[0], rel=1e-3)
    np.testing.assert_allclose(found.forces.ravel(), forces, rtol=1e-3)
    np.testing.assert_allclose(found.stress[1, 2], stress[3], rtol=1e-3)
    np.testing.assert_allclose(found.stress[0, 1], stress[5], rtol=1e-3)


def test_intervals_cover_the_errors_on_new_frames():
    new = labelled_frames(80, first_seed=2000)
    known = POTENTIAL.evaluate_many([f.structure for f in new])
    found = POTENTIAL.uncertainties([f.structure for f in new], threads=1)
    errors = np.concatenate(
        [(e.forces - f.forces).ravel() for e, f in zip(known, new, strict=True)]
    )
    sigmas = np.concatenate([u.forces.ravel() for u in found])
    assert 0.9 < np.mean(np.abs(errors) < 1.96 * sigmas) < 0.98


def test_quantities_without_labels_have_no_uncertainty():
    frames = [replace(f, forces=None, stress=None) for f in FRAMES]
    _, potential = learned(frames)
    (found,) = potential.uncertainties([FRAMES[0].structure], threads=1)
    assert found.energy is not None
    assert found.forces is None
    assert found.stress is None


def test_clusters_have_no_uncertainty_of_the_stress():
    (found,) = POTENTIAL.uncertainties([lone_dimer(14, 74, 2.5)], threads=1)
    assert found.stress is None
    assert found.forces.shape == (2, 3)


@pytest.mark.parametrize("refine", [True, False])
def test_files_keep_grades_and_uncertainties(tmp_path, refine):
    _, potential = learned(refine=refine)
    save(potential, tmp_path / "a.trimpot")
    again = load(tmp_path / "a.trimpot")
    assert isinstance(again, GradedPotential)
    structure = FRAMES[1].structure
    (before,) = potential.uncertainties([structure], threads=1)
    (after,) = again.uncertainties([structure], threads=1)
    np.testing.assert_array_equal(after.grades, before.grades)
    np.testing.assert_array_equal(after.forces, before.forces)


def without(name):
    return lambda s: s.pop(name)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (without("trust_limits"), "trust_limits is missing"),
        (without("smallest"), "smallest is missing"),
        (lambda s: s.update(trust_limits=np.zeros(2)), "length > 0"),
        (lambda s: s.update(trust_extent=s["trust_extent"][:-1]), "triangle"),
        (lambda s: s.update(trust_extent=s["trust_extent"].astype(np.float64)), "float32"),
        (
            lambda s: s.update(trust_posterior=np.full_like(s["trust_posterior"], np.nan)),
            "NaN",
        ),
        (lambda s: s.update(trust_variances=-np.ones((3, 2))), "numbers >= 0"),
    ],
)
def test_files_with_impossible_trust_are_refused(tmp_path, spoil, message):
    statistics = dict(POTENTIAL.statistics)
    spoil(statistics)
    save(replace(POTENTIAL, statistics=statistics), tmp_path / "a.trimpot")
    with pytest.raises(FileFormatError, match=message):
        load(tmp_path / "a.trimpot")


def test_a_potential_without_trust_has_no_grader():
    plain = replace(POTENTIAL, statistics={})
    assert plain.grader() is None
    assert plain.uncertainties([FRAMES[0].structure]) is None


def with_weight(frames, group, *, weight):
    """A fit in which a group of frames has this weight, and its trust."""
    quantities = QuantityWeights(energy=weight, forces=weight, stress=weight)
    settings = replace(SETTINGS, weights={group: quantities})
    structures = [f.structure for f in frames]
    profile = pair_profile(pack(structures, SPECIES), 4.5)
    term = PairSettings(cutoff=4.5, intervals=12).build(SPECIES, profile_of(SPECIES, 1.9))
    model = Model(SPECIES, (term,), np.zeros(2), refine_e0s=True)
    result = fit(model, frames, settings, profile=profile, threads=1)
    targets = make_targets(frames, SPECIES, model.fixed, settings)
    groups = [f.config_type for f in frames]
    job = Job(model, result, targets, folds_of(frames, settings), settings, groups)
    return learn_trust(job, threads=1)


def test_frames_without_weight_are_not_known_territory():
    """What the fit did not use says nothing of where it can be trusted."""
    dense = [
        replace(f, structure=squeezed(f.structure, 0.8), config_type="dense")
        for f in FRAMES[:20]
    ]
    lengths = [
        lengths_of(with_weight([*FRAMES, *dense], "dense", weight=w), dense[0].structure)
        for w in (0.0, 1.0)
    ]
    assert lengths[0] > 3.0 * lengths[1]


def lengths_of(trust, structure):
    """The largest length of an atom's row over its limit, distances aside."""
    potential = replace(
        POTENTIAL, statistics={**POTENTIAL.statistics, **trust.statistics()}
    )
    far = np.zeros((2, 2))
    return largest(
        replace(potential, statistics={**potential.statistics, "smallest": far}), structure
    )


def few_with_tungsten(count, n_silicon=100):
    silicon = [
        replace(
            f,
            structure=scattered((14,), n=len(f), shortest=1.9, seed=s),
            forces=np.zeros((len(f), 3)),
            stress=None,
        )
        for s, f in enumerate(labelled_frames(n_silicon))
    ]
    return [*silicon, *labelled_frames(count, first_seed=300)]


def test_rare_elements_are_among_the_frames_that_are_looked_at(monkeypatch):
    monkeypatch.setattr("trimpot.uncertainty.learning.MOST_ATOMS", 60)
    frames = few_with_tungsten(3)
    _, potential = learned(frames)
    found = [largest(potential, f.structure) for f in frames[-3:]]
    assert max(found) < 5.0


def test_an_element_in_few_frames_gets_no_wide_limits():
    job, potential = learned(few_with_tungsten(4))
    limits = trust_of(potential.statistics).limits
    assert limits[1] <= limits[0] * (1.0 + 1e-12)
    assert limits[0] < 10.0 * np.sqrt(job.result.blocks.n_columns)


def test_terms_and_atoms_that_no_data_touch_leave_finite_numbers(tmp_path):
    """Dimers touch no triplets; lone atoms touch nothing."""
    dimers = [
        replace(f, structure=lone_dimer(14, 74, 2.0 + 0.02 * s), forces=None, stress=None)
        for s, f in enumerate(labelled_frames(30))
    ]
    structures = [f.structure for f in dimers]
    profile = pair_profile(pack(structures, SPECIES), 4.5)
    model = Model(SPECIES, free_terms()[1:], np.zeros(2), refine_e0s=False)
    result = fit(model, dimers, SETTINGS, profile=profile, threads=1)
    targets = make_targets(dimers, SPECIES, model.fixed, SETTINGS)
    trust = learn_trust(
        Job(model, result, targets, folds_of(dimers, SETTINGS), SETTINGS), threads=1
    )
    potential = result.potential
    statistics = {**potential.statistics, **trust.statistics()}
    save(replace(potential, statistics=statistics), tmp_path / "d.trimpot")
    again = load(tmp_path / "d.trimpot")
    assert largest(again, dimers[3].structure) < 1.5
    assert largest(again, FRAMES[0].structure) > 3.0


def test_one_frame_has_no_uncertainty_but_grades():
    _, potential = learned(FRAMES[:1])
    (found,) = potential.uncertainties([FRAMES[0].structure], threads=1)
    assert found.forces is None
    assert np.isfinite(found.grades).all()
