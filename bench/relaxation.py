"""Compares optimisers of ``trimpot relax``: steps, and how often they converge.

    python bench/relaxation.py MODEL.trimpot [--write-docs]

MODEL describes tungsten. Steps until no force is above 0.01 eV/A from a few starts; then
random arrangements of 8 and 20 atoms (no two closer than 1.7 A), with fixed cell and with
``cell: full``, at most 500 steps each.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pages
from ase import Atoms
from ase.build import bcc100, bulk

import trimpot
from trimpot.contract import Potential
from trimpot.engines.relaxation import relax
from trimpot.engines.relaxation_settings import RelaxSettings
from trimpot.errors import TrimpotError

PAGE = Path(__file__).parents[1] / "docs" / "how-to" / "relax-and-singlepoint.md"
OPTIMIZERS = ("lbfgs", "bfgs", "fire")
LATTICE_CONSTANT = 3.18
VOLUME = 16.5
"""Of an atom in a random arrangement, A^3."""

CLOSEST = 1.7
LARGEST_OF_BFGS = 500


def starts() -> dict[str, tuple[Atoms, str]]:
    """Return starts with what of their cell moves."""
    rng = np.random.default_rng(0)
    cube = bulk("W", "bcc", a=LATTICE_CONSTANT, cubic=True)
    vacancy = cube * (3, 3, 3)
    del vacancy[0]
    surface = bcc100("W", (2, 2, 6), a=LATTICE_CONSTANT, vacuum=8.0)
    surface.pbc = (True, True, False)
    strained = cube * (2, 2, 2)
    strain = np.eye(3) + 0.05 * rng.normal(size=(3, 3))
    strained.set_cell(strained.cell.array @ strain, scale_atoms=True)
    found = {
        "vacancy, 53 atoms": (vacancy, "none", 0.02),
        "surface, 24 atoms": (surface, "none", 0.05),
        "strained cell, 16 atoms, `--cell full`": (strained, "full", 0.1),
        "2,000 atoms displaced by 0.1 Å": (cube * (10, 10, 10), "none", 0.1),
    }
    for atoms, _, width in found.values():
        atoms.positions += width * rng.normal(size=atoms.positions.shape)
    return {name: (atoms, cell) for name, (atoms, cell, _) in found.items()}


def random_arrangement(n: int, seed: int) -> Atoms:
    """Return atoms anywhere in a cube, none too close to another."""
    rng = np.random.default_rng(seed)
    edge = (VOLUME * n) ** (1 / 3)
    places: list[np.ndarray] = []
    while len(places) < n:
        place = rng.uniform(0.0, edge, 3)
        apart = [(place - other + edge / 2) % edge - edge / 2 for other in places]
        if all(np.linalg.norm(r) > CLOSEST for r in apart):
            places.append(place)
    return Atoms(f"W{n}", positions=places, cell=[edge] * 3, pbc=True)


def steps(potential: Potential, atoms: Atoms, optimizer: str, **settings: object) -> int:
    """Return the steps to convergence, -1 without."""
    chosen = RelaxSettings(optimizer=optimizer, threads=1, **settings)
    try:
        result = relax(potential, atoms, chosen)
    except TrimpotError:
        return -1
    return result.last.step if result.converged else -1


def tables(potential: Potential) -> str:
    """Return steps per start and optimiser, and how many random starts converged."""
    rows = []
    for name, (atoms, cell) in starts().items():
        cells = []
        for optimizer in OPTIMIZERS:
            too_large = optimizer == "bfgs" and len(atoms) > LARGEST_OF_BFGS
            found = -1 if too_large else steps(potential, atoms, optimizer, cell=cell)
            cells.append("-" if found < 0 else str(found))
        rows.append([name, *cells])
    trials = [
        (random_arrangement((8, 20)[seed % 2], seed), cell)
        for seed in range(20)
        for cell in ("none", "full")
    ]
    cells = [
        str(sum(steps(potential, a, o, cell=c, steps=500) >= 0 for a, c in trials))
        for o in OPTIMIZERS
    ]
    rows.append([f"converged of {len(trials)} random starts", *cells])
    return pages.table(["start", *OPTIMIZERS], rows)


def main() -> int:
    """Print the tables; with --write-docs, renew those of the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--write-docs", action="store_true")
    given = parser.parse_args()
    text = tables(trimpot.load(given.model))
    print(text)
    if given.write_docs:
        pages.replace(PAGE, "relaxation", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
