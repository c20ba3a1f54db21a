"""Relaxation of any potential with ASE's optimisers: atoms, and the cell if it may move."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from ase.calculators.singlepoint import SinglePointCalculator
from ase.filters import FrechetCellFilter
from ase.optimize import BFGS, FIRE, LBFGS
from threadpoolctl import threadpool_limits

from trimpot.contract import NO_STRESS, is_conservative
from trimpot.engines.ase import Calculator, has_stress, structure_from_atoms
from trimpot.engines.relaxation_results import Progress, Relaxed, reason_to_end
from trimpot.engines.relaxation_settings import RelaxSettings
from trimpot.errors import InputError, NonFiniteResultError
from trimpot.units import GPA_PER_EV_PER_A3

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ase import Atoms

    from trimpot.contract import FloatArray, Grader, Potential
    from trimpot.engines.relaxation_settings import OptimizerName

    Reached = Callable[["Progress", "Atoms"], None]

STALLED = 60
"""Steps without progress of forces and stress after which FIRE takes over."""

GRADED = 10
"""Steps between two looks at grades, which take many times as long as a force call."""


def relax(
    potential: Potential,
    atoms: Atoms,
    settings: RelaxSettings = RelaxSettings(),  # noqa: B008 - frozen
    *,
    grader: Grader | None = None,
    reached: Reached | None = None,
) -> Relaxed:
    """Return the structure with the lowest energy (or enthalpy) nearby.

    Parameters
    ----------
    potential
        Any potential.
    atoms
        The start; not modified. ASE's constraints are kept.
    settings
        Limits, what of the cell moves, target pressure, steps.
    grader
        Grades every tenth step and the last one; the largest grade is in ``Progress``.
    reached
        Called with each step and its structure, which must not be changed.

    Raises
    ------
    InputError
        Unknown elements, no atoms, a cell that cannot move, or spglib missing for
        ``symmetry``.
    NonFiniteResultError
        NaN or infinity on the way, naming step and atom.
    """
    _check(atoms, settings)
    if settings.cell != "none" and not is_conservative(potential):
        raise InputError(f"cell is {settings.cell}: {NO_STRESS}; or use cell none")
    moving = _movable(atoms, potential, settings)
    first, last, taken_over = _walk(moving, settings, grader, reached)
    done = snapshot(moving)
    if grader is not None:
        grades = np.asarray(grader.grades(structure_from_atoms(moving)))
        done.arrays["grade"] = grades
        last = replace(last, grade=float(grades.max()))
    reason = reason_to_end(first, last, settings) or "steps"
    return Relaxed(done, first, last, reason, settings, taken_over)


def snapshot(atoms: Atoms) -> Atoms:
    """Return a copy that keeps energy, forces and stress without the calculator."""
    frame: Atoms = atoms.copy()  # type: ignore[no-untyped-call]
    results = dict(atoms.calc.results)
    if not atoms.pbc.any():
        results.pop("stress", None)
    frame.calc = SinglePointCalculator(frame, **results)  # type: ignore[no-untyped-call]
    return frame


def _walk(
    atoms: Atoms,
    settings: RelaxSettings,
    grader: Grader | None,
    reached: Reached | None,
) -> tuple[Progress, Progress, int | None]:
    """Move the atoms until a reason to end holds.

    Returns the first step, the last, and the one at which FIRE took over, if it did.
    """
    with _quiet_arithmetic():
        moves = _moves(atoms, settings, settings.optimizer)
        first = last = least = _moved(moves, atoms, 0, settings, grader)
        taken_over: int | None = None
        while True:
            if reached is not None:
                reached(last, atoms)
            ended = reason_to_end(first, last, settings) is not None
            if ended or last.step == settings.steps:
                return first, last, taken_over
            if _far(last, settings) < _far(least, settings):
                least = last
            stalled = last.step - least.step >= STALLED
            if stalled and taken_over is None and settings.optimizer != "fire":
                taken_over = last.step
                moves = _moves(atoms, settings, "fire")
                next(moves)  # evaluates where the atoms are
            last = _moved(moves, atoms, last.step + 1, settings, grader)


def _far(here: Progress, settings: RelaxSettings) -> float:
    """Return how many times its limits forces or stress have, whichever is farther off."""
    return max(here.fmax / settings.fmax, (here.stress_gpa or 0.0) / settings.smax_gpa)


def _moved(
    moves: Iterator[bool],
    atoms: Atoms,
    step: int,
    settings: RelaxSettings,
    grader: Grader | None,
) -> Progress:
    """Return where the next move of an optimiser leads; it first evaluates the start."""
    try:
        next(moves)
        return _progress(atoms, step, settings, grader)
    except NonFiniteResultError as error:
        raise NonFiniteResultError(f"step {step}: {error}") from error
    except InputError as error:
        if step == 0:
            raise
        raise NonFiniteResultError(f"step {step}: {error}") from error


@contextmanager
def _quiet_arithmetic() -> Iterator[None]:
    """Let ASE's algebra run as it should.

    Threads of BLAS cost more than they give in 3x3 and 3n x 3n matrices; overflows are
    found and named by the calculator; scipy's remarks on the last digits of logarithms do
    not matter.
    """
    with (
        threadpool_limits(1, user_api="blas"),
        np.errstate(over="ignore", invalid="ignore"),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", "logm result may be inaccurate", RuntimeWarning)
        yield


def _progress(
    atoms: Atoms, step: int, settings: RelaxSettings, grader: Grader | None
) -> Progress:
    forces = atoms.get_forces()  # type: ignore[no-untyped-call]  # constraints applied
    structure = structure_from_atoms(atoms)
    stress = None
    if structure.volume > 0.0 and structure.pbc.any() and has_stress(atoms):
        stress = GPA_PER_EV_PER_A3 * atoms.get_stress(voigt=False)  # type: ignore[no-untyped-call]
    return Progress(
        step,
        float(atoms.get_potential_energy()),  # type: ignore[no-untyped-call]
        float(np.sqrt((forces**2).sum(axis=1).max())),
        None if stress is None else _off_target(stress, settings),
        None if stress is None else -float(np.trace(stress)) / 3.0,
        structure.volume,
        None
        if grader is None or step % GRADED != 0
        else float(np.max(grader.grades(structure))),
    )


def _off_target(stress_gpa: FloatArray, settings: RelaxSettings) -> float | None:
    """Return the largest component of the stress that would move the cell, GPa."""
    mean = float(np.trace(stress_gpa)) / 3.0
    if settings.cell == "none":
        return None
    if settings.cell == "volume":
        return abs(mean + settings.pressure_gpa)
    if settings.cell == "shape":
        return float(np.abs(stress_gpa - mean * np.eye(3)).max())
    return float(np.abs(stress_gpa + settings.pressure_gpa * np.eye(3)).max())


def _moves(atoms: Atoms, settings: RelaxSettings, kind: OptimizerName) -> Iterator[bool]:
    """Return the moves of an optimiser, the first of which evaluates the start."""
    target = atoms if settings.cell == "none" else _with_cell(atoms, settings)
    options = {"logfile": None, "maxstep": settings.max_step}
    kinds = {"lbfgs": LBFGS, "bfgs": BFGS, "fire": FIRE}
    optimizer = kinds[kind](target, **options)
    return optimizer.irun(fmax=0.0, steps=settings.steps)  # type: ignore[no-any-return]


def _with_cell(atoms: Atoms, settings: RelaxSettings) -> FrechetCellFilter:
    return FrechetCellFilter(  # type: ignore[no-untyped-call]
        atoms,
        hydrostatic_strain=settings.cell == "volume",
        constant_volume=settings.cell == "shape",
        scalar_pressure=settings.pressure_gpa / GPA_PER_EV_PER_A3,
    )


def _movable(atoms: Atoms, potential: Potential, settings: RelaxSettings) -> Atoms:
    """Return a copy with the calculator, without velocities."""
    moving: Atoms = atoms.copy()  # type: ignore[no-untyped-call]
    moving.arrays.pop("momenta", None)
    if settings.symmetry:
        _keep_symmetry(moving)
    moving.calc = Calculator(potential, threads=settings.threads)
    return moving


def _keep_symmetry(atoms: Atoms) -> None:
    try:
        from ase.constraints import FixSymmetry

        symmetric = FixSymmetry(atoms)  # type: ignore[no-untyped-call]
    except ImportError as error:
        raise InputError(
            "symmetry needs spglib, which is not installed; pip install spglib, or relax "
            "without symmetry"
        ) from error
    atoms.set_constraint([*atoms.constraints, symmetric])  # type: ignore[no-untyped-call]


def _check(atoms: Atoms, settings: RelaxSettings) -> None:
    if len(atoms) == 0:
        raise InputError("the structure has no atoms, expected at least one")
    if settings.cell != "none" and not (atoms.pbc.all() and atoms.cell.rank == 3):
        directions = " ".join("T" if p else "F" for p in atoms.pbc)
        raise InputError(
            f"cell is {settings.cell}, but the structure is periodic along {directions}; "
            "only a cell that is periodic in three directions can relax: use cell none"
        )
