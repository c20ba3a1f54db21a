"""Where a perfect crystal gives way when it is heated: a guess of its melting point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trimpot.engines.lammps.stages import Stage
from trimpot.validation.properties.coexistence import CRYSTALLINE
from trimpot.validation.properties.in_lammps import barostat, started_at, thermostat

if TYPE_CHECKING:
    from trimpot.engines.lammps.stages import Simulation
    from trimpot.validation.properties.crystal_order import SlabOrder

COLDEST_K, HOTTEST_K = 80.0, 12000.0
"""Range of the search."""

FACTOR = 1.1
"""From one temperature to the next."""

SUPERHEATING = 1.4
"""Temperature at which perfect crystals melt within picoseconds, over the melting point:
1.2 to 1.3 in metals, 1.7 in Stillinger-Weber silicon."""


@dataclass(frozen=True)
class Heating:
    """Heats a small perfect crystal step by step.

    Attributes
    ----------
    simulation : Simulation
        Of the crystal.
    order : SlabOrder
        Of the same box.
    hold_ps : float
        Time at each temperature.
    seed : int
        Of velocities and thermostats.
    """

    simulation: Simulation
    order: SlabOrder
    hold_ps: float
    seed: int

    def steps_up_to(self, temperature_k: float) -> int:
        """Return the steps to a temperature."""
        count, at = 1, COLDEST_K
        while at < temperature_k:
            count, at = count + 1, at * FACTOR
        return count * self.simulation.steps(self.hold_ps)

    def guess(self) -> float | None:
        """Return about the melting temperature (K); None: the crystal outlives it all."""
        at, after = COLDEST_K, None
        dt, steps = self.simulation.timestep_fs, self.simulation.steps(self.hold_ps)
        while at <= HOTTEST_K:
            name = f"heat-{at:.0f}"
            begin = (started_at(2.0 * at, self.seed),) if after is None else ()
            commands = (
                *begin,
                barostat("xyz", dt, more="drag 0.5"),
                thermostat((at, at), dt, self.seed),
            )
            stage = Stage(name, steps, commands, after, rows=steps, frames=steps)
            (last,) = self.simulation.frames(self.simulation.run(stage))
            if self.order(last).mean() < CRYSTALLINE:
                return at / SUPERHEATING
            at, after = at * FACTOR, name
        return None
