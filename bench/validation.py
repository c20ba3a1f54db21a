"""Judges tungsten's splines and potentials of others with one suite, in one run.

    python bench/validation.py [--output DIR] [--melting] [--write-docs]

Trains five examples, then measures all properties of the suite, errors on the 7,753 test
frames and times of all models side by side, as ``trimpot validate`` does. With --melting
also melting temperatures, which take up to 45 minutes a model. What is in DIR already is
not measured again. Needs the W-14 set and the potentials of others.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import pages
import training_runs

import trimpot
from trimpot.reports.document import markdown_table
from trimpot.reports.property_tables import LEGEND, property_table, published_columns

EXAMPLES = Path("examples")
FRAMES = training_runs.DATA / "w14_tungsten" / "w14.extxyz.xz"
PEERS = ("uf2", "uf23", "lj", "morse", "eam", "snap", "qsnap")
OURS = {
    "UF2": "tungsten-uf2",
    "UF2,3": "tungsten-uf23",
    "UF2,3 screened": "tungsten-uf23-screened",
    "screened, fast": "tungsten-screened",
    "screened, best": "tungsten-best",
}
"""Name in tables, and the example."""


def trained(folder: Path) -> dict[str, Path]:
    """Return the model files of the examples, trained where they are missing."""
    models = {}
    for name, example in OURS.items():
        models[name] = folder / example / "model.trimpot"
        if not models[name].exists():
            training_runs.train(EXAMPLES / f"{example}.yaml", folder / example)
    return models


def judge(folder: Path, *, melting: bool):
    """Return the judgement, and the seconds that this run took."""
    models = trained(folder) | {
        name: EXAMPLES / "peers" / "tungsten" / f"{name}.lammps.yaml" for name in PEERS
    }
    named = {str(name): path for name, path in models.items()}
    begun = time.perf_counter()
    found = trimpot.validate(
        named,
        suite="tungsten",
        long=melting,
        data=FRAMES,
        where={"uf3_train": 0},
        fit_e0=True,
        time=True,
        output=folder / "judged",
    )
    return found, time.perf_counter() - begun


def summary_table(judged) -> str:
    """Return errors and times of all models."""
    lines = []
    for model in judged.models:
        rows = {r.quantity: r for r in model.errors.rows if r.grouping == "all"}
        median, low, high = model.microseconds
        measured = judged.suite.measured[model.name]
        verdicts = [row.entries[model.name].verdict for row in judged.suite.rows]
        checks = "-" if model.checks is None else str(model.checks.counts["failed"])
        lines.append(
            [
                model.name,
                f"{rows['energy'].rmse:.2f}",
                f"{rows['forces'].rmse / 1e3:.4f}",
                f"{median:.3g} ({low:.3g} to {high:.3g})",
                checks,
                *(str(verdicts.count(kind)) for kind in ("within", "near", "off")),
                str(verdicts.count("failed")),
                f"{sum(m.seconds for m in measured.values()):.0f}",
            ]
        )
    for column in judged.suite.suite.published:
        if column.errors:
            energy, force = column.errors["energy"], column.errors["force"]
            name = f"{column.name}, published"
            lines.append([name, f"{energy:g}", f"{force:g}", *["-"] * 7])
    head = ["model", "energy, meV/atom", "forces, eV/A", "us/atom/step"]
    head += ["checks failed", "within", "near", "off", "failed", "properties, s"]
    return f"Errors on {judged.data}. Times: {judged.timed_on}.\n\n" + pages.table(
        head, lines
    )


def suite_tables(judged) -> str:
    """Return properties: measured, then published."""
    suite = judged.suite
    measured = property_table(suite, list(suite.measured), [])
    published = property_table(suite, [], published_columns(suite))
    parts = [f"Measured. {LEGEND}", markdown_table(measured), "Published."]
    return "\n\n".join([*parts, markdown_table(published)]) + "\n"


def failures_list(judged) -> str:
    """Return what failed, with the reason."""
    lines = [f"- {model}: {name}: {why}" for model, name, why in judged.suite.failures]
    return "Failed:\n\n" + "\n".join(lines) + "\n" if lines else ""


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("runs/bench/validation"))
    parser.add_argument("--melting", action="store_true", help="Melting as well.")
    parser.add_argument("--write-docs", action="store_true", help="Renew the page.")
    settings = parser.parse_args(argv)
    peers = training_runs.DATA.parent / "potentials" / "uf3_W"
    if not FRAMES.exists() or not peers.exists():
        print("skipped: no W-14 set, or no potentials of others")
        return 0
    found, seconds = judge(settings.output, melting=settings.melting)
    judged = found.judged
    took = f"This run took {seconds:.0f} s; what was kept before was not measured again.\n"
    parts = [pages.facts([]), took, summary_table(judged), suite_tables(judged)]
    text = "\n".join([*parts, failures_list(judged), *(f"- {n}" for n in found.notes)])
    pages.keep(
        settings.output, "validation", text, found.to_dict(), write_docs=settings.write_docs
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
