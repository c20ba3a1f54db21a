"""The triplet envelope beside other ways to keep fewer edges, at the same mean number.

    python bench/rivals.py [--output DIR] [--write-docs] [--only NAME ...]

One linear model for all, fitted to a few frames of tungsten; only the weights of edges
differ. Per scheme: errors on test frames, edges, bytes, time, energy at constant energy,
jumps where edges enter or leave, and what is left across a gap. Results of each scheme are
kept in DIR; --only measures some of them anew, the page shows all.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

import machine
import numpy as np
import pages
import torch
from pruning import materials, rival_page, trials
from pruning.counting import across, counts
from pruning.families import Family, families
from pruning.model import LinearModel
from pruning.schemes import Triplets

import trimpot

FRAMES = materials.DATA / "w14_tungsten" / "w14.extxyz.xz"
SUBSETS, PER_SUBSET, TEST, COUNTED = 3, 150, 300, 80
GAPS = (4.0, 4.5, 5.0)
SLAB_GAP = 4.5


def tungsten_frames():
    """Return training subsets and test frames, drawn from the published split."""
    frames = trimpot.read(FRAMES).frames
    rng = np.random.default_rng(0)
    training = [f for f in frames if f.info["uf3_train"] == 1]
    test = [f for f in frames if f.info["uf3_train"] != 1]
    chosen = rng.permutation(len(training))[: SUBSETS * PER_SUBSET]
    subsets = [
        [training[k] for k in chosen[s * PER_SUBSET : (s + 1) * PER_SUBSET]]
        for s in range(SUBSETS)
    ]
    return subsets, [test[k] for k in rng.permutation(len(test))[:TEST]]


def fitted(family: Family, target, subsets, test) -> tuple[dict, LinearModel]:
    """Return the errors of a scheme with as many edges as the target, and its first fit."""
    counted = [f.structure for f in subsets[0][:COUNTED]]
    parameter, scheme = family.at(target["W"], counted, (74,))
    found, coefficients = trials.errors(scheme, subsets, test)
    facts = {
        "name": family.name,
        "value": parameter,
        "parameter": family.shown.format(abs(parameter)),
        "counts": asdict(counts(scheme, [f.structure for f in test], (74,))),
        "errors": asdict(found),
    }
    return facts, LinearModel(scheme, torch.from_numpy(coefficients[0]))


def measured(family: Family, target, model: LinearModel, picoseconds: float) -> dict:
    """Return everything but errors, as plain numbers."""
    hot = trials.tungsten(6, noise=0.15)
    return {
        "hot_counts": asdict(counts(model.scheme, [hot], (74,))),
        "jumps": asdict(trials.jumps(model)),
        "run": asdict(trials.at_constant_energy(model, picoseconds)),
        "gap": interface(family, target["Cu"]),
    }


def interface(family: Family, target: float) -> dict:
    """Return edges and weights across gaps, matched anew on the slabs."""
    structure, _ = materials.slabs(SLAB_GAP)
    parameter, scheme = family.at(target, [structure], (29,))
    found = {"parameter": family.shown.format(abs(parameter))}
    found["edges"] = counts(scheme, [structure]).edges
    for gap in GAPS:
        edges, weight = across(scheme, *materials.slabs(gap))
        found[f"{gap:g}"] = {"edges": edges, "weight": weight}
    return found


def targets(c_min: float, subsets) -> dict[str, float]:
    """Return the mean number of edges of the triplet envelope."""
    counted = [f.structure for f in subsets[0][:COUNTED]]
    structure, _ = materials.slabs(SLAB_GAP)
    return {
        "W": counts(Triplets(c_min), counted, (74,)).edges,
        "Cu": counts(Triplets(c_min, elements=(29,)), [structure]).edges,
    }


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("runs/bench/rivals"))
    parser.add_argument("--only", nargs="+", help="Schemes whose name has one of these.")
    parser.add_argument(
        "--c-min",
        type=float,
        nargs="+",
        default=[0.3, 0.9],
        help="Number of edges: of this triplet envelope; after the first errors only.",
    )
    parser.add_argument("--picoseconds", type=float, default=5.0)
    parser.add_argument("--write-docs", action="store_true", help="Renew the page.")
    return parser.parse_args(argv)


def measure(options, subsets, test) -> None:
    """Measure the schemes asked for, and keep each in a file of its own."""
    for at, c_min in enumerate(options.c_min):
        target = targets(c_min, subsets)
        for family in families(c_min)[at > 0 :]:
            if options.only and not any(word in family.name for word in options.only):
                continue
            print(f"{family.name}, {c_min:g} ...", file=sys.stderr, flush=True)
            found, model = fitted(family, target, subsets, test)
            if at == 0:
                found |= measured(family, target, model, options.picoseconds)
            kept_in(options.output, family, c_min).write_text(json.dumps(found) + "\n")


def kept_in(folder: Path, family: Family, c_min: float) -> Path:
    """Return the file of a scheme."""
    return folder / f"{family.name} {c_min:g}.json"


def gather(options) -> list[list[dict]]:
    """Return what is known of all schemes, per C_min; the unpruned one is in the first."""
    found = [
        [
            json.loads(path.read_text())
            for family in families(c_min)[at > 0 :]
            if (path := kept_in(options.output, family, c_min)).exists()
        ]
        for at, c_min in enumerate(options.c_min)
    ]
    return [at for at in found if at]


def timed(results, c_min: float) -> None:
    """Add the cost of every scheme, all measured by turns."""
    by_name = {family.name: family for family in families(c_min)}
    schemes = [by_name[r["name"]].make(r["value"], (74,)) for r in results]
    for r, found in zip(results, trials.costs(schemes), strict=True):
        r["cost"] = asdict(found)


def main(argv=None) -> int:
    options = parse(argv)
    if not FRAMES.exists():
        print("skipped: no ../shared/data/w14_tungsten/w14.extxyz.xz")
        return 0
    torch.set_num_threads(1)
    options.output.mkdir(parents=True, exist_ok=True)
    subsets, test = tungsten_frames()
    with machine.Neighbours() as watch:
        measure(options, subsets, test)
        results = gather(options)
        timed(results[0], options.c_min[0])
    facts = pages.facts([watch]) + (
        f"- {SUBSETS} subsets of {PER_SUBSET} training frames, {len(test)} test frames\n"
        f"- edges matched on {COUNTED} training frames to C_min "
        f"{' and '.join(f'{c:g}' for c in options.c_min)}\n"
    )
    figures = rival_page.figures(results)
    pages.keep_figures(options.output, figures, write_docs=options.write_docs)
    text = rival_page.text(facts, results)
    record = [rival_page.brief(at) for at in results]
    pages.keep(options.output, "rivals", text, record, write_docs=False)
    if options.write_docs:
        pages.replace(pages.PAGES / "envelopes.md", "rivals", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
