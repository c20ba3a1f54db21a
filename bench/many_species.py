"""Ge-Te and MoNbTaW with default settings: what two and four species cost, and how good.

    python bench/many_species.py [--output DIR] [--write-docs] [gete] [monbtaw]

Multinary_Test of MoNbTaW is shown apart: hot alloys of four elements, which the training
frames (elements and binary alloys) do not cover.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import pages
import training_runs

FRAMES = training_runs.DATA
SEED = 0


@dataclass(frozen=True)
class Case:
    """One data set: its title, its data section, and groups shown apart."""

    title: str
    data: str
    apart: tuple[str, ...] = ()


CASES = {
    "gete": Case(
        "Ge-Te",
        f"  path: {FRAMES / 'gete_deepmd' / 'GeTe_random1500.extxyz.xz'}\n"
        f"  split: {{kind: random, test_fraction: 0.1, seed: {SEED}}}\n",
    ),
    "monbtaw": Case(
        "MoNbTaW",
        f"  path: {FRAMES / 'monbtaw' / 'train.extxyz.xz'}\n"
        f"  test: {FRAMES / 'monbtaw' / 'test.extxyz.xz'}\n",
        ("Multinary_Test",),
    ),
}
MOST_GROUPS = 15
"""More groups than this are not listed one by one."""

TARGETS = {"gete": ("<= 600", "<= 6"), "monbtaw": ("-", "<= 8")}
"""Seconds of the whole command and GB."""


def measure(case: Case, folder: Path) -> training_runs.Training:
    """Train with default settings."""
    config = training_runs.write_config(folder, f"data:\n{case.data}")
    return training_runs.train(config, folder)


def groups_of(training) -> dict[str, int]:
    """Return the number of test frames by config_type."""
    rows = training.errors["test"]["rows"]
    return {
        row["group"]: row["frames"]
        for row in rows
        if row["grouping"] == "config_type" and row["quantity"] == "energy"
    }


def without(training, quantity: str, apart) -> float:
    """Return the RMSE on the test frames without some groups."""
    rows = [
        row
        for row in training.errors["test"]["rows"]
        if (row["grouping"], row["quantity"]) == ("config_type", quantity)
        and row["group"] not in apart
    ]
    total = sum(row["values"] * row["rmse"] ** 2 for row in rows)
    weight = sum(row["values"] for row in rows)
    return (total / weight) ** 0.5 if weight else float("nan")


def errors_table(case: Case, training) -> str:
    """Return errors per group; those of groups apart come last."""
    quantities = (("energy", 2), ("forces", 1), ("stress", 3))
    groups = groups_of(training)
    rest = {g: n for g, n in groups.items() if g not in case.apart}
    overall = [
        f"{without(training, quantity, case.apart):.{digits}f}"
        for quantity, digits in quantities
    ]
    name = f"all but {', '.join(case.apart)}" if case.apart else "all"
    lines = [[f"**{name}**", str(sum(rest.values())), *overall]]
    listed = rest if 1 < len(rest) <= MOST_GROUPS else ()
    for group in (*listed, *case.apart):
        name = f"{group} (extrapolation)" if group in case.apart else group
        values = [
            f"{training.error(quantity, group=group):.{digits}f}"
            for quantity, digits in quantities
        ]
        lines.append([name, str(groups[group]), *values])
    lines = [[cell.replace("nan", "-") for cell in line] for line in lines]
    head = ["test frames", "number", "energy, meV/atom", "forces, meV/A", "stress, GPa"]
    title = f"{case.title}, RMSE"
    if len(rest) > MOST_GROUPS:
        title += f"; its {len(rest)} groups are numbered folders, listed in errors.json"
    return f"{title}\n\n" + pages.table(head, lines)


def cost_table(results) -> str:
    """Return coefficients, seconds and memory beside the targets."""
    lines = []
    for name, t in results.items():
        frames = t.errors["train"]["frames"]
        seconds, memory = TARGETS[name]
        lines.append(
            [
                CASES[name].title,
                str(frames),
                str(t.n_coefficients),
                training_runs.shown_strengths(t),
                f"{t.fit_seconds:.0f}",
                f"{t.usage.wall:.0f} ({seconds})",
                f"{t.usage.cpu:.0f}",
                f"{t.usage.peak_gb:.2f} ({memory})",
            ]
        )
    head = [
        "set",
        "training frames",
        "coefficients",
        "kappa / ridge / curvature",
        "fit, s",
        "whole command, s (target)",
        "CPU, s",
        "peak, GB (target)",
    ]
    return pages.table(head, lines)


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", metavar="SET", default=list(CASES))
    parser.add_argument("--output", type=Path, default=Path("runs/bench/many_species"))
    parser.add_argument(
        "--write-docs", action="store_true", help="Renew the page; needs both sets."
    )
    settings = parser.parse_args(argv)
    unknown = set(settings.sets) - set(CASES)
    if unknown or (settings.write_docs and set(settings.sets) != set(CASES)):
        parser.error(f"sets are {', '.join(CASES)}; --write-docs needs all of them")
    if not all((FRAMES / name).exists() for name in ("gete_deepmd", "monbtaw")):
        print("skipped: no ../shared/data/gete_deepmd and monbtaw")
        return 0
    results = {name: measure(CASES[name], settings.output / name) for name in settings.sets}
    parts = [pages.facts([t.usage for t in results.values()]), cost_table(results)]
    parts += [errors_table(CASES[name], t) for name, t in results.items()]
    record = {name: asdict(t) for name, t in results.items()}
    text = "\n".join(parts)
    pages.keep(
        settings.output, "many-species", text, record, write_docs=settings.write_docs
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
