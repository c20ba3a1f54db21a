"""``trimpot init`` beside hand-tuned settings: Cu, Ni, Mo, Si, Ge-Te and MoNbTaW.

    python bench/init.py [--output DIR] [--write-docs] [NAME ...]

For each system ``trimpot init FILES`` writes a configuration, which is trained as it is;
so are the hand-tuned settings, on the same frames. Trainings whose configuration has not
changed are taken from the folder of an earlier run.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import mlearn
import pages
import training_runs

import trimpot
from trimpot.config import load_config

FRAMES = training_runs.DATA
LIMIT = 1.10
"""Largest ratio of errors that is wanted."""

GE_TE = """model:
  terms:
    - {kind: pair, cutoff: 6.85, intervals: 35}
    - {kind: triplet, cutoff: 5.6, intervals: 7, intervals_jk: 9, r_min: 0.7,
       r_min_jk: 0.8, tie: none, envelope: {c_min: 0.3, c_max: 1.2}}
    - {kind: density, cutoff: 6.85, functions: 6, order: 3, l_max: 3, angular_functions: 3,
       triples: true, mixed: false}
"""
MONBTAW = """model:
  terms:
    - {kind: pair, cutoff: 6.0, intervals: 30}
    - {kind: triplet, cutoff: 5.0, intervals: 10, intervals_jk: 14, r_min: 0.7,
       r_min_jk: 0.8, tie: center, envelope: {c_min: 0.3, c_max: 1.2}}
    - {kind: density, cutoff: 6.0, functions: 6, order: 2, l_max: 3, angular_functions: 2,
       mixed: false}
"""
TUNED = "Trimpot, screened triplets + densities"


@dataclass(frozen=True)
class System:
    """One data set: its files for training and test, the hand-tuned model section.

    ``apart`` are groups of test frames that are left out of the errors.
    """

    train: Path
    test: Path | None
    model: str
    apart: tuple[str, ...] = ()

    @property
    def data(self) -> str:
        """The data section; without test frames the split that init proposes as well."""
        rest = "  split: {kind: random, test_fraction: 0.1, seed: 0}\n"
        if self.test is not None:
            rest = f"  test: {self.test}\n"
        return f"data:\n  path: {self.train}\n{rest}"


def of_mlearn(element: str) -> System:
    """Return the system of an element of the mlearn benchmark."""
    return System(
        mlearn.FRAMES / f"{mlearn.TRAINING[element]}.extxyz.xz",
        mlearn.FRAMES / f"{element}_test.extxyz.xz",
        mlearn.SETTINGS[TUNED],
    )


SYSTEMS = {
    **{element: of_mlearn(element) for element in mlearn.TRAINING},
    "Ge-Te": System(FRAMES / "gete_deepmd" / "GeTe_random1500.extxyz.xz", None, GE_TE),
    "MoNbTaW": System(
        FRAMES / "monbtaw" / "train.extxyz.xz",
        FRAMES / "monbtaw" / "test.extxyz.xz",
        MONBTAW,
        ("Multinary_Test",),
    ),
}


@dataclass(frozen=True)
class Run:
    """What one training gave.

    Attributes
    ----------
    energy, forces : float
        RMSE on the test frames, meV/atom and meV/A.
    held_energy, held_forces : float
        RMSE on held-out folds of the training frames, in the same units.
    coefficients : int
    fit_seconds : float
    others : float
        Share of the machine that other work took.
    """

    energy: float
    forces: float
    held_energy: float
    held_forces: float
    coefficients: int
    fit_seconds: float
    others: float


def initialized(system: System, folder: Path) -> Path:
    """Return the configuration that ``trimpot init`` writes."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "init.yaml"
    files = [str(p) for p in (system.train, system.test) if p is not None]
    command = [str(training_runs.TRIMPOT), "init", *files, "--output", str(path), "--force"]
    training_runs.run(command)
    return path


def measured(config: Path, folder: Path, apart) -> Run:
    """Train, or take what an earlier run of the same configuration gave."""
    folder.mkdir(parents=True, exist_ok=True)
    key = hashlib.sha256(repr(load_config(config)).encode()).hexdigest()
    kept = folder / "run.json"
    if kept.exists():
        record = json.loads(kept.read_text())
        if record.pop("key") == key:
            return Run(**record)
    training = training_runs.train(config, folder, "--set", "figures=false")
    facts = trimpot.load(folder / "model.trimpot").provenance
    held_out = facts["cross_validation"]["rmse"]
    found = Run(
        error(training, "energy", apart),
        error(training, "forces", apart),
        1000.0 * held_out["energy"],
        1000.0 * held_out["forces"],
        training.n_coefficients,
        training.fit_seconds,
        training.usage.others or 0.0,
    )
    kept.write_text(json.dumps({"key": key, **asdict(found)}) + "\n")
    return found


def error(training, quantity: str, apart) -> float:
    """Return the RMSE on the test frames without some groups."""
    rows = [
        row
        for row in training.errors["test"]["rows"]
        if (row["grouping"], row["quantity"]) == ("config_type", quantity)
        and row["group"] not in apart
    ]
    if not rows:  # one group is not listed
        return training.error(quantity)
    total = sum(row["values"] * row["rmse"] ** 2 for row in rows)
    return (total / sum(row["values"] for row in rows)) ** 0.5


def measure(name: str, folder: Path) -> dict[str, Run]:
    """Return both trainings of a system."""
    system = SYSTEMS[name]
    tuned = training_runs.write_config(folder / name / "tuned", system.data + system.model)
    own = initialized(system, folder / name / "init")
    return {
        "tuned": measured(tuned, tuned.parent, system.apart),
        "init": measured(own, own.parent, system.apart),
    }


def result_table(results, prefix: str, frames: str) -> str:
    """Return errors and ratios on test frames, or on held-out folds."""
    lines = []
    for name, runs in results.items():
        cells = [name]
        for quantity, digits in (("energy", 2), ("forces", 1)):
            tuned, own = (getattr(runs[w], prefix + quantity) for w in ("tuned", "init"))
            ratio = f"{own / tuned:.2f}"
            shown = ratio if own <= LIMIT * tuned else f"**{ratio}**"
            cells += [f"{tuned:.{digits}f}", f"{own:.{digits}f}", shown]
        lines.append(cells)
    head = [f"{frames}, RMSE", "energy, meV/atom: tuned", "init", "ratio"]
    head += ["forces, meV/A: tuned", "init", "ratio"]
    return pages.table(head, lines)


def cost_table(results) -> str:
    """Return coefficients and times."""
    lines = [
        [
            name,
            *(str(runs[which].coefficients) for which in ("tuned", "init")),
            *(f"{runs[which].fit_seconds:.0f}" for which in ("tuned", "init")),
        ]
        for name, runs in results.items()
    ]
    head = ["system", "coefficients: tuned", "init", "fit, s: tuned", "init"]
    return pages.table(head, lines)


def terms_table(folder: Path, names) -> str:
    """Return the cutoffs that init chose."""
    lines = []
    for name in names:
        terms = load_config(folder / name / "init" / "init.yaml").model.terms
        lines.append([name, *(f"{term.kind} {term.cutoff:g}" for term in terms)])
    return pages.table(["system", "term", "term", "term"], lines)


def verdict(results, prefix: str) -> str:
    """Say where init is within the limit."""
    within = [
        name
        for name, runs in results.items()
        if all(
            getattr(runs["init"], prefix + q) <= LIMIT * getattr(runs["tuned"], prefix + q)
            for q in ("energy", "forces")
        )
    ]
    percent = round(100 * (LIMIT - 1))
    return (
        f"Energies and forces within {percent} % of the hand-tuned settings, or better: "
        f"{len(within)} of {len(results)}: {', '.join(within) or 'none'}\n"
    )


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", default=list(SYSTEMS))
    parser.add_argument("--output", type=Path, default=Path("runs/bench/init"))
    parser.add_argument(
        "--write-docs", action="store_true", help="Renew the page; needs all systems."
    )
    settings = parser.parse_args(argv)
    unknown = set(settings.names) - set(SYSTEMS)
    if unknown or (settings.write_docs and set(settings.names) != set(SYSTEMS)):
        parser.error(f"systems are {', '.join(SYSTEMS)}; --write-docs needs all of them")
    missing = [n for n in settings.names if not SYSTEMS[n].train.exists()]
    if missing:
        print(f"skipped: no data of {', '.join(missing)} in ../shared/data")
        return 0
    results = {name: measure(name, settings.output) for name in settings.names}
    busiest = max(run.others for runs in results.values() for run in runs.values())
    parts = [
        pages.facts([training_runs.Usage(0.0, 0.0, 0.0, busiest)]),
        result_table(results, "", "test frames"),
        verdict(results, ""),
        result_table(results, "held_", "held-out training frames"),
        verdict(results, "held_"),
        cost_table(results),
        terms_table(settings.output, results),
    ]
    record = {
        name: {which: asdict(run) for which, run in runs.items()}
        for name, runs in results.items()
    }
    pages.keep(
        settings.output, "init", "\n".join(parts), record, write_docs=settings.write_docs
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
