"""Settings of the linear fit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

QUANTITIES = ("energy", "forces", "stress")
"""What the fit sees: energy per atom, force components, stress components."""


@dataclass(frozen=True)
class QuantityWeights:
    """Linear weights of a group of frames in the loss."""

    energy: float = 1.0
    forces: float = 1.0
    stress: float = 1.0


@dataclass(frozen=True)
class Strengths:
    """One choice of the fit's free strengths.

    Attributes
    ----------
    kappa : float
        Share of the energies in the loss, 0 to 1; forces have 1 - kappa.
    ridge, curvature : float
        Penalties on coefficients and on their second differences.
    """

    kappa: float
    ridge: float
    curvature: float


@dataclass(frozen=True)
class FitSettings:
    """Settings of the fit.

    Attributes
    ----------
    kappa, ridge, curvature : tuples of float
        Candidates; cross-validation picks one of each. One candidate each: no choice.
    stress_weight : float
        Weight of the stresses beside kappa and 1 - kappa; 0 leaves them out.
    folds : int
        Folds of the cross-validation on the training frames.
    seed : int
        Of the assignment of frames to folds.
    weights : mapping
        Weights per config_type, e.g. ``{"surface": {"energy": 2}}``.
    weight_key : str, optional
        Info field with a weight per frame (multiplies all its quantities).
    anchors : bool
        Keep energies rising outside the data, by inequalities: dimers and trimers that
        close in, crystals and training frames that are compressed or pulled apart.
    """

    kappa: tuple[float, ...] = (0.7, 0.8, 0.85, 0.875, 0.9, 0.95)
    ridge: tuple[float, ...] = (1e-10, 1e-9, 1e-8)
    curvature: tuple[float, ...] = (1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5)
    stress_weight: float = 0.003
    folds: int = 5
    seed: int = 0
    weights: Mapping[str, QuantityWeights] = field(default_factory=dict)
    weight_key: str | None = None
    anchors: bool = True

    def choices(self) -> list[Strengths]:
        """Return all combinations of the candidates."""
        return [
            Strengths(k, r, c)
            for k in self.kappa
            for r in self.ridge
            for c in self.curvature
        ]
