"""Melting temperature at zero pressure: solid and liquid side by side at constant enthalpy."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from trimpot.engines.lammps.stages import Simulation
from trimpot.engines.md_statistics import average
from trimpot.errors import InputError
from trimpot.validation.properties.case import silent
from trimpot.validation.properties.coexistence import (
    Coexistence,
    Course,
    Durations,
    Trial,
)
from trimpot.validation.properties.crystal_order import SlabOrder
from trimpot.validation.properties.heating_guess import Heating
from trimpot.validation.properties.in_lammps import (
    Progress,
    lammps_model,
    microseconds_per_atom_step,
    suitable_timestep_fs,
    work_folder,
)
from trimpot.validation.properties.outcome import Curve, Outcome, Value, guarded
from trimpot.writing.atomic import write_text

if TYPE_CHECKING:
    from pathlib import Path

    from trimpot.validation.properties.case import Case, Phase, Report
    from trimpot.validation.subjects import Subject

VERSION = 1

HEATED_ATOMS = 800
"""At least so many atoms are heated for a guess."""

TYPICAL_K = 3000.0
"""A melting point for the plan of a heating whose end is not known."""

STEP_OUT = 1.15
"""From a trial to the next, where no bound is known on the other side."""

DRIFT_ERRORS = 3.0
"""Difference of the two halves of the average, in standard errors, that is told."""


@dataclass(frozen=True)
class Settings:
    """Size and length of the coexistence.

    The box has a square cross-section and is ``aspect`` times as long, along a cubic axis,
    the solid in one half. Its two short edges follow the pressure together and the long one
    by itself: so the solid takes the size that it has at the temperature reached (no stress
    on it), while the liquid, which cannot hold a shape, does not pull the cross-section away
    from a square.

    Attributes
    ----------
    atoms : int
        At least.
    aspect : float
        Length over width, at least.
    timestep_fs : float or None
        Time step; None: 0.25 fs up to a lightest mass of 5 g/mol, 0.5 up to 20, 1 up to 45,
        then 2 (tungsten's, as published).
    guess : float or None
        About the melting temperature, K; None: from heating a perfect crystal of 800 atoms
        until it gives way (1.3 times the melting temperature), and a short pilot of the
        coexistence.
    equilibration_ps : float
        Of the crystal at the trial's temperature.
    melt_ps : float
        In the heat (1.6 times the trial's temperature), again to cool, and to settle.
    pilot_ps, coexistence_ps : float
        Length of a pilot, and of the coexistence that counts.
    discard : float
        Share of the coexistence that does not count.
    tries : int
        At most, pilots included.
    limit_minutes : float
        Wall time beyond which nothing is run, or run on.
    ranks : int
        MPI processes.
    seed : int
        Of velocities and thermostats.
    """

    atoms: int = 4000
    aspect: float = 2.0
    timestep_fs: float | None = None
    guess: float | None = None
    equilibration_ps: float = 5.0
    melt_ps: float = 5.0
    pilot_ps: float = 40.0
    coexistence_ps: float = 200.0
    discard: float = 0.4
    tries: int = 5
    limit_minutes: float = 45.0
    ranks: int = 1
    seed: int = 4711


def check(phase: Phase, settings: Settings) -> None:
    """Raise ``InputError`` where phase and settings do not fit."""
    cell = phase.conventional().cell.array
    if np.abs(cell - np.diag(np.diag(cell))).max() > 1e-6 * np.abs(cell).max():
        raise InputError(
            f"melting: the cell of phase {phase.name} has no right angles along the axes; "
            "use a cubic lattice, or a structure whose cell has"
        )
    positive = ("atoms", "aspect", "melt_ps", "equilibration_ps", "pilot_ps", "tries")
    for name in (*positive, "coexistence_ps", "limit_minutes", "ranks"):
        if not getattr(settings, name) > 0:
            raise InputError(f"melting: {name} is {getattr(settings, name)}, expected > 0")
    for name in ("timestep_fs", "guess"):
        if (found := getattr(settings, name)) is not None and not found > 0:
            raise InputError(f"melting: {name} is {found}, expected > 0")
    if not 0.0 <= settings.discard < 0.9:
        raise InputError(f"melting: discard is {settings.discard}, expected 0 to 0.9")


@guarded
def measure(
    subject: Subject, case: Case, settings: Settings, report: Report = silent
) -> Outcome:
    """Return ``temperature`` (K) with its standard error, ``solid`` (share), ``pressure``.

    A crystal is brought to a trial's temperature at zero pressure; its upper half is melted
    while the other is held, brought back, and all is released at constant enthalpy. What
    freezes or melts then brings the box to the melting temperature. Where one phase is gone,
    another trial follows, between those that froze and those that melted.
    """
    with work_folder(case) as folder:
        return _Search(subject, case, settings, folder, report).outcome()


def repeats(cell_atoms: int, atoms: int, aspect: float) -> tuple[int, int, int]:
    """Return cells along each axis: at least so many atoms, and at least so long."""
    across = max(1, int((atoms / (cell_atoms * aspect)) ** (1.0 / 3.0) + 1e-9))
    along = max(int(np.ceil(atoms / (cell_atoms * across**2))), int(np.ceil(aspect * across)))
    return across, across, along


class _Search:
    """The search for a box in which both phases last."""

    def __init__(
        self,
        subject: Subject,
        case: Case,
        settings: Settings,
        folder: Path,
        report: Report,
    ) -> None:
        self.settings, self.folder = settings, folder
        self.progress = Progress(report, 1)
        cell = case.phase.conventional(case.a0)
        self.cell, self.model = cell, lammps_model(subject, cell, folder, settings.ranks)
        self.timestep_fs = settings.timestep_fs or suitable_timestep_fs(cell.numbers)
        self.began, self.before = time.monotonic(), _seconds(folder)
        repeat = repeats(len(cell), settings.atoms, settings.aspect)
        times = Durations(
            settings.equilibration_ps,
            settings.melt_ps,
            min(settings.pilot_ps, settings.coexistence_ps) / 4.0,
        )
        lengths = cell.cell.lengths()
        self.coexistence = Coexistence(
            self._simulation(repeat),
            SlabOrder.of(cell, repeat),
            times,
            "xy-z" if abs(lengths[0] - lengths[1]) < 1e-6 * lengths[0] else "xyz",
            settings.seed,
        )
        self.cost = 0.0
        self.notes: list[str] = []

    def outcome(self) -> Outcome:
        """Return what was found."""
        heating = self._heating()
        refusal = self._refusal(heating)
        if refusal is not None:
            return self._failed(refusal)
        guess = self.settings.guess if heating is None else heating.guess()
        if guess is None:
            return self._failed("the crystal does not melt when it is heated to 12000 K")
        if heating is not None:
            self.notes.append(f"trials begin at {guess:.0f} K, from heating")
        return self._searched(guess, pilot=heating is not None)

    def _simulation(self, repeat: tuple[int, int, int]) -> Simulation:
        atoms = self.cell * repeat
        return Simulation(self.model, atoms, self.folder, self.timestep_fs, self.progress)

    def _heating(self) -> Heating | None:
        if self.settings.guess is not None:
            return None
        side = int(np.ceil((HEATED_ATOMS / len(self.cell)) ** (1.0 / 3.0)))
        order = SlabOrder.of(self.cell, (side, side, side))
        hold_ps = 0.4 * self.settings.melt_ps
        simulation = self._simulation((side, side, side))
        return Heating(simulation, order, hold_ps, self.settings.seed)

    def _refusal(self, heating: Heating | None) -> str | None:
        """Return why nothing is run; plan the progress."""
        n = len(self.coexistence.simulation.atoms)
        steps = self.coexistence.steps(self._pieces(pilot=False))
        heated = 0
        if heating is not None:
            steps += self.coexistence.steps(self._pieces(pilot=True))
            heated = heating.steps_up_to(TYPICAL_K)
            share = len(heating.simulation.atoms) / n
        atom_steps = n * (steps + heated * (share if heated else 0.0))
        enough = 2.0 * 60e6 * self.settings.limit_minutes / atom_steps
        start_k = self.settings.guess or 300.0
        self.cost = microseconds_per_atom_step(
            self.coexistence.simulation, start_k, self.settings.seed, enough
        )
        self.progress.total = steps + heated
        self.progress.done = 0
        minutes = self.cost * atom_steps / 60e6
        if minutes <= self.settings.limit_minutes:
            return None
        return (
            f"not run: {self.cost:.3g} us/atom/step would take {minutes:.0f} minutes, limit "
            f"{self.settings.limit_minutes:g} (limit_minutes)"
        )

    def _pieces(self, *, pilot: bool) -> int:
        settings = self.settings
        length = settings.pilot_ps if pilot else settings.coexistence_ps
        return max(1, round(length / self.coexistence.durations.piece))

    def _minutes(self) -> float:
        """Return wall time spent, that of earlier runs of this case included."""
        spent = self.before + time.monotonic() - self.began
        write_text(self.folder / SPENT, json.dumps(spent))
        return spent / 60.0

    def _allowed(self) -> bool:
        return self._minutes() < self.settings.limit_minutes

    def _searched(self, start_k: float, *, pilot: bool) -> Outcome:
        low, high, told = 0.0, float("inf"), []
        for k in range(self.settings.tries):
            trial = Trial(f"try-{k}", start_k, self._pieces(pilot=pilot))
            course = self.coexistence.run(trial, self._allowed)
            enough = len(course.share) > 0 and course.share_ps[-1] >= 0.99 * (
                trial.pieces * self.coexistence.durations.piece
            )
            told.append(f"from {start_k:.0f} K: {_told(course)}")
            if course.verdict == "both" and enough and not pilot:
                return self._found(course, told)
            if not self._allowed():
                told.append(f"{self._minutes():.0f} minutes are over (limit_minutes)")
                return self._failed("; ".join(told))
            if course.verdict == "both":
                start_k, pilot = _late(course, 0.3), False
                self.progress.total = max(self.progress.total, self.progress.done)
                continue
            if course.verdict == "solid":
                low = max(low, start_k)
            else:
                high = min(high, start_k)
            start_k = _between(low, high)
            self.progress.total += self.coexistence.steps(trial.pieces)
        return self._failed(f"no try kept both phases: {'; '.join(told)}")

    def _found(self, course: Course, told: list[str]) -> Outcome:
        counts = course.time_ps > self.settings.discard * course.time_ps[-1]
        temperature = average(course.temperature_k[counts])
        halves = [average(part) for part in np.array_split(course.temperature_k[counts], 2)]
        moved = halves[1].mean - halves[0].mean
        n = len(self.coexistence.simulation.atoms)
        notes = [
            *self.notes,
            *told,
            f"{n} atoms, {self.timestep_fs:g} fs, {course.time_ps[-1]:.0f} ps",
            f"{self.cost:.3g} us/atom/step",
            "the error is statistical; boxes of a few thousand atoms and one orientation of "
            "the interface add up to about 1 %",
        ]
        if abs(moved) > DRIFT_ERRORS * np.hypot(halves[0].error, halves[1].error):
            notes.append(f"still drifting: the later half is {moved:+.0f} K off")
        pressure = course.pressure_gpa[counts].mean(axis=0)
        values = {
            "temperature": Value(temperature.mean, "K", temperature.error),
            "solid": Value(float(course.share[-1]), ""),
            "pressure": Value(float(pressure.mean()), "GPa"),
        }
        return Outcome(values, _curves(course), self._facts(), tuple(notes))

    def _failed(self, why: str) -> Outcome:
        return Outcome({}, {}, self._facts(), tuple(self.notes), why)

    def _facts(self) -> dict[str, object]:
        return asdict(replace(self.settings, timestep_fs=self.timestep_fs))


SPENT = "spent.json"


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


def _late(course: Course, share: float) -> float:
    """Return the mean temperature of the last part of a course."""
    late = course.time_ps >= (1.0 - share) * course.time_ps[-1]
    return float(course.temperature_k[late].mean())


def _told(course: Course) -> str:
    if course.verdict != "both":
        return f"all became {course.verdict}"
    if not len(course.share):
        return "not begun"
    share = f"{100.0 * course.share[-1]:.0f} % solid"
    return f"{_late(course, 0.3):.0f} K with {share} after {course.share_ps[-1]:.0f} ps"


def _curves(course: Course) -> dict[str, Curve]:
    thin = slice(None, None, max(1, len(course.time_ps) // 1000))
    return {
        "temperature": Curve(
            course.time_ps[thin], course.temperature_k[thin], "time (ps)", "temperature (K)"
        ),
        "solid_share": Curve(
            course.share_ps, course.share, "time (ps)", "share of solid", ()
        ),
    }
