"""What a run of molecular dynamics is told, and which of it is refused."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral
from typing import Literal, get_args

from trimpot.errors import InputError

Ensemble = Literal["nve", "langevin"]

MdPrecision = Literal["auto", "double", "mixed"]

DEFAULT_PRECISION: MdPrecision = "auto"
"""Arithmetic of dynamics when nothing is said; every place that needs it reads it here."""

WHOLE = ("steps", "seed", "log_interval", "trajectory_interval", "threads")

AT_LEAST = {
    "temperature_k": 0.0,
    "steps": 1,
    "seed": 0,
    "log_interval": 1,
    "trajectory_interval": 0,
    "threads": 0,
    "skin": 0.0,
}


@dataclass(frozen=True)
class MdSettings:
    """Settings of one run.

    Attributes
    ----------
    ensemble : {"nve", "langevin"}
        Constant energy (velocity Verlet), or constant temperature (Langevin thermostat
        with a centre of mass at rest).
    temperature_k : float or None
        Temperature in K of the thermostat and of new velocities. Constant energy needs
        none if the structure brings velocities.
    timestep_fs : float
        Time step in fs.
    steps : int
        Number of steps.
    friction_per_ps : float
        Friction of the Langevin thermostat in 1/ps.
    seed : int
        Of new velocities and of the thermostat's noise.
    log_interval : int
        Steps between two samples of energy, temperature and pressure.
    trajectory_interval : int
        Steps between two frames of the trajectory; 0: no trajectory.
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
    timestep_fs: float = 1.0
    steps: int = 1000
    friction_per_ps: float = 10.0
    seed: int = 0
    log_interval: int = 10
    trajectory_interval: int = 100
    equilibration: float = 0.2
    precision: MdPrecision = DEFAULT_PRECISION
    threads: int = 0
    skin: float = 1.0

    def __post_init__(self) -> None:
        _check_choice("ensemble", self.ensemble, get_args(Ensemble))
        _check_choice("precision", self.precision, get_args(MdPrecision))
        for name in WHOLE:
            value = getattr(self, name)
            if not isinstance(value, Integral):
                raise InputError(f"{name} is {value!r}, expected a whole number")
        for name, least in AT_LEAST.items():
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value >= least):
                raise InputError(f"{name} is {value}, expected a finite number >= {least}")
        for name in ("timestep_fs", "friction_per_ps"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0.0):
                raise InputError(f"{name} is {value}, expected a finite number > 0")
        if not 0.0 <= self.equilibration < 1.0:
            raise InputError(
                f"equilibration is {self.equilibration}, expected a share of the run from "
                "0 to below 1; 0.2 leaves the first fifth out of averages"
            )
        if self.ensemble == "langevin" and self.temperature_k is None:
            raise InputError(
                "ensemble langevin has no temperature, expected one in K; give it, or run "
                "nve with the velocities of the structure"
            )


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise InputError(f"{name} is {value!r}, expected {' or '.join(choices)}")
