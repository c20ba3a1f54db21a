"""Errors on held-out frames with the leverages of their rows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import cho_solve

from trimpot.fitting.solving import data_equations, factorize, penalty_of
from trimpot.splines.trust_rows import batches, frame_rows
from trimpot.uncertainty.extent import squared_lengths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from trimpot import _native
    from trimpot.contract import BoolArray, FloatArray, IndexArray
    from trimpot.fitting import Blocks, FitSettings, Strengths, Targets
    from trimpot.splines.term import Term
    from trimpot.splines.trust_rows import FrameRows

    Pairs = dict[str, tuple[FloatArray, FloatArray]]
    """Errors and leverages per quantity."""


@dataclass(frozen=True)
class HeldOut:
    """The fit to all folds but one.

    Attributes
    ----------
    lower : (k, k) float64
        Cholesky factor of its normal equations.
    coefficients : (k,) float64
    """

    lower: FloatArray
    coefficients: FloatArray


def fits_without(
    terms: tuple[Term, ...], blocks: Blocks, settings: FitSettings, strengths: Strengths
) -> Iterator[HeldOut]:
    """Yield the fit without each fold; that of a single fold is the fit to it."""
    total, penalty = blocks.total(), penalty_of(terms)
    for fold in blocks.folds:
        single = len(blocks.folds) == 1
        others = {q: b if single else b.plus(-1.0, fold[q]) for q, b in total.items()}
        equations = data_equations(
            others, blocks.scales, strengths.kappa, settings.stress_weight
        )
        factor = factorize(equations, penalty, strengths)
        solution = cho_solve(factor, equations.moment, check_finite=False)
        yield HeldOut(np.tril(factor[0]), np.asarray(solution))


def errors_and_leverages(
    native: tuple[_native.Term, ...],
    targets: Targets,
    held_out: Iterator[tuple[IndexArray, HeldOut]],
    *,
    with_forces: BoolArray,
    threads: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Pairs:
    """Return the errors on some frames of each fold, by quantity, and their leverages.

    Parameters
    ----------
    native
        Kernels of the fitted terms.
    held_out
        Of each fold: some of its frames, and the fit without them.
    with_forces : (frames,) bool
        Of which frames forces are looked at. Those of lone atoms in a cell are zero for
        any potential, and left out.
    """
    found: dict[str, list[tuple[FloatArray, FloatArray]]] = defaultdict(list)
    for members, fit in held_out:
        for mine, forces in _batches(targets, members, with_forces, len(fit.coefficients)):
            structures = [targets.structures[f] for f in mine]
            rows = frame_rows(
                native, targets.species, structures, forces=forces, threads=threads
            )
            for quantity, some in _by_quantity(rows, forces=forces).items():
                wanted, values = _values(targets, quantity, mine)
                errors = values - some[wanted] @ fit.coefficients
                leverages = squared_lengths(some[wanted], fit.lower)
                found[quantity].append((errors, leverages))
        if progress is not None:
            progress(len(members))
    return {
        quantity: (
            np.concatenate([e for e, _ in parts]),
            np.concatenate([h for _, h in parts]),
        )
        for quantity, parts in found.items()
    }


def _batches(
    targets: Targets, members: IndexArray, with_forces: BoolArray, n_columns: int
) -> Iterator[tuple[IndexArray, bool]]:
    """Yield frames whose rows fit into memory, and whether with forces."""
    for forces in (True, False):
        some = members[with_forces[members] == forces]
        sizes = targets.n_atoms[some] if forces else np.zeros(len(some), dtype=np.int32)
        for part in batches(sizes.tolist(), n_columns):
            yield some[part], forces


def _by_quantity(rows: FrameRows, *, forces: bool) -> dict[str, FloatArray]:
    found = {"energy": rows.energy, "stress": rows.stress}
    return {**found, "forces": rows.forces} if forces else found


def _values(
    targets: Targets, quantity: str, frames: IndexArray
) -> tuple[BoolArray, FloatArray]:
    """Return which rows of some frames count, and their targets."""
    sizes = {"energy": 1, "stress": 6}
    wanted: list[BoolArray] = []
    values: list[FloatArray] = [np.zeros(0)]
    for f in frames.tolist():
        value = _value(targets, quantity, f)
        size = sizes.get(quantity, 3 * int(targets.n_atoms[f]))
        wanted.append(np.full(size, value is not None))
        values += [] if value is None else [value]
    return np.concatenate(wanted), np.concatenate(values)


def _value(targets: Targets, quantity: str, frame: int) -> FloatArray | None:
    """Return the targets of a frame that count."""
    if quantity not in targets.scales or targets.weights[quantity][frame] == 0.0:
        return None
    if quantity == "forces" and targets.n_atoms[frame] == 1:
        return None
    return targets.values[quantity][frame]
