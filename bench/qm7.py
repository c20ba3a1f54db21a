"""Atomisation energies of QM7 by MLANet: mean absolute error over five folds.

    python bench/qm7.py [--output DIR] [--only 0 1 2 3 4] [--seconds 2700] [--threads 2]
        [--readouts sum pooled] [--set KEY=VALUE ...]

Each fold trains examples/networks/qm7.yaml on the other four (200 molecules of these choose
the best weights) and is tested on its own. Folds are stratified by energy: of every five
molecules next to each other in energy each goes to another fold. Errors are those of whole
molecules, in kcal/mol. What is done is kept in DIR; the same command goes on where it was
stopped.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import keeping
import machine
import numpy as np
import pages

import trimpot
from trimpot.config import load_config, to_plain
from trimpot.files import write_text
from trimpot.units import KCAL_MOL_EV
from trimpot.verbs.watching import Silent

RECIPE = pages.ROOT / "examples" / "networks" / "qm7.yaml"
FOLDS = 5
READOUTS = ("sum", "pooled")


class Printed(Silent):
    """A watcher that prints notes of a fold."""

    def __init__(self, name: str) -> None:
        self.name = name

    def note(self, text: str) -> None:
        """Print."""
        print(f"{self.name}: {text}", flush=True)


def folds(energies: np.ndarray) -> np.ndarray:
    """Return the fold of each molecule, (n,), the same at every call."""
    rng, found = np.random.default_rng(0), np.empty(len(energies), dtype=int)
    order = np.argsort(energies, kind="stable")
    for start in range(0, len(order), FOLDS):
        few = order[start : start + FOLDS]
        found[few] = rng.permutation(FOLDS)[: len(few)]
    return found


def trained(frames, fold_of: np.ndarray, fold: int, readout: str, folder: Path, chosen):
    """Train on all other folds; return the errors on one, and what it took."""
    split = folder / "train.txt"
    write_text(split, "\n".join(map(str, np.flatnonzero(fold_of != fold))) + "\n")
    config = load_config(
        RECIPE,
        [
            f"data.split={{kind: list, path: {split}}}",
            f"output={folder}",
            *overrides(readout, chosen),
        ],
    )
    with machine.Neighbours() as beside:
        result = trimpot.train(config, watcher=Printed(f"{readout}, fold {fold}"))
    tested = [f for f, k in zip(frames, fold_of, strict=True) if k == fold]
    found = result.potential.evaluate_many(
        [f.structure for f in tested], threads=chosen.threads
    )
    errors = np.array([e.energy - f.energy for e, f in zip(found, tested, strict=True)])
    errors = errors / KCAL_MOL_EV
    training = result.training
    return {
        "mae": float(np.abs(errors).mean()),
        "rmse": float(np.sqrt(np.mean(errors**2))),
        "molecules": len(tested),
        "parameters": result.potential.n_weights,
        "steps": training.steps,
        "epochs": training.epochs,
        "seconds": training.seconds,
        "others": beside.others,
    }


def overrides(readout: str, chosen) -> list[str]:
    """Return what the command says of settings."""
    return [
        f"model.readout={readout}",
        f"training.seconds={chosen.seconds}",
        "training.device=cpu",
        f"threads={chosen.threads}",
        "figures=false",
        *chosen.set,
    ]


def kept(frames, fold_of: np.ndarray, fold: int, readout: str, chosen) -> dict:
    """Return the result of a fold; train it if DIR has none."""
    plain = to_plain(load_config(RECIPE, overrides(readout, chosen)))
    key = keeping.key(plain["model"], plain["training"], chosen.threads)
    return keeping.kept(
        chosen.output / f"{readout}-{fold}-{key}",
        lambda folder: trained(frames, fold_of, fold, readout, folder, chosen),
    )


def spread(runs: list[dict], name: str) -> str:
    """Return the mean of a number over folds and its standard deviation."""
    values = [run[name] for run in runs]
    text = f"{np.mean(values):.2f}"
    return text if len(values) == 1 else f"{text} ± {np.std(values, ddof=1):.2f}"


def table(results: dict[str, list[dict]]) -> str:
    """Return the table of all readouts."""
    head = ["readout", "folds", "MAE, kcal/mol", "RMSE, kcal/mol", "parameters", "epochs"]
    head += ["step, ms"]
    lines = [
        [
            readout,
            str(len(runs)),
            spread(runs, "mae"),
            spread(runs, "rmse"),
            str(runs[0]["parameters"]),
            f"{np.mean([run['epochs'] for run in runs]):.1f}",
            f"{np.mean([1e3 * run['seconds'] / run['steps'] for run in runs]):.1f}",
        ]
        for readout, runs in results.items()
    ]
    return pages.table(head, lines)


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("runs/bench/qm7"))
    parser.add_argument("--only", type=int, nargs="+", choices=range(FOLDS), metavar="FOLD")
    parser.add_argument("--seconds", type=float, default=2700.0, help="Of each fold.")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--readouts", nargs="+", choices=READOUTS, default=["sum"])
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE")
    chosen = parser.parse_args(argv)
    chosen.output = chosen.output.resolve()
    os.chdir(pages.ROOT)  # the recipe names its data from here
    (data,) = load_config(RECIPE).data.path
    if not Path(data).exists():
        print(f"skipped: no {data}")
        return 0
    frames = trimpot.read(data).frames
    fold_of = folds(np.array([f.energy for f in frames]))
    results = {}
    for readout in chosen.readouts:
        results[readout] = []
        for fold in chosen.only or range(FOLDS):
            run = kept(frames, fold_of, fold, readout, chosen)
            results[readout].append(run)
            print(f"{readout}, fold {fold}: MAE {run['mae']:.2f} kcal/mol", flush=True)
    text = f"{pages.facts([])}- threads: {chosen.threads}; {chosen.seconds:g} s a fold\n"
    busiest = max(run["others"] or 0.0 for runs in results.values() for run in runs)
    if busiest > pages.SHARED_LIMIT:
        text += f"- **shared machine**: other work took up to {busiest:.0%} of its cores\n"
    text += f"\n{table(results)}"
    pages.keep(chosen.output, "qm7", text, results, write_docs=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
