"""What a run of molecular dynamics is told, and which of it is refused."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral
from typing import Literal, get_args

from trimpot.errors import InputError

Ensemble = Literal["nve", "langevin", "nvt", "npt", "npt-full"]

TrajectoryFormat = Literal["extxyz", "extxyz.gz"]

MdPrecision = Literal["auto", "double", "mixed"]

DEFAULT_PRECISION: MdPrecision = "auto"
"""Arithmetic of dynamics when nothing is said; every place that needs it reads it here."""

CONSTANT_PRESSURE = ("npt", "npt-full")

CHOICES = {
    "ensemble": get_args(Ensemble),
    "precision": get_args(MdPrecision),
    "trajectory_format": get_args(TrajectoryFormat),
}

WHOLE = (
    "steps",
    "ramp_steps",
    "seed",
    "log_interval",
    "trajectory_interval",
    "checkpoint_interval",
    "structure_interval",
    "grade_interval",
    "threads",
)

AT_LEAST = {
    "temperature_k": 0.0,
    "temperature_end_k": 0.0,
    "pressure_gpa": -math.inf,
    "pressure_end_gpa": -math.inf,
    "steps": 1,
    "ramp_steps": 1,
    "seed": 0,
    "log_interval": 1,
    "trajectory_interval": 0,
    "checkpoint_interval": 0,
    "structure_interval": 0,
    "grade_interval": 0,
    "warn_grade": 0.0,
    "stop_grade": 0.0,
    "threads": 0,
    "skin": 0.0,
}

ABOVE_ZERO = ("timestep_fs", "friction_per_ps", "thermostat_time_fs", "barostat_time_fs")


@dataclass(frozen=True)
class MdSettings:
    """Settings of one run.

    Attributes
    ----------
    ensemble : {"nve", "langevin", "nvt", "npt", "npt-full"}
        Constant energy (velocity Verlet); constant temperature by a Langevin thermostat
        with a centre of mass at rest, or by a Nose-Hoover chain ("nvt"); constant
        temperature and pressure, with a cell that keeps its shape ("npt") or not
        ("npt-full").
    temperature_k, temperature_end_k : float or None
        Temperature in K of the thermostat and of new velocities; with an end, it changes
        linearly from step to step until ``ramp_steps``. Constant energy needs none if the
        structure brings velocities.
    pressure_gpa, pressure_end_gpa : float or None
        Pressure in GPa that the barostat holds, and where it ends.
    ramp_steps : int or None
        Steps until the end values are reached, which then hold; None: all steps.
    timestep_fs : float
        Time step in fs.
    steps : int
        Number of steps.
    friction_per_ps : float
        Friction of the Langevin thermostat in 1/ps.
    thermostat_time_fs, barostat_time_fs : float
        How fast the Nose-Hoover chain and the barostat answer, in fs.
    seed : int
        Of new velocities and of the thermostat's noise.
    log_interval : int
        Steps between two samples of energy, temperature and pressure.
    trajectory_interval : int
        Steps between two frames of the trajectory; 0: no trajectory.
    trajectory_format : {"extxyz", "extxyz.gz"}
        Text, or the same compressed, each frame for itself.
    checkpoint_interval : int
        Steps between two checkpoints, at which the neighbour list is made anew; 0: none.
    structure_interval : int
        Steps between two looks at distances and displacements, for g(r) and the mean
        squared displacement; 0: none.
    grade_interval : int or None
        Steps between two looks at extrapolation grades; 0: never; None: as seldom as
        keeps them to a fifth of the time.
    warn_grade, stop_grade : float, float or None
        Grades above which structures are saved, and the run stops (None: it never does).
    equilibration : float
        Share of the run, 0 to below 1, that averages and drift leave out at its start.
    precision : {"auto", "double", "mixed"}
        Arithmetic of the kernels (docs/conventions.md). "auto": mixed where the potential
        offers it, else double.
    threads : int
        Threads of one force call; 0 means all available cores.
    skin : float
        Extra radius of the neighbour list in angstrom; only speed depends on it.

    Raises
    ------
    InputError
        For a value outside its range, naming it.
    """

    ensemble: Ensemble = "nve"
    temperature_k: float | None = None
    temperature_end_k: float | None = None
    pressure_gpa: float | None = None
    pressure_end_gpa: float | None = None
    ramp_steps: int | None = None
    timestep_fs: float = 1.0
    steps: int = 1000
    friction_per_ps: float = 10.0
    thermostat_time_fs: float = 100.0
    barostat_time_fs: float = 1000.0
    seed: int = 0
    log_interval: int = 10
    trajectory_interval: int = 100
    trajectory_format: TrajectoryFormat = "extxyz"
    checkpoint_interval: int = 1000
    structure_interval: int = 500
    grade_interval: int | None = None
    warn_grade: float = 1.0
    stop_grade: float | None = 3.0
    equilibration: float = 0.2
    precision: MdPrecision = DEFAULT_PRECISION
    threads: int = 0
    skin: float = 1.0

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise InputError(
                    f"{name} is {getattr(self, name)!r}, expected {' or '.join(choices)}"
                )
        for name in WHOLE:
            value = getattr(self, name)
            if value is not None and not isinstance(value, Integral):
                raise InputError(f"{name} is {value!r}, expected a whole number")
        for name, least in AT_LEAST.items():
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value >= least):
                bound = f" >= {least}" if math.isfinite(least) else ""
                raise InputError(f"{name} is {value}, expected a finite number{bound}")
        for name in ABOVE_ZERO:
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0.0):
                raise InputError(f"{name} is {value}, expected a finite number > 0")
        if not 0.0 <= self.equilibration < 1.0:
            raise InputError(
                f"equilibration is {self.equilibration}, expected a share of the run from "
                "0 to below 1; 0.2 leaves the first fifth out of averages"
            )
        _check_temperature(self)
        _check_pressure(self)
        _check_grades(self)

    @property
    def constant_pressure(self) -> bool:
        """Whether there is a barostat."""
        return self.ensemble in CONSTANT_PRESSURE

    def temperature_at(self, step: int) -> float | None:
        """Return the temperature in K that the thermostat holds in a step."""
        return self._ramped(self.temperature_k, self.temperature_end_k, step)

    def pressure_at(self, step: int) -> float | None:
        """Return the pressure in GPa that the barostat holds in a step."""
        return self._ramped(self.pressure_gpa, self.pressure_end_gpa, step)

    @property
    def ramped(self) -> bool:
        """Whether temperature or pressure change on purpose."""
        return self.temperature_end_k is not None or self.pressure_end_gpa is not None

    def _ramped(self, start: float | None, end: float | None, step: int) -> float | None:
        if start is None or end is None:
            return start
        steps = self.steps if self.ramp_steps is None else self.ramp_steps
        return start + (end - start) * min(1.0, step / steps)


def _check_temperature(settings: MdSettings) -> None:
    ensemble, start, end = (
        settings.ensemble,
        settings.temperature_k,
        settings.temperature_end_k,
    )
    if ensemble == "nve" and end is not None:
        raise InputError(
            f"temperature_end_k is {end}, but nve has no thermostat; choose langevin or nvt"
        )
    if ensemble != "nve" and start is None:
        raise InputError(
            f"ensemble {ensemble} has no temperature, expected one in K; give it, or run "
            "nve with the velocities of the structure"
        )
    if ensemble not in ("nve", "langevin") and 0.0 in (start, end):
        raise InputError(
            f"ensemble {ensemble} has a temperature of 0 K, expected > 0: a Nose-Hoover "
            "chain cannot stop atoms; cool with langevin"
        )


def _check_pressure(settings: MdSettings) -> None:
    given = settings.pressure_gpa is not None or settings.pressure_end_gpa is not None
    if given and not settings.constant_pressure:
        raise InputError(
            f"a pressure is given, but ensemble {settings.ensemble} has no barostat; "
            f"choose {' or '.join(CONSTANT_PRESSURE)}"
        )
    if settings.constant_pressure and settings.pressure_gpa is None:
        raise InputError(
            f"ensemble {settings.ensemble} has no pressure, expected one in GPa; 0 suits "
            "solids and liquids at ambient conditions"
        )


def _check_grades(settings: MdSettings) -> None:
    stop = settings.stop_grade
    if stop is not None and stop < settings.warn_grade:
        raise InputError(
            f"stop_grade is {stop}, below warn_grade {settings.warn_grade}; expected at "
            "least that, or None to never stop"
        )
