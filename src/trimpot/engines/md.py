"""Molecular dynamics of any potential: what goes in, and what comes out at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trimpot.engines.following import fastest_precision
from trimpot.engines.md_grade_interval import with_grade_interval
from trimpot.engines.md_loop import Output, Run, Watcher, begin, integrate
from trimpot.engines.md_samples import Samples, snapshot
from trimpot.engines.md_speed import Speed
from trimpot.engines.md_start import check_atoms, check_forces_of, movable
from trimpot.engines.md_statistics import FEWEST, Average, Drift, average, drift

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ase import Atoms

    from trimpot.contract import Grader, Potential, Precision
    from trimpot.engines.md_displacements import Displacements
    from trimpot.engines.md_distances import RadialDistribution
    from trimpot.engines.md_grades import GradeSummary
    from trimpot.engines.md_settings import MdSettings
    from trimpot.engines.md_state import Keeper

__all__ = ["Averages", "MdResult", "Output", "Speed", "Watcher", "precision_of", "run"]


@dataclass(frozen=True)
class Averages:
    """Means over the run without its equilibration; energies in eV/atom."""

    temperature_k: Average
    potential: Average
    total: Average
    pressure_gpa: Average | None
    volume_a3: Average | None = None


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
        Of the conserved energy after the equilibration, which contains thermostat and
        barostat; None with Langevin, or for fewer than 10 samples.
    speed : Speed
        Time per step, since the run began or went on.
    velocities : str
        Where the velocities came from.
    precision : {"double", "mixed"}
        Arithmetic of the kernels.
    distances : RadialDistribution or None
        g(r) after the equilibration; None where the structure is not periodic in three
        directions.
    displacements : Displacements or None
        Mean squared displacements after the equilibration.
    grades : GradeSummary or None
        Extrapolation; None without a grader.
    """

    atoms: Atoms
    samples: Samples
    averages: Averages
    drift: Drift | None
    speed: Speed
    velocities: str
    precision: Precision
    distances: RadialDistribution | None = None
    displacements: Displacements | None = None
    grades: GradeSummary | None = None


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
        check_atoms(atoms, settings, potential.cutoff)
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
    samples = Samples.of(collected)
    first = settings.equilibration * settings.steps
    counted = samples.after(min(first * settings.timestep_fs, float(samples.time_fs[-1])))
    return MdResult(
        atoms=snapshot(now.atoms, last),
        samples=samples,
        averages=_averages(counted),
        drift=_drift(counted),
        speed=now.pace.speed(settings.steps),
        velocities=now.velocities,
        precision=precision,
        distances=_distances(now, int(first)),
        displacements=_displacements(now, int(first)),
        grades=None if now.grades is None else now.grades.result(),
    )


def _averages(samples: Samples) -> Averages:
    pressures, volumes = samples.pressure_gpa, samples.volume_a3
    return Averages(
        temperature_k=average(samples.temperature_k),
        potential=average(samples.potential),
        total=average(samples.total),
        pressure_gpa=None if pressures is None else average(pressures),
        volume_a3=None if volumes is None else average(volumes),
    )


def _drift(samples: Samples) -> Drift | None:
    if samples.conserved is None or len(samples.time_fs) < FEWEST:
        return None
    return drift(samples.time_fs, samples.conserved)


def _distances(now: Run, first: int) -> RadialDistribution | None:
    return None if now.distances is None else now.distances.result(first)


def _displacements(now: Run, first: int) -> Displacements | None:
    return None if now.snapshots is None else now.snapshots.result(first)
