"""Judges tungsten's splines and potentials of others with one suite, in one run.

    python bench/validation.py [--output DIR] [--melting] [--write-docs]

Trains five examples, then measures the properties of the suite, errors on the 7,753 test
frames and times of all models side by side, as ``trimpot validate`` does; then checks and
stress tests of our models and of the published UF2,3, read from its file. With --melting
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
from trimpot.reports.validation.lines import line_styles
from trimpot.reports.validation.pareto import pareto_pictures
from trimpot.validation.checks import FAMILIES
from trimpot.validation.suites import load_suite

EXAMPLES = Path("examples")
FRAMES = training_runs.DATA / "w14_tungsten" / "w14.extxyz.xz"
PEERS = {
    "UF2, their table": "uf2",
    "UF2,3, their file": "uf23",
    "LJ": "lj",
    "Morse": "morse",
    "EAM": "eam",
    "SNAP": "snap",
    "qSNAP": "qsnap",
}
"""Name in tables, and the file in examples/peers/tungsten."""

STRESS = ("heating", "compression", "hot_gas", "long_nvt", "dimers")
"""Properties that only models of our engine are asked for: a step of a pair style takes
10 ms when it is driven from outside."""

LONG = ("melting",)

UF3 = training_runs.DATA.parent / "potentials" / "uf3_W"
OURS = {
    "UF2,3": "tungsten-uf23",
    "UF2,3 screened": "tungsten-uf23-screened",
    "screened, fast": "tungsten-screened",
    "screened, best": "tungsten-best",
    "UF2": "tungsten-uf2",
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
        name: EXAMPLES / "peers" / "tungsten" / f"{file}.lammps.yaml"
        for name, file in PEERS.items()
    }
    named = {str(name): path for name, path in models.items()}
    left_out = STRESS if melting else (*STRESS, *LONG)
    begun = time.perf_counter()
    found = trimpot.validate(
        named,
        suite="tungsten",
        only=[p for p in load_suite("tungsten").properties if p not in left_out],
        data=FRAMES,
        where={"uf3_train": 0},
        fit_e0=True,
        time=True,
        output=folder / "judged",
    )
    return found, time.perf_counter() - begun


def judge_stress(folder: Path):
    """Return checks and stress tests of our models and of the published UF2,3."""
    return trimpot.validate(
        {**trained(folder), "UF2,3, their file": UF3 / "W.uf3"},
        suite="tungsten",
        only=[*(family.title for family in FAMILIES), *STRESS],
        output=folder / "stress",
    )


def stress_table(judged) -> str:
    """Return checks and stress tests, a row per model."""
    lines = []
    for model in judged.models:
        counts = model.checks.counts
        checks = f"{counts['passed']} passed, {counts['failed']} failed"
        row = [model.name, checks, f"{counts['advice']}"]
        for name in STRESS:
            values = judged.suite.measured[model.name][name].outcome.values
            if name == "dimers":
                row.append(f"{values['W-W_hole'].value:.2f}")
            else:
                runs, stable = values["runs"].value, values["stable_runs"].value
                beyond = values.get("extrapolated")
                told = "" if beyond is None else f" ({beyond.value:.0%})"
                row.append(f"{stable:.0f} of {runs:.0f}{told}")
        lines.append(row)
    head = ["model", "checks", "advice", "heating", "compression", "hot gas", "long NVT"]
    return pages.table([*head, "hole of the dimer, A"], lines)


def summary_table(judged) -> str:
    """Return errors and times of all models."""
    lines = []
    for model in judged.models:
        rows = {r.quantity: r for r in model.errors.rows if r.grouping == "all"}
        median, low, high = model.microseconds
        measured = judged.suite.measured[model.name]
        verdicts = [row.entries[model.name].verdict for row in judged.suite.rows]
        lines.append(
            [
                model.name,
                f"{rows['energy'].rmse:.2f}",
                f"{rows['forces'].rmse / 1e3:.4f}",
                f"{median:.3g} ({low:.3g} to {high:.3g})",
                *(str(verdicts.count(kind)) for kind in ("within", "near", "off")),
                str(verdicts.count("failed")),
                f"{sum(m.seconds for m in measured.values()):.0f}",
            ]
        )
    for column in judged.suite.suite.published:
        if column.errors:
            energy, force = column.errors["energy"], column.errors["force"]
            name = f"{column.name}, published"
            lines.append([name, f"{energy:g}", f"{force:g}", *["-"] * 6])
    head = ["model", "energy, meV/atom", "forces, eV/A", "us/atom/step"]
    head += ["within", "near", "off", "failed", "properties, s"]
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


def figures(judged):
    """Return the figure of errors over cost, as on the page of a report."""
    styles = line_styles([model.name for model in judged.models])
    energy, forces, *_ = pareto_pictures(judged, styles)
    return {
        "validation-energy-cost": energy.figure,
        "validation-force-cost": forces.figure,
    }


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("runs/bench/validation"))
    parser.add_argument("--melting", action="store_true", help="Melting as well.")
    parser.add_argument("--write-docs", action="store_true", help="Renew the page.")
    settings = parser.parse_args(argv)
    if not FRAMES.exists() or not UF3.exists():
        print("skipped: no W-14 set, or no potentials of others")
        return 0
    found, seconds = judge(settings.output, melting=settings.melting)
    judged = found.judged
    took = f"This run took {seconds:.0f} s; what was kept before was not measured again.\n"
    parts = [pages.facts([]), took, summary_table(judged), suite_tables(judged)]
    parts.append(stress_table(judge_stress(settings.output).judged))
    text = "\n".join([*parts, failures_list(judged), *(f"- {n}" for n in found.notes)])
    pages.keep_figures(settings.output, figures(judged), write_docs=settings.write_docs)
    pages.keep(
        settings.output, "validation", text, found.to_dict(), write_docs=settings.write_docs
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
