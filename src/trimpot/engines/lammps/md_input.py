"""The input of LAMMPS that does what the settings of a run say."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import TYPE_CHECKING

import numpy as np

from trimpot.engines.lammps.dump_files import FORCES, POSITIONS, VELOCITIES
from trimpot.engines.lammps.metal import BAR_PER_EV_A3, TEMPERATURE_FACTOR
from trimpot.engines.lammps.thermo import COLUMNS
from trimpot.units import GPA_PER_EV_PER_A3

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.engines.md_settings import MdSettings

RESTART = "restart"
LAST = "last"
"""Names of files in the work folder: ``restart.STEP``, and those of the end."""

BAR_PER_GPA = BAR_PER_EV_A3 / GPA_PER_EV_PER_A3

CHAIN = 3
"""Thermostats of a chain, as in the embedded engine."""

LARGEST_SEED = 899_999_999


@dataclass(frozen=True)
class Segment:
    """Steps that one process of LAMMPS takes.

    Attributes
    ----------
    first, last : int
        Steps done before and after.
    read : str
        The command that reads where it starts.
    """

    first: int
    last: int
    read: str


@dataclass(frozen=True)
class Dump:
    """Frames that LAMMPS writes every ``interval`` steps, as ``NAME.STEP.bin``."""

    name: str
    interval: int
    columns: tuple[str, ...]

    def due(self, step: int) -> bool:
        """Whether there is a frame of a step."""
        return step % self.interval == 0

    def file(self, step: int) -> str:
        """Return the name of the file of a step."""
        return f"{self.name}.{step}.bin"


def stops(settings: MdSettings, first: int) -> list[int]:
    """Return the steps at which a process ends: where a ramp ends, and the last step.

    Thermostats of LAMMPS cannot end a ramp and go on within one command ``run``.
    """
    end = settings.steps if settings.ramp_steps is None else settings.ramp_steps
    inside = settings.ramped and first < end < settings.steps
    return [end, settings.steps] if inside else [settings.steps]


def dumps_of(settings: MdSettings) -> tuple[Dump, ...]:
    """Return the frames that have to be written; those that others contain are not."""
    moving = (*POSITIONS, *VELOCITIES)
    wanted = [
        Dump("trajectory", settings.trajectory_interval, (*moving, *FORCES)),
        Dump("checkpoint", settings.checkpoint_interval, moving),
        Dump("grades", settings.grade_interval or 0, POSITIONS),
        Dump("structure", settings.structure_interval, POSITIONS),
    ]
    kept: list[Dump] = []
    for dump in wanted:
        if dump.interval and not any(dump.interval % d.interval == 0 for d in kept):
            kept.append(dump)
    return tuple(kept)


def thermo_interval(settings: MdSettings) -> int:
    """Return the steps between two rows: there is one wherever anything is due."""
    return gcd(settings.log_interval, *(dump.interval for dump in dumps_of(settings)))


def input_text(
    settings: MdSettings,
    segment: Segment,
    pair: Sequence[str],
    *,
    boundary: str,
) -> str:
    """Return the input of a segment.

    Parameters
    ----------
    settings
        Of the run.
    segment
        Steps, and what to read.
    pair
        ``pair_style`` and ``pair_coeff``.
    boundary
        Of the structure, such as "p p p".
    """
    lines = [
        "# Written by trimpot md --engine lammps. Masses, temperatures and pressures are",
        "# scaled by what LAMMPS' constants of nature differ from ASE's (1e-6 at most).",
        "variable work index .",
        "units metal",
        "atom_style atomic",
        f"boundary {boundary}",
        "box tilt large",
        segment.read,
        "",
        *pair,
        f"neighbor {settings.skin!r} bin",
        "neigh_modify every 1 delay 0 check yes",
        f"timestep {settings.timestep_fs / 1000.0!r}",
        "",
        *_integrator(settings, segment),
        "compute static all pressure NULL virial",
        f"thermo_style custom {' '.join(COLUMNS)}",
        "thermo_modify format float %.17g flush yes lost error norm no",
        f"thermo {thermo_interval(settings)}",
        *_writing(settings),
        "",
        f"run {segment.last} upto{_window(settings, segment)}",
        "",
        f"write_dump all custom ${{work}}/{LAST}.bin id "
        f"{' '.join((*POSITIONS, *VELOCITIES, *FORCES))}",
        f"write_restart ${{work}}/{RESTART}.{LAST}",
        "",
    ]
    return "\n".join(lines)


def noise_seed(seed: int, step: int) -> int:
    """Return the seed of a thermostat's noise from a step on."""
    drawn = np.random.SeedSequence([seed, 1, step]).generate_state(1)
    return 1 + int(drawn[0]) % LARGEST_SEED


def _writing(settings: MdSettings) -> list[str]:
    lines = [
        f"dump {dump.name} all custom {dump.interval} ${{work}}/{dump.name}.*.bin id "
        f"{' '.join(dump.columns)}"
        for dump in dumps_of(settings)
    ]
    if settings.checkpoint_interval:
        lines.append(f"restart {settings.checkpoint_interval} ${{work}}/{RESTART}.*")
    return lines


def _integrator(settings: MdSettings, segment: Segment) -> list[str]:
    """Return the fixes of an ensemble; those of restarts are known by their names."""
    if settings.ensemble == "nve":
        return ["fix move all nve"]
    start, end = _targets(settings, segment)
    kelvin = f"{start[0]!r} {end[0]!r}"
    if settings.ensemble == "langevin":
        seed = noise_seed(settings.seed, segment.first)
        damping = 1.0 / settings.friction_per_ps
        return [
            "fix move all nve",
            f"fix heat all langevin {kelvin} {damping!r} {seed} zero yes",
        ]
    held = f"temp {kelvin} {settings.thermostat_time_fs / 1000.0!r} tchain {CHAIN}"
    if settings.ensemble == "nvt":
        return [f"fix move all nvt {held}"]
    shape = "tri" if settings.ensemble == "npt-full" else "iso"
    bar = f"{start[1]!r} {end[1]!r} {settings.barostat_time_fs / 1000.0!r}"
    return [
        f"fix move all npt {held} {shape} {bar} pchain {CHAIN} flip no "
        "fixedpoint 0.0 0.0 0.0"
    ]


def _targets(
    settings: MdSettings, segment: Segment
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return temperature (K) and pressure (bar) where LAMMPS begins and ends to count."""
    window = _ramp_window(settings, segment)
    begin, end = (segment.first, segment.first) if window is None else window

    def at(step: int) -> tuple[float, float]:
        kelvin = (settings.temperature_at(step) or 0.0) * TEMPERATURE_FACTOR
        return kelvin, (settings.pressure_at(step) or 0.0) * BAR_PER_GPA

    return at(begin), at(end)


def _ramp_window(settings: MdSettings, segment: Segment) -> tuple[int, int] | None:
    """Return the steps between which targets change; None if they are over or none."""
    end = settings.steps if settings.ramp_steps is None else settings.ramp_steps
    return (0, end) if settings.ramped and segment.first < end else None


def _window(settings: MdSettings, segment: Segment) -> str:
    window = _ramp_window(settings, segment)
    return "" if window is None else f" start {window[0]} stop {window[1]}"
