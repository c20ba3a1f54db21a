"""The steps of a run: what is done at each, and in which order.

At every step that ``checkpoint_interval`` divides, the neighbour list is made anew. Forces
depend in their last bits on when a list was built, so a run that goes on from a checkpoint
has the same bits as one that never stopped.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from trimpot.engines.ase import Calculator
from trimpot.engines.md_displacements import Snapshots
from trimpot.engines.md_distances import Distances
from trimpot.engines.md_grades import GradeWatch
from trimpot.engines.md_integrators import Integrator, integrator_of, targets
from trimpot.engines.md_result import Gathered
from trimpot.engines.md_samples import Sample
from trimpot.engines.md_speed import LiveWatcher, Pace
from trimpot.engines.md_start import movable
from trimpot.engines.md_state import RunState
from trimpot.engines.md_velocities import set_starting_velocities
from trimpot.errors import InputError, NonFiniteResultError, StoppedRunError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ase import Atoms

    from trimpot.contract import Grader, Potential, Precision
    from trimpot.engines.md_settings import MdSettings
    from trimpot.engines.md_state import Keeper

LARGEST_CHANGE = 3.0
"""Factor by which a barostat may change the volume before the run stops."""


class Output(Protocol):
    """Whatever records a run; called at step 0 and then every ``interval`` steps."""

    interval: int

    def record(self, atoms: Atoms, sample: Sample) -> None:
        """Take a moment of the run; the atoms must not be changed."""
        ...


class Watcher(Protocol):
    """Whoever follows a run (``verbs.watching.Watcher`` does)."""

    def note(self, text: str) -> None:
        """Take one line of text."""
        ...

    def progress(self, stage: str, done: int, total: int) -> None:
        """Take the number of steps done."""
        ...


@dataclass(frozen=True)
class Run:
    """A run on its way; ``step`` is where it began or goes on."""

    atoms: Atoms
    settings: MdSettings
    integrator: Integrator
    step: int
    volume_a3: float
    velocities: str
    pace: Pace
    samples: tuple[Sample, ...] = ()
    outputs: Sequence[Output] = ()
    watcher: Watcher | None = None
    keeper: Keeper | None = None
    gathered: Gathered = field(default_factory=Gathered)


def begin(
    potential: Potential,
    atoms: Atoms,
    settings: MdSettings,
    *,
    precision: Precision,
    grader: Grader | None,
    outputs: Sequence[Output],
    watcher: Watcher | None,
    keeper: Keeper | None,
) -> Run:
    """Return a run before its next step; ``atoms`` become those of the run.

    Raises
    ------
    InputError, NonFiniteResultError
        For structures that cannot be evaluated.
    """
    begun = None if keeper is None else keeper.begun
    if begun is None:
        velocities = set_starting_velocities(atoms, settings)
        step = 0
    else:
        state = begun[0]
        atoms, velocities, step = movable(state.atoms), state.velocities, state.step
    if watcher is not None:
        watcher.note(velocities if begun is None else f"goes on from step {step}")
    atoms.calc = Calculator(
        potential, skin=settings.skin, threads=settings.threads, precision=precision
    )
    now = Run(
        atoms=atoms,
        settings=settings,
        integrator=integrator_of(atoms, settings),
        step=step,
        volume_a3=float(atoms.cell.volume),
        velocities=velocities,
        pace=Pace(len(atoms), settings.timestep_fs, step=step, steps=settings.steps),
        outputs=outputs,
        watcher=watcher,
        keeper=keeper,
        gathered=gatherers(atoms, settings, grader, keeper, watcher),
    )
    if begun is not None:
        now = _restored(now, *begun)
    _first_forces(now)
    return now


def integrate(now: Run) -> tuple[list[Sample], Sample]:
    """Take all steps; return the samples, and the one of the last step.

    Raises
    ------
    NonFiniteResultError, StoppedRunError, WriteError
        As ``md.run``.
    """
    settings, collected = now.settings, list(now.samples)
    if not collected:  # a new run: one that goes on has its first sample
        _keep(now, 0)  # if the first look stops the run, it can still go on
        _look(now, 0, collected)
        _keep(now, 0)
    for step in range(now.step + 1, settings.steps + 1):
        now.atoms.calc.forces_only = not (
            now.integrator.needs_stress or _looked_at(now, step)
        )
        _advance(now, step)
        _look(now, step, collected)
        _checkpoint(now, step)
    if now.keeper is not None:  # as one sees it who goes on from the last checkpoint
        now.atoms.calc.renew()
    now.atoms.calc.forces_only = False
    last = _sample(now, settings.steps, None)
    return collected, last


def gatherers(
    atoms: Atoms,
    settings: MdSettings,
    grader: Grader | None,
    keeper: Keeper | None,
    watcher: Watcher | None,
) -> Gathered:
    """Return who gathers what a run gives at its end."""
    distances = snapshots = grades = None
    if settings.structure_interval > 0:
        if atoms.pbc.all():
            distances = Distances(atoms, settings.structure_interval, settings.threads)
        snapshots = Snapshots(
            atoms,
            settings.structure_interval,
            timestep_fs=settings.timestep_fs,
            changing_cell=settings.constant_pressure,
        )
    if grader is not None:
        save = None if keeper is None else keeper.save_extrapolated
        grades = GradeWatch(grader, settings, save=save, notes=watcher)
    return Gathered(distances, snapshots, grades)


def _restored(now: Run, state: RunState, samples: Sequence[Sample]) -> Run:
    now.integrator.restore(state.integrator)
    for name, part in now.gathered.parts().items():
        if name in state.analyses:  # a grader may be new
            part.restore(state.analyses[name])
    return replace(now, volume_a3=state.volume_a3, samples=tuple(samples))


def _first_forces(now: Run) -> None:
    """Compute the first forces: wrong input shows here, and is not blamed on a step."""
    try:
        now.atoms.get_forces()  # type: ignore[no-untyped-call]
    except NonFiniteResultError as error:
        raise NonFiniteResultError(
            f"{moment_of(now.settings, now.step)}: {error}"
        ) from error


def _looked_at(now: Run, step: int) -> bool:
    """Whether energies are needed at a step."""
    if step == now.settings.steps or step % now.settings.log_interval == 0:
        return True
    return any(step % output.interval == 0 for output in now.outputs)


def _advance(now: Run, step: int) -> None:
    if now.settings.ramped:
        now.integrator.set_targets(*targets(now.settings, step))
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # found and named just below
            now.integrator.step()
    except (InputError, NonFiniteResultError) as error:
        raise NonFiniteResultError(f"{moment_of(now.settings, step)}: {error}") from error
    except (ArithmeticError, np.linalg.LinAlgError) as error:
        raise NonFiniteResultError(
            f"{moment_of(now.settings, step)}: velocities or cell grew beyond what "
            f"thermostat and barostat can hold ({error}); shorten the time step, or look "
            "at the start"
        ) from error
    if now.settings.constant_pressure:
        _check_volume(now, step)


def _check_volume(now: Run, step: int) -> None:
    check_volume(float(now.atoms.cell.volume), now.volume_a3, moment_of(now.settings, step))


def check_volume(volume_a3: float, start_a3: float, moment: str) -> None:
    """Raise ``StoppedRunError`` for a cell that a barostat let run away."""
    change = volume_a3 / start_a3
    if not 1.0 / LARGEST_CHANGE < change < LARGEST_CHANGE:
        raise StoppedRunError(
            f"{moment}: the volume is {change:.3g} times that of the start, "
            f"expected a factor below {LARGEST_CHANGE:g}: the cell ran away; check the "
            "pressure (GPa, positive compresses), the temperature and the potential, or "
            "start nearer to the density that belongs to them"
        )


def _look(now: Run, step: int, collected: list[Sample]) -> None:
    """Record whatever is due at a step."""
    settings, atoms, looking = now.settings, now.atoms, now.gathered.grades
    reason = None
    interval = settings.grade_interval or 1
    if looking is not None and step % interval == 0:
        reason = looking.look(atoms, step)
    if _looked_at(now, step):
        logged = step % settings.log_interval == 0
        grades = looking if logged else None
        sample = _sample(now, step, None if grades is None else grades.since_last())
        if logged:
            collected.append(sample)
        for output in now.outputs:
            if step % output.interval == 0:
                output.record(atoms, sample)
        tell(now.watcher, now.pace, step)
    if settings.structure_interval > 0 and step % settings.structure_interval == 0:
        for analysis in (now.gathered.distances, now.gathered.snapshots):
            if analysis is not None:
                analysis.record(atoms)
    if reason is not None:
        raise reason


def _sample(now: Run, step: int, grade: float | None) -> Sample:
    return Sample.of(
        now.atoms,
        step=step,
        time_fs=step * now.settings.timestep_fs,
        extended=now.integrator.extended_energy(),
        grade=grade,
    )


def tell(watcher: Watcher | None, pace: Pace, step: int) -> None:
    """Tell how far a run is, and how fast."""
    if watcher is None:
        return
    watcher.progress("dynamics", step, pace.steps)
    if isinstance(watcher, LiveWatcher) and step > pace.first:
        watcher.live("dynamics", *pace.lines(step))


def _checkpoint(now: Run, step: int) -> None:
    """Make the lists anew and keep the state where both are due."""
    interval = now.settings.checkpoint_interval
    due = interval > 0 and step % interval == 0
    if due or step == now.settings.steps:
        _keep(now, step)
    if due and step < now.settings.steps:
        now.atoms.calc.renew()


def _keep(now: Run, step: int) -> None:
    if now.keeper is None or now.settings.checkpoint_interval == 0:
        return
    atoms = now.atoms.copy()  # type: ignore[no-untyped-call]
    atoms.set_constraint()
    now.keeper.keep(
        RunState(
            step=step,
            atoms=atoms,
            integrator=now.integrator.state(),  # type: ignore[arg-type]
            analyses={name: part.state() for name, part in now.gathered.parts().items()},
            volume_a3=now.volume_a3,
            velocities=now.velocities,
        )
    )


def moment_of(settings: MdSettings, step: int) -> str:
    """Return a step and its time in words."""
    return f"step {step} ({step * settings.timestep_fs:g} fs)"
