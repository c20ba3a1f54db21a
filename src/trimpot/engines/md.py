"""Molecular dynamics of any potential with ASE's integrators."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from ase import units
from ase.constraints import FixCom
from ase.md.langevin import Langevin
from ase.md.verlet import VelocityVerlet

from trimpot.engines.ase import Calculator
from trimpot.engines.following import fastest_precision
from trimpot.engines.md_samples import Sample, Samples, snapshot
from trimpot.engines.md_settings import MdSettings
from trimpot.engines.md_statistics import FEWEST, Average, Drift, average, drift
from trimpot.engines.md_velocities import set_starting_velocities
from trimpot.errors import InputError, NonFiniteResultError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ase import Atoms
    from ase.md.md import MolecularDynamics

    from trimpot.contract import Potential, Precision

KEPT_COLUMNS = {"numbers", "positions", "momenta", "masses"}
"""Columns of the structure that dynamics carries along."""


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
class Averages:
    """Means over the run without its equilibration; energies in eV/atom."""

    temperature_k: Average
    potential: Average
    total: Average
    pressure_gpa: Average | None


@dataclass(frozen=True)
class Speed:
    """Wall time of the steps, output included."""

    seconds: float
    us_per_atom_step: float
    ns_per_day: float


@dataclass(frozen=True)
class MdResult:
    """What a run gave.

    Attributes
    ----------
    atoms : ase.Atoms
        Last structure with momenta, energy, forces and stress.
    samples : Samples
        Energies, temperature and pressure every ``log_interval`` steps.
    averages : Averages
        Means after the equilibration.
    drift : Drift or None
        Of the total energy after the equilibration; None with a thermostat, or for fewer
        than 10 samples.
    speed : Speed
        Time per step.
    velocities : str
        Where the velocities came from.
    precision : {"double", "mixed"}
        Arithmetic of the kernels.
    """

    atoms: Atoms
    samples: Samples
    averages: Averages
    drift: Drift | None
    speed: Speed
    velocities: str
    precision: Precision


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
) -> MdResult:
    """Move atoms and return averages, drift and speed.

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
        Told where velocities came from, and how far the run is.

    Raises
    ------
    InputError
        Structure or settings that cannot be run, such as a precision that the potential
        does not offer.
    NonFiniteResultError
        NaN or infinity on the way, naming step and atom.
    WriteError
        If an output cannot be written.
    """
    _check(atoms)
    moving = _movable(atoms)
    precision = precision_of(potential, settings)
    velocities = set_starting_velocities(moving, settings)
    moving.calc = Calculator(
        potential,
        skin=settings.skin,
        threads=settings.threads,
        precision=precision,
    )
    if watcher is not None:
        watcher.note(velocities)
    integrator = _integrator(moving, settings)
    _start(moving)
    start = time.perf_counter()
    collected, last = _integrate(integrator, moving, settings, outputs, watcher)
    seconds = time.perf_counter() - start
    samples = Samples.of(collected)
    equilibrated = settings.equilibration * settings.steps * settings.timestep_fs
    counted = samples.after(min(equilibrated, float(samples.time_fs[-1])))
    return MdResult(
        atoms=snapshot(moving, last),
        samples=samples,
        averages=_averages(counted),
        drift=_drift(counted, settings),
        speed=_speed(seconds, len(moving), settings),
        velocities=velocities,
        precision=precision,
    )


def _check(atoms: Atoms) -> None:
    if len(atoms) < 2:
        raise InputError(
            f"the structure has {len(atoms)} atoms, expected at least 2: the centre of "
            "mass rests, so fewer cannot move; repeat the cell"
        )
    if atoms.constraints:
        kinds = ", ".join(sorted({type(c).__name__ for c in atoms.constraints}))
        raise InputError(
            f"the structure has constraints ({kinds}), expected none: dynamics moves every "
            "atom; remove them (selective dynamics, move_mask), or use trimpot.Calculator "
            "with ASE's integrators"
        )
    if not (atoms.get_masses() > 0.0).all():
        atom = int(np.argmin(atoms.get_masses()))
        raise InputError(
            f"mass of atom {atom} is {atoms.get_masses()[atom]} amu, expected > 0; "
            "correct the masses of the structure"
        )


def _movable(atoms: Atoms) -> Atoms:
    """Return a copy with nothing but what moves: fields of the file would go stale."""
    moving: Atoms = atoms.copy()  # type: ignore[no-untyped-call]
    moving.info = {}
    for name in set(moving.arrays) - KEPT_COLUMNS:
        del moving.arrays[name]
    return moving


def _integrator(atoms: Atoms, settings: MdSettings) -> MolecularDynamics:
    timestep = settings.timestep_fs * units.fs
    if settings.ensemble == "nve":
        return VelocityVerlet(atoms, timestep=timestep)
    # Noise would move the centre of mass; held, 3N - 3 degrees of freedom are thermal.
    atoms.set_constraint(FixCom())  # type: ignore[no-untyped-call]
    return Langevin(
        atoms,
        timestep=timestep,
        temperature_K=settings.temperature_k,
        friction=settings.friction_per_ps / (1000.0 * units.fs),
        fixcm=False,
        # Another stream than that of the velocities, which took the seed itself.
        rng=np.random.default_rng([settings.seed, 1]),
    )


def _start(atoms: Atoms) -> None:
    """Compute the first forces: wrong input shows here, and is not blamed on a step."""
    try:
        atoms.get_forces()  # type: ignore[no-untyped-call]
    except NonFiniteResultError as error:
        raise NonFiniteResultError(f"step 0 (0 fs): {error}") from error


def _integrate(
    integrator: MolecularDynamics,
    atoms: Atoms,
    settings: MdSettings,
    outputs: Sequence[Output],
    watcher: Watcher | None,
) -> tuple[list[Sample], Sample]:
    """Take all steps; return the samples, and the one of the last step."""
    collected = []
    for step in range(settings.steps + 1):
        logged = step % settings.log_interval == 0
        due = [output for output in outputs if step % output.interval == 0]
        looked_at = logged or bool(due) or step == settings.steps
        if step > 0:
            atoms.calc.forces_only = not looked_at
            _advance(integrator, step, settings.timestep_fs)
        if not looked_at:
            continue
        sample = Sample.of(atoms, step=step, time_fs=step * settings.timestep_fs)
        if logged:
            collected.append(sample)
        for output in due:
            output.record(atoms, sample)
        if watcher is not None:
            watcher.progress("dynamics", step, settings.steps)
    return collected, sample


def _advance(integrator: MolecularDynamics, step: int, timestep_fs: float) -> None:
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # found and named just below
            integrator.step()  # type: ignore[attr-defined]
    except (InputError, NonFiniteResultError) as error:
        raise NonFiniteResultError(
            f"step {step} ({step * timestep_fs:g} fs): {error}"
        ) from error


def _averages(samples: Samples) -> Averages:
    pressures = samples.pressure_gpa
    return Averages(
        temperature_k=average(samples.temperature_k),
        potential=average(samples.potential),
        total=average(samples.total),
        pressure_gpa=None if pressures is None else average(pressures),
    )


def _drift(samples: Samples, settings: MdSettings) -> Drift | None:
    if settings.ensemble != "nve" or len(samples.time_fs) < FEWEST:
        return None
    return drift(samples.time_fs, samples.total)


def _speed(seconds: float, n_atoms: int, settings: MdSettings) -> Speed:
    per_step = seconds / settings.steps
    return Speed(
        seconds=seconds,
        us_per_atom_step=1e6 * per_step / n_atoms,
        ns_per_day=86400.0 / per_step * settings.timestep_fs * 1e-6,
    )
