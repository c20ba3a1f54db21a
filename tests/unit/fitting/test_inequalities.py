"""Quadratic programmes under A c <= b against a general optimiser and known answers."""

import numpy as np
import pytest
from scipy import optimize, sparse

from trimpot.errors import FitError
from trimpot.fitting import Strengths
from trimpot.fitting.inequalities import Inequalities, shortest_step
from trimpot.fitting.solving import NormalEquations, Penalty, solve_constrained

PLAIN = Strengths(1.0, 0.0, 0.0)


def no_penalty(n):
    return Penalty(np.zeros(n), sparse.csr_array((n, n)))


def solved(h, b, rows, bounds):
    equations = NormalEquations(np.asfortranarray(h), b)
    return solve_constrained(
        equations, no_penalty(len(b)), PLAIN, Inequalities(rows, bounds)
    )


def planted(n, m, seed, *, feasible=True):
    """A random convex programme: H, b, rows, bounds (met by a random point)."""
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(2 * n, n))
    rows = rng.normal(size=(m, n))
    inside = rng.normal(size=n) if feasible else np.zeros(n)
    return a.T @ a, rng.normal(size=n), rows, rows @ inside + rng.random(m) * 0.1


@pytest.mark.parametrize(("n", "m"), [(3, 1), (4, 2), (8, 5), (8, 20), (20, 60)])
def test_solutions_equal_those_of_a_general_optimiser(n, m):
    for seed in range(5):
        h, b, rows, bounds = planted(n, m, seed)
        c = solved(h, b, rows, bounds)
        best = optimize.minimize(
            lambda x, h=h, b=b: 0.5 * x @ h @ x - b @ x,
            np.zeros(n),
            jac=lambda x, h=h, b=b: h @ x - b,
            constraints=optimize.LinearConstraint(rows, -np.inf, bounds),
            method="SLSQP",
            options={"ftol": 1e-11, "maxiter": 1000},
        )
        assert best.success
        assert (rows @ c - bounds).max() < 1e-9
        assert 0.5 * c @ h @ c - b @ c <= best.fun + 1e-8
        assert np.abs(c - best.x).max() < 1e-4


def test_the_conditions_of_karush_kuhn_and_tucker_hold():
    """The gradient is a non-negative sum of the rows that bind; 400 rows, 300 unknowns."""
    h, b, rows, bounds = planted(300, 400, 7)
    c = solved(h, b, rows, bounds)
    tied = rows @ c - bounds > -1e-9
    _, distance = optimize.nnls(rows[tied].T, b - h @ c)
    assert 0 < tied.sum() < 300
    assert (rows @ c - bounds).max() < 1e-9
    assert distance < 1e-8 * np.abs(b - h @ c).sum()
    assert Inequalities(rows, bounds).binding(c) == tied.sum()


def test_a_point_is_projected_on_a_half_space_and_on_a_corner():
    """min |c - (2, 1)|^2 under c0 <= 1 is (1, 1); also under c0 + c1 <= 1.5: (1, 0.5)."""
    rows = np.array([[1.0, 0.0], [1.0, 1.0]])
    target = np.array([2.0, 1.0])
    assert np.allclose(solved(np.eye(2), target, rows[:1], np.array([1.0])), [1.0, 1.0])
    found = solved(np.eye(2), target, rows, np.array([1.0, 1.5]))
    assert np.allclose(found, [1.0, 0.5], atol=1e-12)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_scales_of_rows_and_of_solutions_do_not_matter(scale, size):
    h, b, rows, bounds = planted(8, 12, 3)
    expected = solved(h, b, rows, bounds)
    found = solved(h, size * b, scale * rows, scale * size * bounds)
    assert np.abs(found / size - expected).max() < 1e-8 * np.abs(expected).max()


def test_rows_that_repeat_others_and_empty_rows_change_nothing():
    h, b, rows, bounds = planted(8, 12, 4)
    expected = solved(h, b, rows, bounds)
    more = np.concatenate([rows, rows, 3.0 * rows[:4], np.zeros((2, 8))])
    limits = np.concatenate([bounds, bounds, 3.0 * bounds[:4], [0.0, 1.0]])
    assert np.abs(solved(h, b, more, limits) - expected).max() < 1e-8


def test_a_solution_that_obeys_is_left_alone():
    h, b, rows, _ = planted(5, 3, 1)
    free = np.linalg.solve(h, b)
    loose = rows @ free + 1e-3
    assert np.allclose(solved(h, b, rows, loose), free, rtol=1e-12)
    assert np.allclose(solved(h, b, np.zeros((0, 5)), np.zeros(0)), free, rtol=1e-12)


@pytest.mark.parametrize(
    ("rows", "bounds"),
    [
        ([[1.0, 0.0], [-1.0, 0.0]], [-1.0, -1.0]),
        ([[1.0, 1.0], [-2.0, -2.0], [0.0, 1.0]], [-1.0, -3.0, 0.0]),
        ([[0.0, 0.0]], [-1.0]),
    ],
)
def test_contradictions_are_an_error_with_advice(rows, bounds):
    with pytest.raises(FitError, match=r"inequalit(y|ies)"):
        solved(np.eye(2), np.ones(2), np.array(rows), np.array(bounds))


@pytest.mark.parametrize("length", [1e-6, 1.0, 1e3])
def test_steps_are_the_shortest(length):
    rng = np.random.default_rng(0)
    b_t = rng.normal(size=(6, 9))
    b_t /= np.linalg.norm(b_t, axis=0)
    room = b_t.T @ rng.normal(size=6)
    step = shortest_step(b_t, room, length)
    assert (b_t.T @ step - room).max() < 1e-10
    for seed in range(200):
        other = step + 0.3 * np.random.default_rng(seed).normal(size=6)
        if (b_t.T @ other <= room).all():
            assert np.linalg.norm(other) >= np.linalg.norm(step) - 1e-12
