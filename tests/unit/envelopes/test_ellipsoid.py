"""C of one triplet: known values, the textbook's form, gradients, conditioning."""

from fractions import Fraction

import numpy as np
import pytest
from envelope_samples import cluster, moved, slope_of

from trimpot.envelopes.reference import ellipsoid

X = np.array([2.5, 0.0, 0.0])


def textbook(u, v):
    """C of the MEAM literature and its gradients, from squared distances."""
    w = v - u
    square = u @ u
    a, b = v @ v / square, w @ w / square
    top, bottom = 2.0 * (a + b) - (a - b) ** 2 - 1.0, 1.0 - (a - b) ** 2
    c = top / bottom
    by_a = (2.0 - 2.0 * (a - b) * (1.0 - c)) / bottom
    by_b = (2.0 + 2.0 * (a - b) * (1.0 - c)) / bottom
    by_v = (2.0 * by_a * v + 2.0 * by_b * w) / square
    by_u = -(2.0 * by_b * w + 2.0 * (by_a * a + by_b * b) * u) / square
    return c, by_u, by_v


def triplets(count=300, seed=1):
    """Random pairs u and atoms v that stand between their ends, not close to the line."""
    rng = np.random.default_rng(seed)
    u, v = rng.normal(size=(2, 20 * count, 3))
    t = np.sum(u * v, 1) / np.sum(u * u, 1)
    c, _, _ = ellipsoid(u, v)
    good = (t > 0.05) & (t < 0.95) & (c > 0.05) & (c < 20.0)
    return u[good][:count], v[good][:count]


def test_an_equilateral_triangle_has_c_3():
    v = 2.5 * np.array([0.5, np.sqrt(0.75), 0.0])
    assert ellipsoid(X, v)[0] == pytest.approx(3.0, rel=1e-14)


def test_atoms_on_the_sphere_around_the_pair_have_c_1():
    rng = np.random.default_rng(2)
    for direction in rng.normal(size=(20, 3)):
        v = 0.5 * X + 1.25 * direction / np.linalg.norm(direction)
        assert ellipsoid(X, v)[0] == pytest.approx(1.0, rel=1e-12)


def test_it_is_the_product_of_the_tangents_of_the_angles_at_both_ends():
    u, v = triplets(50)
    cross = np.linalg.norm(np.cross(u, v), axis=1)
    tangents = cross / np.sum(u * v, 1) * cross / np.sum(u * (u - v), 1)
    assert ellipsoid(u, v)[0] == pytest.approx(tangents, rel=1e-12)


def test_it_is_the_same_from_both_ends():
    u, v = triplets(50)
    assert ellipsoid(u, v)[0] == pytest.approx(ellipsoid(-u, v - u)[0], rel=1e-12)


def test_values_and_gradients_are_those_of_the_textbook():
    for u, v in zip(*triplets(), strict=True):
        for found, expected in zip(ellipsoid(u, v), textbook(u, v), strict=True):
            scale = max(1.0, np.abs(expected).max())
            assert np.abs(found - expected).max() < 1e-10 * scale


def test_gradients_are_derivatives():
    for u, v in zip(*triplets(20), strict=True):
        _, by_u, by_v = ellipsoid(u, v)
        for a in range(3):
            along_u = slope_of(lambda h, a=a, u=u, v=v: ellipsoid(moved(u, a, h), v)[0])
            along_v = slope_of(lambda h, a=a, u=u, v=v: ellipsoid(u, moved(v, a, h))[0])
            assert by_u[a] == pytest.approx(along_u, rel=1e-7, abs=1e-6)
            assert by_v[a] == pytest.approx(along_v, rel=1e-7, abs=1e-6)


@pytest.mark.parametrize("height", [2.0**-10, 2.0**-20, 2.0**-30])
def test_it_is_accurate_near_the_line_where_the_textbook_is_not(height):
    u, v = np.array([2.0, 1.0, -3.0]), np.array([0.875, 0.4375 + height, -1.3125])
    exact_u, exact_v = ([Fraction(float(x)) for x in vector] for vector in (u, v))
    square = sum(x * x for x in exact_u)
    t = sum(x * y for x, y in zip(exact_u, exact_v, strict=True)) / square
    q = [y - t * x for x, y in zip(exact_u, exact_v, strict=True)]
    exact = float(sum(x * x for x in q) / (square * t * (1 - t)))
    error = abs(ellipsoid(u, v)[0] / exact - 1.0)
    assert error < 1e-14 / height
    if height < 1e-6:
        assert abs(textbook(u, v)[0] / exact - 1.0) > 100.0 * error


def test_it_is_never_negative_on_the_line():
    u = np.random.default_rng(3).normal(size=(200, 3))
    t = np.random.default_rng(4).uniform(0.01, 0.99, (200, 1))
    c, _, by_v = ellipsoid(u, t * u)
    assert (c >= 0.0).all()
    assert c.max() < 1e-28
    assert np.abs(by_v).max() < 1e-12


@pytest.mark.parametrize(
    "v", [[-0.1, 1, 0], [0, 1, 0], [2.5, 1, 0], [3, 0.1, 0], [0, 0, 0], [2.5, 0, 0]]
)
def test_atoms_beside_the_pair_or_at_its_ends_have_none(v):
    c, by_u, by_v = ellipsoid(X, np.array(v, dtype=float))
    assert c == np.inf
    assert not by_u.any()
    assert not by_v.any()


def test_hardly_between_the_ends_is_a_large_number_without_overflow():
    for t in (1e-17, 1e-99, 1e-200, 5e-324):
        c, by_u, by_v = ellipsoid(X, np.array([2.5 * t, 1.0, 0.0]))
        assert c > 1e15
        assert np.isfinite(by_u).all()
        assert np.isfinite(by_v).all()


def test_a_pair_without_length_has_no_screening_atoms():
    c, by_u, by_v = ellipsoid(np.zeros(3), X)
    assert c == np.inf
    assert not (by_u.any() or by_v.any())


def test_many_at_once_are_the_same_as_one_by_one():
    d = cluster(7)
    c, by_u, by_v = ellipsoid(d[:, None], d[None, :])
    for j in range(7):
        for k in range(7):
            one = ellipsoid(d[j], d[k])
            assert one[0] == c[j, k]
            assert np.array_equal(one[1], by_u[j, k])
            assert np.array_equal(one[2], by_v[j, k])
