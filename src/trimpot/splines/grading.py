"""Extrapolation grades of atoms and uncertainties of predictions of a spline potential."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from trimpot.contract import Uncertainty
from trimpot.errors import InputError
from trimpot.neighbors import neighborhood
from trimpot.splines.packing import species_indices
from trimpot.splines.trust import squared_lengths
from trimpot.splines.trust_rows import atom_rows, batches, fitted_terms, frame_rows
from trimpot.threads import thread_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.contract import FloatArray, IntArray, Neighborhood, Structure
    from trimpot.splines.potential import SplinePotential
    from trimpot.splines.trust import Trust
    from trimpot.splines.trust_rows import FrameRows

PAIRS_AT_ONCE = 1_000_000
"""Pairs whose distances are in memory together."""

CLOSER = 10
"""Power of (shortest distance of the data / distance) that grades closer pairs: 2.9 at
90 %, 9 at 80 %."""

TENSOR = np.array([[0, 5, 4], [5, 1, 3], [4, 3, 2]])
"""Places of a tensor in xx yy zz yz xz xy."""


class SplineGrader:
    """Grades of the atoms of a structure; see ``contract.Grader``.

    Parameters
    ----------
    potential
        A potential that knows its training data (``grader_of`` tells).
    trust
        What it knows.
    threads : int
        Threads; 0 means all available cores.
    """

    def __init__(self, potential: SplinePotential, trust: Trust, *, threads: int) -> None:
        self.potential = potential
        self.trust = trust
        self.threads = thread_count(threads)
        terms = fitted_terms(potential.terms, trust.n_columns)
        self._native = [t.native(None) for t in terms]

    def grades(self, structure: Structure) -> FloatArray:
        """Return the extrapolation grade of each atom; infinity for pairs never met."""
        # a new list each time: grades do not depend on what was looked at before
        return self.around(
            neighborhood(structure, self.potential.cutoff, threads=self.threads)
        )

    def around(self, hood: Neighborhood) -> FloatArray:
        """Return the grades of the local atoms of a neighbourhood."""
        species = self.potential.species
        limits = self.trust.limits[species_indices(hood.numbers[: hood.n_local], species)]
        grades = distance_grades(hood, species, self.trust.shortest)
        with threadpool_limits(self.threads, user_api="blas"):
            rows = atom_rows(self._native, species, hood, threads=self.threads)
            for begin, some in rows:
                part = slice(begin, begin + len(some))
                lengths = np.sqrt(squared_lengths(some, self.trust.extent))
                grades[part] = np.maximum(grades[part], lengths / limits[part])
        return np.where(np.isnan(grades), np.inf, grades)


def grader_of(potential: SplinePotential, *, threads: int = 0) -> SplineGrader | None:
    """Return a grader, None for a potential that knows nothing of its training data."""
    trust = potential.trust
    return None if trust is None else SplineGrader(potential, trust, threads=threads)


def distance_grades(
    hood: Neighborhood, species: tuple[int, ...], shortest: FloatArray
) -> FloatArray:
    """Return (shortest distance of the data / r)^10 of the closest pair of each atom.

    0 where no pair is closer than in the data; infinity for pairs of elements that the
    data never bring together, and for atoms at one place.
    """
    grades = np.zeros(hood.n_local)
    indices = species_indices(hood.numbers, species)
    step = max(1, PAIRS_AT_ONCE * hood.n_local // max(1, len(hood.neighbors)))
    for begin in range(0, hood.n_local, step):
        part = slice(begin, min(begin + step, hood.n_local))
        _grade_distances(hood, indices, shortest, part, grades)
    return grades


def _grade_distances(
    hood: Neighborhood,
    indices: IntArray,
    shortest: FloatArray,
    part: slice,
    grades: FloatArray,
) -> None:
    """Write the grades of some local atoms."""
    ends = hood.first[part.start : part.stop + 1]
    i = np.repeat(np.arange(part.start, part.stop), np.diff(ends))
    j = hood.neighbors[ends[0] : ends[-1]]
    bonds = hood.positions[j] - hood.positions[i]
    squares = np.einsum("px,px->p", bonds, bonds)
    least = shortest[indices[i], indices[j]]
    near = np.minimum(least, hood.cutoff)
    closer = np.flatnonzero(squares < (near * (1.0 - 1e-9)) ** 2)
    with np.errstate(divide="ignore"):
        ratio = least[closer] / np.sqrt(squares[closer])
        np.maximum.at(grades, i[closer], ratio**CLOSER)


def uncertainties_of(
    potential: SplinePotential, structures: Sequence[Structure], *, threads: int = 0
) -> list[Uncertainty] | None:
    """Return the uncertainties of many structures; None as ``grader_of``.

    Notes
    -----
    The variance of an error is a constant plus a factor times the leverage of its row
    (docs/theory/uncertainty.md, eq. 6); of energies per atom, forces and stresses.
    """
    grader = grader_of(potential, threads=threads)
    if grader is None:
        return None
    trust, species = grader.trust, potential.species
    native = [t.native(None) for t in fitted_terms(potential.terms, trust.n_columns)]
    found: list[Uncertainty] = []
    if not all(len(s) for s in structures):
        raise InputError("a structure has no atoms, expected at least one in each")
    for part in batches([len(s) for s in structures], trust.n_columns):
        mine = structures[part]
        with threadpool_limits(grader.threads, user_api="blas"):
            rows = frame_rows(native, species, mine, threads=threads)
            sigmas = _sigmas(rows, trust)
        ends = np.cumsum([len(s) for s in mine])
        for f, structure in enumerate(mine):
            grades = grader.around(neighborhood(structure, potential.cutoff))
            atoms = slice(3 * (ends[f] - len(structure)), 3 * ends[f])
            found.append(_uncertainty(structure, sigmas, f, atoms, grades))
    return found


def _sigmas(rows: FrameRows, trust: Trust) -> dict[str, FloatArray]:
    """Return the standard deviation of each row, by quantity with labels."""
    named = {"energy": rows.energy, "forces": rows.forces, "stress": rows.stress}
    return {
        quantity: np.sqrt(constant + factor * squared_lengths(some, trust.posterior))
        for (quantity, some), (constant, factor) in zip(
            named.items(), trust.variances, strict=True
        )
        if constant > 0.0 or factor > 0.0
    }


def _uncertainty(
    structure: Structure,
    sigmas: dict[str, FloatArray],
    f: int,
    atoms: slice,
    grades: FloatArray,
) -> Uncertainty:
    energy, forces, stress = (sigmas.get(q) for q in ("energy", "forces", "stress"))
    if structure.volume == 0.0:
        stress = None
    return Uncertainty(
        None if energy is None else float(energy[f]) * len(structure),
        None if forces is None else forces[atoms].reshape(-1, 3),
        None if stress is None else stress[6 * f : 6 * f + 6][TENSOR],
        grades,
    )
