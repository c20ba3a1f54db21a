"""Steps of a relaxation, why it ended, and its result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ase import Atoms

    from trimpot.engines.relaxation_settings import RelaxSettings

MOST_VOLUME_CHANGE = 3.0
"""A cell that grows or shrinks by this factor runs away: nothing holds it together."""

Reason = Literal["converged", "steps", "volume"]


@dataclass(frozen=True)
class Progress:
    """One step of a relaxation.

    Attributes
    ----------
    step : int
        Number of moves so far.
    energy : float
        Total energy in eV.
    fmax : float
        Largest force on an atom that may move, eV/A.
    stress_gpa : float or None
        Largest component of the stress that moves the cell, off its target; None where
        the cell stays.
    pressure_gpa : float or None
        -trace(stress) / 3; None without a volume.
    volume : float
        Of the cell, A^3.
    grade : float or None
        Largest extrapolation grade of an atom, with a grader.
    """

    step: int
    energy: float
    fmax: float
    stress_gpa: float | None
    pressure_gpa: float | None
    volume: float
    grade: float | None = None


@dataclass(frozen=True)
class Relaxed:
    """A relaxed structure and how it came about.

    Attributes
    ----------
    atoms : ase.Atoms
        The last structure with energy, forces and stress; array ``grade`` with a grader.
    first, last : Progress
        The start and the end.
    reason : {"converged", "steps", "volume"}
        Why it ended.
    settings : RelaxSettings
    taken_over : int or None
        Step at which FIRE took over from an optimiser that made no progress.
    """

    atoms: Atoms
    first: Progress
    last: Progress
    reason: Reason
    settings: RelaxSettings
    taken_over: int | None = None

    @property
    def converged(self) -> bool:
        """Whether forces, and the stress that moves the cell, are small enough."""
        return self.reason == "converged"

    @property
    def stop_line(self) -> str:
        """Why it ended, in words."""
        limits = f"largest force {self.last.fmax:.3g} eV/A (limit {self.settings.fmax:g})"
        if self.last.stress_gpa is not None:
            limits += (
                f", stress {self.last.stress_gpa:.3g} GPa off its target "
                f"(limit {self.settings.smax_gpa:g})"
            )
        if self.taken_over is not None:
            kind = self.settings.optimizer.upper()
            limits += f"; {kind} made no progress, FIRE took over at step {self.taken_over}"
        if self.reason == "converged":
            return f"converged after {self.last.step} steps: {limits}"
        if self.reason == "volume":
            factor = self.last.volume / self.first.volume
            return (
                f"not converged: the volume has changed by a factor of {factor:.2g} after "
                f"{self.last.step} steps; the potential does not hold this structure "
                "together, or the start is far from any it knows"
            )
        return f"not converged: all {self.last.step} steps were taken; {limits}"


def reason_to_end(
    first: Progress, here: Progress, settings: RelaxSettings
) -> Reason | None:
    """Return why a relaxation ends here, None if it goes on."""
    if here.fmax < settings.fmax and (here.stress_gpa or 0.0) < settings.smax_gpa:
        return "converged"
    if settings.cell != "none":
        change = here.volume / first.volume
        if not 1.0 / MOST_VOLUME_CHANGE < change < MOST_VOLUME_CHANGE:
            return "volume"
    return None
