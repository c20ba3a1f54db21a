"""What comes out of a run at its end, whichever engine took the steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trimpot.engines.md_samples import Samples
from trimpot.engines.md_statistics import FEWEST, Average, Drift, average, drift

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ase import Atoms

    from trimpot.contract import Precision
    from trimpot.engines.md_displacements import Displacements, Snapshots
    from trimpot.engines.md_distances import Distances, RadialDistribution
    from trimpot.engines.md_grades import GradeSummary, GradeWatch
    from trimpot.engines.md_samples import Sample
    from trimpot.engines.md_settings import MdSettings
    from trimpot.engines.md_speed import Speed


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


@dataclass(frozen=True)
class Gathered:
    """What a run looks at now and then; None: nobody looks.

    Attributes
    ----------
    distances : Distances or None
        For g(r).
    snapshots : Snapshots or None
        For mean squared displacements.
    grades : GradeWatch or None
        Extrapolation.
    """

    distances: Distances | None = None
    snapshots: Snapshots | None = None
    grades: GradeWatch | None = None

    def parts(self) -> dict[str, Distances | Snapshots | GradeWatch]:
        """Return those that are there, by the names they have in checkpoints."""
        known = {
            "distances": self.distances,
            "snapshots": self.snapshots,
            "grades": self.grades,
        }
        return {name: part for name, part in known.items() if part is not None}


def result_of(
    atoms: Atoms,
    collected: Sequence[Sample],
    settings: MdSettings,
    gathered: Gathered,
    *,
    speed: Speed,
    velocities: str,
    precision: Precision,
) -> MdResult:
    """Return the result of a run; what is gathered counts from its equilibration on.

    Parameters
    ----------
    atoms
        Last structure with its results.
    collected
        Samples of the log.
    settings, gathered, speed, velocities, precision
        Of the run.
    """
    samples = Samples.of(collected)
    first = settings.equilibration * settings.steps
    counted = samples.after(min(first * settings.timestep_fs, float(samples.time_fs[-1])))
    distances, snapshots, grades = gathered.distances, gathered.snapshots, gathered.grades
    return MdResult(
        atoms=atoms,
        samples=samples,
        averages=_averages(counted),
        drift=_drift(counted),
        speed=speed,
        velocities=velocities,
        precision=precision,
        distances=None if distances is None else distances.result(int(first)),
        displacements=None if snapshots is None else snapshots.result(int(first)),
        grades=None if grades is None else grades.result(),
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
