"""Grades and uncertainties: planted outliers, false alarms, coverage, cost in dynamics.

    python bench/uncertainty.py [--output DIR] [--write-docs]

Trains tungsten examples, the screened setting of mlearn for Cu, Ni, Mo, Si, and Ge-Te; a
folder that holds a model of the same configuration is used as it is.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import mlearn
import numpy as np
import pages
import planted
import training_runs
from ase.build import bulk
from safety import GROUND, MLEARN, TUNGSTEN, trained

from trimpot.config import load_config
from trimpot.engines.ase import structure_from_atoms
from trimpot.engines.following import follow
from trimpot.engines.md import run
from trimpot.engines.md_grade_interval import with_grade_interval
from trimpot.engines.md_settings import MdSettings
from trimpot.reports.reliability import plot_reliability
from trimpot.splines.trust import trust_of
from trimpot.validation.predictions import predict
from trimpot.validation.reliability import reliability
from trimpot.verbs.preparing import prepare_data
from trimpot.verbs.watching import Silent

EXAMPLES = {
    "W, UF2,3": "tungsten-uf23",
    "W, screened, fast": "tungsten-screened",
    "W, screened, best": "tungsten-best",
}
GETE = training_runs.DATA / "gete_deepmd"
GETE_EXAMPLE = Path("examples/germanium-telluride.yaml")
MOST_ATOMS = 20_000
"""Atoms of the test frames whose errors and grades are looked at."""

TARGETS = {"flagged": 0.95, "false alarms": 0.05, "low": 0.93, "high": 0.97}
RUN = MdSettings(
    temperature_k=300.0,
    steps=1000,
    structure_interval=0,
    precision="mixed",
    threads=1,
    stop_grade=None,
)
"""Dynamics of 2,000 atoms, once without grades and once with, ``RUNS`` times in turn."""

RUNS = 5

CELLS, ROUNDS = 12, 7
"""Edge of the crystal whose calls are timed, in cubic cells, and rounds of calls."""


@dataclass(frozen=True)
class Subject:
    """A trained potential with what its grades and intervals are worth."""

    name: str
    columns: int
    found: object
    planted: dict


def configurations(folder):
    """Yield name, elements, ground state, configuration and folder of each training."""
    if TUNGSTEN.exists():
        for name, example in EXAMPLES.items():
            yield (
                name,
                ("W",),
                GROUND["W"],
                Path(f"examples/{example}.yaml"),
                folder / example,
            )
    if mlearn.FRAMES.exists():
        for element in mlearn.TRAINING:
            place = folder / element
            config = mlearn.write_config(element, mlearn.SETTINGS[MLEARN], place)
            yield f"{element}, screened", (element,), GROUND[element], config, place
    if GETE.exists() and GETE_EXAMPLE.exists():
        place = folder / "GeTe"
        yield "Ge-Te", ("Ge", "Te"), ("sc", 3.0), GETE_EXAMPLE, place


def subject(name, symbols, ground, config, place):
    """Train what is not there, and look at test frames and planted structures."""
    potential, *_ = trained(config, place)
    frames = prepare_data(load_config(config), Silent()).test
    frames = sampled(frames)
    judged = reliability(potential, frames, predict(potential, frames), most_atoms=10**9)
    trust, rng = trust_of(potential.statistics), np.random.default_rng(0)

    def shortest(a, b):
        row, column = np.searchsorted(potential.species, [a, b])
        return trust.shortest[row, column]

    kinds = {
        "short pairs": planted.short_pairs(frames, shortest, rng),
        "wrong phases": planted.wrong_phases(*ground, symbols, rng),
        "unseen": planted.unseen(*ground, symbols, rng),
    }
    grader = potential.grader(threads=0)
    grades = {
        kind: np.array([grader.grades(s).max() for s in structures])
        for kind, structures in kinds.items()
    }
    return Subject(name, trust.n_columns, judged, grades)


def sampled(frames):
    """Return random frames with about so many atoms."""
    order = np.random.default_rng(1).permutation(len(frames))
    ends = np.cumsum([len(frames[i].structure) for i in order])
    return [frames[i] for i in order[: int(np.searchsorted(ends, MOST_ATOMS)) + 1]]


def outlier_table(subjects):
    """Return shares of flagged structures, and of false alarms."""
    rows = []
    for s in subjects:
        shares = [np.mean(g > 1.0) for g in s.planted.values()]
        least = min(float(np.quantile(g, 0.05)) for g in s.planted.values())
        rows.append(
            [
                s.name,
                str(s.columns),
                *(mark(v, v >= TARGETS["flagged"]) for v in shares),
                f"{least:.2f}",
                mark(s.found.outside, s.found.outside <= TARGETS["false alarms"]),
                str(len(s.found.grades)),
            ]
        )
    head = ["model", "coefficients", "short pairs", "wrong phases", "unseen"]
    return pages.table(
        [*head, "5th percentile of grades", "false alarms", "test frames"], rows
    )


def mark(share, reached):
    """Return a share in per cent, bold where the target is missed."""
    text = f"{100 * share:.1f} %"
    return text if reached else f"**{text}**"


def coverage_table(subjects):
    """Return coverage of the intervals, and the spread of the standard deviations."""
    rows = []
    for s in subjects:
        known = {spread.quantity: spread for spread in s.found.spreads}
        cells = [
            mark(known[q].coverage, TARGETS["low"] <= known[q].coverage <= TARGETS["high"])
            if q in known
            else "-"
            for q in ("energy", "forces", "stress")
        ]
        forces = known["forces"]
        low, high = np.quantile(forces.sigmas, [0.05, 0.95])
        rows.append([s.name, *cells, f"{low:.3f} to {high:.3f}", f"{gain(forces):.2f}"])
    head = ["model", "energy", "forces", "stress", "standard deviations of forces, eV/A"]
    return pages.table([*head, "log-likelihood gained per component"], rows)


def gain(spread):
    """Return how much likelier errors are than with one standard deviation for all."""
    constant = np.sqrt(np.mean(spread.errors**2))
    own = -np.log(spread.sigmas) - 0.5 * (spread.errors / spread.sigmas) ** 2
    return float(np.mean(own) + np.log(constant) + 0.5)


def cost_rows(folder):
    """Yield the time of a force call and of a look at grades, one thread, per atom."""
    for name, example in EXAMPLES.items():
        config = Path(f"examples/{example}.yaml")
        potential, *_ = trained(config, folder / example)
        call, look = costs(potential)
        yield [name, f"{call:.2f}", f"{look:.1f}", f"{look / call:.0f}"]


def dynamics_rows(folder):
    """Yield the time of dynamics with grades over that without, runs in turn."""
    for name, example in EXAMPLES.items():
        potential, *_ = trained(Path(f"examples/{example}.yaml"), folder / example)
        atoms = bulk("W", "bcc", a=3.18, cubic=True).repeat(10)
        grader = potential.grader(threads=1)
        interval = with_grade_interval(
            RUN, potential, grader, atoms, precision="mixed"
        ).grade_interval
        times = {0: [], interval: []}
        for _ in range(RUNS):
            for each in times:
                settings = replace(RUN, grade_interval=each)
                done = run(potential, atoms, settings, grader=grader)
                times[each].append(done.speed.us_per_atom_step)
        ratios = [b / a for a, b in zip(*times.values(), strict=True)]
        off, on = (np.median(t) for t in times.values())
        yield [
            name,
            str(interval),
            f"{off:.2f}",
            f"{on:.2f}",
            f"{np.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
        ]


def costs(potential):
    """Return us per atom of a force call in mixed precision, and of a look at grades."""
    atoms = bulk("W", "bcc", a=3.18, cubic=True).repeat(CELLS)
    atoms.rattle(0.1, seed=0)
    here = structure_from_atoms(atoms)
    there = replace(here, positions=here.positions + 0.01)
    follower = follow(potential, threads=1, precision="mixed")
    grader = potential.grader(threads=1)
    calls, looks = [], []
    for _ in range(ROUNDS):
        calls += [seconds(follower.forces, s) for s in (here, there) * 3]
        looks += [seconds(grader.grades, s) for s in (here, there)]
    return tuple(1e6 * np.median(t[2:]) / len(atoms) for t in (calls, looks))


def seconds(work, structure):
    """Return how long a call takes."""
    start = time.perf_counter()
    work(structure)
    return time.perf_counter() - start


def record(subjects):
    """Return all numbers as plain values."""
    return [
        {
            "model": s.name,
            "judged": s.found.to_dict(),
            "planted": {k: np.minimum(g, 1e9).tolist() for k, g in s.planted.items()},
        }
        for s in subjects
    ]


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("runs/bench/uncertainty"))
    parser.add_argument("--write-docs", action="store_true", help="Renew the page.")
    settings = parser.parse_args(argv)
    found = [subject(*c) for c in configurations(settings.output)]
    if not found:
        print("skipped: neither w14_tungsten nor mlearn nor gete_deepmd in ../shared/data")
        return 0
    figures = {
        f"uncertainty_{k}": plot_reliability(found[k].found) for k in (1,) if k < len(found)
    }
    pages.keep_figures(settings.output, figures, write_docs=settings.write_docs)
    parts = [pages.facts([]), outlier_table(found), coverage_table(found)]
    if TUNGSTEN.exists():
        head = ["model", "force call, us/atom", "grades, us/atom", "grades / force call"]
        parts.append(pages.table(head, list(cost_rows(settings.output))))
        head = ["model", "steps between looks", "without, us/atom/step", "with", "ratio"]
        parts.append(pages.table(head, list(dynamics_rows(settings.output))))
        parts.append(f"![{found[1].name}](figures/uncertainty_1.png)")
    text = "\n".join(parts)
    pages.keep(
        settings.output, "uncertainty", text, record(found), write_docs=settings.write_docs
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
