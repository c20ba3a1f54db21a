"""What a relaxation is told, and which of it is refused."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral
from typing import Literal, get_args

from trimpot.errors import InputError

CellMoves = Literal["none", "volume", "shape", "full"]
"""What of the cell moves: nothing, its volume, its shape at constant volume, or both."""

OptimizerName = Literal["lbfgs", "bfgs", "fire"]


@dataclass(frozen=True)
class RelaxSettings:
    """Settings of a relaxation.

    Attributes
    ----------
    fmax : float
        Converged when no atom has a larger force, eV/A.
    smax_gpa : float
        And, where the cell moves, when no component of the stress that moves it is farther
        from the target, GPa.
    cell : {"none", "volume", "shape", "full"}
        What of the cell moves.
    pressure_gpa : float
        Target pressure of a cell whose volume moves, GPa.
    steps : int
        Most steps of a structure.
    optimizer : {"lbfgs", "bfgs", "fire"}
        Of ASE. BFGS takes the same steps as LBFGS, but diagonalises a matrix of 3n rows in
        each of them; FIRE takes two to three times as many, and takes over where these
        find no smaller force for 60 steps.
    max_step : float
        Longest move of an atom in one step, A.
    symmetry : bool
        Keep the space group of the start (needs spglib).
    trajectory_interval : int
        Steps between two frames of the path; 0: none are kept.
    threads : int
        Threads of one force call; 0 means all available cores.

    Raises
    ------
    InputError
        For a value outside its range, naming it.
    """

    fmax: float = 0.01
    smax_gpa: float = 0.02
    cell: CellMoves = "none"
    pressure_gpa: float = 0.0
    steps: int = 1000
    optimizer: OptimizerName = "lbfgs"
    max_step: float = 0.2
    symmetry: bool = False
    trajectory_interval: int = 1
    threads: int = 0

    def __post_init__(self) -> None:
        _check_choice("cell", self.cell, get_args(CellMoves))
        _check_choice("optimizer", self.optimizer, get_args(OptimizerName))
        for name, least in {"steps": 0, "trajectory_interval": 0, "threads": 0}.items():
            value = getattr(self, name)
            if not isinstance(value, Integral) or int(value) < least:
                raise InputError(f"{name} is {value!r}, expected a whole number >= {least}")
        for name in ("fmax", "smax_gpa", "max_step"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0.0):
                raise InputError(f"{name} is {value}, expected a finite number > 0")
        if not math.isfinite(self.pressure_gpa):
            raise InputError(f"pressure is {self.pressure_gpa} GPa, expected a number")
        if self.pressure_gpa != 0.0 and self.cell not in {"volume", "full"}:
            raise InputError(
                f"pressure is {self.pressure_gpa:g} GPa, but the volume stays (cell is "
                f"{self.cell}); let it move with cell volume or full"
            )


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise InputError(f"{name} is {value!r}, expected {', '.join(choices)}")
