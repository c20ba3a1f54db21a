"""What a triplet envelope costs in accuracy: the same frames equally often, several seeds.

    python bench/envelope_accuracy.py [--output DIR] [--seeds 0 1 2] [--threads 1]
        [--sets water copper ethanol] [--only NAME ...] [--write-docs]

A result is kept in DIR under a key of all that it follows from; the same command goes on
where it was stopped, and commands with --only can run beside each other. "C .45 to .9,
from 3.5 to 5 A" is the default.
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import ablation
import keeping
import numpy as np
import pages

import trimpot
from trimpot.config import NetworkModelSettings
from trimpot.envelopes.settings import EnvelopeSettings
from trimpot.networks.training import TrainingSettings

VARIANTS = {
    "none, 6 A": NetworkModelSettings(cutoff=6.0, envelope=None),
    "none, 5 A": NetworkModelSettings(cutoff=5.0, envelope=None),
    "C .3 to 1.1, all pairs": NetworkModelSettings(
        cutoff=6.0, envelope=EnvelopeSettings(c_min=0.3, c_max=1.1, inner=0.0, outer=0.0)
    ),
    "C .3 to 1.1, from 3.5 to 5 A": NetworkModelSettings(
        cutoff=6.0, envelope=EnvelopeSettings(c_min=0.3, c_max=1.1, inner=3.5, outer=5.0)
    ),
    "C .45 to .9, from 3.5 to 5 A": NetworkModelSettings(
        cutoff=6.0, envelope=EnvelopeSettings(c_min=0.45, c_max=0.9, inner=3.5, outer=5.0)
    ),
    "C .45 to .9, from 2.5 to 4.5 A": NetworkModelSettings(
        cutoff=6.0, envelope=EnvelopeSettings(c_min=0.45, c_max=0.9, inner=2.5, outer=4.5)
    ),
    "C .45 to .9, from 3 to 5 A": NetworkModelSettings(
        cutoff=6.0, envelope=EnvelopeSettings(c_min=0.45, c_max=0.9, inner=3.0, outer=5.0)
    ),
}
"""Where screening begins and is complete: pairs of these lengths."""


@dataclass(frozen=True)
class Set:
    """Where frames come from, how many are for what, and how often they are seen.

    ``test`` is a file, or the number of frames of the first file.
    """

    path: str
    test: str | int
    validation: int
    epochs: int
    batch_size: int
    train: int | None = None

    def task(self, name: str) -> ablation.Task:
        """Return the frames, divided as ever (a permutation with seed 0)."""
        found = trimpot.read(ablation.DATA / self.path)
        order = np.random.default_rng(0).permutation(len(found))
        frames = [found.frames[i] for i in order]
        if isinstance(self.test, int):
            test, frames = frames[: self.test], frames[self.test :]
        else:
            test = trimpot.read(ablation.DATA / self.test).frames
        valid, train = frames[: self.validation], frames[self.validation :]
        train = train if self.train is None else train[: self.train]
        return ablation.Task(
            name, tuple(train), tuple(valid), tuple(test), 1, self.epochs, found.fingerprint
        )


SETS = {
    "water": Set("water_deepmd/water.extxyz.xz", 100, 20, 12, 1, train=240),
    "copper": Set(
        "mlearn/Cu_training_rebuilt.extxyz.xz", "mlearn/Cu_test.extxyz.xz", 13, 30, 5
    ),
    "ethanol": Set(
        "rmd17/ethanol_train01.extxyz.xz", "rmd17/ethanol_test01.extxyz.xz", 50, 40, 5
    ),
}


def result(name: str, variant: str, seed: int, output: Path, threads: int) -> dict:
    """Return the errors of a variant; train it if DIR has none."""
    chosen, settings = SETS[name], VARIANTS[variant]
    training = TrainingSettings(
        seconds=None,
        epochs=chosen.epochs,
        batch_size=chosen.batch_size,
        device="cpu",
        seed=seed,
    )
    key = keeping.key(asdict(settings), asdict(training), asdict(chosen))
    words = "-".join(re.findall(r"\w+", variant))

    def made(folder: Path) -> dict:
        task = chosen.task(name)
        return ablation.trained(task, settings, training, folder, threads)

    return keeping.kept(output / name / f"{words}-{seed}-{key}", made)


def table(name: str, results: dict[str, list[dict]], seeds: list[int]) -> str:
    """Return the table of a set."""
    lines = [
        [
            variant,
            ablation.shown(runs, "energy_mae", 2),
            ablation.shown(runs, "forces_mae", 1),
            ablation.shown(runs, "forces_rmse", 1),
            f"{np.median([run['step_ms'] for run in runs]):.1f}",
        ]
        for variant, runs in results.items()
    ]
    head = ["envelope", "energy MAE, meV/atom", "force MAE, meV/A", "force RMSE, meV/A"]
    chosen = SETS[name]
    title = (
        f"{name}: {chosen.epochs} epochs, {chosen.batch_size} frames per step; seeds "
        f"{', '.join(map(str, seeds))}\n\n"
    )
    return title + pages.table([*head, "step, ms"], lines)


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("runs/bench/envelope_accuracy"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=list(VARIANTS), metavar="NAME")
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--write-docs", action="store_true", help="Renew the page.")
    chosen = parser.parse_args(argv)
    if chosen.write_docs and (chosen.only or chosen.sets != list(SETS)):
        parser.error("--write-docs needs all variants and sets")
    results: dict[str, dict[str, list[dict]]] = {}
    for name in chosen.sets:
        if not (ablation.DATA / SETS[name].path).exists():
            print(f"{name}: skipped, no {SETS[name].path}")
            continue
        results[name] = {}
        for variant in chosen.only or VARIANTS:
            runs = [
                result(name, variant, seed, chosen.output, chosen.threads)
                for seed in chosen.seeds
            ]
            results[name][variant] = runs
            force, step = (ablation.shown(runs, k, 1) for k in ("forces_rmse", "step_ms"))
            print(f"{name}, {variant}: F RMSE {force} meV/A, {step} ms a step", flush=True)
    if results:
        tables = [table(name, found, chosen.seeds) for name, found in results.items()]
        text = f"{ablation.heading(results)}- threads: {chosen.threads}\n\n" + "\n".join(
            tables
        )
        pages.keep(chosen.output, "envelope_accuracy", text, results, write_docs=False)
        if chosen.write_docs:
            pages.replace(pages.PAGES / "networks.md", "envelope_accuracy", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
