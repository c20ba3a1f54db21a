"""Surface energies of the slabs in the W-14 set: DFT's, and those of potentials.

    python bench/tungsten_slabs.py MODEL ...

The set has 45 moved slabs of 12 atoms for each of four facets. Their energy over that of
the crystal, per area of both faces, says which surfaces the reference values of the
tungsten suite stand for. Bulk energies are those of each model at 3.18 A, and of the
lowest one-atom cell for DFT.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pages
import training_runs
from ase.build import bulk

import trimpot
from trimpot.engines.ase import Calculator

FRAMES = training_runs.DATA / "w14_tungsten" / "w14.extxyz.xz"
FACETS = {(3.2, 3.2): "100", (3.2, 4.5): "110", (4.5, 7.8): "111", (2.8, 4.5): "112"}
"""Facet by the two short edges of a slab's cell, angstrom."""


def main(models) -> int:
    if not FRAMES.exists():
        print("skipped: no ../shared/data/w14_tungsten/w14.extxyz.xz")
        return 0
    frames = trimpot.read(FRAMES)
    lowest = min(f.energy for f in frames if len(f.structure) == 1)
    slabs = {facet: [] for facet in FACETS.values()}
    for frame in frames:
        if frame.config_type == "surface":
            slabs[facet_of(frame.structure)].append(frame)
    header = ["facet", "slabs", "lowest, DFT", "mean, DFT", *(f"RMSE, {m}" for m in models)]
    potentials = [trimpot.load(model) for model in models]
    rows = []
    for facet, found in slabs.items():
        dft = np.array([surface(f.structure, f.energy, lowest) for f in found])
        errors = [error(potential, found, dft) for potential in potentials]
        shown = [f"{value:.4f}" for value in (dft.min(), dft.mean(), *errors)]
        rows.append([facet, str(len(found)), *shown])
    print("eV/A^2\n\n" + pages.table(header, rows))
    return 0


def facet_of(structure) -> str:
    """Return the facet of a slab."""
    edges = sorted(np.linalg.norm(structure.cell, axis=1))[:2]
    return FACETS[tuple(round(float(edge), 1) for edge in edges)]


def surface(structure, energy, bulk_energy) -> float:
    """Return a surface energy in eV/A^2."""
    longest = np.linalg.norm(structure.cell, axis=1).max()
    area = abs(np.linalg.det(structure.cell)) / longest
    return (energy - len(structure) * bulk_energy) / (2.0 * area)


def error(potential, frames, dft) -> float:
    """Return the RMSE of a model's surface energies."""
    crystal = bulk("W", "bcc", a=3.18)
    crystal.calc = Calculator(potential)
    energies = potential.evaluate_many([f.structure for f in frames])
    found = [
        surface(f.structure, float(e.energies.sum()), crystal.get_potential_energy())
        for f, e in zip(frames, energies, strict=True)
    ]
    return float(np.sqrt(np.mean((np.array(found) - dft) ** 2)))


if __name__ == "__main__":
    sys.exit(main([Path(name) for name in sys.argv[1:]]))
