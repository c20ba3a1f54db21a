"""What ASE's velocity Verlet and the calculator add to a force call, 500 to 128,000 atoms.

    python bench/ase_overhead.py [--output DIR] [--write-docs]

Three runs in turn from the same state: the follower alone (what the other benchmarks call a
force call), and ASE's VelocityVerlet with trimpot.Calculator, in which the calls of the
calculator are timed too.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import machine
import pages
import training_runs
from ase import Atoms, units
from ase.md.verlet import VelocityVerlet
from kernels import precisions

from trimpot.benchmarks.running import run_nve
from trimpot.benchmarks.spread import Spread
from trimpot.benchmarks.starting import start_from_crystal
from trimpot.engines.ase import Calculator
from trimpot.engines.following import follow
from trimpot.files import load
from trimpot.files.uf3 import read_uf3
from trimpot.reports.numbers import significant

PUBLISHED = training_runs.DATA.parent / "potentials" / "uf3_W" / "W.uf3"


class TimedCalculator(Calculator):
    """A calculator that adds up the seconds of its own work."""

    seconds = 0.0

    def calculate(self, *arguments, **named):
        start = time.perf_counter()
        super().calculate(*arguments, **named)
        self.seconds += time.perf_counter() - start


@dataclass(frozen=True)
class Row:
    """us/atom/step of one size and precision."""

    atoms: int
    precision: str
    call: Spread
    calculator: Spread
    step: Spread
    ratio: Spread


def atoms_of(state) -> Atoms:
    """Return a state as ASE has it."""
    s = state.structure
    atoms = Atoms(s.numbers, s.positions, cell=s.cell, pbc=s.pbc)
    atoms.set_masses(state.masses)
    atoms.set_velocities(state.velocities / units.fs)
    return atoms


def ase_run(potential, state, precision, steps: int) -> tuple[float, float]:
    """Return seconds per step in the calculator and in all of a step of ASE."""
    atoms = atoms_of(state)
    atoms.calc = calculator = TimedCalculator(potential, threads=1, precision=precision)
    calculator.forces_only = True
    dynamics = VelocityVerlet(atoms, timestep=1.0 * units.fs)
    dynamics.run(2)
    calculator.seconds = 0.0
    start = time.perf_counter()
    dynamics.run(steps)
    whole = time.perf_counter() - start
    return calculator.seconds / steps, whole / steps


def measure(potential, n_atoms: int, settings) -> list[Row]:
    """Return a row per precision, runs of all of them in turn."""
    state = start_from_crystal(potential, n_atoms).state
    taken = {precision: [] for precision in precisions(potential)}
    for _ in range(settings.repeats):
        for precision, runs in taken.items():
            follower = follow(potential, threads=1, precision=precision)
            _, timing = run_nve(follower, state, steps=settings.steps, warmup=2)
            runs.append(
                (timing.seconds, *ase_run(potential, state, precision, settings.steps))
            )
    rows = []
    for precision, runs in taken.items():
        columns = list(zip(*runs, strict=True))
        scaled = [Spread.of([1e6 * s / len(state) for s in column]) for column in columns]
        ratio = Spread.of([step / call for call, _, step in runs])
        rows.append(Row(len(state), precision, *scaled, ratio))
    return rows


def table(rows) -> str:
    """Return the rows as Markdown."""
    head = ["atoms", "precision", "force call, us/atom", "calculator", "step of ASE"]
    head += ["calculator adds", "ASE adds", "step / force call", "range"]
    lines = []
    for row in rows:
        call, calculator, step = (s.median for s in (row.call, row.calculator, row.step))
        lines.append(
            [
                f"{row.atoms:,}",
                row.precision,
                *map(significant, (call, calculator, step)),
                significant(calculator - call),
                significant(step - calculator),
                f"{row.ratio.median:.2f}",
                f"{row.ratio.low:.2f}-{row.ratio.high:.2f}",
            ]
        )
    return pages.table(head, lines)


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, help="Potential; default: published UF2,3.")
    parser.add_argument("--output", type=Path, default=Path("runs/bench/ase_overhead"))
    parser.add_argument(
        "--atoms", type=int, nargs="+", default=[500, 2000, 16_000, 128_000]
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--write-docs", action="store_true", help="Renew the page.")
    settings = parser.parse_args(argv)
    if settings.model is None and not PUBLISHED.exists():
        print("skipped: no ../shared/potentials/uf3_W/W.uf3; give one with --model")
        return 0
    potential = read_uf3(PUBLISHED) if settings.model is None else load(settings.model)
    with machine.Neighbours() as watch:
        rows = [row for n in settings.atoms for row in measure(potential, n, settings)]
    text = pages.facts([watch]) + "\n" + table(rows)
    record = [
        {k: vars(v) if isinstance(v, Spread) else v for k, v in vars(row).items()}
        for row in rows
    ]
    pages.keep(settings.output, "ase_overhead", text, record, write_docs=False)
    if settings.write_docs:
        pages.replace(pages.PAGES / "scaling.md", "ase_overhead", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
