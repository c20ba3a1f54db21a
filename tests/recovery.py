"""How fast the error of a spline potential falls as its knot spacing is halved.

Labels come from a smooth potential of the same form (Lennard-Jones for pairs,
Stillinger-Weber for pairs and triplets), so all error is that of the splines: h^4 in
energies and h^3 in forces for cubic splines of spacing h.

``python tests/recovery.py`` prints the tables of docs/benchmarks/recovery.md.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from ase.build import bulk

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

from labellers import LennardJones, StillingerWeber

from trimpot.data import Frame
from trimpot.engines.ase import structure_from_atoms
from trimpot.engines.singlepoint import evaluate
from trimpot.fitting import FitSettings, Model, fit
from trimpot.splines.pair_settings import PairSettings
from trimpot.splines.profile import PairProfile
from trimpot.splines.triplet_settings import TripletSettings
from trimpot.validation.transform import free_cluster

KAPPA = 0.9
"""Energies count: a fit to forces alone lets V drift along its curve."""

TINY = 1e-14
"""Strength of both penalties."""

PAIR_INTERVALS_PER_LEG_INTERVAL = 4
"""Pair curves cost nothing; with the legs' spacing they would carry most of the error."""

NEAREST = {"diamond": 3**0.5 / 4, "sc": 1.0, "bcc": 3**0.5 / 2, "fcc": 2**-0.5}
"""Nearest distance over the lattice constant."""


@dataclass(frozen=True)
class Level:
    """Errors of one knot spacing on frames outside the fit."""

    intervals: int
    coefficients: int
    energy: float
    forces: float
    seconds: float


def labelled(potential, structure, config_type):
    """A frame with energy and forces of the potential."""
    found = evaluate(potential, structure, threads=1)
    return Frame(structure, found.energy, found.forces, config_type=config_type)


def rattled_crystal(rng, number, lattice, nearest, *, strain, spread, atoms=32):
    """A strained crystal with random displacements."""
    cell = bulk("X", lattice, a=nearest / NEAREST[lattice], cubic=True)
    crystal = cell.repeat(max(2, round((atoms / len(cell)) ** (1 / 3))))
    crystal.numbers[:] = number
    deformation = np.eye(3) + rng.uniform(-strain, strain, (3, 3))
    crystal.set_cell(crystal.cell.array @ deformation, scale_atoms=True)
    crystal.positions += rng.normal(scale=spread, size=crystal.positions.shape)
    return crystal


def nearest_distance(atoms):
    """Smallest distance of two atoms, images included."""
    distances = atoms.get_all_distances(mic=True)
    return distances[np.triu_indices(len(atoms), 1)].min()


def random_crystals(potential, shortest, count, seed, *, lattices):
    """Crystals of several lattices, densities, strains and displacements."""
    rng = np.random.default_rng(seed)
    frames = []
    while len(frames) < count:
        lattice = lattices[len(frames) % len(lattices)]
        nearest = shortest * rng.uniform(1.02, 1.45)
        spread = rng.uniform(0.02, 0.12) * nearest
        crystal = rattled_crystal(
            rng, potential.species[0], lattice, nearest, strain=0.08, spread=spread
        )
        if nearest_distance(crystal) > shortest:
            frames.append(labelled(potential, structure_from_atoms(crystal), lattice))
    return frames


def thermal_crystals(potential, lattice, nearest, shortest, count, seed):
    """Slightly strained crystals with the displacements of some 200 to 900 K."""
    rng = np.random.default_rng(seed)
    frames = []
    while len(frames) < count:
        spread = rng.uniform(0.05, 0.12)
        crystal = rattled_crystal(
            rng, potential.species[0], lattice, nearest, strain=0.02, spread=spread
        )
        if nearest_distance(crystal) > shortest:
            frames.append(labelled(potential, structure_from_atoms(crystal), lattice))
    return frames


def random_trimers(potential, shortest, count, seed):
    """Free triangles with random legs and angle, no side below ``shortest``.

    They fill the whole domain of V3, which crystals do not: the error is then that of
    the splines and not of missing data.
    """
    rng = np.random.default_rng(seed)
    frames = []
    while len(frames) < count:
        leg, other = rng.uniform(shortest, potential.cutoff, 2)
        angle = np.arccos(rng.uniform(-1.0, 1.0))
        ends = np.array([[leg, 0.0], [other * np.cos(angle), other * np.sin(angle)]])
        if np.linalg.norm(ends[1] - ends[0]) < shortest:
            continue
        placed = np.zeros((3, 3))
        placed[1:, :2] = ends
        structure = free_cluster([potential.species[0]] * 3, placed)
        frames.append(labelled(potential, structure, "trimer"))
    return frames


def level(terms, intervals, species, train, test, *, strength=TINY):
    """Fit with vanishing penalties and return the errors on the test frames."""
    start = time.monotonic()
    model = Model(species, tuple(terms), np.zeros(1), refine_e0s=False)
    settings = FitSettings(
        kappa=(KAPPA,),
        ridge=(TINY,),
        curvature=(strength,),
        stress_weight=0.0,
        folds=2,
    )
    potential = fit(model, train, settings, threads=2).potential
    found = potential.evaluate_many([f.structure for f in test], threads=2)
    energy = [(e.energy - f.energy) / len(f) for e, f in zip(found, test, strict=True)]
    forces = [(e.forces - f.forces).ravel() for e, f in zip(found, test, strict=True)]
    return Level(
        intervals,
        sum(t.n_coefficients for t in terms),
        float(np.sqrt(np.mean(np.square(energy)))),
        float(np.sqrt(np.mean(np.concatenate(forces) ** 2))),
        time.monotonic() - start,
    )


def profile_of(number, shortest):
    """Distances of data with one element."""
    return PairProfile((number,), np.full((1, 1), shortest), np.zeros((1, 1, 1)), 6.0)


def lennard_jones_levels(intervals=(20, 40, 80, 160), count=800):
    """UF2 fitted to Lennard-Jones copper, cutoff 6 A."""
    potential, shortest = LennardJones(), 2.2
    lattices = ("fcc", "bcc", "sc")
    train = random_crystals(potential, shortest, count, 1, lattices=lattices)
    test = random_crystals(potential, shortest, 60, 2, lattices=lattices)
    levels = []
    for n in intervals:
        pair = PairSettings(cutoff=6.0, intervals=n, r_min=shortest, repulsive=False)
        term = pair.build((29,), profile_of(29, shortest))
        levels.append(level([term], n, (29,), train, test))
    return levels


def stillinger_weber_levels(intervals=(8, 16), count=20000):
    """UF2,3 fitted to every environment; tested on thermal crystals."""
    potential, shortest = StillingerWeber(), 2.1
    lattices = ("diamond", "sc", "bcc", "fcc")
    train = random_trimers(potential, shortest, count, 3)
    train += random_crystals(potential, shortest, 60, 4, lattices=lattices)
    return triplet_levels(potential, shortest, intervals, train)


def thermal_silicon_levels(intervals=(5, 10, 20), count=300):
    """UF2,3 fitted to thermal crystals only; tested on others of the same kind."""
    potential, shortest = StillingerWeber(), 2.05
    train = thermal_crystals(potential, "diamond", 2.352, shortest, count, 3)
    return triplet_levels(potential, shortest, intervals, train, strength=1e-9)


def triplet_levels(potential, shortest, intervals, train, *, strength=TINY):
    """Levels of a UF2,3 whose cutoffs are those of the labels."""
    test = thermal_crystals(potential, "diamond", 2.352, 2.1, 30, 5)
    profile = profile_of(14, shortest)
    levels = []
    for n in intervals:
        legs = {"cutoff": potential.cutoff, "r_min": shortest, "intervals": n}
        base = {"r_min_jk": shortest, "intervals_jk": 2 * n}
        curve = legs | {"intervals": PAIR_INTERVALS_PER_LEG_INTERVAL * n}
        pair = PairSettings(**curve, repulsive=False)
        triplet = TripletSettings(**legs, **base, leading_trim=0, tie="none")
        terms = [s.build((14,), profile) for s in (pair, triplet)]
        levels.append(level(terms, n, (14,), train, test, strength=strength))
    return levels


def orders(levels, quantity):
    """Order of the error between successive levels."""
    return [
        float(
            np.log(getattr(a, quantity) / getattr(b, quantity))
            / np.log(b.intervals / a.intervals)
        )
        for a, b in pairwise(levels)
    ]


def table(levels):
    """The levels as Markdown."""
    lines = [
        "| intervals | coefficients | energy, eV/atom | order | forces, eV/Å | order |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    energy_orders = [None, *orders(levels, "energy")]
    force_orders = [None, *orders(levels, "forces")]
    for row, e, f in zip(levels, energy_orders, force_orders, strict=True):
        shown = ["" if o is None else f"{o:.2f}" for o in (e, f)]
        lines.append(
            f"| {row.intervals} | {row.coefficients} | {row.energy:.2e} | {shown[0]} | "
            f"{row.forces:.2e} | {shown[1]} |"
        )
    return "\n".join(lines)


def main():
    """Print the tables."""
    for name, levels_of in (
        ("Lennard-Jones by UF2", lennard_jones_levels),
        ("Stillinger-Weber by UF2,3, fitted everywhere", stillinger_weber_levels),
        ("Stillinger-Weber by UF2,3, fitted to crystals", thermal_silicon_levels),
    ):
        found = levels_of()
        seconds = sum(row.seconds for row in found)
        sys.stdout.write(f"{name} (fits: {seconds:.0f} s)\n\n{table(found)}\n\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
