"""Trains the tungsten examples and refits them, as a user would, beside published errors.

    python bench/tungsten.py [--output DIR] [--write-docs]

Needs the W-14 set (examples/tungsten-uf2.yaml says where). Every choice is made on the
published training frames; errors are those on the 7,753 test frames.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import pages
import training_runs
from training_runs import Training, Usage

EXAMPLES = Path("examples")
FRAMES = training_runs.DATA / "w14_tungsten" / "w14.extxyz.xz"
OTHER_STRENGTHS = ("fit.kappa=[0.8]", "fit.ridge=[1e-9]", "fit.curvature=[1e-8]")
IN_PYTHON = """
import sys, time
import trimpot.verbs
start = time.perf_counter()
trimpot.verbs.refit(sys.argv[1], [*sys.argv[2:], "figures=false"])
print("seconds", time.perf_counter() - start, file=sys.stderr)
"""


@dataclass(frozen=True)
class Peer:
    """Published errors (meV/atom, eV/A) or a target of this project."""

    name: str
    energy: str
    forces: str


MODELS = {
    "UF2": [
        Peer("UF2, published", "26.6", "0.387"),
        Peer("target", "<= 19.8", "<= 0.330"),
    ],
    "UF2,3": [
        Peer("UF2,3 to 4.25 A, published (915 coefficients)", "6.34", "0.176"),
        Peer("UF2,3 to 5.5 A, published (888 coefficients)", "5.1", "0.152"),
        Peer(
            "target, to 4.25 A, at most 1,300 coefficients",
            "<= 5.8, aim 5.4",
            "<= 0.140, aim 0.133",
        ),
    ],
    "UF2 + densities": [
        Peer("SNAP, published", "14.2", "0.189"),
        Peer("qSNAP, published", "9.9", "0.167"),
        Peer("target, at most 250 coefficients", "<= 10", "<= 0.225"),
    ],
    "UF2 + densities, screened channel": [
        Peer("target", "<= 9.4", "<= 0.210"),
    ],
    "screened, fast": [
        Peer("target, at most 2 us/atom/step", "<= 4.6", "<= 0.121"),
    ],
    "screened, best": [
        Peer("GAP, published", "6.2", "0.169"),
        Peer("MTP, published", "17", "0.146"),
        Peer("target", "<= 4.0, aim 3.3", "<= 0.106, aim 0.090"),
    ],
}
EXAMPLE_OF = {
    "UF2": "tungsten-uf2.yaml",
    "UF2,3": "tungsten-uf23.yaml",
    "UF2 + densities": "tungsten-density.yaml",
    "UF2 + densities, screened channel": "tungsten-density-screened.yaml",
    "screened, fast": "tungsten-screened.yaml",
    "screened, best": "tungsten-best.yaml",
}


@dataclass(frozen=True)
class Refit:
    """A fit with other strengths from the Gram blocks that training left.

    Attributes
    ----------
    usage : Usage
        Of the whole command ``trimpot train CONFIG --refit``, figures and pages included.
    solve_seconds : float
        The part of that command from the blocks in memory to the solution.
    verb_seconds : float
        ``trimpot.verbs.refit`` in a Python that is already up, without figures: blocks
        read, equations solved, model and tables written.
    """

    usage: Usage
    solve_seconds: float
    verb_seconds: float


@dataclass(frozen=True)
class Row:
    name: str
    training: Training
    refit: Refit


def measure(name: str, example: str, folder: Path) -> Row:
    """Train once, then refit twice with one other choice of strengths."""
    config = EXAMPLES / example
    training = training_runs.train(config, folder)
    settings = [word for pair in OTHER_STRENGTHS for word in ("--set", pair)]
    again = training_runs.train(config, folder, "--refit", *settings)
    overrides = [f"output={folder}", *OTHER_STRENGTHS]
    _, messages = training_runs.run(
        [sys.executable, "-c", IN_PYTHON, str(config), *overrides]
    )
    seconds = next(float(t.split()[1]) for _, t in messages if t.startswith("seconds"))
    return Row(name, training, Refit(again.usage, again.solve_seconds, seconds))


def errors_table(rows) -> str:
    """Return errors beside those that were published."""
    lines = []
    for row in rows:
        lines += [[p.name, "-", p.energy, p.forces, "-"] for p in MODELS[row.name]]
        t = row.training
        numbers = [
            f"{t.error('energy'):.2f}",
            f"{t.error('forces') / 1e3:.4f}",
            f"{t.error('stress'):.3f}",
        ]
        name = f"**{row.name}, Trimpot**"
        lines.append([name, str(t.n_coefficients), *(f"**{n}**" for n in numbers)])
    head = ["model", "coefficients", "energy, meV/atom", "forces, eV/A", "stress, GPa"]
    return "RMSE on the test frames\n\n" + pages.table(head, lines)


def groups_table(row) -> str:
    """Return errors per group of frames."""
    test = row.training.errors["test"]["rows"]
    names = [r["group"] for r in test if r["grouping"] == "config_type"]
    lines = []
    for group in dict.fromkeys(names):
        values = [
            f"{row.training.error(quantity, group=group):.{digits}f}"
            for quantity, digits in (("energy", 2), ("forces", 0), ("stress", 3))
        ]
        lines.append([group, *(v.replace("nan", "-") for v in values)])
    head = ["group", "energy, meV/atom", "forces, meV/A", "stress, GPa"]
    return f"{row.name}, RMSE per group of test frames\n\n" + pages.table(head, lines)


def cost_table(rows) -> str:
    """Return seconds and memory."""
    lines = []
    for row in rows:
        t, u = row.training, row.training.usage
        lines.append(
            [
                row.name,
                str(t.choices),
                training_runs.shown_strengths(t),
                f"{t.fit_seconds:.1f}",
                f"{u.wall:.1f}",
                f"{u.cpu:.1f}",
                f"{u.peak_gb:.2f}",
                f"{row.refit.solve_seconds:.2f}",
                f"{row.refit.verb_seconds:.2f}",
                f"{row.refit.usage.wall:.1f}",
            ]
        )
    head = [
        "model",
        "choices compared",
        "kappa / ridge / curvature",
        "fit, s",
        "whole command, s",
        "CPU, s",
        "peak, GB",
        "refit, solve, s",
        "refit in Python, s",
        "refit command, s",
    ]
    lines.append(["UF2,3, published", *["-"] * 4, "1200", "6", *["-"] * 3])
    target = ["target, UF2,3", ">= 100", "-", "<= 20", "-", "-", "<= 0.6"]
    lines.append([*target, "-", "<= 1", "-"])
    return pages.table(head, lines)


def readme_table(rows) -> str:
    """Return the short table of the README."""
    ours = {
        row.name: [
            f"**{row.training.error('energy'):.1f}**",
            f"**{row.training.error('forces') / 1e3:.3f}**",
            f"**{row.training.error('stress'):.2f}**",
        ]
        for row in rows
    }
    published = "UF2,3 to 4.25 Å, published file [1], re-measured on these frames"
    lines = [
        ["UF2, published [1]", "26.6", "0.387", "-"],
        ["UF2, Trimpot", *ours["UF2"]],
        [published, "6.35", "0.176", "-"],
        ["UF2,3 to 4.25 Å, Trimpot", *ours["UF2,3"]],
        ["UF2,3 to 5.5 Å, published [1]", "5.1", "0.152", "-"],
        ["UF2 + densities, Trimpot", *ours["UF2 + densities"]],
        ["the same + screened pairs, Trimpot", *ours["UF2 + densities, screened channel"]],
        ["screened triplets + densities, fast", *ours["screened, fast"]],
        ["screened triplets + densities, best", *ours["screened, best"]],
    ]
    head = ["RMSE on the test frames", "energy, meV/atom", "forces, eV/Å", "stress, GPa"]
    return pages.table(head, lines)


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("runs/bench/tungsten"))
    parser.add_argument("--write-docs", action="store_true", help="Renew page and README.")
    settings = parser.parse_args(argv)
    if not FRAMES.exists():
        print("skipped: no ../shared/data/w14_tungsten/w14.extxyz.xz")
        return 0
    rows = [
        measure(name, example, settings.output / example.removesuffix(".yaml"))
        for name, example in EXAMPLE_OF.items()
    ]
    usages = [u for row in rows for u in (row.training.usage, row.refit.usage)]
    parts = [pages.facts(usages), errors_table(rows), cost_table(rows)]
    text = "\n".join([*parts, groups_table(rows[-1])])
    record = [asdict(row) for row in rows]
    pages.keep(settings.output, "tungsten", text, record, write_docs=settings.write_docs)
    if settings.write_docs:
        pages.replace(pages.ROOT / "README.md", "tungsten", readme_table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
