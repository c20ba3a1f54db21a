"""Drift of the total energy of hot tungsten at constant energy, double and mixed precision.

    python bench/drift.py [MODEL] [--output DIR] [--write-docs]

Per temperature: a perfect bcc crystal is heated by a Langevin thermostat, then every
precision starts from the same positions and velocities and runs at constant energy. The
drift is the slope of a least-squares line through the total energy; its standard error
counts that neighbouring samples are correlated. Then shorter runs from there, with several
time steps, say how the fluctuation of the energy depends on it. Without MODEL: the
published UF2,3.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pages
from ase.build import bulk

from trimpot.engines.md import MdResult, run
from trimpot.engines.md_settings import MdSettings
from trimpot.errors import InputError
from trimpot.files import load
from trimpot.files.uf3 import read_uf3
from trimpot.reports.style import BLUE, ORANGE, house_style, new_figure

PUBLISHED = Path("../shared/potentials/uf3_W/W.uf3")
TARGETS = {"double": 1e-4, "mixed": 1e-3}
"""Largest drift, meV/atom/ps."""

COLORS = {"double": BLUE, "mixed": ORANGE}
TEMPERATURES_K = [300.0, 2000.0, 4500.0]
LOG_INTERVAL = 10
LAW_TIMESTEPS_FS = (0.5, 1.0, 2.0)
LAW_SAMPLE_FS = 10.0
LAW_TITLE = (
    "Fluctuation of the total energy, meV/atom, by the time step (double precision):"
)
BLOCKS = 100
"""Blocks of samples whose means the figure shows."""


@dataclass(frozen=True)
class Row:
    """One run; ``result`` is None where the potential lacks the precision."""

    temperature_k: float
    precision: str
    result: MdResult | None


def steps_of(picoseconds: float, timestep_fs: float) -> int:
    return max(1, round(1000.0 * picoseconds / timestep_fs))


def heated(potential, temperature_k, options):
    """Return a bcc crystal after the thermostat."""
    atoms = bulk("W", "bcc", a=options.lattice, cubic=True).repeat(options.cells)
    settings = MdSettings(
        ensemble="langevin",
        temperature_k=temperature_k,
        timestep_fs=options.timestep,
        steps=steps_of(options.heating, options.timestep),
        structure_interval=0,
        precision="double",
        threads=options.threads,
    )
    return run(potential, atoms, settings).atoms


def at_constant_energy(potential, start, precision, options) -> MdResult | None:
    """Return a run, or None if the potential does not offer the precision."""
    settings = MdSettings(
        timestep_fs=options.timestep,
        steps=steps_of(options.picoseconds, options.timestep),
        log_interval=LOG_INTERVAL,
        equilibration=0.0,  # the thermostat did it
        structure_interval=0,
        precision=precision,
        threads=options.threads,
    )
    try:
        return run(potential, start, settings)
    except InputError as error:
        if precision == "double":
            raise
        print(f"{precision}: not available ({error})", file=sys.stderr)
        return None


def fluctuations(potential, start, options) -> list[float]:
    """Return the fluctuation of the total energy, meV/atom, for every time step."""
    found = []
    for timestep_fs in LAW_TIMESTEPS_FS:
        settings = MdSettings(
            timestep_fs=timestep_fs,
            steps=steps_of(options.law_picoseconds, timestep_fs),
            log_interval=round(LAW_SAMPLE_FS / timestep_fs),
            equilibration=0.0,
            structure_interval=0,
            precision="double",
            threads=options.threads,
        )
        found.append(run(potential, start, settings).drift.fluctuation)
    return found


def measure(potential, options) -> tuple[list[Row], dict[float, list[float]]]:
    """Return drifts, and fluctuations by temperature."""
    rows, law = [], {}
    for temperature_k in options.temperatures:
        start = heated(potential, temperature_k, options)
        for precision in TARGETS:
            result = at_constant_energy(potential, start, precision, options)
            rows.append(Row(temperature_k, precision, result))
        law[temperature_k] = fluctuations(potential, start, options)
    return rows, law


def law_table(law) -> str:
    """Return fluctuations and their exponents of the time step as Markdown."""
    head = ["heated to, K", *(f"{dt:g} fs" for dt in LAW_TIMESTEPS_FS), "exponent"]
    lines = []
    for temperature_k, found in law.items():
        exponent = np.polyfit(np.log(LAW_TIMESTEPS_FS), np.log(found), 1)[0]
        values = [f"{value:.2e}" for value in found]
        lines.append([f"{temperature_k:g}", *values, f"{exponent:.2f}"])
    return pages.table(head, lines)


def verdict(slope: float, error: float, target: float) -> str:
    """Say whether a drift is within its target, as far as two standard errors tell."""
    if abs(slope) + 2.0 * error <= target:
        return "met"
    if abs(slope) - 2.0 * error > target:
        return "**missed**"
    return "not resolved; run longer"


def table(rows) -> str:
    """Return drift, fluctuation and speed as Markdown."""
    head = [
        "heated to, K",
        "precision",
        "mean temperature, K",
        "drift, meV/atom/ps",
        "target",
        "",
        "fluctuation, meV/atom",
        "us/atom/step",
    ]
    lines = []
    for row in rows:
        name, target = f"{row.temperature_k:g}", TARGETS[row.precision]
        if (result := row.result) is None:
            lines.append([name, row.precision, "not available", *["-"] * 5])
            continue
        drift = result.drift
        lines.append(
            [
                name,
                row.precision,
                f"{result.averages.temperature_k.mean:.0f}",
                f"{drift.slope:+.1e} ± {drift.error:.1e}",
                f"<= {target:.0e}",
                verdict(drift.slope, drift.error, target),
                f"{drift.fluctuation:.1e}",
                f"{result.speed.us_per_atom_step:.2f}",
            ]
        )
    return pages.table(head, lines)


def figure(rows):
    """Return total energies over time, with their lines; one panel per temperature."""
    temperatures = sorted({row.temperature_k for row in rows})
    with house_style():
        drawn = new_figure(5.2, 1.9 * len(temperatures) + 0.4)
        panels = drawn.subplots(len(temperatures), 1, sharex=True, squeeze=False)[:, 0]
        for panel, temperature_k in zip(panels, temperatures, strict=True):
            for row in rows:
                if row.temperature_k == temperature_k and row.result is not None:
                    draw(panel, row)
            panel.set_ylabel("change of E (meV/atom)")
            panel.set_title(f"tungsten heated to {temperature_k:g} K")
            panel.margins(y=0.35)
            panel.legend(loc="upper left", ncols=2, title="slope, meV/atom/ps")
        panels[-1].set_xlabel("time (ps)")
    return drawn


def draw(panel, row) -> None:
    """Draw the energy of a run, relative to its mean: samples, blocks of them, line."""
    samples, drift = row.result.samples, row.result.drift
    time_ps = samples.time_fs / 1000.0
    change = (samples.total - samples.total.mean()) * 1000.0
    color = COLORS[row.precision]
    label = f"{row.precision}: {drift.slope:+.1e} ± {drift.error:.0e}"
    panel.plot(time_ps, change, color=color, linewidth=0.3, alpha=0.25, rasterized=True)
    size = max(1, len(change) // BLOCKS)
    blocks = [block_means(values, size) for values in (time_ps, change)]
    panel.plot(*blocks, color=color, linewidth=0.9)
    line = drift.slope * (time_ps - time_ps.mean())
    panel.plot(time_ps, line, color=color, linestyle="--", label=label)


def block_means(values, size: int):
    """Return means of consecutive blocks; an incomplete last one is left out."""
    return values[: len(values) // size * size].reshape(-1, size).mean(axis=1)


def record(rows) -> list[dict[str, object]]:
    return [
        {"temperature_k": row.temperature_k, "precision": row.precision}
        | (
            {"drift": None}
            if row.result is None
            else {
                "drift": asdict(row.result.drift),
                "averages": asdict(row.result.averages),
                "speed": asdict(row.result.speed),
            }
        )
        for row in rows
    ]


def keep_energies(rows, folder: Path) -> None:
    """Write the total energies, so that every slope can be checked."""
    for row in rows:
        if row.result is not None:
            samples = row.result.samples
            np.savetxt(
                folder / f"energy-{row.temperature_k:g}K-{row.precision}.csv",
                np.column_stack([samples.time_fs, samples.total, samples.temperature_k]),
                delimiter=",",
                header="time_fs,total_ev_per_atom,temperature_k",
                comments="",
                fmt=["%.10g", "%.14g", "%.8g"],
            )


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, nargs="?", default=PUBLISHED, metavar="MODEL")
    parser.add_argument("--output", type=Path, default=Path("runs/bench/drift"))
    parser.add_argument("--write-docs", action="store_true", help="Renew the page.")
    parser.add_argument("--temperatures", type=float, nargs="+", default=TEMPERATURES_K)
    parser.add_argument("--cells", type=int, default=6, help="bcc cells along each edge")
    parser.add_argument("--lattice", type=float, default=3.21, help="lattice constant, A")
    parser.add_argument("--timestep", type=float, default=1.0, help="fs")
    parser.add_argument("--heating", type=float, default=5.0, help="thermostat, ps")
    parser.add_argument("--picoseconds", type=float, default=100.0, help="measured, ps")
    parser.add_argument(
        "--law-picoseconds", type=float, default=5.0, help="per time step, ps"
    )
    parser.add_argument("--threads", type=int, default=0)
    return parser.parse_args(argv)


def main(argv=None) -> int:
    options = parse(argv)
    if not options.model.exists():
        print(f"skipped: no potential {options.model}; give one as MODEL")
        return 0
    is_uf3 = options.model.suffix == ".uf3"
    potential = read_uf3(options.model) if is_uf3 else load(options.model)
    rows, law = measure(potential, options)
    options.output.mkdir(parents=True, exist_ok=True)
    keep_energies(rows, options.output)
    facts = pages.facts([]) + (
        f"- potential: {options.model.name}\n"
        f"- {2 * options.cells**3} atoms, lattice constant {options.lattice:g} A\n"
        f"- {options.heating:g} ps thermostat, then "
        f"{options.picoseconds:g} ps at constant energy, {options.timestep:g} fs a step\n"
    )
    text = f"{facts}\n{table(rows)}\n{LAW_TITLE}\n\n{law_table(law)}"
    figures = {"drift": figure(rows)}
    pages.keep_figures(options.output, figures, write_docs=options.write_docs)
    if options.write_docs:
        text += "\n![Total energy over time](figures/drift.png)\n"
    found = {"drift": record(rows), "fluctuation_mev_per_atom": law}
    pages.keep(options.output, "drift", text, found, write_docs=options.write_docs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
