"""The search for a box in which solid and liquid last."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from trimpot.engines.lammps.stages import Simulation
from trimpot.validation.properties.coexistence import Coexistence, Durations, Trial
from trimpot.validation.properties.crystal_order import SlabOrder
from trimpot.validation.properties.heating_guess import HOTTEST_K, Heating
from trimpot.validation.properties.in_lammps import microseconds_per_atom_step, too_slow
from trimpot.validation.properties.outcome import NOT_MEASURED
from trimpot.writing.atomic import write_text

if TYPE_CHECKING:
    from pathlib import Path

    from ase import Atoms

    from trimpot.engines.lammps.models import LammpsModel
    from trimpot.validation.properties.coexistence import Course
    from trimpot.validation.properties.in_lammps import Progress
    from trimpot.validation.properties.melting import Settings

HEATED_ATOMS = 800
"""At least so many are heated for a guess."""

HOLD = 0.4
"""Time at each temperature of the heating, over that of melting."""

TYPICAL_K = 3000.0
"""A temperature for the plan of a heating whose end is not known."""

PIECES = {"pilot": 4, "main": 20}
"""After each piece of a coexistence, both phases are looked for."""

SUFFICES = 0.6
"""Share of a coexistence that counts, where time ended it."""

LATE = 0.3
"""Last part of a course whose mean temperature is where the next try begins."""

STEP_OUT = 1.15
"""From a trial to the next, where no bound is known on the other side."""

SPENT = "spent.json"

FELL, HEATED = 0.4, 1.05
"""Share of solid, half at the start, and temperature over that of the start: below the
one and above the other the crystal has not melted, it has become another one."""


@dataclass(frozen=True)
class Boxes:
    """The boxes of a search.

    Attributes
    ----------
    main, pilot : Coexistence
        The one that counts, and a small one that finds where it begins.
    heating : Heating
        For a first guess.
    """

    main: Coexistence
    pilot: Coexistence
    heating: Heating


def repeats(cell_atoms: int, atoms: int, aspect: float) -> tuple[int, int, int]:
    """Return cells along each axis: at least so many atoms, and at least so long."""
    across = max(1, int((atoms / (cell_atoms * aspect)) ** (1.0 / 3.0) + 1e-9))
    along = max(np.ceil(atoms / (cell_atoms * across**2)), np.ceil(aspect * across))
    return across, across, int(along)


def boxes_of(
    model: LammpsModel, cell: Atoms, folder: Path, settings: Settings, progress: Progress
) -> Boxes:
    """Return the boxes of a search, all in one folder."""

    def simulation(repeat: tuple[int, int, int]) -> Simulation:
        dt = settings.timestep_fs or 1.0
        return Simulation(model, cell * repeat, folder, dt, progress)

    def coexistence(atoms: int, piece_ps: float) -> Coexistence:
        repeat = repeats(len(cell), atoms, settings.aspect)
        times = Durations(settings.equilibration_ps, settings.melt_ps, piece_ps)
        x, y, _ = cell.cell.lengths()
        axes = "xy-z" if abs(x - y) < 1e-6 * x else "xyz"
        order = SlabOrder.of(cell, repeat)
        return Coexistence(simulation(repeat), order, times, axes, settings.seed)

    side = int(np.ceil((HEATED_ATOMS / len(cell)) ** (1.0 / 3.0)))
    cube = (side, side, side)
    hold_ps = HOLD * settings.melt_ps
    return Boxes(
        coexistence(settings.atoms, settings.coexistence_ps / PIECES["main"]),
        coexistence(settings.pilot_atoms, settings.pilot_ps / PIECES["pilot"]),
        Heating(simulation(cube), SlabOrder.of(cell, cube), hold_ps, settings.seed),
    )


@dataclass
class Search:
    """A search under way.

    Attributes
    ----------
    boxes : Boxes
        What is run.
    settings : Settings
        Of the protocol.
    folder : Path
        Where the time spent is kept.
    progress : Progress
        Hears how far it is.
    told : list of str
        What happened.
    cost : float
        us/atom/step, as measured.
    """

    boxes: Boxes
    settings: Settings
    folder: Path
    progress: Progress
    told: list[str] = field(default_factory=list)
    cost: float = 0.0

    def __post_init__(self) -> None:
        self._began = time.monotonic() - _seconds(self.folder)

    def course(self) -> Course | str:
        """Return the course that counts, or why there is none."""
        refusal = self._refusal()
        if refusal is not None:
            return refusal
        if self.settings.guess is not None:
            return self._searched(self.settings.guess, pilot=False)
        guess = self.boxes.heating.guess()
        if guess is None:
            return f"the crystal does not melt when it is heated to {HOTTEST_K:.0f} K"
        self.told.append(f"trials begin at {guess:.0f} K, from heating")
        return self._searched(guess, pilot=True)

    def _refusal(self) -> str | None:
        """Return why nothing is run; plan the progress."""
        main = self.boxes.main
        runs = [(main.simulation, main.steps(PIECES["main"]))]
        if self.settings.guess is None:
            pilot, heating = self.boxes.pilot, self.boxes.heating
            runs.append((pilot.simulation, pilot.steps(PIECES["pilot"])))
            runs.append((heating.simulation, heating.steps_up_to(TYPICAL_K)))
        atom_steps = sum(len(s.atoms) * steps for s, steps in runs)
        limit = self.settings.limit_minutes
        enough = 2.0 * 60e6 * limit / atom_steps
        start_k, seed = self.settings.guess or 300.0, self.settings.seed
        self.cost = microseconds_per_atom_step(main.simulation, start_k, seed, enough)
        self.progress.begin(sum(steps for _, steps in runs))
        return too_slow(self.cost, self.cost * atom_steps / 60e6, limit)

    def _searched(self, start_k: float, *, pilot: bool) -> Course | str:
        low, high = 0.0, float("inf")
        for k in range(self.settings.tries):
            kind, box = ("pilot", self.boxes.pilot) if pilot else ("main", self.boxes.main)
            trial = Trial(f"{kind}-{k}", start_k, PIECES[kind])
            course = box.run(trial, self._allowed)
            self.told.append(f"{kind} from {start_k:.0f} K: {_told(course)}")
            if course.verdict == "both" and not pilot and self._suffices(course):
                return course
            if not self._allowed():
                over = f"{self._minutes():.0f} minutes are over (limit_minutes)"
                return "; ".join([f"{NOT_MEASURED}{over}", *self.told])
            late_k = _late(course)
            if _is_another_crystal(course, start_k):
                why = "another crystal grows: order was lost while the box heated"
                return f"{why}; {'; '.join(self.told)}"
            if course.verdict == "both":
                start_k, pilot = late_k, False
                continue
            low, high = (
                (late_k, high) if course.verdict == "solid" else (low, min(high, late_k))
            )
            start_k, pilot = _between(low, high), True
            self.progress.total += box.steps(PIECES[kind])
        return f"no try kept both phases: {'; '.join(self.told)}"

    def _suffices(self, course: Course) -> bool:
        """Return whether a course is long enough, although time may have ended it."""
        length = self.settings.coexistence_ps
        return len(course.share) > 0 and course.share_ps[-1] > SUFFICES * length

    def _minutes(self) -> float:
        """Return wall time spent, that of earlier runs of this case included."""
        spent = time.monotonic() - self._began
        write_text(self.folder / SPENT, json.dumps(spent))
        return spent / 60.0

    def _allowed(self) -> bool:
        return self._minutes() < self.settings.limit_minutes


def _seconds(folder: Path) -> float:
    """Return the wall time that earlier runs of this case spent."""
    try:
        return float(json.loads((folder / SPENT).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return 0.0


def _between(low: float, high: float) -> float:
    """Return the next trial between bounds."""
    if np.isinf(high):
        return low * STEP_OUT
    return high / STEP_OUT if low == 0.0 else 0.5 * (low + high)


def _late(course: Course) -> float:
    """Return the mean temperature of the last part of a course."""
    if not len(course.time_ps):
        return float(course.temperature_k[-1])
    late = course.time_ps >= (1.0 - LATE) * course.time_ps[-1]
    return float(course.temperature_k[late].mean())


def _is_another_crystal(course: Course, start_k: float) -> bool:
    """Return whether the crystal went while heat came: what melts takes heat up."""
    if course.verdict == "solid" or not len(course.share):
        return False
    return course.share[-1] < FELL and _late(course) > HEATED * start_k


def _told(course: Course) -> str:
    if course.verdict != "both":
        return f"all became {course.verdict} ({_late(course):.0f} K)"
    if not len(course.share):
        return "not begun"
    share = f"{100.0 * course.share[-1]:.0f} % solid"
    return f"{_late(course):.0f} K with {share} after {course.share_ps[-1]:.0f} ps"
