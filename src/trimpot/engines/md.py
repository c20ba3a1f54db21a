"""Molecular dynamics of any potential."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trimpot.engines.following import fastest_precision
from trimpot.engines.md_grade_interval import with_grade_interval
from trimpot.engines.md_loop import Output, Watcher, begin, integrate
from trimpot.engines.md_result import Averages, MdResult, result_of
from trimpot.engines.md_samples import snapshot
from trimpot.engines.md_speed import Speed
from trimpot.engines.md_start import check_atoms, check_forces_of, movable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ase import Atoms

    from trimpot.contract import Grader, Potential, Precision
    from trimpot.engines.md_settings import MdSettings
    from trimpot.engines.md_state import Keeper

__all__ = ["Averages", "MdResult", "Output", "Speed", "Watcher", "precision_of", "run"]


def precision_of(potential: Potential, settings: MdSettings) -> Precision:
    """Return the arithmetic that a run uses."""
    if settings.precision == "auto":
        return fastest_precision(potential)
    return settings.precision


def run(
    potential: Potential,
    atoms: Atoms,
    settings: MdSettings,
    *,
    outputs: Sequence[Output] = (),
    watcher: Watcher | None = None,
    grader: Grader | None = None,
    keeper: Keeper | None = None,
) -> MdResult:
    """Move atoms and return averages, drift, structure functions and speed.

    Parameters
    ----------
    potential
        Any potential.
    atoms
        At least two, without constraints; not modified. Momenta are kept if there are any.
    settings
        Ensemble, temperature, steps.
    outputs
        Recorders of the run, for example a log and a trajectory.
    watcher
        Told where velocities came from, and how far and how fast the run is.
    grader
        Says how far atoms are from the training data; None: nobody looks.
    keeper
        Keeps checkpoints, and knows the one to go on from; None: nothing is kept. With a
        run that has begun, ``atoms`` are only compared with those of the checkpoint.

    Raises
    ------
    InputError
        Structure or settings that cannot be run, such as a precision that the potential
        does not offer, or constant energy with forces that do not keep it.
    NonFiniteResultError
        NaN or infinity on the way, naming step and atom.
    StoppedRunError
        A grade above ``stop_grade``, or a cell that ran away, naming the step.
    WriteError
        If an output cannot be written.
    """
    check_forces_of(potential, settings)
    if keeper is None or keeper.begun is None:  # a cell may shrink on the way
        check_atoms(atoms, settings, potential)
    precision = precision_of(potential, settings)
    if settings.grade_interval == 0:
        grader = None
    if grader is not None:
        settings = with_grade_interval(
            settings, potential, grader, atoms, precision=precision
        )
    now = begin(
        potential,
        movable(atoms),
        settings,
        precision=precision,
        grader=grader,
        outputs=outputs,
        watcher=watcher,
        keeper=keeper,
    )
    collected, last = integrate(now)
    return result_of(
        snapshot(now.atoms, last),
        collected,
        settings,
        now.gathered,
        speed=now.pace.speed(settings.steps),
        velocities=now.velocities,
        precision=precision,
    )
