"""Edges, triplets and bytes that the triplet envelope leaves of many materials.

    python bench/edges.py [--output DIR] [--write-docs]

Crystals and water made here, and real frames where ../shared/data is present; then the
interface test: edges across a gap between two copper slabs.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pages
import torch
from pruning import materials
from pruning.counting import (
    EDGE_BYTES,
    PARTNER_BYTES,
    TRIPLET_BYTES,
    across,
    counts,
    elements_of,
)
from pruning.edge_figures import counts_figure, neighbours_figure
from pruning.schemes import HardNearest, Radial, Triplets

CUTOFFS = (5.0, 6.0, 8.0)
LIMITS = (0.1, 0.3, 0.5, 1.0, 2.0)
SHOWN = 6.0
TRIPLET_CUTOFF, TRIPLET_LIMIT, TRIPLET_TARGET = 6.0, 0.3, 4.0
TRIPLET_MATERIALS = ("Cu fcc", "diamond", "liquid water")
GAPS = (4.0, 4.5, 5.0)


def measure(material) -> dict:
    """Return counts by cutoff and C_min."""
    elements = elements_of(material.structures)
    chosen = {"elements": elements, "never_screen": material.never_screen}
    found = {}
    for cutoff in CUTOFFS:
        schemes = {"radial": Radial(cutoff)}
        schemes |= {c: Triplets(c, longest=cutoff, **chosen) for c in LIMITS}
        found[cutoff] = {
            key: counts(scheme, material.structures, elements)
            for key, scheme in schemes.items()
        }
    return found


def counts_table(results) -> str:
    """Return edges and weights of all materials at one cutoff."""
    head = ["", "all edges", *(f"C_min {c:g}" for c in LIMITS)]
    keys = ["radial", *LIMITS]
    lines = [
        [
            name,
            *(f"{found[SHOWN][k].edges:.1f} ({found[SHOWN][k].weight:.1f})" for k in keys),
        ]
        for name, found in results.items()
    ]
    title = f"Edges per atom with S > 0 at {SHOWN:g} Å; in brackets the sum of weights\n\n"
    return title + pages.table(head, lines)


def summary_table(results) -> str:
    """Return how many times fewer edges are left, and how uneven materials are.

    ``results`` are those of materials in which all atoms screen.
    """
    head = ["cutoff", "", "all edges", *(f"C_min {c:g}" for c in LIMITS)]
    keys = ["radial", *LIMITS]
    lines = []
    for cutoff in CUTOFFS:
        edges = np.array([[f[cutoff][k].edges for k in keys] for f in results])
        fewer = np.exp(np.log(edges[:, :1] / edges).mean(0))
        uneven = edges.max(0) / edges.min(0)
        lines.append([f"{cutoff:g} Å", "times fewer edges", *(f"{v:.2f}" for v in fewer)])
        lines.append(["", "most over fewest", *(f"{v:.1f}" for v in uneven)])
    return (
        "All materials: geometric mean of the reduction, and the edges of the material "
        "that has most over those of the one that has fewest\n\n" + pages.table(head, lines)
    )


def triplets_table(results) -> str:
    """Return stored triplets and bytes, screened and not."""
    lines = []
    for name in TRIPLET_MATERIALS:
        plain = results[name][TRIPLET_CUTOFF]["radial"]
        screened = results[name][TRIPLET_CUTOFF][TRIPLET_LIMIT]
        ratio = plain.triplets / screened.triplets
        lines.append(
            [
                name,
                f"{plain.triplets:,.0f}",
                f"{screened.triplets:,.0f}",
                f"**{ratio:.1f}**",
                "met" if ratio >= TRIPLET_TARGET else "**missed**",
                f"{(plain.edge_bytes + plain.triplet_bytes) / 1024:.1f}",
                f"{(screened.edge_bytes + screened.triplet_bytes) / 1024:.1f}",
                f"{screened.partners:.0f}",
            ]
        )
    head = [
        "",
        "triplets per atom",
        "screened",
        "times fewer",
        f"target {TRIPLET_TARGET:g}",
        "KiB per atom",
        "screened",
        "(i, j, k) with C_min < C < C_max",
    ]
    return (
        f"Stored triplets at {TRIPLET_CUTOFF:g} Å, C_min {TRIPLET_LIMIT:g}\n\n"
        + pages.table(head, lines)
    )


def interface_schemes() -> dict:
    """Return what is compared across the gap."""
    copper = (29,)
    return {
        "all within 6 Å": Radial(6.0),
        "20 nearest": HardNearest(20),
        "12 nearest": HardNearest(12),
        "triplet envelope (0.3, 1.1)": Triplets(0.3, elements=copper),
        "triplet envelope (0.5, 2)": Triplets(0.5, width=1.5, elements=copper),
    }


def interface() -> list[dict]:
    """Return edges and weights across each gap, by scheme."""
    found = []
    for name, scheme in interface_schemes().items():
        row = {"scheme": name}
        for gap in GAPS:
            structure, upper = materials.slabs(gap)
            edges, weight = across(scheme, structure, upper)
            row[f"{gap:g}"] = {"edges": edges, "weight": weight}
        row["per atom"] = counts(scheme, [structure]).edges
        found.append(row)
    return found


def interface_table(rows) -> str:
    """Return edges across the gap per surface atom."""
    head = ["", "edges per atom", *(f"gap {gap:g} Å" for gap in GAPS)]
    lines = [
        [
            row["scheme"],
            f"{row['per atom']:.1f}",
            *(
                f"{row[f'{gap:g}']['edges']:.1f} ({row[f'{gap:g}']['weight']:.2f})"
                for gap in GAPS
            ),
        ]
        for row in rows
    ]
    return (
        "Two Cu(111) slabs: edges across the gap per atom of the facing layers; in "
        "brackets the sum of their weights\n\n" + pages.table(head, lines)
    )


def pictured(found) -> list:
    """Return the pictures of neighbours: title, structure, atom, view, sizes."""
    rough = np.array([[1.0, 0.32, 0.25], [-0.2, 0.25, 1.0], [0.3, -1.0, 0.3]])
    axes, lengths = np.linalg.qr(rough.T)
    axes = (axes * np.sign(np.diag(lengths))).T
    cases = []
    for title, name, sizes in (
        ("Cu", "Cu fcc", {}),
        ("diamond", "diamond", {6: 42.0}),
        ("water, from an O", "liquid water", {1: 22.0, 8: 60.0}),
    ):
        structure = found[name].structures[0]
        middle = structure.positions - structure.positions.mean(0)
        heavy = structure.numbers == structure.numbers.max()
        atom = int(np.argmin(np.where(heavy, np.linalg.norm(middle, axis=1), np.inf)))
        cases.append((title, structure, atom, axes, sizes))
    return cases


def shown(results, gaps, reasons) -> str:
    """Return the text of the page."""
    facts = pages.facts([])
    facts += (
        f"- C_max = C_min + 0.8; crystals with {materials.NOISE:g} Å of noise per axis\n"
    )
    facts += (
        f"- bytes: {EDGE_BYTES} per edge (3 indices, vector, length, weight), "
        f"{TRIPLET_BYTES} per triplet (2 indices, cosine), {PARTNER_BYTES} per (i, j, k) "
        "that screens in part\n"
    )
    facts += "".join(f"- {reason}\n" for reason in reasons)
    figures = "![Edges per atom](figures/edges.png)\n\n"
    figures += "![Neighbours that survive](figures/neighbours.png)\n"
    usual = [f for name, f in results.items() if "never" not in name]
    parts = [counts_table(results), summary_table(usual), figures]
    return "\n".join([facts, *parts, triplets_table(results), interface_table(gaps)])


def plain(found) -> dict:
    """Return counts for JSON."""
    return {
        f"{cutoff:g}": {str(key): asdict(value) for key, value in row.items()}
        for cutoff, row in found.items()
    }


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("runs/bench/edges"))
    parser.add_argument("--write-docs", action="store_true", help="Renew the page.")
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    real, reasons = materials.from_data()
    found = [*materials.made_here(), *real]
    results = {material.name: measure(material) for material in found}
    gaps = interface()
    by_name = {material.name: material for material in found}
    figures = {
        "edges": counts_figure(results, CUTOFFS, LIMITS),
        "neighbours": neighbours_figure(
            pictured(by_name),
            lambda elements: Triplets(TRIPLET_LIMIT, elements=elements),
            lambda _: Radial(TRIPLET_CUTOFF),
        ),
    }
    pages.keep_figures(options.output, figures, write_docs=options.write_docs)
    record = {
        "edges": {name: plain(found) for name, found in results.items()},
        "interface": gaps,
    }
    text = shown(results, gaps, reasons)
    pages.keep(options.output, "edges", text, record, write_docs=False)
    if options.write_docs:
        pages.replace(pages.PAGES / "envelopes.md", "edges", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
