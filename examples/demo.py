"""The main job on data that it makes itself: data, training, judgement, dynamics.

Run ``make demo``. Everything lands in demo/, about two minutes on two cores.
"""

from __future__ import annotations

import csv
import io
import sys
import time
from pathlib import Path

from silicon_data import reference_calculator, write_frames
from silicon_physics import Properties, Trajectory, constant_energy_run, properties

import trimpot
from trimpot.cli.terminal import Terminal
from trimpot.files import write_text
from trimpot.reports.document import Section, TextTable, markdown_table
from trimpot.reports.dynamics import drift_per_picosecond, plot_nve
from trimpot.reports.page import Picture, html_page
from trimpot.reports.style import save_figure

FOLDER = Path("demo")
DATA = FOLDER / "silicon.extxyz"
SEED = 7
CUTOFF = 3.8
"""Just beyond the reach of the labelling potential, 3.77 angstrom."""
CONFIG: dict[str, object] = {
    "data": {"path": str(DATA)},
    "model": {
        "terms": [
            {"kind": "pair", "cutoff": CUTOFF, "intervals": 24},
            {"kind": "triplet", "cutoff": CUTOFF},
        ]
    },
    # Labels without noise need little smoothing: weaker strengths than the defaults.
    "fit": {
        "ridge": [1e-13, 1e-12, 1e-11, 1e-10],
        "curvature": [1e-13, 1e-12, 1e-11, 1e-10, 1e-9, 1e-8],
    },
    "output": str(FOLDER),
    "seed": SEED,
}
ROWS = {
    "lattice": ("lattice constant", "Å", 4),
    "c11": ("C11", "GPa", 1),
    "c12": ("C12", "GPa", 1),
    "c44": ("C44", "GPa", 1),
    "vacancy": ("vacancy formation energy", "eV", 3),
}


def say(text: str) -> None:
    """Print one line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def heading(number: int, text: str) -> None:
    """Print what comes next."""
    say(f"\n[{number}/4] {text}")


def property_table(trained: Properties, reference: Properties) -> TextTable:
    """Return properties of both potentials side by side."""
    rows = []
    for name, (label, unit, digits) in ROWS.items():
        found, true = getattr(trained, name), getattr(reference, name)
        error = 100.0 * (found / true - 1.0)
        rows.append(
            (label, unit, f"{true:.{digits}f}", f"{found:.{digits}f}", f"{error:+.2f} %")
        )
    header = ("property", "unit", "Stillinger-Weber", "trained UF2,3", "difference")
    return TextTable("Properties of crystalline silicon", header, tuple(rows))


def dynamics_csv(run: Trajectory) -> str:
    """Return time, energy and temperature as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["time_fs", "total_energy_ev_per_atom", "temperature_k"])
    writer.writerows(zip(run.time_fs, run.energy, run.temperature_k, strict=True))
    return out.getvalue()


def write_physics(table: TextTable, run: Trajectory) -> None:
    """Write properties and dynamics: physics.html, properties.md, dynamics.csv, figure."""
    figure = plot_nve(run.time_fs, run.energy, run.temperature_k)
    save_figure(figure, FOLDER / "figures" / "dynamics", formats=("png",))
    write_text(FOLDER / "dynamics.csv", dynamics_csv(run))
    write_text(FOLDER / "properties.md", markdown_table(table) + "\n")
    caption = (
        f"{run.atoms} atoms, {run.time_fs[-1] / 1000:g} ps at constant energy through ASE: "
        "total energy relative to its start, and temperature."
    )
    page = html_page(
        "Silicon: physics of the trained potential",
        [Section("Properties", tables=(table,))],
        [Picture("Molecular dynamics", caption, figure)],
        lead="Nothing here was fitted. Truth is the potential that labelled the data.",
    )
    write_text(FOLDER / "physics.html", page)


def main() -> None:
    """Make data, train, judge, run."""
    start = time.monotonic()
    say("Trimpot demo: a UF2,3 potential for silicon, from data to molecular dynamics")
    heading(1, "making reference data (Stillinger-Weber silicon)")
    count = write_frames(DATA, seed=SEED, progress=lambda text: say(f"  {text}"))
    say(f"  {count} frames -> {DATA}")

    heading(2, "training, strengths chosen by cross-validation, errors on held-out frames")
    with Terminal() as terminal:
        result = trimpot.train(CONFIG, watcher=terminal)

    heading(3, "properties beside the potential that labelled the data")
    potential = trimpot.load(result.model)
    trained = properties(trimpot.Calculator(potential))
    table = property_table(trained, properties(reference_calculator()))
    say(markdown_table(table))

    heading(4, "molecular dynamics at constant energy, through ASE")
    run = constant_energy_run(trimpot.Calculator(potential), seed=SEED)
    drift = drift_per_picosecond(run.time_fs, run.energy)
    length = run.time_fs[-1] / 1000.0
    say(f"  {run.atoms} atoms, {length:g} ps: drift {drift:+.1e} meV/atom/ps")
    write_physics(table, run)
    say(summary(time.monotonic() - start))


def summary(seconds: float) -> str:
    """Return what to open and what to try."""
    return f"""
Done in {seconds:.0f} s. Open these:
  {FOLDER}/report.html    errors, parity plots, curves of the potential, model card
  {FOLDER}/physics.html   lattice, elastic constants, vacancy; molecular dynamics
  {FOLDER}/errors.md      error tables as text          {FOLDER}/figures/  all figures
  {FOLDER}/model.trimpot  the potential, one file

Use it:
  import trimpot
  atoms.calc = trimpot.Calculator(trimpot.load("{FOLDER}/model.trimpot"))

Your own data: docs/quickstart.md"""


if __name__ == "__main__":
    main()
