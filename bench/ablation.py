"""What each part of MLANet is worth: variants trained alike on a molecule and on water.

    python bench/ablation.py [--output DIR] [--seconds 60] [--seeds 0 1] [--threads 2]
        [--only NAME ...] [--sets ethanol water | --data FILE] [--engine torch]
        [--write-docs]

All variants of a set see the same frames equally often: --seconds and the atoms and edges
of the set give a number of epochs, so that errors do not depend on how fast a machine is.
A result is kept in DIR under a key of all that it follows from; the same command goes on
where it was stopped. A FILE is divided as the sets are: at most 200 frames and 9,600 atoms
to train on. Direct forces and pooled energies are computed by PyTorch, which takes several
times as long as the compiled network; with --engine torch all variants are, and their
steps can be compared.
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import keeping
import machine
import numpy as np
import pages

import trimpot
from trimpot.config import NetworkModelSettings
from trimpot.data import Frame, resolve_E0s
from trimpot.envelopes.settings import EnvelopeSettings
from trimpot.neighbors import neighborhood
from trimpot.networks import NetworkPotential
from trimpot.networks.mlanet.settings import usual_envelope
from trimpot.networks.training import TrainingData, TrainingSettings, train_network
from trimpot.splines.packing import pack
from trimpot.splines.potential import SplinePotential
from trimpot.splines.profile import pair_profile
from trimpot.validation.errors import error_tables
from trimpot.validation.predictions import predict
from trimpot.verbs.network_data import labels, less, prior_of
from trimpot.verbs.training_network import weights_of
from trimpot.verbs.watching import Silent

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SETS = {
    "ethanol": DATA / "rmd17" / "ethanol_train01.extxyz.xz",
    "water": DATA / "water_deepmd" / "water.extxyz.xz",
}
MOST_FRAMES, MOST_ATOMS = 200, 9_600
"""Of the frames to train on; of those to test on the latter."""

VALIDATION, TEST = 0.1, 0.4
"""As a share of the frames to train on, and of the others."""

ATOM_SECONDS, EDGE_SECONDS = 1.2e-4, 8e-6
"""What the base takes on one core to train on an atom and on an edge, about."""

BASE = NetworkModelSettings(cutoff=5.0, envelope=None)
HYDROGEN = 1
VARIANTS = {
    "base": {},
    "no attention (mean)": {"attention": False},
    "no gate": {"gate": False},
    "pooling sum": {"pooling": ("sum",)},
    "pooling sum, mean": {"pooling": ("sum", "mean")},
    "pooling sum, attention": {"pooling": ("sum", "attention")},
    "l_max 0": {"l_max": 0},
    "l_max 1": {"l_max": 1},
    "l_max 3": {"l_max": 3},
    "products of 1": {"correlation": 1},
    "products of 2": {"correlation": 2},
    "triplet envelope": {"envelope": usual_envelope()},
    "triplet envelope, all pairs": {"envelope": EnvelopeSettings()},
    "triplet envelope, H screens nothing": {
        "envelope": EnvelopeSettings(never_screen=("H",))
    },
    "16 knots": {"knots": 16},
    "64 knots": {"knots": 64},
    "1 layer": {"layers": 1},
    "3 layers": {"layers": 3},
    "no prior": {"prior": None},
    "forces direct": {"forces": "direct"},
    "readout pooled": {"readout": "pooled"},
}
"""What differs from the base, of which every other line changes one thing."""


@dataclass(frozen=True)
class Task:
    """Frames of a set, and how often each is seen."""

    name: str
    train: tuple[Frame, ...]
    valid: tuple[Frame, ...]
    test: tuple[Frame, ...]
    edges: int
    epochs: int
    digest: str

    @property
    def species(self) -> tuple[int, ...]:
        """Atomic numbers, ascending."""
        return tuple(sorted({int(z) for f in self.train for z in f.structure.numbers}))

    @property
    def batch_size(self) -> int:
        """Frames per step: one of those with more than a hundred atoms."""
        return 1 if sum(map(len, self.train)) > 100 * len(self.train) else 5


def task_of(name: str, path: Path, seconds: float) -> Task:
    """Return a set divided, the same at every call, with as many epochs as fit the time."""
    found = trimpot.read(path)
    frames = [found.frames[i] for i in np.random.default_rng(0).permutation(len(found))]
    usual = sum(map(len, frames)) / len(frames)
    n = int(min(MOST_FRAMES, MOST_ATOMS / usual, 0.5 * len(frames)))
    n_test = int(min(TEST * (len(frames) - n), MOST_ATOMS / usual))
    first_test = n + max(1, int(VALIDATION * n))
    train = tuple(frames[:n])
    edges = sum(len(neighborhood(f.structure, BASE.cutoff).neighbors) for f in train)
    epoch = ATOM_SECONDS * sum(map(len, train)) + EDGE_SECONDS * edges
    return Task(
        name,
        train,
        tuple(frames[n:first_test]),
        tuple(frames[first_test : first_test + n_test]),
        edges,
        max(1, round(seconds / epoch)),
        found.fingerprint,
    )


def to_learn(
    task: Task, settings: NetworkModelSettings
) -> tuple[TrainingData, TrainingData, np.ndarray, SplinePotential | None]:
    """Return training and validation labels, energies of isolated atoms, and the prior."""
    structures = [f.structure for f in (*task.train, *task.valid)]
    profile = pair_profile(pack(structures, task.species), settings.cutoff)
    frames, prior = (*task.train, *task.valid), prior_of(settings, profile)
    if prior is not None:
        known = prior.evaluate_many(structures)
        frames = [less(frame, one) for frame, one in zip(frames, known, strict=True)]
    e0s = resolve_E0s("least_squares", frames, task.species)
    n = len(task.train)
    values = np.array([e0s.values[z] for z in task.species])
    return labels(frames[:n], e0s), labels(frames[n:], e0s), values, prior


def trained(
    task: Task,
    settings: NetworkModelSettings,
    training: TrainingSettings,
    folder: Path,
    threads: int,
) -> dict[str, float]:
    """Train one variant; return its errors on the test frames and its cost."""
    train, valid, e0s, prior = to_learn(task, settings)
    with machine.Neighbours() as beside:
        done = train_network(
            settings.network,
            task.species,
            train,
            valid,
            training,
            folder,
            Silent(),
            threads=threads,
        )
    potential = NetworkPotential(
        species=task.species,
        settings=settings.network,
        state=weights_of(done.state),
        e0s=e0s,
        mean_weight=done.mean_weight,
        scale=done.scale,
        prior=prior,
    )
    tables = error_tables(predict(potential, task.test, threads=threads), task.test)
    (energy,), (forces,) = (tables.select(q, "all") for q in ("energy", "forces"))
    return {
        "energy_mae": energy.mae,
        "forces_mae": forces.mae,
        "forces_rmse": forces.rmse,
        "parameters": potential.n_weights,
        "edge_weight": done.mean_weight * sum(map(len, task.train)) / task.edges,
        "steps": done.steps,
        "step_ms": 1e3 * done.seconds / done.steps,
        "others": beside.others,
    }


def kept(
    task: Task, variant: str, seed: int, chosen: argparse.Namespace
) -> dict[str, float]:
    """Return the result of a variant; train it if DIR has none."""
    settings = replace(BASE, **VARIANTS[variant])
    stress = {"stress_weight": 0.0} if settings.forces == "direct" else {}
    training = TrainingSettings(
        seconds=None,
        epochs=task.epochs,
        batch_size=task.batch_size,
        device="cpu",
        seed=seed,
        engine=chosen.engine,
        **stress,
    )
    sizes = [len(frames) for frames in (task.train, task.valid, task.test)]
    key = keeping.key(asdict(settings), asdict(training), task.digest, sizes)
    words = "-".join(re.findall(r"\w+", variant))
    return keeping.kept(
        chosen.output / task.name / f"{words}-{seed}-{key}",
        lambda folder: trained(task, settings, training, folder, chosen.threads),
    )


def applies(task: Task, variant: str) -> bool:
    """Return whether a variant means something for a set."""
    return "H screens nothing" not in variant or HYDROGEN in task.species


def shown(runs: list[dict[str, float]], name: str, digits: int) -> str:
    """Return the mean of a number over seeds, with half its range if there are several."""
    values = [run[name] for run in runs]
    text = f"{np.mean(values):.{digits}f}"
    return text if len(values) == 1 else f"{text} ± {np.ptp(values) / 2:.{digits}f}"


def table(task: Task, results: dict[str, list[dict[str, float]]], seeds: list[int]) -> str:
    """Return the table of a set."""
    lines = [
        [
            variant,
            str(runs[0]["parameters"]),
            f"{runs[0]['edge_weight']:.2f}",
            shown(runs, "energy_mae", 2),
            shown(runs, "forces_mae", 1),
            shown(runs, "forces_rmse", 1),
            f"{np.median([run['step_ms'] for run in runs]):.1f}",
        ]
        for variant, runs in results.items()
    ]
    head = ["variant", "parameters", "mean weight of an edge", "energy MAE, meV/atom"]
    head += ["force MAE, meV/A", "force RMSE, meV/A", "step, ms"]
    title = (
        f"{task.name}: {len(task.train)} training frames, {len(task.valid)} to validate, "
        f"{len(task.test)} to test; {task.epochs} epochs, {task.batch_size} per step; "
        f"seeds {', '.join(map(str, seeds))}\n\n"
    )
    return title + pages.table(head, lines)


def heading(results) -> str:
    """Return date, machine and what other work took while the variants trained."""
    seeds = [runs for variants in results.values() for runs in variants.values()]
    busiest = max((run["others"] or 0.0 for runs in seeds for run in runs), default=0.0)
    text = pages.facts([])
    if busiest > pages.SHARED_LIMIT:
        text += f"- **shared machine**: other work took up to {busiest:.0%} of its cores; "
        text += "steps are upper bounds, errors do not depend on it\n"
    return text


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("runs/bench/ablation"))
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="Of the base, about, on one core."
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=list(VARIANTS), metavar="NAME")
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--data", type=Path, help="One file in place of the sets.")
    parser.add_argument("--engine", choices=["auto", "torch"], default="auto")
    parser.add_argument("--write-docs", action="store_true", help="Renew the page.")
    chosen = parser.parse_args(argv)
    if chosen.write_docs and (chosen.only or chosen.data or chosen.sets != list(SETS)):
        parser.error("--write-docs needs all variants and sets")
    if chosen.data:
        sources = {chosen.data.name.partition(".")[0]: chosen.data}
    else:
        sources = {name: SETS[name] for name in chosen.sets if SETS[name].exists()}
    if not sources:
        print("skipped: no ../shared/data/rmd17 and water_deepmd")
        return 0
    results, tables = {}, []
    for name, path in sources.items():
        task = task_of(name, path, chosen.seconds)
        results[name] = {}
        for variant in chosen.only or VARIANTS:
            if applies(task, variant):
                runs = [kept(task, variant, seed, chosen) for seed in chosen.seeds]
                results[name][variant] = runs
                force, step = (shown(runs, k, 1) for k in ("forces_mae", "step_ms"))
                print(f"{name}, {variant}: F {force} meV/A, {step} ms a step", flush=True)
        tables.append(table(task, results[name], chosen.seeds))
    text = f"{heading(results)}- threads: {chosen.threads}\n\n" + "\n".join(tables)
    pages.keep(chosen.output, "ablation", text, results, write_docs=False)
    if chosen.write_docs:
        pages.replace(pages.PAGES / "networks.md", "ablation", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
