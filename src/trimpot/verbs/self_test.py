"""Whether the compiled core computes what it should: a crystal beside readable NumPy."""

from __future__ import annotations

import numpy as np

from trimpot.contract import Structure
from trimpot.errors import TrimpotError
from trimpot.splines.one_body import OneBody
from trimpot.splines.pair import PairCurve, PairTerm
from trimpot.splines.potential import SplinePotential

LATTICE_CONSTANT = 3.165
E0 = -4.5
SHELLS = ((8, np.sqrt(0.75)), (6, 1.0), (12, np.sqrt(2.0)))
"""Neighbours in a bcc crystal within 1.5 lattice constants, and their distances."""

LARGEST_ERROR = 1e-9
"""eV; the sums differ in their order only."""


def self_test() -> str:
    """Return "works" with the error, or what went wrong."""
    try:
        error = abs(_energy() - _expected())
    except (TrimpotError, ValueError, ImportError) as failure:
        return f"FAILS ({failure}); install Trimpot again"
    if not error < LARGEST_ERROR:
        return f"WRONG: the energy of a crystal is off by {error:.1e} eV; install again"
    return f"works (energy of a crystal right to {max(error, 1e-16):.0e} eV)"


def _parts() -> tuple[PairCurve, np.ndarray]:
    """Return a curve of pairs with its coefficients."""
    knots = np.concatenate([[0.0] * 3, np.linspace(0.0, 1.5 * LATTICE_CONSTANT, 11)])
    knots = np.concatenate([knots, [knots[-1]] * 3])
    n = len(knots) - 4
    columns = np.where(np.arange(n) < n - 3, np.arange(n), -1).astype(np.int32)
    curve = PairCurve((74, 74), knots, columns, 1.0)
    return curve, np.linspace(2.0, -0.5, n - 3) ** 3


def _energy() -> float:
    """Return the energy of two atoms in a cell by the compiled core."""
    crystal = Structure(
        np.array([74, 74], dtype=np.int32),
        LATTICE_CONSTANT * np.array([[0.0, 0.0, 0.0], [0.5, 0.5, 0.5]]),
        LATTICE_CONSTANT * np.eye(3),
        np.ones(3, dtype=np.bool_),
    )
    curve, values = _parts()
    terms = (OneBody((74,)), PairTerm((74,), (curve,)))
    potential = SplinePotential((74,), terms, (np.array([E0]), values))
    return potential.evaluate_many([crystal], threads=1)[0].energy


def _expected() -> float:
    """Return the same as a sum over shells of neighbours."""
    curve, coefficients = _parts()
    r = np.array([LATTICE_CONSTANT * factor for _, factor in SHELLS])
    values, _ = curve.values(coefficients, r)
    return 2.0 * float(E0 + np.array([n for n, _ in SHELLS]) @ values)
