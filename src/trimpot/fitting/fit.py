"""From frames and terms to a potential: one pass, cross-validation, one solve."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from trimpot.data import folds as assign_folds
from trimpot.fitting.anchors import anchors
from trimpot.fitting.conditions import Conditions, conditions_of
from trimpot.fitting.crossvalidation import Selection, Trial, cross_validate
from trimpot.fitting.inequalities import monotone
from trimpot.fitting.solving import (
    data_equations,
    penalty_of,
    solve_constrained,
)
from trimpot.fitting.streaming import accumulate
from trimpot.fitting.targets import make_targets
from trimpot.splines.one_body import OneBody
from trimpot.splines.potential import SplinePotential
from trimpot.threads import thread_count

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trimpot.contract import FloatArray, IndexArray
    from trimpot.data import Frame
    from trimpot.fitting.blocks import Blocks
    from trimpot.fitting.settings import FitSettings
    from trimpot.fitting.streaming import Keeper
    from trimpot.fitting.targets import Targets
    from trimpot.splines.profile import PairProfile
    from trimpot.splines.term import Term

    Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Model:
    """What is fitted: the terms, and the isolated-atom energies they rest on.

    Attributes
    ----------
    species : tuple of int
        Atomic numbers, ascending.
    terms : tuple of Term
        Terms without the one-body term; those without coefficients are fixed.
    e0s : (s,) float64
        Isolated-atom energies in eV, in species order.
    refine_e0s : bool
        Fit corrections to the E0s together with all else (for E0s that are themselves
        only a least-squares guess).
    """

    species: tuple[int, ...]
    terms: tuple[Term, ...]
    e0s: FloatArray
    refine_e0s: bool

    @property
    def free(self) -> tuple[Term, ...]:
        """Terms with coefficients to fit."""
        fitted = tuple(t for t in self.terms if t.n_coefficients)
        return (OneBody(self.species), *fitted) if self.refine_e0s else fitted

    @property
    def fixed(self) -> tuple[tuple[Term, FloatArray], ...]:
        """Terms that are known beforehand, with their coefficients."""
        known = tuple((t, np.zeros(0)) for t in self.terms if not t.n_coefficients)
        return ((OneBody(self.species), self.e0s), *known)


@dataclass(frozen=True)
class FitResult:
    """A fitted potential and how it came about.

    Attributes
    ----------
    potential : SplinePotential
    chosen : Trial
        Strengths of the final solve with their held-out errors.
    selection : Selection
        All choices that were cross-validated.
    conditions : Conditions
    binding : int
        Inequalities of the anchors that hold with equality.
    blocks : Blocks
        For refits with other strengths.
    """

    potential: SplinePotential
    chosen: Trial
    selection: Selection
    conditions: Conditions
    binding: int
    blocks: Blocks


def fit(
    model: Model,
    frames: Sequence[Frame],
    settings: FitSettings,
    *,
    profile: PairProfile | None = None,
    threads: int = 0,
    progress: Progress | None = None,
) -> FitResult:
    """Return the potential that cross-validation on these frames prefers.

    Raises
    ------
    FitError
        If there is nothing to fit or the equations are singular for every choice.
    """
    blocks = gather(model, frames, settings, threads=threads, progress=progress)
    return refit(
        model, blocks, settings, profile=profile, threads=threads, progress=progress
    )


def gather(
    model: Model,
    frames: Sequence[Frame],
    settings: FitSettings,
    *,
    targets: Targets | None = None,
    threads: int = 0,
    progress: Progress | None = None,
    keeper: Keeper | None = None,
) -> Blocks:
    """Return the Gram blocks of the training frames: the only pass over the data.

    ``targets`` spares making them again where a forecast has needed them already. With a
    ``keeper``, a pass that was stopped goes on.
    """
    if targets is None:
        targets = make_targets(
            frames, model.species, model.fixed, settings, threads=threads
        )
    blocks = accumulate(
        model.free,
        targets,
        folds_of(frames, settings),
        threads=threads,
        progress=progress,
        keeper=keeper,
    )
    if not settings.anchors:
        return blocks
    return with_anchors(
        blocks, model, frames, weights=targets.weights["energy"], threads=threads
    )


def folds_of(frames: Sequence[Frame], settings: FitSettings) -> IndexArray:
    """Return the fold of each frame in the cross-validation."""
    if len(frames) == 1:  # nothing to hold out: strengths are judged on the frame itself
        return np.zeros(1, dtype=np.int64)
    n_folds = min(settings.folds, len(frames))
    return assign_folds(frames, n_folds, seed=settings.seed)


def with_anchors(
    blocks: Blocks,
    model: Model,
    frames: Sequence[Frame],
    *,
    weights: FloatArray,
    threads: int = 0,
) -> Blocks:
    """Return the blocks with the inequalities of anchors.

    ``weights`` (n_frames,) are those of the energies: frames without tell nothing of them.
    """
    trusted = [
        f if weight > 0.0 else replace(f, energy=None)
        for f, weight in zip(frames, weights, strict=True)
    ]
    return replace(blocks, anchors=anchors(model, trusted, threads=threads))


def select(
    model: Model,
    blocks: Blocks,
    settings: FitSettings,
    *,
    threads: int = 0,
    progress: Progress | None = None,
) -> Selection:
    """Return the cross-validation of the strengths, without a fit to all frames.

    Raises
    ------
    FitError
        If the equations are singular for every choice.
    """
    return cross_validate(
        blocks,
        penalty_of(model.free),
        settings,
        threads=thread_count(threads),
        progress=progress,
    )


def refit(
    model: Model,
    blocks: Blocks,
    settings: FitSettings,
    *,
    profile: PairProfile | None = None,
    selection: Selection | None = None,
    threads: int = 0,
    progress: Progress | None = None,
) -> FitResult:
    """Return the potential from stored blocks; cross-validates unless that was done."""
    penalty = penalty_of(model.free)
    total = blocks.total()
    if selection is None:
        selection = cross_validate(
            blocks,
            penalty,
            settings,
            total=total,
            threads=thread_count(threads),
            progress=progress,
        )
    chosen = selection.best
    equations = data_equations(
        total, blocks.scales, chosen.strengths.kappa, settings.stress_weight
    )
    inequalities = monotone(model.free).joined(blocks.anchors)
    with threadpool_limits(thread_count(threads), user_api="blas"):
        c = solve_constrained(equations, penalty, chosen.strengths, inequalities)
        conditions = conditions_of(equations, penalty, chosen.strengths, blocks.coverage)
    potential = _assemble(model, c, blocks, profile)
    binding = blocks.anchors.binding(c)
    facts = {
        "strengths": asdict(chosen.strengths),
        "conditions": asdict(conditions),
        "anchors": {"inequalities": len(blocks.anchors), "binding": binding},
    }
    return FitResult(
        replace(potential, provenance={"fit": facts}),
        chosen,
        selection,
        conditions,
        binding,
        blocks,
    )


def _assemble(
    model: Model, c: FloatArray, blocks: Blocks, profile: PairProfile | None
) -> SplinePotential:
    sizes = [t.n_coefficients for t in model.free]
    parts = list(np.split(c, np.cumsum(sizes)[:-1]))
    e0s = model.e0s + parts.pop(0) if model.refine_e0s else model.e0s
    coefficients = [parts.pop(0) if t.n_coefficients else np.zeros(0) for t in model.terms]
    statistics = {"coverage": blocks.coverage}
    if profile is not None:
        statistics |= {
            "pair_counts": profile.counts,
            "pair_cutoff": np.array([profile.cutoff]),
            "smallest": profile.smallest,
        }
    return SplinePotential(
        model.species,
        (OneBody(model.species), *model.terms),
        (e0s, *coefficients),
        statistics=statistics,
    )
