"""Trained potentials far from their data: crystals, dimers, trimers, squeezed frames.

    python bench/safety.py [--output DIR] [--write-docs]

Trains the tungsten examples with densities and screened triplets, and the screened setting
of mlearn for Cu, Ni, Mo and Si; a folder that holds a model of the same configuration is
used as it is (remove it after a change of the code).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path

import mlearn
import numpy as np
import pages
import safety_figures
import training_runs
from safety_scans import Findings, checks, scan_all

import trimpot
from trimpot.config import load_config, to_yaml

TUNGSTEN = training_runs.DATA / "w14_tungsten" / "w14.extxyz.xz"
EXAMPLES = {
    "densities": "tungsten-density",
    "+ screened pairs": "tungsten-density-screened",
    "screened, fast": "tungsten-screened",
    "screened, best": "tungsten-best",
}
MLEARN = "Trimpot, screened triplets + densities"
OVERRIDE = "figures=false"

GROUND = {
    "W": ("bcc", 2.75),
    "Cu": ("fcc", 2.56),
    "Ni": ("fcc", 2.49),
    "Mo": ("bcc", 2.74),
    "Si": ("diamond", 2.37),
}
"""Crystal of the ground state; its distance of nearest neighbours, about, angstrom."""

LATTICE_CONSTANT = {"bcc": 2 / 3**0.5, "fcc": 2**0.5, "diamond": 4 / 3**0.5}
"""Over the distance of nearest neighbours."""

FRAMES = 20
"""Frames to squeeze, spread over the groups of the test frames."""


@dataclass(frozen=True)
class Subject:
    """A trained potential with what was found about it.

    Attributes
    ----------
    element, model : str
    energy, forces : float
        RMSE on the test frames, meV/atom and meV/A.
    found : Findings
    """

    element: str
    model: str
    energy: float
    forces: float
    found: Findings

    @property
    def name(self) -> str:
        return f"{self.element}, {self.model}"


def configurations(folder: Path):
    """Yield element, name of the model, configuration and folder of each training."""
    if TUNGSTEN.exists():
        for model, example in EXAMPLES.items():
            yield "W", model, Path("examples") / f"{example}.yaml", folder / example
    if mlearn.FRAMES.exists():
        for element in mlearn.TRAINING:
            place = folder / element
            config = mlearn.write_config(element, mlearn.SETTINGS[MLEARN], place)
            yield element, "screened", config, place


def trained(config: Path, folder: Path):
    """Return the potential and its RMSE of energies and forces on the test frames."""
    wanted = to_yaml(load_config(config, [f"output={folder}", OVERRIDE]))
    kept, model = folder / "config.yaml", folder / "model.trimpot"
    if not (model.is_file() and kept.is_file() and kept.read_text() == wanted):
        training_runs.train(config, folder, "--set", OVERRIDE)
    rows = json.loads((folder / "errors.json").read_text())["test"]["rows"]
    errors = {r["quantity"]: r["rmse"] for r in rows if r["grouping"] == "all"}
    return trimpot.load(model), errors["energy"], errors["forces"]


def drawn_frames(element: str):
    """Return some test frames by name, of all groups in turn."""
    frames = test_frames(element)
    members = defaultdict(list)
    for number in np.random.default_rng(0).permutation(len(frames)).tolist():
        members[frames[number].config_type].append(number)
    turns = chain.from_iterable(zip_longest(*(members[g] for g in sorted(members))))
    chosen = [number for number in turns if number is not None][:FRAMES]
    return {f"{frames[n].config_type} {n}": frames[n] for n in chosen}


def test_frames(element: str):
    """Return the test frames of an element."""
    if element == "W":
        frames = trimpot.read(TUNGSTEN).frames
        return [f for f in frames if not f.info["uf3_train"]]
    return trimpot.read(mlearn.FRAMES / f"{element}_test.extxyz.xz").frames


def subjects(folder: Path) -> list[Subject]:
    """Train what is not there, and scan."""
    found = []
    for element, model, config, place in configurations(folder):
        potential, energy, forces = trained(config, place)
        scans = scan_all(potential, *GROUND[element], drawn_frames(element))
        found.append(Subject(element, model, energy, forces, scans))
    return found


def verdict_table(results) -> str:
    """Return per criterion and model what was found; failures in bold."""
    columns = {subject.name: checks(subject.found) for subject in results}
    lines = []
    for criterion, one in next(iter(columns.values())).items():
        found = [column[criterion] for column in columns.values()]
        bound = f"<= {one.bound:g} {one.unit}".strip()
        lines.append([criterion, bound, *map(verdict, found)])
    passed = [sum(c.passed for c in column.values()) for column in columns.values()]
    lines.append(["passed", "", *(f"{n} of {len(lines)}" for n in passed)])
    return pages.table(["criterion", "bound", *columns], lines)


def verdict(check) -> str:
    """Return ``pass``, or the number that does not with its place."""
    if check.passed:
        return "pass"
    return f"**{check.value:.3g}** ({check.name.split(' ', 1)[-1]} {check.detail})"


def numbers_table(results) -> str:
    """Return errors, the ground state and the largest falls of each model."""
    lines = []
    for subject in results:
        found, ground = checks(subject.found), subject.found.ground
        a = LATTICE_CONSTANT[ground.scan.name] * ground.nearest
        clusters = [(s.energy / n).min() for s, n in subject.found.clusters]
        lines.append(
            [
                subject.name,
                f"{subject.energy:.2f}",
                f"{subject.forces:.1f}",
                f"{ground.scan.name} {a:.3f}",
                f"{ground.energy:.2f}",
                above(subject.found),
                f"{clusters[0] - ground.energy:.2f}",
                f"{min(clusters[1:]) - ground.energy:.2f}",
                f"{largest(found, 'compression', 'wall'):.4f}",
                f"{largest(found, 'expansion'):.4f}",
            ]
        )
    head = [
        "element, model",
        "energy, meV/atom",
        "forces, meV/A",
        "ground state, a in A",
        "its energy, eV/atom",
        "others above it, eV/atom",
        "dimer",
        "trimers",
        "largest fall inwards, eV/atom",
        "outwards",
    ]
    return pages.table(head, lines)


def above(found: Findings) -> str:
    """Return the energies of the other crystals above the ground state."""
    ground, *others = found.crystals
    return ", ".join(f"{c.scan.name} {c.energy - ground.energy:.2f}" for c in others)


def largest(found, *kinds: str) -> float:
    """Return the largest value of the criteria of some kinds."""
    return max(c.value for name, c in found.items() if name.endswith(kinds))


def record(results) -> list:
    """Return all checks as plain values."""
    return [
        {
            "element": s.element,
            "model": s.model,
            "checks": {k: c.to_dict() for k, c in checks(s.found).items()},
            "frames": [f.name for f in s.found.frames],
        }
        for s in results
    ]


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("runs/bench/safety"))
    parser.add_argument("--write-docs", action="store_true", help="Renew the page.")
    settings = parser.parse_args(argv)
    results = subjects(settings.output)
    if not results:
        print("skipped: neither w14_tungsten nor mlearn in ../shared/data")
        return 0
    figures = {
        "safety_crystals": safety_figures.crystals([(s.name, s.found) for s in results]),
        "safety_frames": safety_figures.squeezed([(s.name, s.found) for s in results]),
    }
    pages.keep_figures(settings.output, figures, write_docs=settings.write_docs)
    text = "\n".join(
        [
            pages.facts([]),
            verdict_table(results),
            numbers_table(results),
            "Energies above the ground state, whose nearest distance is $r_0$.\n",
            "![Crystals compressed and expanded](figures/safety_crystals.png)\n",
            "![Dimers, trimers and squeezed frames](figures/safety_frames.png)",
        ]
    )
    kept = record(results)
    pages.keep(settings.output, "safety", text, kept, write_docs=settings.write_docs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
