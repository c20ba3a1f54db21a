"""Melting temperature at zero pressure: solid beside liquid at constant enthalpy."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from trimpot.engines.md_statistics import average
from trimpot.errors import InputError
from trimpot.validation.properties.case import silent
from trimpot.validation.properties.in_lammps import (
    Progress,
    lammps_model,
    suitable_timestep_fs,
    work_folder,
)
from trimpot.validation.properties.melting_search import Search, boxes_of
from trimpot.validation.properties.outcome import Curve, Outcome, Value, guarded

if TYPE_CHECKING:
    from trimpot.contract import FloatArray
    from trimpot.validation.properties.case import Case, Phase, Report
    from trimpot.validation.properties.coexistence import Course
    from trimpot.validation.subjects import Subject

VERSION = 1

MOST_MOVED = 0.25
"""Change of the share of solid, in the part that counts, that is no balance."""


@dataclass(frozen=True)
class Settings:
    """Size and length of the coexistence.

    The box is along cubic axes, with a square cross-section, and ``aspect`` times as long;
    the solid is in one half. Its two short edges follow the pressure together and the long
    one by itself: so the solid takes the size that it has at the temperature reached, with
    no stress on it, and the liquid, which holds no shape, cannot make the square a
    rectangle.

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
        About the melting temperature, K; None: from heating a perfect crystal until it
        gives way, and pilots, which are coexistences in a small box.
    equilibration_ps : float
        Of the crystal at the trial's temperature.
    melt_ps : float
        In the heat (1.6 times the trial's temperature), again to cool, and to settle.
    pilot_atoms : int
        At least; of a pilot.
    pilot_ps, coexistence_ps : float
        Length of a pilot, and of the coexistence that counts.
    discard : float
        Share of the coexistence that does not count.
    tries : int
        At most, pilots included.
    limit_minutes : float
        Nothing is run that would take longer on free cores, and nothing is run on beyond
        this wall time.
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
    pilot_atoms: int = 1000
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
    positive = (
        "atoms",
        "pilot_atoms",
        "aspect",
        "melt_ps",
        "equilibration_ps",
        "pilot_ps",
        "tries",
    )
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
    freezes or melts then brings the box to the melting temperature. Where one phase is
    gone, another trial follows, between those that froze and those that melted.
    """
    cell = case.phase.conventional(case.a0)
    timestep_fs = settings.timestep_fs or suitable_timestep_fs(cell.numbers)
    settings = replace(settings, timestep_fs=timestep_fs)
    with work_folder(case) as folder:
        model = lammps_model(subject, cell, folder, settings.ranks)
        progress = Progress(report)
        boxes = boxes_of(model, cell, folder, settings, progress)
        search = Search(boxes, settings, folder, progress)
        course = search.course()
        if isinstance(course, str):
            return Outcome(settings=asdict(settings), failure=course)
        return _found(course, search, settings)


def _found(course: Course, search: Search, settings: Settings) -> Outcome:
    counts = course.time_ps > settings.discard * course.time_ps[-1]
    temperature = average(course.temperature_k[counts])
    pressure = course.pressure_gpa[counts].mean(axis=0)
    moved = _moved(course.temperature_k[counts])
    error = float(np.hypot(temperature.error, 0.5 * moved))
    values = {
        "temperature": Value(temperature.mean, "K", error),
        "solid": Value(float(course.share[-1]), ""),
        "pressure": Value(float(pressure.mean()), "GPa"),
    }
    along = ", ".join(f"{p:+.2f}" for p in pressure)
    notes = (
        *search.told,
        f"{len(search.boxes.main.simulation.atoms)} atoms, {settings.timestep_fs:g} fs, "
        f"{course.time_ps[-1]:.0f} ps, {search.cost:.3g} us/atom/step",
        f"pressure along x, y, z: {along} GPa",
        f"the error is {temperature.error:.1f} K of fluctuations and half of the "
        f"{moved:+.1f} K between both halves; the size of the box and the one face of the "
        "crystal add about 1 %",
    )
    shares = course.share[course.share_ps > settings.discard * course.time_ps[-1]]
    if np.ptp(shares) > MOST_MOVED:
        why = f"no balance yet: the share of solid moved by {np.ptp(shares):.2f}"
        return Outcome(values, _curves(course), asdict(settings), notes, why)
    return Outcome(values, _curves(course), asdict(settings), notes)


def _moved(temperature_k: FloatArray) -> float:
    """Return by how much the later half of a course is hotter than the first, K."""
    first, second = np.array_split(temperature_k, 2)
    return float(second.mean() - first.mean())


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
