"""What a run leaves at its end: structure functions, figures, facts, lines to read."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot.files import write_text
from trimpot.files.release import release
from trimpot.reports.dynamics import plot_displacements, plot_distances, plot_run
from trimpot.reports.numbers import with_error
from trimpot.reports.style import save_figure
from trimpot.verbs.md_folder import MSD, RDF

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

    from trimpot.contract import FloatArray
    from trimpot.engines.md import MdResult
    from trimpot.engines.md_settings import MdSettings
    from trimpot.engines.md_statistics import Average

LARGE_DRIFT = 0.1
"""meV/atom/ps: 0.4 K of a crystal per picosecond."""


@dataclass(frozen=True)
class MdRun:
    """A run and where it is recorded.

    Attributes
    ----------
    result : MdResult
        Last structure, samples, averages, drift, structure functions, speed.
    settings : MdSettings
        What was asked for.
    output : Path
        Folder of log, trajectory, final structure and summary.
    """

    result: MdResult
    settings: MdSettings
    output: Path


def write_functions(done: MdRun) -> None:
    """Write g(r) and mean squared displacements as CSV, where there are any."""
    distances, moved = done.result.distances, done.result.displacements
    if distances is not None:
        columns = {"r_a": distances.r_a}
        for pair, g in distances.g.items():
            columns[f"g_{pair}"] = g
            if pair in distances.error:
                columns[f"error_{pair}"] = distances.error[pair]
        write_text(done.output / RDF, _csv(columns))
    if moved is not None:
        curves = {f"msd_a2_{name}": curve for name, curve in moved.msd_a2.items()}
        write_text(done.output / MSD, _csv({"lag_fs": moved.lag_fs, **curves}))


def draw(done: MdRun) -> None:
    """Draw energies, temperature and pressure over time, g(r), and displacements."""
    result = done.result
    figures: dict[str, Figure] = {}
    if len(result.samples.time_fs) > 1:
        figures["run"] = plot_run(result.samples.time_fs, _series(result))
    if result.distances is not None:
        figures["rdf"] = plot_distances(result.distances.r_a, result.distances.g)
    if result.displacements is not None:
        moved = result.displacements
        found = {k: (d.coefficient, d.error) for k, d in moved.diffusion.items()}
        figures["msd"] = plot_displacements(moved.lag_fs, moved.msd_a2, found)
    for name, figure in figures.items():
        save_figure(figure, done.output / "figures" / name)


def md_document(done: MdRun) -> dict[str, object]:
    """Return settings and results, JSON-compatible."""
    result = done.result
    moved = result.displacements
    return {
        "output": str(done.output),
        "trimpot": release(),
        "atoms": len(result.atoms),
        "settings": asdict(done.settings),
        "velocities": result.velocities,
        "precision": result.precision,
        "averages": asdict(result.averages),
        "drift": None if result.drift is None else asdict(result.drift),
        "diffusion_a2_per_ps": (
            {} if moved is None else {k: asdict(d) for k, d in moved.diffusion.items()}
        ),
        "grades": None if result.grades is None else asdict(result.grades),
        "speed": asdict(result.speed),
    }


def md_lines(done: MdRun) -> list[str]:
    """Return the results as lines for a person."""
    result, averages = done.result, done.result.averages
    share = done.settings.equilibration
    ramp = ", whose temperature or pressure changed" if done.settings.ramped else ""
    lines = [
        f"averages without the first {share:.0%} of the run{ramp}",
        f"temperature      {_shown(averages.temperature_k)} K",
        f"potential energy {_shown(averages.potential)} eV/atom",
        f"total energy     {_shown(averages.total)} eV/atom",
    ]
    if averages.pressure_gpa is not None:
        lines.append(f"pressure         {_shown(averages.pressure_gpa)} GPa")
    if done.settings.constant_pressure and averages.volume_a3 is not None:
        lines.append(f"volume           {_shown(averages.volume_a3)} A^3/atom")
    if (drift := result.drift) is not None:
        lines.append(
            f"energy drift     {drift.slope:+.1e} ± {drift.error:.1e} meV/atom/ps, "
            f"fluctuation {drift.fluctuation:.1e} meV/atom"
        )
        if abs(drift.slope) > max(LARGE_DRIFT, 3.0 * drift.error):
            lines.append(
                "warning: the energy drifts fast; shorten the time step, and look at the "
                "grades and at the forces of the potential"
            )
    lines += [*_diffusion_lines(result), *_grade_lines(result)]
    if (speed := result.speed).us_per_atom_step > 0.0:  # no steps, no speed
        lines.append(
            f"speed            {speed.us_per_atom_step:.3g} us/atom/step, "
            f"{speed.ns_per_day:.3g} ns/day"
        )
    return [*lines, f"log, trajectory, final structure: {done.output}"]


def _diffusion_lines(result: MdResult) -> list[str]:
    moved = result.displacements
    if moved is None:
        return []
    return [
        f"diffusion of {name:<3} {with_error(found.coefficient, found.error)} A^2/ps"
        for name, found in moved.diffusion.items()
    ]


def _grade_lines(result: MdResult) -> list[str]:
    grades = result.grades
    if grades is None or grades.looks == 0:
        return []
    line = f"largest grade    {grades.largest:.3g} at step {grades.largest_step}"
    if grades.above:
        line += (
            f"; above warn_grade in {grades.above} of {grades.looks} looks, "
            f"{grades.saved} structures saved"
        )
    return [line]


def _series(result: MdResult) -> dict[str, FloatArray]:
    """Return what changes in time, by the label of its axis."""
    samples = result.samples
    series = {"temperature (K)": samples.temperature_k}
    energy = samples.potential
    series["potential energy\n(meV/atom)"] = 1000.0 * (energy - energy[0])
    if samples.conserved is not None:
        change = 1000.0 * (samples.conserved - samples.conserved[0])
        series["conserved energy\n(meV/atom)"] = change
    if samples.pressure_gpa is not None:
        series["pressure (GPa)"] = samples.pressure_gpa
    if samples.volume_a3 is not None and np.ptp(samples.volume_a3) > 0.0:
        series["volume (Å³/atom)"] = samples.volume_a3
    if samples.grade is not None:
        series["largest grade"] = samples.grade
    return series


def _csv(columns: dict[str, FloatArray]) -> str:
    rows = zip(*columns.values(), strict=True)
    lines = [",".join(f"{value:.10g}" for value in row) for row in rows]
    return "\n".join([",".join(columns), *lines]) + "\n"


def _shown(average: Average) -> str:
    if math.isnan(average.error):  # too few samples
        return with_error(average.mean, None)
    if average.error < 1e-6:  # a conserved energy: the drift says how well
        return f"{average.mean:.6f}"
    return with_error(average.mean, average.error)
