"""Anchors: inequalities that keep energies rising where there are no data.

A linear fit with flexible terms does anything outside its data: crystals collapse when
compressed or gain energy when pulled apart. The energies of a few structures on the way
are linear in the coefficients, so demands on them are linear inequalities.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trimpot import _native
from trimpot.fitting.anchor_choice import anchor_paths
from trimpot.fitting.inequalities import Inequalities
from trimpot.splines.one_body import OneBody
from trimpot.splines.packing import pack
from trimpot.splines.pair import PairTerm
from trimpot.splines.potential import SplinePotential

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.contract import FloatArray, Structure
    from trimpot.data import Frame
    from trimpot.fitting.fit import Model
    from trimpot.fitting.paths import Path
    from trimpot.splines.term import Term

KEPT = 0.5
"""Share of the core's repulsion that the fitted terms may not take away."""

NEGLIGIBLE = 1e-12
"""Size of a row over that of the largest, below which it is rounding."""

ANCHORS_VERSION = 2
"""Raised when the demands change: stored blocks with others are made anew."""

MOST_ROWS = 3000
"""Of inequalities: further paths are left out."""


def anchors(model: Model, frames: Sequence[Frame], *, threads: int = 0) -> Inequalities:
    """Return the inequalities of all anchors of a model and its training frames."""
    reach = max((t.cutoff for t in model.terms), default=0.0)
    e0s = None if model.refine_e0s else model.e0s
    only_pairs = all(isinstance(t, PairTerm) for t in model.terms if t.n_coefficients)
    kept: list[Path] = []
    rows = 0
    for path in anchor_paths(frames, model.species, e0s, reach=reach, threads=threads):
        if path.many_body and only_pairs:
            continue
        rows += len(path.demands)
        if rows > MOST_ROWS:
            break
        kept.append(path)
    return inequalities_of(model, kept, threads=threads)


def inequalities_of(
    model: Model, paths: Sequence[Path], *, threads: int = 0
) -> Inequalities:
    """Return what the demands on the energies along paths ask of the coefficients.

    The fixed terms may help: at least KEPT of what they add must remain.
    """
    structures = [s for p in paths for s in p.structures]
    rows = binding_rows(model.free, structures, model.species, threads=threads)
    fixed = _fixed_binding(model, structures, threads)
    found = [Inequalities.none(rows.shape[1])]
    start = 0
    for path in paths:
        mine = slice(start, start + len(path.structures))
        start = mine.stop
        known = path.demands @ fixed[mine]
        # Never negative: without the free terms every demand holds, so all can be met.
        bounds = (1.0 - KEPT) * np.maximum(known, 0.0)
        found.append(Inequalities(-path.demands @ rows[mine], bounds))
    joined = Inequalities(
        np.concatenate([f.rows for f in found]), np.concatenate([f.bounds for f in found])
    )
    sizes = np.abs(joined.rows).max(axis=1, initial=0.0)
    # Beyond every cutoff there is nothing but rounding.
    return joined.only(sizes > NEGLIGIBLE * sizes.max(initial=0.0))


def binding_rows(
    terms: Sequence[Term],
    structures: Sequence[Structure],
    species: tuple[int, ...],
    *,
    threads: int = 0,
) -> FloatArray:
    """Return rows that give total energies above isolated atoms, (structures, n)."""
    sizes = [t.n_coefficients for t in terms]
    n, m = sum(sizes), len(structures)
    frames = pack(structures, species)
    rows, none = np.empty((m, n)), np.empty((0, n))
    absent, ones = np.full(m, -1, dtype=np.int64), np.ones(m)
    _native.design_rows(
        [t.native(None) for t in terms],
        frames.offsets,
        frames.positions,
        frames.species,
        frames.cells,
        frames.pbc,
        np.arange(m, dtype=np.int64),
        absent,
        absent,
        ones,
        ones,
        ones,
        rows,
        none,
        none.copy(),
        threads,
    )
    alone = [np.full(k, isinstance(t, OneBody)) for t, k in zip(terms, sizes, strict=True)]
    rows[:, np.concatenate(alone)] = 0.0
    return rows


def _fixed_binding(
    model: Model, structures: Sequence[Structure], threads: int
) -> FloatArray:
    known = [(t, c) for t, c in model.fixed if not isinstance(t, OneBody)]
    if not known:
        return np.zeros(len(structures))
    potential = SplinePotential(
        model.species, tuple(t for t, _ in known), tuple(c for _, c in known)
    )
    found = potential.evaluate_many(structures, threads=threads)
    return np.array([e.energy for e in found])
