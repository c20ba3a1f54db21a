"""Time of neighbour lists in ns per pair, beside vesin on the same atoms in the same run.

    python bench/neighbors.py [--atoms 2 128 10000 100000] [--cutoff 5.5] [--threads 1]

Both build full lists of bcc tungsten with thermal displacements; vesin is asked for what a
force call needs (pairs and vectors), Trimpot gives local and ghost positions and the list.
Rounds alternate; the best of each is shown, and the spread (median / best).
"""

from __future__ import annotations

import argparse
import json
import platform
import time

import numpy as np
import vesin

from trimpot.contract import Structure
from trimpot.neighbors import VerletList, neighborhood


def tungsten(n_atoms):
    """At least ``n_atoms`` of bcc tungsten in a cubic cell, displaced by 0.1 A."""
    repeats = max(1, round((n_atoms / 2) ** (1 / 3)))
    corners = np.indices((repeats,) * 3).reshape(3, -1).T
    sites = np.concatenate([corners, corners + 0.5])
    rng = np.random.default_rng(1)
    return Structure(
        numbers=np.full(len(sites), 74, np.int32),
        positions=3.165 * sites + rng.normal(0.0, 0.1, sites.shape),
        cell=3.165 * repeats * np.eye(3),
        pbc=np.ones(3, bool),
    )


def alternate(calls, seconds=1.5, least=5):
    """Seconds per call of each function: rounds in turn, as (best, median)."""
    times = [[] for _ in calls]
    for call in calls:
        call()
    stop = time.perf_counter() + seconds * len(calls)
    while time.perf_counter() < stop or len(times[0]) < least:
        for call, taken in zip(calls, times, strict=True):
            begin = time.perf_counter()
            call()
            taken.append(time.perf_counter() - begin)
    return [(min(taken), float(np.median(taken))) for taken in times]


def measure(n_atoms, cutoff, threads):
    structure = tungsten(n_atoms)
    rival = vesin.NeighborList(cutoff=cutoff, full_list=True, n_threads=threads)
    verlet = VerletList(cutoff, 1.0)
    calls = [
        lambda: neighborhood(structure, cutoff, threads=threads),
        lambda: rival.compute(structure.positions, structure.cell, True, "ijD", copy=False),
        lambda: verlet.update(structure),
    ]
    n_pairs = len(calls[0]().neighbors)
    ours, theirs, reused = alternate(calls)
    return {
        "atoms": len(structure),
        "pairs_per_atom": n_pairs / len(structure),
        "threads": threads,
        "ns_per_pair": 1e9 * ours[0] / n_pairs,
        "us_per_build": 1e6 * ours[0],
        "spread": ours[1] / ours[0],
        "vesin_ns_per_pair": 1e9 * theirs[0] / n_pairs,
        "vesin_spread": theirs[1] / theirs[0],
        "vesin_over_trimpot": theirs[0] / ours[0],
        "us_per_reuse": 1e6 * reused[0],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--atoms", type=int, nargs="+", default=[2, 16, 128, 10_000, 100_000]
    )
    parser.add_argument("--cutoff", type=float, default=5.5)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    print(f"# {platform.machine()}, vesin {vesin.__version__}, cutoff {options.cutoff} A")
    for n_atoms in options.atoms:
        print(json.dumps(measure(n_atoms, options.cutoff, options.threads)), flush=True)


if __name__ == "__main__":
    main()
