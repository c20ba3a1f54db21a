"""Time of full neighbour lists in ns per pair, beside vesin on the same atoms.

    python bench/neighbors.py [--atoms N ...] [--cutoff 6] [--output DIR] [--write-docs]

fcc copper and bcc tungsten with thermal displacements. Both build full lists; vesin is
asked for what a force call needs (pairs and vectors), Trimpot gives local and ghost
positions and the list. Rounds alternate; the best of each is shown. Then the lists in
patches that force calls use, from the build of a follower.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import machine
import numpy as np
import pages
import vesin

from trimpot import _native
from trimpot.contract import Structure
from trimpot.neighbors import VerletList, neighborhood
from trimpot.neighbors.arrays import native_structure
from trimpot.splines.packing import species_indices

CRYSTALS = {
    "Cu": (29, 3.615, [(0, 0, 0), (0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5)]),
    "W": (74, 3.165, [(0, 0, 0), (0.5, 0.5, 0.5)]),
}
"""Atomic number, lattice constant in A, sites in the cubic cell."""

DISPLACEMENT = 0.1
SKIN = 1.0


@dataclass(frozen=True)
class Row:
    """One size; times are the best of their rounds."""

    element: str
    atoms: int
    pairs_per_atom: float
    ns_per_pair: float
    vesin_ns_per_pair: float
    ratio: float
    us_per_atom: float
    patches_us_per_atom: float
    check_us_per_atom: float


def crystal(element: str, n_atoms: int) -> Structure:
    """At least about ``n_atoms`` in a cubic cell, displaced by 0.1 A."""
    number, lattice, basis = CRYSTALS[element]
    repeats = max(1, round((n_atoms / len(basis)) ** (1 / 3)))
    corners = np.indices((repeats,) * 3).reshape(3, -1).T
    sites = np.concatenate([corners + np.array(site) for site in basis])
    rng = np.random.default_rng(1)
    return Structure(
        numbers=np.full(len(sites), number, np.int32),
        positions=lattice * sites + rng.normal(0.0, DISPLACEMENT, sites.shape),
        cell=lattice * repeats * np.eye(3),
        pbc=np.ones(3, bool),
    )


def alternate(calls, seconds=1.5, least=5) -> list[float]:
    """Best seconds per call of each function, in rounds by turns."""
    times = [[] for _ in calls]
    for call in calls:
        call()
    stop = time.perf_counter() + seconds * len(calls)
    while time.perf_counter() < stop or len(times[0]) < least:
        for call, taken in zip(calls, times, strict=True):
            begin = time.perf_counter()
            call()
            taken.append(time.perf_counter() - begin)
    return [min(taken) for taken in times]


def measure(element: str, n_atoms: int, cutoff: float, threads: int) -> Row:
    structure = native_structure(crystal(element, n_atoms))
    rival = vesin.NeighborList(cutoff=cutoff, full_list=True, n_threads=threads)
    verlet = VerletList(cutoff, SKIN)
    one_body = _native.one_body(np.zeros(1, np.int32), 1, np.zeros(1))
    follower = _native.Follower([one_body], cutoff, 0.0, True, threads)
    species = species_indices(structure.numbers, (CRYSTALS[element][0],))
    calls = [
        lambda: neighborhood(structure, cutoff, threads=threads),
        lambda: rival.compute(structure.positions, structure.cell, True, "ijD", copy=False),
        lambda: follower.build(structure.positions, species, structure.cell, structure.pbc),
        lambda: verlet.update(structure),
    ]
    n_pairs = len(calls[0]().neighbors)
    ours, theirs, patches, check = alternate(calls)
    n = len(structure)
    return Row(
        element,
        n,
        n_pairs / n,
        1e9 * ours / n_pairs,
        1e9 * theirs / n_pairs,
        theirs / ours,
        1e6 * ours / n,
        1e6 * patches / n,
        1e6 * check / n,
    )


def table(rows) -> str:
    head = ["", "atoms", "pairs per atom", "ns per pair", "vesin, ns per pair", "ratio"]
    head += ["us/atom", "in patches, us/atom", "kept list, us/atom"]
    return pages.table(
        head,
        [
            [
                row.element,
                f"{row.atoms:,}",
                f"{row.pairs_per_atom:.1f}",
                f"{row.ns_per_pair:.2f}",
                f"{row.vesin_ns_per_pair:.1f}",
                f"{row.ratio:.1f}",
                f"{row.us_per_atom:.3f}",
                f"{row.patches_us_per_atom:.3f}",
                f"{row.check_us_per_atom:.3f}",
            ]
            for row in rows
        ],
    )


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("runs/bench/neighbors"))
    parser.add_argument("--atoms", type=int, nargs="+", default=[128, 10_000, 100_000])
    parser.add_argument("--cutoff", type=float, default=6.0, help="A")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--write-docs", action="store_true", help="Renew the page.")
    options = parser.parse_args(argv)
    with machine.Neighbours() as watch:
        rows = [
            measure(element, n, options.cutoff, options.threads)
            for element in CRYSTALS
            for n in options.atoms
        ]
    facts = pages.facts([watch]) + (
        f"- vesin: {vesin.__version__}\n"
        f"- cutoff {options.cutoff:g} A, {options.threads} thread(s)\n"
    )
    text = f"{facts}\n{table(rows)}"
    record = [asdict(row) for row in rows]
    pages.keep(options.output, "neighbors", text, record, write_docs=options.write_docs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
