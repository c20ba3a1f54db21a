"""Recipes of networks, splines and peers on the same frames, for the same time.

    python bench/network_recipes.py [NAME ...] [--output DIR] [--seconds 2700] [--threads 2]
        [--python mace=ENV/bin/python ...] [--profiles mace-64x0e ...]
        [--only MLANet splines mace-64x0e ...] [--write-docs]

NAME is a file of examples/networks. Our network is trained by `trimpot.train`; splines, as
examples/NAME.yaml has them or by default, on its training and validation frames together;
peers by their drivers (peers/README.md; options unknown here go to these) on its training,
validation and test frames, written as extxyz. One after the other; what is done is kept in
DIR, and the same command goes on where it was stopped. Commands with --only can run beside
each other; the same command without it then makes the table.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import ase.io
import keeping
import machine
import pages
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from peers.run import DRIVERS
from peers.run import run as run_driver

import trimpot
from trimpot.config import Config, load_config, to_plain
from trimpot.neighbors import neighborhood
from trimpot.verbs.network_data import validation_places
from trimpot.verbs.preparing import prepare_data
from trimpot.verbs.watching import Silent

EXAMPLES = pages.ROOT / "examples"
RECIPES = EXAMPLES / "networks"
PROFILES = ["mace-64x0e", "mace-64x0e+64x1o", "nequip-l1", "allegro-l1", "sevennet-l1"]
CALLS, WARM_UP = 20, 3
ENERGIES_ONLY = ("qm7",)
"""Recipes without forces to compare, which qm7.py trains."""


@dataclass(frozen=True)
class Row:
    """One potential on one set: meV/atom, meV/A, seconds, microseconds per atom.

    ``others`` is the share of the machine that other work took during the training. The
    seconds of splines are those of reading and judging, too.
    """

    energy_mae: float
    energy_rmse: float
    forces_mae: float
    forces_rmse: float
    seconds: float
    parameters: int
    call_us: float
    others: float | None


@dataclass(frozen=True)
class Bench:
    """A set, and how everything is trained on it."""

    name: str
    recipe: Config
    seconds: float
    threads: int
    folder: Path

    def place(self, potential: str, *facts) -> Path:
        """Return the folder of a potential's results."""
        key = keeping.key(to_plain(self.recipe.data), self.threads, *facts)
        return self.folder / f"{potential}-{key}"


class Printed(Silent):
    """A watcher that prints notes of a set."""

    def __init__(self, name: str) -> None:
        self.name = name

    def note(self, text: str) -> None:
        """Print."""
        print(f"{self.name}: {text}", flush=True)


def call_time(potential, structure, threads: int) -> float:
    """Return the median microseconds per atom of a force call, neighbour list given."""
    around, seconds = neighborhood(structure, potential.cutoff), []
    for _ in range(WARM_UP + CALLS):
        start = time.perf_counter()
        potential.evaluate(around, threads=threads)
        seconds.append(time.perf_counter() - start)
    return 1e6 * statistics.median(seconds[WARM_UP:]) / len(structure)


def own_row(bench: Bench, config: Config) -> dict:
    """Train with a configuration of ours; return its row."""
    start = time.perf_counter()
    with machine.Neighbours() as beside:
        result = trimpot.train(config, watcher=Printed(bench.name))
    seconds = time.perf_counter() - start
    (energy,), (forces,) = (
        result.errors["test"].select(quantity, "all") for quantity in ("energy", "forces")
    )
    potential = result.potential
    network = config.model.kind == "mlanet"
    structure = prepare_data(config, Silent()).test[0].structure
    row = Row(
        energy.mae,
        energy.rmse,
        forces.mae,
        forces.rmse,
        result.training.seconds if network else seconds,
        potential.n_weights if network else sum(c.size for c in potential.coefficients),
        call_time(potential, structure, bench.threads),
        beside.others,
    )
    return asdict(row)


def network_row(bench: Bench) -> dict:
    """Return the row of our network."""
    recipe = bench.recipe
    place = bench.place("mlanet", to_plain(recipe.model), to_plain(recipe.training))
    config = replace(recipe, output=place)
    return keeping.kept(place, lambda _: own_row(bench, config))


def spline_row(bench: Bench) -> dict:
    """Return the row of splines, as the example of that name has them or by default."""
    example = EXAMPLES / f"{bench.name}.yaml"
    usual = load_config(example) if example.exists() else Config(data=bench.recipe.data)
    place = bench.place("splines", to_plain(usual.model), to_plain(usual.fit))
    config = replace(
        usual, data=bench.recipe.data, output=place, threads=bench.threads, figures=False
    )
    return keeping.kept(place, lambda _: own_row(bench, config))


def write_frames(bench: Bench) -> dict[str, str]:
    """Write the frames of a set as peers read them; return the files by their use."""
    data, training = prepare_data(bench.recipe, Silent()), bench.recipe.training
    count = training.validation_frames(len(data.fitted))
    places = validation_places(data.fitted, count, training.seed)
    sets = {
        "train": [f for f, held in zip(data.fitted, places, strict=True) if not held],
        "valid": [f for f, held in zip(data.fitted, places, strict=True) if held],
        "test": data.test,
        "structure": data.test[:1],
    }
    files = {use: bench.folder / f"{use}.extxyz" for use in sets}
    for use, frames in sets.items():
        ase.io.write(files[use], [_atoms(f) for f in frames], format="extxyz")
    return {use: str(path) for use, path in files.items()}


def _atoms(frame) -> Atoms:
    """Return a frame with its energy and forces."""
    s = frame.structure
    atoms = Atoms(s.numbers, s.positions, cell=s.cell, pbc=s.pbc)
    atoms.calc = SinglePointCalculator(atoms, energy=frame.energy, forces=frame.forces)
    return atoms


def peer_row(
    bench: Bench, profile: str, python: str, files: dict[str, str], others: list[str]
) -> dict:
    """Return the row of a peer."""
    common = ["--cutoff", str(bench.recipe.model.cutoff), *others]

    def driven(*arguments: str) -> dict:
        line = run_driver(python, profile, [*arguments, *common], str(bench.threads))
        record = json.loads(line)
        if "error" in record:
            raise RuntimeError(f"{profile}: {' | '.join(record['error'])}")
        return record

    def made(folder: Path) -> dict:
        sets = [
            word for use in ("train", "valid", "test") for word in (f"--{use}", files[use])
        ]
        seconds = str(bench.seconds)
        with machine.Neighbours() as beside:
            learned = driven("--mode", "train", *sets, "--seconds", seconds)
        (folder / "training.json").write_text(json.dumps(learned, indent=1) + "\n")
        timed = driven("--structure", files["structure"], "--batches", "")
        cost = (learned["train_s"], learned["parameters"], timed["force_us_per_atom"])
        names = ("energy_mae", "energy_rmse", "forces_mae", "forces_rmse")
        errors = (learned["test_errors"][name] for name in names)
        return asdict(Row(*errors, *cost, beside.others))

    return keeping.kept(
        bench.place(profile, to_plain(bench.recipe.training), *common), made
    )


def rows_of(
    bench: Bench, pythons: dict[str, str], profiles, others, only
) -> dict[str, dict]:
    """Return the rows of a set by potential; prints each, and what failed."""
    wanted = set(profiles if only is None else only) & set(profiles)
    files = write_frames(bench) if pythons and wanted else {}
    makers = {"MLANet": lambda: network_row(bench), "splines": lambda: spline_row(bench)}
    for profile in profiles:
        python = pythons.get(DRIVERS[profile.split("-")[0]])
        if python is not None:
            makers[profile] = lambda p=profile, x=python: peer_row(
                bench, p, x, files, others
            )
    rows = {}
    for name, make in makers.items():
        if only is not None and name not in only:
            continue
        try:
            rows[name] = make()
        except RuntimeError as error:
            print(f"{bench.name}: {error}", flush=True)
            continue
        print(f"{bench.name}: {' | '.join(cells(name, rows[name]))}", flush=True)
    return rows


def cells(name: str, row: dict) -> list[str]:
    """Return a row of the table, as text."""
    errors = [f"{row[key]:.2f}" for key in ("energy_mae", "energy_rmse")]
    errors += [f"{row[key]:.1f}" for key in ("forces_mae", "forces_rmse")]
    cost = [f"{row['seconds']:.0f}", str(row["parameters"]), f"{row['call_us']:.3g}"]
    return [name, *errors, *cost]


def page(results: dict[str, dict[str, dict]], seconds: float, threads: int) -> str:
    """Return what the page shows."""
    head = ["set", "potential", "energy MAE, meV/atom", "RMSE", "force MAE, meV/A", "RMSE"]
    head += ["training, s", "parameters", "force call, us/atom"]
    lines = [
        [name, *cells(potential, row)]
        for name, rows in results.items()
        for potential, row in rows.items()
    ]
    found = [row["others"] or 0.0 for rows in results.values() for row in rows.values()]
    text = (
        f"{pages.facts([])}- threads: {threads}; networks trained for {seconds:g} s each\n"
    )
    if max(found, default=0.0) > pages.SHARED_LIMIT:
        text += (
            f"- **shared machine**: other work took up to {max(found):.0%} of its cores\n"
        )
    return f"{text}\n{pages.table(head, lines)}"


def main(argv=None) -> int:
    recipes = {path.stem: path for path in sorted(RECIPES.glob("*.yaml"))}
    recipes = {k: v for k, v in recipes.items() if k not in ENERGIES_ONLY}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", default=list(recipes))
    parser.add_argument("--output", type=Path, default=Path("runs/bench/network_recipes"))
    parser.add_argument("--seconds", type=float, default=2700.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--python", action="append", default=[], metavar="DRIVER=PATH")
    parser.add_argument("--profiles", nargs="+", default=PROFILES)
    parser.add_argument("--only", nargs="+", metavar="POTENTIAL")
    parser.add_argument("--write-docs", action="store_true", help="Renew the page.")
    chosen, others = parser.parse_known_args(argv)
    if set(chosen.names) - set(recipes) or (others and not chosen.python):
        parser.error(f"found {chosen.names} and {others}, expected {', '.join(recipes)}")
    if chosen.write_docs and chosen.only:
        parser.error("--write-docs needs all potentials")
    pythons = dict(text.split("=", 1) for text in chosen.python)
    output = chosen.output.resolve()
    os.chdir(pages.ROOT)  # recipes name their data from here
    results = {}
    for name in chosen.names:
        fixed = [f"training.seconds={chosen.seconds}", "training.device=cpu"]
        fixed += [f"threads={chosen.threads}", "figures=false"]
        recipe = load_config(recipes[name], fixed)
        if not all(Path(file).exists() for file in (*recipe.data.path, *recipe.data.test)):
            print(f"{name}: skipped, no {', '.join(recipe.data.path)}")
            continue
        (output / name).mkdir(parents=True, exist_ok=True)
        bench = Bench(name, recipe, chosen.seconds, chosen.threads, output / name)
        results[name] = rows_of(bench, pythons, chosen.profiles, others, chosen.only)
    if results:
        text = page(results, chosen.seconds, chosen.threads)
        pages.keep(output, "network_recipes", text, results, write_docs=False)
        if chosen.write_docs:
            pages.replace(pages.PAGES / "networks.md", "sets", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
