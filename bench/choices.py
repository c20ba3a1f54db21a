"""Chooses the settings of the tungsten and mlearn models by cross-validation.

    python bench/choices.py [--output DIR] [--write-docs]

Each list of candidates is compared by ``trimpot train`` with ``choose``: held-out errors on
folds of the training frames. No test frame is looked at.
"""

from __future__ import annotations

import argparse
import csv
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pages
import training_runs
import yaml

from trimpot.units import GPA_PER_EV_PER_A3

TUNGSTEN = training_runs.DATA / "w14_tungsten" / "w14.extxyz.xz"
MLEARN = training_runs.DATA / "mlearn"
OF_MLEARN = {
    "Cu": "Cu_training_rebuilt",
    "Ni": "Ni_training_rebuilt",
    "Mo": "Mo_training",
    "Si": "Si_training",
}
ENVELOPES = [
    {"c_min": 0.3, "c_max": 1.2},
    {"c_min": 0.45, "c_max": 1.5},
    {"c_min": 0.55, "c_max": 1.7},
]
TIGHT = [{"c_min": 0.7, "c_max": 2.0}, {"c_min": 0.9, "c_max": 2.0}]


def triplets(cutoff: float, envelope: dict) -> dict:
    """Return the triplet term of all lists."""
    return {
        "kind": "triplet",
        "cutoff": cutoff,
        "intervals": 12,
        "intervals_jk": 16,
        "r_min": 0.7,
        "r_min_jk": 0.8,
        "envelope": envelope,
    }


@dataclass(frozen=True)
class List:
    """Candidates of one model: its terms, and what is chosen."""

    name: str
    terms: list[dict]
    choose: dict[str, list]


ANGULAR = {"kind": "density", "cutoff": 6.0, "l_max": 3, "triples": True}
FOR_TUNGSTEN = {
    "density": List(
        "pairs, densities",
        [
            {"kind": "pair", "cutoff": 6.0, "intervals": 30},
            {"kind": "density", "cutoff": 5.0},
        ],
        {
            "model.terms.1.cutoff": [5.0, 5.5, 6.0],
            "model.terms.1.r_min": [None, 1.8, 2.1, 2.7],
        },
    ),
    "density-screened": List(
        "pairs, screened pairs, densities",
        [
            {"kind": "pair", "cutoff": 6.0, "intervals": 30},
            {"kind": "pair", "cutoff": 6.0, "intervals": 25, "envelope": ENVELOPES[0]},
            {"kind": "density", "cutoff": 5.0},
        ],
        {
            "model.terms.1.envelope": [ENVELOPES[0], ENVELOPES[-1], TIGHT[-1]],
            "model.terms.2.cutoff": [5.0, 5.5, 6.0],
        },
    ),
    "fast": List(
        "screened, fast",
        [
            {"kind": "pair", "cutoff": 5.5, "intervals": 30},
            triplets(5.5, ENVELOPES[-1]),
            {"kind": "density", "cutoff": 5.0},
        ],
        {
            "model.terms.1.envelope": [*ENVELOPES[1:], *TIGHT],
            "model.terms.2.cutoff": [5.0, 5.5, 6.0],
        },
    ),
    "fast-knots": List(
        "screened, fast: knots",
        [
            {"kind": "pair", "cutoff": 5.5, "intervals": 30},
            triplets(5.5, ENVELOPES[-1]),
            {"kind": "density", "cutoff": 5.0},
        ],
        {"model.terms.1.intervals": [10, 12, 14], "model.terms.1.r_min": [None, 0.7]},
    ),
    "best": List(
        "screened, best",
        [
            {"kind": "pair", "cutoff": 6.0, "intervals": 30},
            triplets(6.0, ENVELOPES[0]),
            ANGULAR,
        ],
        {"model.terms.1.cutoff": [5.5, 6.0], "model.terms.1.envelope": ENVELOPES},
    ),
}
FOR_MLEARN = List(
    "mlearn",
    FOR_TUNGSTEN["best"].terms,
    {"model.terms.1.cutoff": [5.0, 6.0], "model.terms.1.envelope": ENVELOPES},
)


@dataclass(frozen=True)
class Candidate:
    """Held-out errors of one candidate: meV/atom, eV/A, GPa."""

    values: dict[str, str]
    coefficients: int
    energy: float
    forces: float
    stress: float
    score: float


def compare(data: dict, candidates: List, folder: Path) -> list[Candidate]:
    """Return the candidates, best first; those of an earlier run are not fitted again."""
    config = {
        "data": data,
        "model": {"terms": candidates.terms},
        "choose": candidates.choose,
        "fit": {"anchors": False},  # they come after the choice
        "figures": False,
    }
    text = yaml.safe_dump(config, sort_keys=False)
    path = training_runs.write_config(folder, text)
    training_runs.run(
        [str(training_runs.TRIMPOT), "train", str(path), "--set", f"output={folder}"]
    )
    with (folder / "candidates.csv").open() as lines:
        found = [candidate(row, candidates.choose) for row in csv.DictReader(lines)]
    return sorted(found, key=lambda c: c.score)


def candidate(row: dict[str, str], keys) -> Candidate:
    """Return a line of candidates.csv in the units of tables."""
    return Candidate(
        {key: row[key] for key in keys},
        int(row["coefficients"]),
        1e3 * float(row["rmse_energy"]),
        float(row["rmse_forces"]),
        GPA_PER_EV_PER_A3 * float(row["rmse_stress"]),
        float(row["score"]),
    )


def tungsten_table(candidates: List, found: list[Candidate]) -> str:
    """Return held-out errors, best first."""
    lines = [
        [
            *c.values.values(),
            str(c.coefficients),
            f"{c.energy:.2f}",
            f"{c.forces:.4f}",
            f"{c.stress:.3f}",
            f"{c.score:.5f}",
        ]
        for c in found
    ]
    keys = [key.removeprefix("model.") for key in candidates.choose]
    head = [*keys, "coefficients", "energy, meV/atom", "forces, eV/A", "stress, GPa"]
    text = pages.table([*head, "score"], lines)
    return f"**Tungsten: {candidates.name}**, held-out RMSE\n\n{text}"


def mlearn_table(found: dict[str, list[Candidate]]) -> str:
    """Return scores over the lowest of an element, and their mean: one setting for all."""
    by_values = {
        element: {tuple(c.values.values()): c for c in all_of}
        for element, all_of in found.items()
    }
    lowest = {element: all_of[0].score for element, all_of in found.items()}
    rows = []
    for values in by_values["Cu"]:
        of_all = {element: by_values[element][values] for element in found}
        ratios = [c.score / lowest[element] for element, c in of_all.items()]
        cells = [f"{c.energy:.2f}, {1e3 * c.forces:.1f}" for c in of_all.values()]
        rows.append((float(np.mean(ratios)), [*values, *cells]))
    lines = [[*cells, f"{ratio:.3f}"] for ratio, cells in sorted(rows)]
    keys = [key.removeprefix("model.") for key in FOR_MLEARN.choose]
    head = [*keys, *found, "score over lowest, mean"]
    title = "**mlearn**, held-out RMSE of energies and forces, meV/atom and meV/A"
    return f"{title}\n\n{pages.table(head, lines)}"


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("runs/bench/choices"))
    parser.add_argument("--write-docs", action="store_true", help="Renew the page.")
    settings = parser.parse_args(argv)
    if not (TUNGSTEN.exists() and MLEARN.exists()):
        print("skipped: no ../shared/data/w14_tungsten and ../shared/data/mlearn")
        return 0
    split = {"kind": "field", "field": "uf3_train", "train": 1, "test": 0}
    data = {"path": str(TUNGSTEN), "split": split}
    tungsten = {
        name: compare(data, candidates, settings.output / name)
        for name, candidates in FOR_TUNGSTEN.items()
    }
    mlearn = {
        element: compare(
            {"path": str(MLEARN / f"{name}.extxyz.xz"), "split": {"kind": "all"}},
            FOR_MLEARN,
            settings.output / element,
        )
        for element, name in OF_MLEARN.items()
    }
    parts = [pages.facts([])]
    parts += [tungsten_table(FOR_TUNGSTEN[name], found) for name, found in tungsten.items()]
    parts.append(mlearn_table(mlearn))
    record = {
        name: [asdict(c) for c in found] for name, found in (tungsten | mlearn).items()
    }
    pages.keep(
        settings.output,
        "choices",
        "\n".join(parts),
        record,
        write_docs=settings.write_docs,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
