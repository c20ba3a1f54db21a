"""Long dynamics of ethanol and water with networks: stability, drift, distances, speed.

    python bench/network_dynamics.py [--output DIR] [--potentials NAME=FILE ...]
        [--ps ethanol=200 water=20] [--seeds 0 1 2 3 4] [--processes N] [--write-docs]
    python bench/network_dynamics.py --pack FILE.npz    # frames, for machines without data
    python bench/network_dynamics.py --packed FILE.npz --potentials ...

A run takes a test frame and new velocities through a Langevin thermostat (--heating) and
then goes on for --ps at constant energy (NVE) or with the thermostat (NVT); it is made as
`trimpot md` makes it, with one thread, --processes of them at once. The set of a potential
is told from its elements. Without potentials, two per set are trained for --seconds by the
recipes of examples/networks: without an envelope, and with --screened settings. A run that
is done is kept in DIR; the same command goes on where it was stopped. With potentials no
PyTorch is needed.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import dynamics_runs
import dynamics_sets
import dynamics_tables
import keeping
import pages
from dynamics_runs import ENSEMBLES, ORDER, Task
from dynamics_sets import SYSTEMS, Facts

import trimpot
from trimpot.config import load_config, to_plain
from trimpot.elements import SYMBOLS
from trimpot.engines.md_settings import DEFAULT_PRECISION, MdSettings
from trimpot.errors import InputError, TrimpotError
from trimpot.networks import NetworkPotential
from trimpot.verbs.md_folder import digest
from trimpot.verbs.watching import Silent

MODEL = "model.trimpot"
RADIAL = ["model.cutoff=5.0", "model.envelope=null"]
SCREENED = ["model.cutoff=5.0", "model.envelope={}"]
PS = {"ethanol": 200.0, "water": 20.0}
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def leave_with(parent: int) -> None:
    """End this process when the one that started it is gone."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def side_by_side(make: Callable, jobs: list[tuple], processes: int) -> Iterator[tuple]:
    """Yield jobs with their results, or with what they failed with, as they come."""
    pool = ProcessPoolExecutor(
        min(processes, len(jobs)) or 1,
        mp_context=get_context("spawn"),
        initializer=leave_with,
        initargs=(os.getpid(),),
    )
    with pool:
        waiting = {pool.submit(make, *job): job for job in jobs}
        for future in as_completed(waiting):
            try:
                yield waiting[future], future.result(), None
            except (TrimpotError, OSError, RuntimeError, ValueError) as error:
                yield waiting[future], None, error


def train(recipe: str, overrides: list[str]) -> None:
    """Train a potential; in a process of its own."""
    trimpot.train(load_config(recipe, overrides), watcher=Silent())


def trained(names: list[str], screened: list[str], seconds: float, output: Path, n: int):
    """Return files of potentials by set and name; those that are not there are trained."""
    files, jobs = {}, []
    for name in names:
        recipe = str(dynamics_sets.RECIPES / f"{name}.yaml")
        for variant, changes in (("no envelope", RADIAL), ("triplet envelope", screened)):
            fixed = [f"training.seconds={seconds}", "training.device=cpu", "threads=1"]
            fixed += ["figures=false", *changes]
            key = keeping.key(to_plain(load_config(recipe, fixed)))
            folder = output / "potentials" / f"{name}-{variant.replace(' ', '-')}-{key}"
            files[name, variant] = folder / MODEL
            if not (folder / MODEL).exists():
                jobs.append((recipe, [*fixed, f"output={folder}"]))
    for job, _, error in side_by_side(train, jobs, n):
        if error is not None:
            raise error
        print(f"trained: {job[1][-1].removeprefix('output=')}", flush=True)
    return files


def given(words: list[str], facts: dict[str, Facts]) -> dict[tuple[str, str], Path]:
    """Return files by set and name; the set is the one with the potential's elements."""
    sets = {tuple(sorted({int(z) for z in f.numbers})): name for name, f in facts.items()}
    files = {}
    for word in words:
        name, _, file = word.partition("=")
        if not file:
            raise InputError(f"found --potentials {word!r}, expected NAME=FILE")
        potential = trimpot.load(file)
        if not isinstance(potential, NetworkPotential):
            raise InputError(
                f"{file}: found a {type(potential).__name__}, expected a network"
            )
        species = tuple(potential.species)
        if species not in sets:
            found = " ".join(SYMBOLS[z] for z in species)
            raise InputError(
                f"{file}: found the elements {found}, expected those of "
                f"{' or '.join(facts)}; give another potential, or other --sets"
            )
        if (sets[species], name) in files:
            raise InputError(f"{sets[species]}: found {name!r} twice, expected two names")
        files[sets[species], name] = Path(file)
    return files


def tasks_of(files: dict[tuple[str, str], Path], ps: dict[str, float], chosen):
    """Return all runs, the longest first."""
    tasks = []
    for (name, potential), file in files.items():
        loaded = trimpot.load(file)
        first = Task(
            set=name,
            potential=potential,
            file=str(file),
            digest=digest(loaded),
            kind=ORDER,
            seed=chosen.seeds[0],
            heating_ps=chosen.heating,
            ps=min(ps[name], chosen.order_ps),
            timestep_fs=chosen.timestep,
            sample_fs=chosen.sample,
            precision=dynamics_runs.usual_precision(loaded, chosen.precision),
        )
        tasks.append(first)
        tasks += [
            replace(first, kind=kind, seed=seed, ps=ps[name])
            for kind in ENSEMBLES
            for seed in chosen.seeds
        ]
    return tasks


def records_of(tasks: list[Task], facts: dict[str, Facts], output: Path, processes: int):
    """Return the records of all runs that ended, and how many failed."""
    order = sorted(tasks, key=lambda t: -t.steps * len(facts[t.set].numbers) ** 2)
    missing = [t for t in order if not (t.place(output) / keeping.RESULT).exists()]
    print(f"{len(tasks) - len(missing)} runs kept, {len(missing)} to make", flush=True)
    jobs = [(task, facts[task.set], output, processes) for task in missing]
    failed = set()
    for number, (job, record, error) in enumerate(
        side_by_side(dynamics_runs.kept, jobs, processes) if jobs else (), 1
    ):
        task = job[0]
        text = f"failed: {error}" if record is None else dynamics_runs.line(task, record)
        print(f"{number} of {len(jobs)}: {task.name}: {text}", flush=True)
        if record is None:
            failed.add(task)
    return [
        dynamics_runs.kept(task, facts[task.set], output, processes)
        for task in tasks
        if task not in failed
    ], len(failed)


def lengths(words: list[str], names: list[str]) -> dict[str, float]:
    """Return picoseconds by set from numbers and SET=NUMBER."""
    found = dict(PS)
    for word in words:
        name, _, value = word.rpartition("=")
        if not re.fullmatch(r"\d*\.?\d+", value) or name not in ("", *SYSTEMS):
            raise InputError(f"found --ps {word!r}, expected NUMBER or SET=NUMBER")
        found |= {n: float(value) for n in ([name] if name else SYSTEMS)}
    return {name: found[name] for name in names}


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("runs/bench/network_dynamics"))
    parser.add_argument("--write-docs", action="store_true", help="Renew the page.")
    parser.add_argument("--potentials", nargs="+", default=[], metavar="NAME=FILE")
    parser.add_argument("--sets", nargs="+", choices=list(SYSTEMS), default=list(SYSTEMS))
    parser.add_argument("--seconds", type=float, default=2700.0, help="Of a training.")
    parser.add_argument(
        "--screened", nargs="+", default=SCREENED, metavar="KEY=VALUE", help="Of a recipe."
    )
    parser.add_argument("--ps", nargs="+", default=[], metavar="[SET=]PS", help="Measured.")
    parser.add_argument("--order-ps", type=float, default=5.0, help="With half the step.")
    parser.add_argument("--heating", type=float, default=2.0, help="Thermostat before, ps.")
    parser.add_argument("--timestep", type=float, default=0.5, help="fs")
    parser.add_argument("--sample", type=float, default=5.0, help="Between two looks, fs.")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument(
        "--precision", choices=("auto", "double", "mixed"), default=DEFAULT_PRECISION
    )
    parser.add_argument("--pack", type=Path, metavar="FILE.npz")
    parser.add_argument("--packed", type=Path, metavar="FILE.npz")
    chosen = parser.parse_args(argv)
    if chosen.write_docs and chosen.sets != list(SYSTEMS):
        parser.error("--write-docs needs all sets")
    if chosen.processes < 1 or min(chosen.heating, chosen.order_ps, chosen.sample) <= 0.0:
        parser.error("--processes, --heating, --order-ps and --sample: expected > 0")
    MdSettings(timestep_fs=chosen.timestep, temperature_k=1.0)  # says what is wrong
    return chosen


def sources(names: list[str], packed: Path | None) -> dict[str, Facts]:
    """Return the sets that are there."""
    if packed is not None:
        return dynamics_sets.unpacked(packed, names)
    found = {}
    for name in names:
        recipe = load_config(dynamics_sets.RECIPES / f"{name}.yaml")
        if all(Path(file).exists() for file in (*recipe.data.path, *recipe.data.test)):
            found[name] = dynamics_sets.facts_of(SYSTEMS[name])
        else:
            print(f"{name}: skipped, no {', '.join(recipe.data.path)}")
    return found


def absolute(word: str) -> str:
    """Return NAME=FILE with the whole path."""
    name, is_pair, file = word.partition("=")
    return f"{name}={Path(file).resolve()}" if is_pair else word


def measure(chosen, facts: dict[str, Facts], potentials: list[str], output: Path) -> int:
    """Make all runs and write their page; return the exit status."""
    n = chosen.processes
    if potentials:
        files = given(potentials, facts)
    else:
        files = trained(list(facts), chosen.screened, chosen.seconds, output, n)
    tasks = tasks_of(files, lengths(chosen.ps, chosen.sets), chosen)
    records, failed = records_of(tasks, facts, output, n)
    if records:
        text = dynamics_tables.page(records, facts)
        pages.keep(output, "network_dynamics", text, records, write_docs=False)
        if chosen.write_docs and not failed:
            pages.replace(pages.PAGES / "networks.md", "dynamics", text)
    return 1 if failed else 0


def main(argv=None) -> int:
    chosen = parse(argv)
    os.environ |= dict.fromkeys(ONE_THREAD, "1")  # of the processes that are started
    output = chosen.output.resolve()
    pack, packed = (p and p.resolve() for p in (chosen.pack, chosen.packed))
    potentials = [absolute(word) for word in chosen.potentials]
    os.chdir(pages.ROOT)  # recipes name their data from here
    try:
        facts = sources(chosen.sets, packed)
        if pack and facts:
            dynamics_sets.pack(facts, pack)
        elif facts:
            return measure(chosen, facts, potentials, output)
    except TrimpotError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
