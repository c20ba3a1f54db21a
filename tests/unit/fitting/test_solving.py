"""The solve against dense least squares, quadratic programmes and planted cases."""

import numpy as np
import pytest
from scipy import sparse

from fitting_samples import (
    PAIR,
    REPULSIVE,
    SPECIES,
    free_terms,
    labelled_frames,
    model_of,
    weighted_rows,
)
from toy_potentials import AttractiveCore
from trimpot.errors import FitError
from trimpot.fitting import FitSettings, Strengths, fit, make_targets
from trimpot.fitting.conditions import conditions_of
from trimpot.fitting.crossvalidation import cross_validate
from trimpot.fitting.fit import gather, refit
from trimpot.fitting.inequalities import monotone
from trimpot.fitting.solving import (
    NormalEquations,
    Penalty,
    add_penalty,
    data_equations,
    penalty_of,
    solve,
)
from trimpot.fitting.streaming import accumulate

QUANTITIES = ("energy", "forces", "stress")
ONE = Strengths(kappa=0.8, ridge=1e-5, curvature=1e-6)

CANDIDATES = FitSettings(
    kappa=(0.3, 0.9), ridge=(1e-8, 1e-3), curvature=(1e-8, 1e-4, 1.0), anchors=False
)


def settings_of(strengths, *, anchors=False, **others):
    return FitSettings(
        anchors=anchors,
        kappa=(strengths.kappa,),
        ridge=(strengths.ridge,),
        curvature=(strengths.curvature,),
        **others,
    )


def penalty_matrix(terms, strengths):
    n = sum(t.n_coefficients for t in terms)
    h = np.zeros((n, n), order="F")
    add_penalty(h, penalty_of(terms), strengths)
    return np.tril(h) + np.tril(h, -1).T


def dense_solution(terms, frames, strengths, stress_weight, scales):
    """Least squares of all rows, weighted, with the penalties as further rows."""
    shares = {
        "energy": strengths.kappa,
        "forces": 1 - strengths.kappa,
        "stress": stress_weight,
    }
    rows, values = [], []
    for quantity in QUANTITIES:
        a, y = weighted_rows(terms, frames, quantity)
        factor = np.sqrt(shares[quantity] / len(y)) / scales[quantity]
        rows.append(factor * a)
        values.append(factor * y)
    root = np.linalg.cholesky(penalty_matrix(terms, strengths)).T
    rows.append(root)
    values.append(np.zeros(len(root)))
    return np.linalg.lstsq(np.concatenate(rows), np.concatenate(values), rcond=None)[0]


def coefficients_of(result):
    return np.concatenate(result.potential.coefficients)


@pytest.mark.parametrize("kappa", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("stress_weight", [0.0, 0.02])
def test_the_fit_equals_dense_least_squares(kappa, stress_weight):
    strengths = Strengths(kappa, 1e-5, 1e-6)
    frames, model = labelled_frames(12), model_of()
    result = fit(
        model, frames, settings_of(strengths, stress_weight=stress_weight), threads=2
    )
    scales = {"stress": 1.0} | dict(result.blocks.scales)
    expected = dense_solution(model.free, frames, strengths, stress_weight, scales)
    assert np.abs(coefficients_of(result) - expected).max() < 1e-8 * np.abs(expected).max()


def test_stress_rows_are_used():
    frames, model = labelled_frames(12), model_of(PAIR)
    none = fit(model, frames, settings_of(ONE, stress_weight=0.0), threads=1)
    some = fit(model, frames, settings_of(ONE, stress_weight=1.0), threads=1)
    errors = []
    for result in (none, some):
        found = result.potential.evaluate_many([f.structure for f in frames])
        errors.append(
            np.sqrt(
                np.mean(
                    [
                        (e.stress(f.structure.volume) - f.stress) ** 2
                        for e, f in zip(found, frames, strict=True)
                    ]
                )
            )
        )
    assert errors[1] < errors[0]


@pytest.mark.parametrize("strengths", [ONE, Strengths(0.3, 1e-3, 1e-2)])
def test_held_out_errors_equal_explicit_refits_of_every_fold(strengths):
    frames, model = labelled_frames(12), model_of()
    settings = settings_of(strengths, folds=3)
    targets = make_targets(frames, SPECIES, (), settings)
    fold_of_frame = np.arange(12) % 3
    blocks = accumulate(model.free, targets, fold_of_frame, threads=1)
    (trial,) = cross_validate(blocks, penalty_of(model.free), settings).trials
    squares, counts = dict.fromkeys(QUANTITIES, 0.0), dict.fromkeys(QUANTITIES, 0)
    for fold in range(3):
        fitted = [f for f, k in zip(frames, fold_of_frame, strict=True) if k != fold]
        held = [f for f, k in zip(frames, fold_of_frame, strict=True) if k == fold]
        c = dense_solution(
            model.free, fitted, strengths, settings.stress_weight, blocks.scales
        )
        for quantity in QUANTITIES:
            rows, values = weighted_rows(model.free, held, quantity)
            squares[quantity] += np.sum((rows @ c - values) ** 2)
            counts[quantity] += len(values)
    for quantity in QUANTITIES:
        expected = np.sqrt(squares[quantity] / counts[quantity])
        assert trial.rmse[quantity] == pytest.approx(expected, rel=1e-6)
    relative = [trial.rmse[q] / blocks.scales[q] for q in ("energy", "forces")]
    assert trial.score == pytest.approx(np.sqrt(np.prod(relative)))


def test_all_candidates_are_tried_and_the_best_is_taken():
    result = fit(model_of(), labelled_frames(15), CANDIDATES, threads=2)
    assert {t.strengths for t in result.selection.trials} == set(CANDIDATES.choices())
    assert result.chosen.score == min(t.score for t in result.selection.trials)
    alone = fit(
        model_of(), labelled_frames(15), settings_of(result.chosen.strengths), threads=1
    )
    assert np.allclose(
        coefficients_of(alone), coefficients_of(result), rtol=1e-9, atol=1e-12
    )


def test_each_strength_in_turn_where_the_grid_is_dear(monkeypatch):
    monkeypatch.setattr("trimpot.fitting.crossvalidation.GRID_FLOPS", 1.0)
    seen = []
    result = fit(
        model_of(),
        labelled_frames(15),
        CANDIDATES,
        threads=1,
        progress=lambda stage, done, total: seen.append((stage, done, total)),
    )
    trials = [s for s in seen if s[0] == "cross-validation"]
    assert len(result.selection.trials) == 3 + 1 + 1
    assert trials[-1][1] == trials[-1][2] == 5


def test_a_refit_from_blocks_equals_a_fit():
    frames, model, settings = labelled_frames(10), model_of(), settings_of(ONE)
    blocks = gather(model, frames, settings, threads=1)
    again = refit(model, blocks, settings, threads=1)
    assert np.array_equal(
        coefficients_of(again), coefficients_of(fit(model, frames, settings, threads=1))
    )


def test_a_single_frame_can_be_fitted():
    """It has no other frame to be judged on and its energy has no spread."""
    (frame,) = labelled_frames(1)
    result = fit(model_of(), [frame], settings_of(ONE), threads=1)
    (found,) = result.potential.evaluate_many([frame.structure])
    assert len(result.blocks.folds) == 1
    assert result.blocks.scales["energy"] == pytest.approx(abs(frame.energy) / len(frame))
    assert np.abs(found.forces - frame.forces).max() < 0.1 * np.abs(frame.forces).max()


def test_very_strong_penalties_give_the_zero_potential():
    strong = Strengths(0.5, 1e9, 0.0)
    result = fit(model_of(), labelled_frames(6), settings_of(strong), threads=1)
    assert np.abs(coefficients_of(result)).max() < 1e-6


def test_equations_without_penalty_and_without_data_are_singular_with_advice():
    frames, model = labelled_frames(3), model_of()
    with pytest.raises(FitError, match=r"singular.*larger ridge"):
        fit(model, frames, settings_of(Strengths(0.5, 0.0, 0.0)), threads=1)
    blocks = gather(model, frames, FitSettings(), threads=1)
    equations = data_equations(blocks.total(), blocks.scales, 0.5, 0.0)
    with pytest.raises(FitError, match=r"ridge 0 and curvature 0.*more data"):
        solve(equations, penalty_of(model.free), Strengths(0.5, 0.0, 0.0))


def test_a_fit_to_an_attractive_core_stays_repulsive_below_the_data():
    """The labels collapse below 1.5 A, the data end at 1.9 A: the slope may not follow."""
    label = AttractiveCore()
    frames, model = labelled_frames(14, label=label), model_of(REPULSIVE)
    settings = settings_of(Strengths(0.5, 1e-12, 1e-12))
    result = fit(model, frames, settings, threads=1)
    rows = monotone(model.free).rows
    c = coefficients_of(result)
    assert (rows @ c).max() < 1e-8 * np.abs(c).max()
    total = result.blocks.total()
    equations = data_equations(total, result.blocks.scales, 0.5, settings.stress_weight)
    free = solve(equations, penalty_of(model.free), settings.choices()[0])
    assert (rows @ free).max() > 1e-3, "the constraint binds nothing; the test is empty"


def test_rank_counts_what_the_data_determine():
    """Frames of one composition cannot tell the two E0s apart: one short of full rank."""
    frames = [f for f in labelled_frames(60) if len(f) in (4, 6)]
    model = model_of(PAIR)
    n = sum(t.n_coefficients for t in model.free)
    rows = np.concatenate([weighted_rows(model.free, frames, q)[0] for q in QUANTITIES])
    touched = int((np.abs(rows).max(axis=0) > 0).sum())
    assert (
        np.linalg.matrix_rank(rows / np.maximum(np.linalg.norm(rows, axis=0), 1e-300))
        == touched - 1
    )
    result = fit(model, frames, settings_of(ONE), threads=1)
    found = result.conditions
    assert found.n_coefficients == n
    assert found.untouched == n - touched
    assert found.rank == touched - 1
    mixed = fit(model, labelled_frames(60), settings_of(ONE), threads=1).conditions
    assert mixed.rank == found.rank + 1


def test_degrees_of_freedom_and_condition_of_a_planted_case():
    n, ridge = 6, 0.5
    gram = np.asfortranarray(np.diag([4.0, 2.0, 1.0, 0.5, 0.0, 0.0]))
    none = Penalty(np.ones(n), sparse.csr_array((n, n)))
    coverage = np.array([1.0, 1, 1, 1, 0, 0])
    found = conditions_of(
        NormalEquations(gram, np.ones(n)), none, Strengths(1, ridge, 0), coverage
    )
    values = np.diag(gram)
    assert found.degrees_of_freedom == pytest.approx(np.sum(values / (values + ridge)))
    assert found.rank == 4
    assert found.untouched == 2
    assert found.condition == pytest.approx(1.0)  # diagonal: perfectly scaled


def test_degrees_of_freedom_of_a_fit_lie_between_zero_and_the_rank():
    weak = fit(model_of(), labelled_frames(20), settings_of(Strengths(0.5, 1e-12, 1e-12)))
    strong = fit(model_of(), labelled_frames(20), settings_of(Strengths(0.5, 1.0, 1.0)))
    assert 0 < strong.conditions.degrees_of_freedom < weak.conditions.degrees_of_freedom
    assert weak.conditions.degrees_of_freedom <= weak.conditions.rank + 1e-6
    assert strong.conditions.condition < weak.conditions.condition


def test_one_thread_and_two_give_the_same_fit():
    one = fit(model_of(), labelled_frames(12), FitSettings(), threads=1)
    two = fit(model_of(), labelled_frames(12), FitSettings(), threads=2)
    assert one.chosen.strengths == two.chosen.strengths
    a, b = coefficients_of(one), coefficients_of(two)
    assert np.abs(a - b).max() < 1e-6 * np.abs(a).max()


def test_terms_of_the_fit_stand_in_the_order_of_the_model():
    result = fit(model_of(), labelled_frames(6), settings_of(ONE), threads=1)
    assert [t.kind for t in result.potential.terms] == [t.kind for t in free_terms()]
