"""Time and memory over atoms (1e3 to 1e6), cutoff (4 to 8 A) and species (1 to 4).

    python bench/scaling.py [--output DIR] [--write-docs]

Every run is a fresh process, so peak memory is that of one size. Atoms: the published
tungsten UF2 and UF2,3. Cutoff: pairs with Morse coefficients. Species: the functions of
tungsten for every pair and trio, elements mixed at random on its lattice.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from dataclasses import dataclass
from itertools import combinations_with_replacement
from pathlib import Path

import machine
import numpy as np
import pages
import training_runs
from kernels import precisions

from trimpot.benchmarks.cases import FEWEST_FOR_MEMORY
from trimpot.benchmarks.parts import counts
from trimpot.benchmarks.rivals import RivalContext, rival
from trimpot.benchmarks.running import RunSettings
from trimpot.benchmarks.spread import Spread
from trimpot.benchmarks.starting import start_from_crystal
from trimpot.benchmarks.states import State
from trimpot.benchmarks.subjects import OursAfresh, interleaved
from trimpot.contract import Structure
from trimpot.engines.lammps.finding import find_lmp, lammps_facts
from trimpot.files import save
from trimpot.files.uf3 import read_uf3, read_uf3_json
from trimpot.reports.numbers import significant
from trimpot.reports.timing_figures import CostCurve, plot_costs
from trimpot.verbs.plain import finite_plain

UF3 = training_runs.DATA.parent / "potentials" / "uf3_W"
ELEMENTS = (("W", 74), ("Mo", 42), ("Ta", 73), ("Nb", 41))
INDEX_BYTES = 2
"""Of one neighbour in a patch."""

MORSE = (0.5, 1.4, 2.75)
"""Depth in eV, width in 1/A and minimum in A of the pairs of any cutoff."""

INTERVAL = 0.16


@dataclass(frozen=True)
class Point:
    """One subject at one value of what is varied."""

    model: str
    subject: str
    x: float
    atoms: int
    neighbors: float
    listed: float
    triplets: float
    us: Spread
    memory: float | None

    @property
    def curve(self) -> str:
        return f"{self.model}, {self.subject}"


def measured(model: str, potential, state: State, x: float, settings) -> list[Point]:
    """Return all subjects of one model on one state, in interleaved fresh processes."""
    runs = RunSettings(
        steps=max(3, min(settings.steps, settings.atom_steps // len(state))),
        repeats=settings.repeats,
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.trimpot"
        save(potential, file)
        subjects = [
            OursAfresh(f"Trimpot {precision}", file, precision)
            for precision in precisions(potential)
        ]
        lmp = find_lmp()
        if lmp is not None and len(state) <= settings.lammps_up_to:
            style = rival("uf3", RivalContext(potential, state.structure), lmp=lmp)
            subjects.append(style.paced(state, runs))
        found = interleaved(subjects, state, runs)
    size = counts(potential, state.structure, runs.skin)
    triplets = size.parts["triplet"].triplets if "triplet" in size.parts else 0.0
    return [
        Point(
            model,
            m.name,
            x,
            len(state),
            size.neighbors,
            size.listed,
            triplets,
            m.microseconds(len(state)),
            memory_of(m, len(state)),
        )
        for m in found
    ]


def memory_of(measurement, n_atoms: int) -> float | None:
    """Return the bytes per atom of a large structure; what LAMMPS says is left out."""
    if not measurement.ours or n_atoms < FEWEST_FOR_MEMORY:
        return None
    return max(run.memory for run in measurement.runs) / n_atoms


def over_atoms(settings) -> list[Point]:
    """Return UF2 and UF2,3 of tungsten at all sizes."""
    models = {
        "UF2": read_uf3_json(UF3 / "model_2.json"),
        "UF2,3": read_uf3(UF3 / "W.uf3"),
    }
    found = []
    for name, potential in models.items():
        for n_atoms in settings.atoms:
            state = start_from_crystal(potential, n_atoms).state
            found += measured(name, potential, state, len(state), settings)
            print(f"{name}, {len(state):,} atoms done", file=sys.stderr)
    return found


def over_cutoffs(settings) -> list[Point]:
    """Return pairs with longer and longer cutoffs."""
    found = []
    for cutoff in settings.cutoffs:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "pairs.uf3"
            file.write_text(pair_text(cutoff))
            potential = read_uf3(file)
        state = start_from_crystal(potential, settings.fixed_atoms).state
        found += measured("UF2", potential, state, cutoff, settings)
        print(f"cutoff {cutoff:g} A done", file=sys.stderr)
    return found


def pair_text(cutoff: float) -> str:
    """Return a uf3 file of W-W pairs: a Morse curve that ends smoothly at the cutoff."""
    inner = np.linspace(1.5, cutoff, round((cutoff - 1.5) / INTERVAL) + 1)
    knots = np.concatenate([[1.5] * 3, inner, [cutoff] * 3])
    greville = np.convolve(knots[1:-1], np.ones(3) / 3, mode="valid")
    depth, width, minimum = MORSE
    falling = np.exp(-width * (greville - minimum))
    values = 0.5 * depth * (falling**2 - 2 * falling) * (1 - (greville / cutoff) ** 2) ** 2
    values[-3:] = 0.0
    lines = [
        "#UF3 POT UNITS: metal DATE: - AUTHOR: benchmark CITATION:",
        "2B W W 0 3 uk",
        f"{cutoff!r} {len(knots)}",
        " ".join(repr(float(knot)) for knot in knots),
        str(len(values)),
        " ".join(repr(float(value)) for value in values),
        "#",
    ]
    return "\n".join(lines) + "\n"


def over_species(settings) -> list[Point]:
    """Return tungsten's functions under the names of one to four elements."""
    text = (UF3 / "W.uf3").read_text()
    tungsten = read_uf3(UF3 / "W.uf3")
    start = start_from_crystal(tungsten, settings.fixed_atoms).state
    found = []
    for count in settings.species:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "many.uf3"
            file.write_text(species_text(text, [name for name, _ in ELEMENTS[:count]]))
            potential = read_uf3(file)
        numbers = np.array([number for _, number in ELEMENTS[:count]], dtype=np.int32)
        drawn = np.random.default_rng(3).choice(numbers, len(start))
        s = start.structure
        mixed = State(Structure(drawn, s.positions, s.cell, s.pbc), start.velocities)
        found += measured("UF2,3", potential, mixed, count, settings)
        print(f"{count} species done", file=sys.stderr)
    return found


def species_text(text: str, names) -> str:
    """Return a one-element uf3 file with its blocks under all pairs and trios of names."""
    pairs, trios = re.findall(r"#UF3 POT.*?\n#\n", text + "\n", re.DOTALL)
    blocks = [
        pairs.replace("2B W W", f"2B {a} {b}")
        for a, b in combinations_with_replacement(names, 2)
    ]
    blocks += [
        trios.replace("3B W W W", f"3B {centre} {a} {b}")
        for centre in names
        for a, b in combinations_with_replacement(names, 2)
    ]
    return "".join(blocks)


def curves(points) -> list[CostCurve]:
    """Return one line per model and subject."""
    found = []
    for name in dict.fromkeys(point.curve for point in points):
        mine = [point for point in points if point.curve == name]
        found.append(
            CostCurve(
                name,
                tuple(point.x for point in mine),
                tuple(point.us for point in mine),
                background="LAMMPS" in name,
            )
        )
    return found


def table(points, varied: str, shown) -> str:
    """Return all points; ratios are to the first subject of Trimpot at the same value."""
    head = ["model", varied, "neighbours", "listed", "triplets", "subject", "us/atom/step"]
    head += ["range", "ratio", "bytes/atom", "of it list"]
    first = {}
    for point in points:
        first.setdefault((point.model, point.x), point.us.median)
    lines = [
        [
            point.model,
            shown(point.x),
            f"{point.neighbors:.1f}",
            f"{point.listed:.1f}",
            f"{point.triplets:.1f}" if point.triplets else "-",
            point.subject,
            significant(point.us.median),
            f"{significant(point.us.low)}-{significant(point.us.high)}",
            significant(point.us.median / first[point.model, point.x]),
            "-" if point.memory is None else f"{point.memory:,.0f}",
            "-" if point.memory is None else f"{INDEX_BYTES * point.listed:,.0f}",
        ]
        for point in points
    ]
    return pages.table(head, lines)


def text_of(atoms, cutoffs, species, watch, settings) -> str:
    """Return the text of the page."""
    facts = pages.facts([watch])
    lmp = find_lmp()
    facts += (
        f"- LAMMPS: {lammps_facts(lmp).version}\n" if lmp else "- no LAMMPS was found\n"
    )
    parts = [facts]
    sections = (
        ("Atoms", "atoms", atoms, lambda x: f"{x:,.0f}"),
        ("Cutoff", "cutoff, A", cutoffs, lambda x: f"{x:g}"),
        ("Species", "species", species, lambda x: f"{x:.0f}"),
    )
    for title, varied, points, shown in sections:
        if points:
            parts.append(f"**{title}**\n")
            if settings.write_docs:
                parts.append(f"![{title}](figures/scaling_{title.lower()}.png)\n")
            parts.append(table(points, varied, shown))
    return "\n".join(parts)


def figures_of(atoms, cutoffs, species):
    """Return a figure of each dependence that was measured."""
    drawn = {}
    if atoms:
        drawn["scaling_atoms"] = plot_costs(curves(atoms), x_label="atoms")
    if cutoffs:
        drawn["scaling_cutoff"] = plot_costs(
            curves(cutoffs), x_label="cutoff (Å)", logarithmic=False
        )
    if species:
        drawn["scaling_species"] = plot_costs(
            curves(species), x_label="species", logarithmic=False
        )
    return drawn


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("runs/bench/scaling"))
    parser.add_argument(
        "--atoms", type=int, nargs="*", default=[1024, 16_000, 128_000, 1_024_000]
    )
    parser.add_argument(
        "--cutoffs", type=float, nargs="*", default=[4.0, 5.0, 6.0, 7.0, 8.0]
    )
    parser.add_argument("--species", type=int, nargs="*", default=[1, 2, 3, 4])
    parser.add_argument(
        "--fixed-atoms", type=int, default=16_000, help="Where atoms are not varied."
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--steps", type=int, default=100, help="Most steps of a run.")
    parser.add_argument(
        "--atom-steps", type=int, default=4_000_000, help="Most atoms times steps."
    )
    parser.add_argument(
        "--lammps-up-to", type=int, default=130_000, help="Most atoms given to lmp."
    )
    parser.add_argument("--write-docs", action="store_true", help="Renew the page.")
    return parser.parse_args(argv)


def main(argv=None) -> int:
    settings = parse(argv)
    if not UF3.exists():
        print("skipped: no ../shared/potentials/uf3_W")
        return 0
    with machine.Neighbours() as watch:
        atoms = over_atoms(settings)
        cutoffs = over_cutoffs(settings)
        species = over_species(settings)
    record = {
        name: [{**vars(point), "us": vars(point.us)} for point in points]
        for name, points in (("atoms", atoms), ("cutoff", cutoffs), ("species", species))
    }
    text = text_of(atoms, cutoffs, species, watch, settings)
    figures = figures_of(atoms, cutoffs, species)
    pages.keep_figures(settings.output, figures, write_docs=settings.write_docs)
    pages.keep(
        settings.output,
        "scaling",
        text,
        finite_plain(record),
        write_docs=settings.write_docs,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
