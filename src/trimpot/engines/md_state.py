"""Where a run is: all that it needs to go on with the same bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ase import Atoms

    from trimpot.contract import FloatArray
    from trimpot.engines.md_samples import Sample


@dataclass(frozen=True)
class RunState:
    """A moment of a run.

    Attributes
    ----------
    step : int
        Steps done.
    atoms : ase.Atoms
        Positions, momenta, cell; no calculator.
    integrator, analyses : mapping
        States of thermostat and barostat, and of what is gathered for the end.
    volume_a3 : float
        Of the cell at the start of the run.
    velocities : str
        Where the velocities came from.
    """

    step: int
    atoms: Atoms
    integrator: Mapping[str, Mapping[str, object]]
    analyses: Mapping[str, Mapping[str, object]]
    volume_a3: float
    velocities: str


class Keeper(Protocol):
    """Keeps a run so that it can go on, for example in a folder."""

    @property
    def begun(self) -> tuple[RunState, Sequence[Sample]] | None:
        """The state to go on from and the samples up to then; None for a new run."""
        ...

    def keep(self, state: RunState) -> None:
        """Store a state; what was recorded up to now belongs to it."""
        ...

    def save_extrapolated(self, atoms: Atoms, step: int, grades: FloatArray) -> None:
        """Store a structure whose grades are high."""
        ...
