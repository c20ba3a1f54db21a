"""Force calls of published and trained potentials beside LAMMPS, in interleaved runs.

    python bench/kernels.py [--model W.trimpot] [--output DIR] [--write-docs]

Tungsten UF2 and UF2,3, silicon UF2,3 and a Ge-Te model that is trained first (kept under
runs/), each beside pair styles of LAMMPS: the same potential as uf3, table, Lennard-Jones,
Morse, and potential files of ../shared/potentials. Then instruction sets and threads.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import machine
import pages
import training_runs
from ase.build import bulk

from trimpot import _native
from trimpot.benchmarks.cases import Case
from trimpot.benchmarks.parts import counts
from trimpot.benchmarks.rivals import RivalContext, rival
from trimpot.benchmarks.running import RunSettings
from trimpot.benchmarks.starting import start_from_crystal, start_from_structure
from trimpot.benchmarks.subjects import Ours, OursAfresh, interleaved
from trimpot.engines.ase import structure_from_atoms
from trimpot.engines.following import follow
from trimpot.engines.lammps.finding import find_lmp, lammps_facts
from trimpot.errors import InputError
from trimpot.files import load, save
from trimpot.files.uf3 import read_uf3, read_uf3_json
from trimpot.reports.document import markdown_table
from trimpot.reports.numbers import significant
from trimpot.reports.timing_figures import plot_cases
from trimpot.reports.timings import (
    case_lines,
    parts_table,
    peak_line,
    ratio_lines,
    time_table,
    unit_costs,
)
from trimpot.verbs.benchmarking import Comparison, bench
from trimpot.verbs.plain import finite_plain

PEERS = training_runs.DATA.parent / "potentials"
UF3 = PEERS / "uf3_W"
GERMANIUM_TELLURIDE = f"""data:
  path: {training_runs.DATA / "gete_deepmd" / "GeTe_random1500.extxyz.xz"}
  split: {{kind: random, test_fraction: 0.1, seed: 0}}
model:
  terms:
    - {{kind: pair, cutoff: 5.5}}
    - {{kind: triplet, cutoff: 4.25}}
figures: false
"""
ROCKSALT = 5.94
"""Lattice constant of GeTe, angstrom: that of the crystals in the data."""

TUNGSTEN_FILES = (
    ("eam/alloy", PEERS / "lammps" / "W_zhou55.eam.alloy"),
    ("eam/alloy/opt", PEERS / "lammps" / "W_zhou55.eam.alloy"),
    ("eam/alloy", PEERS / "lammps" / "W_zhou.eam.alloy"),
)
TUNGSTEN_SNAP = ("snap", PEERS / "lammps" / "W_2940_2017_2.snap")
SILICON_FILES = (
    ("uf3", UF3 / "Si.uf3"),
    ("sw", PEERS / "lammps" / "Si.sw"),
    ("tersoff", PEERS / "lammps" / "Si.tersoff"),
    ("meam/spline", PEERS / "lammps" / "Si_1.meam.spline"),
    ("snap", PEERS / "maml" / "Si_snap.2020.01" / "SNAPotential"),
)


@dataclass(frozen=True)
class Subject:
    """A model and the potential files beside which it runs."""

    title: str
    potential: object
    files: tuple[tuple[str, Path], ...] = ()
    structure: object = None

    def start(self, n_atoms: int):
        """Return the thermal state at one size."""
        if self.structure is None:
            return start_from_crystal(self.potential, n_atoms)
        return start_from_structure(self.potential, self.structure, n_atoms)


def subjects(settings) -> list[Subject]:
    """Return the models whose files are here, saying which are not."""
    found = []
    if (UF3 / "W.uf3").exists():
        pairs, tungsten = read_uf3_json(UF3 / "model_2.json"), read_uf3(UF3 / "W.uf3")
        found.append(Subject("W UF2 5.5 A", pairs, TUNGSTEN_FILES))
        files = (*TUNGSTEN_FILES, TUNGSTEN_SNAP)
        found.append(Subject("W UF2,3 4.25 A", tungsten, files))
    else:
        print("W left out: no ../shared/potentials/uf3_W/W.uf3")
    for path in settings.model:
        potential = load(path)
        files = TUNGSTEN_FILES if potential.species == (74,) else ()
        found.append(Subject(f"trained, {path.stem}", potential, files))
    if (UF3 / "Si.uf3").exists():
        found.append(Subject("Si UF2,3 4.25 A", read_uf3(UF3 / "Si.uf3"), SILICON_FILES))
    if settings.trained:
        model = germanium_telluride(settings.trained)
        if model is not None:
            crystal = bulk("GeTe", "rocksalt", a=ROCKSALT, cubic=True)
            rocksalt = structure_from_atoms(crystal)
            found.append(Subject("Ge-Te UF2,3 4.25 A", model, structure=rocksalt))
    wanted = settings.only
    return [s for s in found if not wanted or any(w in s.title for w in wanted)]


def germanium_telluride(folder: Path):
    """Return the model of two elements, trained once; None without its data."""
    model = folder / "model.trimpot"
    if not model.exists():
        if not (training_runs.DATA / "gete_deepmd").exists():
            print("Ge-Te left out: no ../shared/data/gete_deepmd")
            return None
        config = training_runs.write_config(folder, GERMANIUM_TELLURIDE)
        training_runs.train(config, folder)
    return load(model)


def compare(subject: Subject, settings, runs: RunSettings):
    """Return the comparison of one model at all sizes."""
    comparison = Comparison(
        atoms=tuple(settings.atoms),
        rivals=("auto",) if find_lmp() else ("none",),
        files=tuple(f for f in subject.files if existing(f)) if find_lmp() else (),
        runs=runs,
    )
    return bench(
        subject.potential, comparison, structure=subject.structure, name=subject.title
    )


def existing(style_and_file) -> bool:
    """Whether a file is here; of SNAP only the stem is named."""
    path = style_and_file[1]
    return path.exists() or path.with_suffix(".snapcoeff").exists()


def precisions(potential) -> list[str]:
    """Return the precisions that a potential has."""
    found = []
    for precision in ("double", "mixed"):
        try:
            follow(potential, precision=precision)
        except InputError:
            continue
        found.append(precision)
    return found


def instruction_sets(subject: Subject, n_atoms: int, runs: RunSettings) -> Case:
    """Return the same model by every instruction set, each run in a fresh process."""
    start = subject.start(n_atoms)
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.trimpot"
        save(subject.potential, model)
        afresh = [
            OursAfresh(f"Trimpot {precision}, {name}", model, precision, 1, name)
            for precision in precisions(subject.potential)
            for name in reversed(_native.instruction_sets())
        ]
        return case_of(f"{subject.title}, instruction sets", subject, start, afresh, runs)


def thread_counts(subject: Subject, n_atoms: int, threads, runs: RunSettings) -> Case:
    """Return the same model by threads, and LAMMPS' uf3 by as many MPI processes."""
    start = subject.start(n_atoms)
    found = [
        Ours(f"Trimpot {precision}, {count} thread{'s' * (count > 1)}", *rest)
        for precision in precisions(subject.potential)
        for count in threads
        for rest in [(subject.potential, precision, count)]
    ]
    lmp = find_lmp()
    if lmp is not None:
        context = RivalContext(subject.potential, start.state.structure)
        for count in threads:
            style = rival("uf3", context, lmp=lmp, ranks=count)
            named = f"{style.name}, {count} process{'es' * (count > 1)}"
            found.append(renamed(style, named).paced(start.state, runs))
    return case_of(f"{subject.title}, threads", subject, start, found, runs)


def renamed(style, name: str):
    """Return a LAMMPS style by another name."""
    return type(style)(**{**vars(style), "name": name})


def case_of(title: str, subject: Subject, start, found, runs: RunSettings) -> Case:
    """Return interleaved runs as a case; ratios refer to the first subject."""
    return Case(
        title=title,
        structure=start.description,
        atoms=len(start.state),
        threads=0,
        counts=counts(subject.potential, start.state.structure, runs.skin),
        measurements=interleaved(found, start.state, runs),
        reference=found[0].name,
    )


def section(case: Case, lines=case_lines) -> str:
    """Return the table of a case and its facts."""
    table = time_table(case)
    lines = "\n".join(f"- {line}" for line in lines(case))
    return f"**{table.title}**\n\n{markdown_table(table)}\n\n{lines}\n"


def rest_of(cases) -> list[str]:
    """Return parts, floors and unit costs of all cases."""
    tables = (parts_table(cases), unit_costs(cases))
    return [f"**{t.title}**\n\n{markdown_table(t)}\n" for t in tables if t]


def figures_of(results):
    """Return a figure of the largest size of each model, all of them together."""
    return {"kernels": plot_cases([result.cases[-1] for result in results])}


def shown(settings, runs, results, further, watch) -> str:
    """Return the text of the page."""
    lmp = find_lmp()
    facts = pages.facts([watch])
    facts += (
        f"- LAMMPS: {lammps_facts(lmp).version}\n" if lmp else "- no LAMMPS was found\n"
    )
    facts += f"- {peak_line(results[0].peaks)}\n"
    facts += (
        f"- {runs.repeats} runs of {runs.steps} steps after {runs.warmup}, skin "
        f"{runs.skin:g} A, {runs.timestep_fs:g} fs\n"
    )
    notes = dict.fromkeys(f"- {n}\n" for result in results for n in result.notes)
    figure = "![Time of a force call](figures/kernels.png)\n" * settings.write_docs
    cases = [case for result in results for case in result.cases]
    parts = [facts + "".join(notes), figure, *(section(case) for case in cases)]
    parts += [*rest_of(cases), *(section(case, ratio_lines) for case in further)]
    return "\n".join(parts)


README_SUBJECTS = (
    "Trimpot mixed",
    "Trimpot double",
    "LAMMPS uf3",
    "LAMMPS eam/alloy/opt (W_zhou55.eam.alloy)",
    "LAMMPS lj/cut/opt",
)


def speed_table(record) -> str:
    """Return the table of the README: medians at the largest size of each model."""
    rows = []
    for result in record["results"]:
        case = result["cases"][-1]
        times = {
            m["name"]: significant(m["us_per_atom_step"]["median"])
            for m in case["measurements"]
        }
        shown = [
            next((us for name, us in times.items() if name.startswith(subject)), "-")
            for subject in README_SUBJECTS
        ]
        rows.append([f"{case['title']}, {case['atoms']:,} atoms", *shown])
    head = ["us/atom/step, one core", *(name.split(" (")[0] for name in README_SUBJECTS)]
    return pages.table(head, rows)


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("runs/bench/kernels"))
    parser.add_argument(
        "--model", type=Path, action="append", default=[], help="A trained potential too."
    )
    parser.add_argument("--only", action="append", help="Models whose title has this.")
    parser.add_argument("--atoms", type=int, nargs="+", default=[2000, 16000])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument(
        "--trained",
        type=Path,
        default=Path("runs/bench/kernels/ge-te"),
        help="Where the Ge-Te model is kept.",
    )
    parser.add_argument("--without-ge-te", action="store_const", const=None, dest="trained")
    parser.add_argument("--write-docs", action="store_true", help="Renew the page.")
    return parser.parse_args(argv)


def main(argv=None) -> int:
    settings = parse(argv)
    runs = RunSettings(steps=settings.steps, repeats=settings.repeats)
    found = subjects(settings)
    if not found:
        print("skipped: no potential of ../shared/potentials; give one with --model")
        return 0
    with machine.Neighbours() as watch:
        results = [compare(subject, settings, runs) for subject in found]
        pick = next((s for s in found if s.title == "W UF2,3 4.25 A"), found[0])
        further = [
            instruction_sets(pick, settings.atoms[0], runs),
            thread_counts(pick, settings.atoms[-1], settings.threads, runs),
        ]
    record = finite_plain(
        {
            "machine": machine.describe(),
            "runs": asdict(runs),
            "results": [result.to_dict() for result in results],
            "further": [case.to_dict() for case in further],
        }
    )
    text = shown(settings, runs, results, further, watch)
    pages.keep_figures(settings.output, figures_of(results), write_docs=settings.write_docs)
    pages.keep(settings.output, "kernels", text, record, write_docs=settings.write_docs)
    if settings.write_docs:
        pages.replace(pages.ROOT / "README.md", "speed", speed_table(record))
    return 0


if __name__ == "__main__":
    sys.exit(main())
