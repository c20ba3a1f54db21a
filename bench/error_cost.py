"""Figure of error against cost, from the table of equal training time in networks.md.

python bench/error_cost.py [--output DIR] [--write-docs]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pages

HEADING = "## Equal training time"
ERROR, COST = 3, 5
"""Columns: force MAE on ethanol, meV/A; microseconds per atom of a force call on water."""


BESIDE = {
    "NequIP l_max 2": ((8, -3), "left"),
    "NequIP l_max 1": ((-8, 0), "right"),
    "MACE 64x0e": ((-8, -6), "right"),
}
"""Where names stand that would run into others; all the rest above their points."""


def rows(text: str) -> list[tuple[str, float, float]]:
    """Return name, cost and error of each network of the page."""
    section = text.split(HEADING)[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")][2:]
    cells = [[cell.strip(" *") for cell in line.strip("| ").split("|")] for line in lines]
    return [(c[0], float(c[COST].replace(",", "")), float(c[ERROR])) for c in cells]


def figure(found: list[tuple[str, float, float]]):
    """Return the figure."""
    with pages.house_style():
        fig, ax = plt.subplots(figsize=(5.2, 3.4))
        for name, cost, error in found:
            own = name.startswith("MLANet")
            ax.scatter(cost, error, s=40, color="C1" if own else "C0", zorder=3)
            offset, side = BESIDE.get(name, ((0, 7), "center"))
            ax.annotate(name, (cost, error), offset, textcoords="offset points", ha=side)
        ax.set(
            xscale="log",
            yscale="log",
            xlabel="force call on one core, water at 6 Å, µs/atom",
            ylabel="force MAE on ethanol, meV/Å",
            xlim=(25, 300_000),
            ylim=(6, 80),
        )
        ax.minorticks_off()
        ax.set_yticks([10, 20, 40, 80], labels=["10", "20", "40", "80"])
        fig.set_layout_engine("constrained")
    return fig


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("runs/bench/error_cost"))
    parser.add_argument("--write-docs", action="store_true", help="Renew the figure.")
    chosen = parser.parse_args(argv)
    found = rows((pages.PAGES / "networks.md").read_text())
    chosen.output.mkdir(parents=True, exist_ok=True)
    pages.keep_figures(
        chosen.output, {"error_cost": figure(found)}, write_docs=chosen.write_docs
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
