"""What protocols of dynamics share: a subject in LAMMPS, its folder, steps and progress."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ase.data import atomic_masses

from trimpot.engines.lammps.models import model_of_lines, model_of_potential
from trimpot.engines.lammps.settings import check_possible
from trimpot.engines.lammps.stages import Simulation, Stage
from trimpot.errors import EngineError, InputError, MissingPartError
from trimpot.validation.properties.outcome import NOT_MEASURED
from trimpot.writing.folders import make_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ase import Atoms

    from trimpot.engines.lammps.models import LammpsModel
    from trimpot.validation.properties.case import Case, Report
    from trimpot.validation.subjects import Subject

TIMESTEPS_FS = ((5.0, 0.25), (20.0, 0.5), (45.0, 1.0))
"""Time step up to a mass of the lightest atom in g/mol; others take ``LONGEST_FS``."""

LONGEST_FS = 2.0

DAMP_STEPS, PRESSURE_STEPS = 200, 1000
"""Relaxation times of thermostats and barostats, in time steps."""

FIRST_STEPS, TIMED_STEPS = 2, 100
"""Of the measurements of speed: one for models of any cost, one that is fair."""


@contextmanager
def work_folder(case: Case) -> Iterator[Path]:
    """Yield the folder of a case, or one that is gone at the end."""
    if case.folder is not None:
        make_folder(case.folder)
        yield case.folder
        return
    with tempfile.TemporaryDirectory(prefix="trimpot-dynamics-") as temporary:
        yield Path(temporary)


def lammps_model(subject: Subject, atoms: Atoms, folder: Path, ranks: int) -> LammpsModel:
    """Return a subject as LAMMPS runs it.

    Raises
    ------
    EngineError
        If it does not: an ASE calculator, or a potential that only this package computes.
    MissingPartError
        If there is no LAMMPS, or no plugin can be built.
    """
    if subject.lammps is not None:
        return model_of_lines(subject.lammps, ranks)
    if subject.potential is None:
        raise EngineError(
            f"{NOT_MEASURED}needs LAMMPS, found an ASE calculator; dynamics is "
            "measured of .trimpot files and pair styles of LAMMPS"
        )
    try:
        check_possible(subject.potential, atoms)
    except InputError as error:
        raise EngineError(f"{NOT_MEASURED}needs LAMMPS: {error}") from error
    try:
        return model_of_potential(subject.potential, folder, ranks)
    except EngineError as error:  # says nothing of the model
        raise MissingPartError(str(error)) from error


def suitable_timestep_fs(numbers: Sequence[int]) -> float:
    """Return a time step that suits the lightest of some elements near melting."""
    lightest = min(float(atomic_masses[z]) for z in numbers)
    return next((step for mass, step in TIMESTEPS_FS if lightest < mass), LONGEST_FS)


def started_at(temperature_k: float, seed: int) -> str:
    """Return the command for velocities of a temperature, the centre of mass at rest."""
    return f"velocity all create {temperature_k:g} {seed} mom yes rot no dist gaussian"


def barostat(axes: str, timestep_fs: float, group: str = "all", more: str = "") -> str:
    """Return the command that moves atoms at zero pressure and, alone, constant enthalpy.

    LAMMPS' thermostat of the barostat itself (``pchain``) is off: it pumps heat into the
    atoms, 0.1 to 1 meV/atom/ps, and would melt the solid of a coexistence.

    Parameters
    ----------
    axes
        "iso", "xy-z" (square cross-section), "xyz" (each by itself), "z".
    timestep_fs
        Time step.
    group, more
        Atoms, and further words.
    """
    damp = PRESSURE_STEPS * timestep_fs / 1000.0
    one = f"0.0 0.0 {damp:g}"
    words = {
        "iso": f"iso {one}",
        "xy-z": f"x {one} y {one} z {one} couple xy",
        "xyz": f"aniso {one}",
        "z": f"z {one}",
    }
    return f"fix move {group} nph {words[axes]} pchain 0 {more}".rstrip()


def thermostat(
    temperatures_k: tuple[float, float], timestep_fs: float, seed: int, group: str = "all"
) -> str:
    """Return the command of a Langevin thermostat from one temperature to another."""
    first, last = temperatures_k
    damp = DAMP_STEPS * timestep_fs / 1000.0
    return f"fix heat {group} langevin {first:g} {last:g} {damp:g} {seed} zero yes"


def microseconds_per_atom_step(
    simulation: Simulation, temperature_k: float, seed: int, enough: float
) -> float:
    """Return the cost of a step, measured: a few steps, and more unless these say enough.

    Parameters
    ----------
    simulation
        What is run.
    temperature_k, seed
        Of the first velocities.
    enough
        Microseconds beyond which the few steps are told.
    """
    found = 0.0
    for name, steps in (("speed-first", FIRST_STEPS), ("speed", TIMED_STEPS)):
        commands = (
            started_at(2.0 * temperature_k, seed),
            barostat("xyz", simulation.timestep_fs),
        )
        stretch = simulation.run(Stage(name, steps, commands))
        found = stretch.step_seconds * 1e6 / (steps * len(simulation.atoms))
        if found > enough:
            break
    return found


def refused_for_time(
    simulation: Simulation, steps: int, limit_minutes: float, seed: int
) -> str | None:
    """Return why so many steps are not run: they take longer than the limit; else None."""
    atom_steps = steps * len(simulation.atoms)
    enough = 2.0 * 60e6 * limit_minutes / atom_steps
    cost = microseconds_per_atom_step(simulation, 300.0, seed, enough)
    return too_slow(cost, cost * atom_steps / 60e6, limit_minutes)


def too_slow(cost: float, minutes: float, limit_minutes: float) -> str | None:
    """Return the failure of a model of this cost (us/atom/step), if it is one."""
    if minutes <= limit_minutes:
        return None
    return (
        f"{NOT_MEASURED}{cost:.3g} us/atom/step would take {minutes:.0f} minutes, limit "
        f"{limit_minutes:g} (limit_minutes)"
    )


class Progress:
    """Turns steps of stages into shares of a plan; without a plan it is silent.

    Parameters
    ----------
    report : callable
        Gets the share. It falls where the plan grows.
    """

    def __init__(self, report: Report) -> None:
        self.report = report
        self.total = 0
        self._done = self._within = 0

    def begin(self, total: int) -> None:
        """Forget what was done before, and begin a plan of so many steps."""
        self.total, self._done, self._within = max(1, total), 0, 0

    def __call__(self, steps: int) -> None:
        """Take the steps that a stage has done; a smaller number is another stage."""
        if steps < self._within:
            self._done += self._within
        self._within = steps
        if self.total:
            self.report(min(1.0, (self._done + steps) / self.total))
