"""Thermal expansion: the lattice constant at several temperatures, at zero pressure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from trimpot.engines.lammps.stages import Simulation, Stage
from trimpot.engines.md_statistics import Average, average
from trimpot.errors import InputError
from trimpot.validation.properties.case import silent
from trimpot.validation.properties.coexistence import CRYSTALLINE
from trimpot.validation.properties.crystal_order import SlabOrder
from trimpot.validation.properties.in_lammps import (
    Progress,
    barostat,
    lammps_model,
    refused_for_time,
    started_at,
    suitable_timestep_fs,
    thermostat,
    work_folder,
)
from trimpot.validation.properties.outcome import Curve, Outcome, Value, guarded

if TYPE_CHECKING:
    from pathlib import Path

    from ase import Atoms

    from trimpot.validation.properties.case import Case, Phase, Report
    from trimpot.validation.subjects import Subject

VERSION = 1

FRAMES = 4
"""Looks whether the crystal is still one."""


@dataclass(frozen=True)
class Settings:
    """Temperatures, size and length.

    Attributes
    ----------
    temperatures : tuple of float
        Ascending, K. Atoms are classical: below about the Debye temperature the expansion
        is larger than that of the material.
    atoms : int
        At least; the box is about a cube.
    timestep_fs : float or None
        Time step; None: by mass, as in ``melting``.
    equilibration_ps, production_ps : float
        At each temperature; the first does not count.
    limit_minutes : float
        Expected wall time beyond which nothing is run.
    ranks : int
        MPI processes.
    seed : int
        Of velocities and thermostats.
    """

    temperatures: tuple[float, ...] = (300.0, 600.0, 900.0)
    atoms: int = 800
    timestep_fs: float | None = None
    equilibration_ps: float = 5.0
    production_ps: float = 20.0
    limit_minutes: float = 20.0
    ranks: int = 1
    seed: int = 4711


def check(phase: Phase, settings: Settings) -> None:
    """Raise ``InputError`` where phase and settings do not fit."""
    if not phase.is_cubic:
        raise InputError(
            f"thermal_expansion: phase {phase.name} is {phase.lattice}, expected a cubic "
            "lattice"
        )
    found = settings.temperatures
    if len(found) < 2 or list(found) != sorted(set(found)) or not found[0] > 0.0:
        raise InputError(
            f"thermal_expansion: temperatures are {list(found)}, expected at least two, "
            "ascending, above 0 K"
        )
    for name in ("atoms", "equilibration_ps", "production_ps", "limit_minutes", "ranks"):
        if not getattr(settings, name) > 0:
            raise InputError(
                f"thermal_expansion: {name} is {getattr(settings, name)}, expected > 0"
            )


@guarded
def measure(
    subject: Subject, case: Case, settings: Settings, report: Report = silent
) -> Outcome:
    """Return ``a_T`` (A) of each temperature T, and ``alpha`` (1e-6/K).

    The mean volume of a crystal whose edges follow the pressure together, under a Langevin
    thermostat. alpha = (a(T1) - a(T0)) / (T1 - T0) / a(T0) of the last and the first
    temperature.
    """
    cell = case.phase.conventional(case.a0)
    timestep_fs = settings.timestep_fs or suitable_timestep_fs(cell.numbers)
    settings = replace(settings, timestep_fs=timestep_fs)
    with work_folder(case) as folder:
        return _measured(subject, cell, settings, folder, report)


def _measured(
    subject: Subject, cell: Atoms, settings: Settings, folder: Path, report: Report
) -> Outcome:
    side = int(np.ceil((settings.atoms / len(cell)) ** (1.0 / 3.0) - 1e-9))
    order = SlabOrder.of(cell, (side, side, side))
    progress = Progress(report)
    simulation = Simulation(
        lammps_model(subject, cell, folder, settings.ranks),
        cell * (side, side, side),
        folder,
        settings.timestep_fs or 1.0,
        progress,
    )
    length_ps = settings.equilibration_ps + settings.production_ps
    steps = len(settings.temperatures) * simulation.steps(length_ps)
    refusal = refused_for_time(simulation, steps, settings.limit_minutes, settings.seed)
    facts = asdict(settings)
    if refusal is not None:
        return Outcome(settings=facts, failure=refusal)
    progress.begin(steps)
    found: dict[float, Average] = {}
    for temperature_k in settings.temperatures:
        a, crystal = _at(simulation, order, temperature_k, settings)
        if not crystal:
            failure = f"the crystal gave way at {temperature_k:g} K"
            return Outcome(_values(found), _curves(found), facts, (), failure, ("alpha",))
        found[temperature_k] = Average(a.mean / side, a.error / side)
    notes = (f"{len(simulation.atoms)} atoms, {settings.timestep_fs:g} fs, classical",)
    return Outcome(_values(found), _curves(found), facts, notes)


def _at(
    simulation: Simulation, order: SlabOrder, temperature_k: float, settings: Settings
) -> tuple[Average, bool]:
    """Return the edge of the box, and whether it still holds a crystal."""
    dt = simulation.timestep_fs
    begin = started_at(2.0 * temperature_k, settings.seed)
    moves = (
        barostat("iso", dt),
        thermostat((temperature_k, temperature_k), dt, settings.seed),
    )
    first, then = (
        simulation.steps(ps) for ps in (settings.equilibration_ps, settings.production_ps)
    )
    name = f"at-{temperature_k:g}"
    warm = Stage(f"{name}-warm", first, (begin, *moves))
    simulation.run(warm)
    rows = max(1, min(10, then // 100))
    look = max(1, then // (FRAMES * rows)) * rows
    stretch = simulation.run(Stage(name, then, moves, warm.name, rows, look))
    last = list(simulation.frames(stretch))[-1]
    edge = average(np.cbrt(np.prod(stretch.lengths_a, axis=1)))
    return edge, bool(order(last).mean() > CRYSTALLINE)


def _values(found: dict[float, Average]) -> dict[str, Value]:
    values = {f"a_{t:g}": Value(a.mean, "A", a.error) for t, a in found.items()}
    if len(found) < 2:
        return values
    cold, hot = min(found), max(found)
    first, last = found[cold], found[hot]
    scale = 1e6 / (hot - cold) / first.mean
    error = float(np.hypot(first.error, last.error)) * scale
    return {"alpha": Value((last.mean - first.mean) * scale, "1e-6/K", error), **values}


def _curves(found: dict[float, Average]) -> dict[str, Curve]:
    lengths = np.array([a.mean for a in found.values()])
    names = ("temperature (K)", "lattice constant (A)")
    return {"lattice_constant": Curve(np.array(list(found)), lengths, *names)}
