"""The extent of the training data in the space of atoms' rows.

The row phi of an atom holds its energy by each coefficient. Training atoms lie in the
ellipsoid phi^T M^-1 phi <= k, with M their weighted second moment; weights that make it
the smallest such ellipsoid are those of a D-optimal design (Kiefer and Wolfowitz,
Can. J. Math. 12, 363, 1960), and two multiplicative steps (Titterington, Appl. Stat. 27,
227, 1978) come near enough. Theory: docs/theory/uncertainty.md, eqs. 1-4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import solve_triangular
from scipy.linalg.blas import dsyrk

from trimpot.neighbors import neighborhood
from trimpot.splines.trust_rows import atom_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from trimpot import _native
    from trimpot.contract import FloatArray, IndexArray, Structure
    from trimpot.splines.term import Term

RIDGE = 1e-5
"""Added to the second moment of each column, over the largest of its term. It says how far
an atom is that touches columns which no data touch; docs/benchmarks/uncertainty.md shows
other values."""

UNTOUCHED = 1e-6
"""Least of what a term is measured by, over the largest of all terms."""

WELL_KNOWN = 20
"""Frames from which on an element has a limit of its own."""

AT_ONCE = 1000
"""Atoms whose rows are handled together."""

STEPS = 2
"""Multiplicative steps towards D-optimal weights."""

INSIDE = 0.98
"""Share of held-out frames, and of held-out atoms of a species, that grade 1 covers."""


@dataclass(frozen=True)
class Atoms:
    """Training atoms that tell the extent.

    Attributes
    ----------
    native : tuple of Term
        Kernels of the fitted terms.
    species : tuple of int
    structures : tuple of Structure
        Those of a fold stand together.
    folds : (frames,) int
        Fold of each frame.
    """

    native: tuple[_native.Term, ...]
    species: tuple[int, ...]
    structures: Sequence[Structure]
    folds: IndexArray

    def rows(self, threads: int) -> Iterator[tuple[int, slice, FloatArray]]:
        """Yield (fold, atoms among all, rows), many atoms of one fold at a time.

        Frames are small and matrices are large: what is done with rows must not be done
        frame by frame.
        """
        cutoff = max(1e-3, *(t.cutoff for t in self.native))
        start, held, parts = 0, 0, []
        for f, structure in enumerate(self.structures):
            around = neighborhood(structure, cutoff)
            parts += [
                rows
                for _, rows in atom_rows(self.native, self.species, around, threads=threads)
            ]
            held += len(structure)
            last = f + 1 == len(self.structures) or self.folds[f + 1] != self.folds[f]
            if last or held >= AT_ONCE:
                mine = slice(start, start + held)
                yield int(self.folds[f]), mine, np.concatenate(parts)
                start, held, parts = start + held, 0, []


@dataclass(frozen=True)
class Extent:
    """The ellipsoid and its edge.

    Attributes
    ----------
    factor : (k, k) float64
        W, upper triangular: |phi W|^2 = phi^T M^-1 phi.
    limits : (s,) float64
        |phi W| at the edge, per species.
    """

    factor: FloatArray
    limits: FloatArray


def extent_of(
    terms: Sequence[Term],
    atoms: Atoms,
    *,
    threads: int = 0,
    progress: Callable[[str, int, int], None] | None = None,
) -> Extent:
    """Return the extent of training atoms; its edge is calibrated on held-out frames."""
    numbers = np.concatenate([s.numbers for s in atoms.structures])
    kinds = np.searchsorted(atoms.species, numbers)
    counts = np.bincount(kinds, minlength=len(atoms.species))
    weights = 1.0 / counts[kinds]  # species count alike, however rare
    weights /= weights.sum()
    tell = progress or (lambda *_: None)
    (moment,), weights = _moments(atoms, weights, None, threads)
    ridge = _ridge(terms, moment)
    for step in range(STEPS):
        tell("extent of the data", step + 1, STEPS + 2)
        last = step + 1 == STEPS
        lower = _lower(moment, ridge)
        moments, weights = _moments(atoms, weights, lower, threads, by_fold=last)
        moment = moments.sum(axis=0)
    tell("extent of the data", STEPS + 1, STEPS + 2)
    lengths = _held_out(atoms, moments, moment, ridge, threads)
    tell("extent of the data", STEPS + 2, STEPS + 2)
    inverse = solve_triangular(_lower(moment, ridge), np.eye(len(ridge)), lower=True)
    return Extent(inverse.T, _limits(atoms, kinds, lengths))


def _moments(
    atoms: Atoms,
    weights: FloatArray,
    lower: FloatArray | None,
    threads: int,
    *,
    by_fold: bool = False,
) -> tuple[FloatArray, FloatArray]:
    """Return second moments, of all atoms or per fold, and the weights of atoms.

    With a factor of the present moment, weights are multiplied by the lengths of rows.
    """
    k = sum(t.n_columns for t in atoms.native)
    sums = np.zeros((int(atoms.folds.max()) + 1 if by_fold else 1, k, k))
    new = weights.copy()
    for fold, mine, rows in atoms.rows(threads):
        if lower is not None:
            new[mine] *= squared_lengths(rows, lower)
        scaled = rows * np.sqrt(new[mine])[:, None]
        target = sums[fold if by_fold else 0].T
        dsyrk(1.0, scaled.T, beta=1.0, c=target, trans=0, lower=1, overwrite_c=1)
    total = float(new.sum())
    if total == 0.0:  # no atom has neighbours
        return sums, weights
    sums /= total
    return sums, new / total


def squared_lengths(rows: FloatArray, lower: FloatArray) -> FloatArray:
    """Return a^T (L L^T)^-1 a of each row a."""
    image = solve_triangular(lower, rows.T, lower=True, check_finite=False)
    return np.asarray(np.einsum("kr,kr->r", image, image))


def _ridge(terms: Sequence[Term], moment: FloatArray) -> FloatArray:
    """Return what is added to the diagonal: RIDGE of the largest entry of each term.

    A term that no atom touches is measured by the others.
    """
    sizes = [t.n_coefficients for t in terms]
    parts = np.split(np.diag(moment), np.cumsum(sizes)[:-1])
    largest = np.array([float(p.max()) for p in parts])
    least = UNTOUCHED * float(largest.max()) or 1.0
    return RIDGE * np.repeat(np.maximum(largest, least), sizes)


def _lower(moment: FloatArray, ridge: FloatArray) -> FloatArray:
    """Return the Cholesky factor of a moment whose transpose holds its lower triangle."""
    full = np.triu(moment).T + np.triu(moment, 1) + np.diag(ridge)
    return np.asarray(np.linalg.cholesky(full))


def _held_out(
    atoms: Atoms,
    moments: FloatArray,
    total: FloatArray,
    ridge: FloatArray,
    threads: int,
) -> FloatArray:
    """Return |phi W| of each atom, W from the frames of the other folds."""
    single = len(moments) == 1
    lowers = [_lower(total if single else total - own, ridge) for own in moments]
    lengths = np.empty(sum(len(s) for s in atoms.structures))
    for fold, mine, rows in atoms.rows(threads):
        lengths[mine] = np.sqrt(squared_lengths(rows, lowers[fold]))
    return lengths


def _limits(atoms: Atoms, kinds: IndexArray, lengths: FloatArray) -> FloatArray:
    """Return the length of grade 1 per species: INSIDE of the held-out frames lie below.

    Of an element in a few frames other folds know next to nothing, so that its held-out
    atoms look far away: it gets no larger limit than those that are known well.
    """
    sizes = np.array([len(s) for s in atoms.structures])
    frame = np.repeat(np.arange(len(sizes)), sizes)
    n = len(atoms.species)
    typical = np.ones(n)
    for kind in range(n):
        mine = lengths[kinds == kind]
        if len(mine):
            typical[kind] = np.quantile(mine, INSIDE, method="higher") or 1.0
    frames = np.array([len(np.unique(frame[kinds == kind])) for kind in range(n)])
    known = frames >= min(WELL_KNOWN, int(frames.max()))
    typical = np.where(known, typical, np.minimum(typical, typical[known].max()))
    judged = known[kinds]
    worst = np.zeros(len(sizes))
    np.maximum.at(worst, frame[judged], lengths[judged] / typical[kinds[judged]])
    worst = worst[np.unique(frame[judged])]
    return typical * (float(np.quantile(worst, INSIDE, method="higher")) or 1.0)
