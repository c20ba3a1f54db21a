"""Cost of screening and of densities: force calls of the tungsten examples beside LAMMPS.

    python bench/screening.py [--atoms N] [--repeats N] [--output DIR] [--write-docs]

Trains the examples with densities and screened triplets, and an unscreened UF2,3 to 5.5 A
that is exported to pair_style uf3; all of them, the published uf3 file and Lennard-Jones
then run in turn from one state. Then the screening alone, and longer cutoffs.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

import machine
import numpy as np
import pages
import training_runs
from pruning.screened_cost import cost_of_screening, longer_cutoffs

from trimpot.benchmarks.cases import Case
from trimpot.benchmarks.parts import Counts
from trimpot.benchmarks.rivals import RivalContext, rival, rival_of_file
from trimpot.benchmarks.running import RunSettings
from trimpot.benchmarks.starting import start_from_crystal
from trimpot.benchmarks.subjects import Ours, interleaved
from trimpot.engines.lammps.finding import find_lmp, lammps_facts
from trimpot.envelopes.reference import screening
from trimpot.files import load
from trimpot.neighbors import neighborhood
from trimpot.reports.document import markdown_table
from trimpot.reports.timings import time_table
from trimpot.verbs.plain import finite_plain

FRAMES = training_runs.DATA / "w14_tungsten" / "w14.extxyz.xz"
PUBLISHED = training_runs.DATA.parent / "potentials" / "uf3_W" / "W.uf3"
EXAMPLES = {
    "UF2 + densities": "tungsten-density.yaml",
    "UF2 + densities, screened channel": "tungsten-density-screened.yaml",
    "screened, fast": "tungsten-screened.yaml",
    "screened, best": "tungsten-best.yaml",
}
PLAIN = f"""data:
  path: {FRAMES}
  split: {{kind: field, field: uf3_train, train: 1, test: 0}}
model:
  terms:
    - {{kind: pair, cutoff: 5.5, intervals: 30}}
    - kind: triplet
      cutoff: 5.5
      intervals: 12
      intervals_jk: 16
      r_min: 0.7
      r_min_jk: 0.8
figures: false
"""
"""The triplets of the fast example without their envelope."""

COUNTED = 200
"""Atoms whose triplets are counted."""


def trained(folder: Path) -> dict[str, training_runs.Training]:
    """Train all models; return the runs by name."""
    found = {
        name: training_runs.train(Path("examples") / example, folder / example[:-5])
        for name, example in EXAMPLES.items()
    }
    config = training_runs.write_config(folder / "plain", PLAIN)
    found["UF2,3 to 5.5 A, unscreened"] = training_runs.train(config, folder / "plain")
    return found


def models(folder: Path) -> dict[str, object]:
    """Return the trained potentials by name."""
    places = {name: folder / example[:-5] for name, example in EXAMPLES.items()}
    places["UF2,3 to 5.5 A, unscreened"] = folder / "plain"
    return {name: load(place / "model.trimpot") for name, place in places.items()}


def triplets_per_atom(potential, structure) -> float:
    """Return pairs of legs with a weight, mean over some atoms."""
    terms = [t for t in potential.terms if t.kind.endswith("triplet")]
    if not terms:
        return 0.0
    (term,) = terms
    hood = neighborhood(structure, term.cutoff)
    counts = []
    for i in range(min(COUNTED, hood.n_local)):
        j = hood.neighbors[hood.first[i] : hood.first[i + 1]]
        legs = len(j)
        if term.kind != "triplet":
            d = hood.positions[j] - hood.positions[i]
            weights, _ = screening(term.envelope, 74, d, hood.numbers[j])
            legs = int((weights > 0.0).sum())
        counts.append(legs * (legs - 1) / 2)
    return float(np.mean(counts))


def rivals(potentials, state):
    """Return the styles of LAMMPS; none without it."""
    lmp = find_lmp()
    if lmp is None:
        return []
    found = []
    for cutoff_of in ("screened, fast", "UF2 + densities"):
        context = RivalContext(potentials[cutoff_of], state.structure)
        for style in ("lj/cut", "lj/cut/opt"):
            made = rival(style, context, lmp=lmp)
            found.append(named(made, f"LAMMPS {style}, {context.cutoff:g} A"))
    if PUBLISHED.exists():
        found.append(rival_of_file("uf3", PUBLISHED, (74,), lmp=lmp))
    plain = RivalContext(potentials["UF2,3 to 5.5 A, unscreened"], state.structure)
    found.append(named(rival("uf3", plain, lmp=lmp), "LAMMPS uf3, our UF2,3 to 5.5 A"))
    return found


def named(style, name: str):
    """Return a LAMMPS style by another name, whose energy is its own."""
    fields = vars(style) | {"name": name}
    return type(style)(**{k: v for k, v in fields.items() if not k.startswith("_")})


def force_calls(potentials, runs: RunSettings, atoms: int) -> Case:
    """Return interleaved runs of all models and rivals from one state."""
    start = start_from_crystal(potentials["screened, fast"], atoms)
    subjects = [
        Ours(f"{name}, {precision}", potential, precision)
        for name, potential in potentials.items()
        for precision in ("mixed", "double")
    ]
    subjects += [s.paced(start.state, runs) for s in rivals(potentials, start.state)]
    return Case(
        title="W crystal, one core",
        structure=start.description,
        atoms=len(start.state),
        threads=1,
        counts=Counts(0.0, 0.0),
        measurements=interleaved(subjects, start.state, runs),
        reference="screened, fast, mixed",
    )


def models_table(runs, potentials, case, state) -> str:
    """Return errors, coefficients, triplets and the force call of each model."""
    us = {m.name: m.microseconds(case.atoms).median for m in case.measurements}
    lines = [
        [
            name,
            str(t.n_coefficients),
            f"{t.error('energy'):.2f}",
            f"{t.error('forces') / 1e3:.4f}",
            f"{triplets_per_atom(potentials[name], state):.0f}",
            f"{us[f'{name}, mixed']:.3f}",
            f"{us[f'{name}, double']:.3f}",
        ]
        for name, t in runs.items()
    ]
    head = [
        "model",
        "coefficients",
        "energy, meV/atom",
        "forces, eV/A",
        "triplets per atom",
        "us/atom, mixed",
        "double",
    ]
    return pages.table(head, lines)


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("runs/bench/screening"))
    parser.add_argument("--atoms", type=int, default=4000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--write-docs", action="store_true", help="Renew the page.")
    settings = parser.parse_args(argv)
    if not FRAMES.exists():
        print("skipped: no ../shared/data/w14_tungsten/w14.extxyz.xz")
        return 0
    runs = RunSettings(steps=settings.steps, repeats=settings.repeats)
    trainings = trained(settings.output)
    potentials = models(settings.output)
    with machine.Neighbours() as watch:
        case = force_calls(potentials, runs, settings.atoms)
        alone = cost_of_screening(runs)
        longer = longer_cutoffs(runs)
    lmp = find_lmp()
    facts = pages.facts([watch])
    facts += (
        f"- LAMMPS: {lammps_facts(lmp).version}\n" if lmp else "- no LAMMPS was found\n"
    )
    state = start_from_crystal(potentials["screened, fast"], 1000).state.structure
    table = time_table(case)
    text = "\n".join(
        [
            facts,
            models_table(trainings, potentials, case, state),
            f"**{table.title}**\n\n{markdown_table(table)}",
            alone.text(),
            longer.text(),
        ]
    )
    record = finite_plain(
        {
            "machine": machine.describe(),
            "runs": asdict(runs),
            "force calls": case.to_dict(),
            "screening": alone.record(),
            "longer cutoffs": longer.record(),
        }
    )
    pages.keep(settings.output, "screening", text, record, write_docs=settings.write_docs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
