"""The same dynamics several times, watched, and what a stress test says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trimpot.errors import InputError
from trimpot.validation.properties.judges import Nearest, Temperature, Well
from trimpot.validation.properties.watching import check_time, watched
from trimpot.validation.subjects import moving_potential

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ase import Atoms

    from trimpot.engines.md_settings import MdSettings
    from trimpot.validation.properties.case import Report
    from trimpot.validation.properties.judges import Limits
    from trimpot.validation.properties.watching import WatchedRun
    from trimpot.validation.subjects import Subject


@dataclass(frozen=True)
class Plan:
    """Dynamics of one start after the other.

    Attributes
    ----------
    starts : sequence of ase.Atoms
        One per run.
    dynamics : sequence of MdSettings
        One per run; all with the same temperatures.
    floor : float
        Potential energy of the phase at rest, eV/atom.
    limits : Limits
        What ends a run.
    settle_fs : float
        Time at the start without a judgement of the temperature.
    """

    starts: Sequence[Atoms]
    dynamics: Sequence[MdSettings]
    floor: float
    limits: Limits
    settle_fs: float = 0.0


def several_runs(
    subject: Subject, plan: Plan, report: Report
) -> tuple[list[WatchedRun], list[Nearest]]:
    """Return the runs of a plan, and the nearest atoms of each."""
    potential = moving_potential(subject)
    total = sum(dynamics.steps for dynamics in plan.dynamics)
    check_time(potential, plan.starts[0], total, plan.limits)
    nearest = [Nearest(plan.limits) for _ in plan.starts]
    thermostat = Thermostat(plan.dynamics[0])
    others = (
        Well(plan.limits, plan.floor),
        Temperature(plan.limits, thermostat.at, plan.settle_fs),
    )
    runs = []
    for start, dynamics, near in zip(plan.starts, plan.dynamics, nearest, strict=True):
        runs.append(watched(potential, start, dynamics, (near, *others)))
        report(len(runs) / len(plan.starts))
    return runs, nearest


@dataclass(frozen=True)
class Thermostat:
    """Its temperature on the way."""

    dynamics: MdSettings

    def at(self, time_fs: float) -> float:
        """Return the temperature in K at a time."""
        step = round(time_fs / self.dynamics.timestep_fs)
        return self.dynamics.temperature_at(step) or 0.0

    def reached(self, run: WatchedRun) -> float:
        """Return the temperature in K at which a run ended."""
        return self.at(1e3 * run.time_ps)

    def place(self, run: WatchedRun) -> str:
        """Return the temperature at which a run ended, in words."""
        return f"{self.reached(run):,.0f} K"


def steps_of(picoseconds: float, timestep_fs: float) -> int:
    """Return the number of steps, at least one."""
    return max(1, round(1e3 * picoseconds / timestep_fs))


def check_positive(what: str, **numbers: float) -> None:
    """Raise ``InputError`` for a setting that is not above zero.

    Raises
    ------
    InputError
        Naming the protocol ``what``, the setting and its value.
    """
    for name, value in numbers.items():
        if not value > 0.0:
            raise InputError(f"{what}: {name} is {value:g}, expected a number above 0")
