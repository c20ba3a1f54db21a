"""Structures with every way in which atoms, their images and species can screen."""

import numpy as np
from ase import Atoms
from ase.build import bcc100, bulk

from spline_samples import scattered

SPECIES = (14, 32, 74)


def _alloy(atoms, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    atoms.positions += noise * rng.normal(size=atoms.positions.shape)
    atoms.numbers[:] = rng.choice(SPECIES, size=len(atoms))
    return atoms


def _triclinic():
    x = scattered(SPECIES)
    return Atoms(x.numbers, x.positions, cell=x.cell, pbc=True)


def _surface():
    slab = bcc100("W", (2, 2, 4), a=3.0, vacuum=6.0)
    slab.pbc = (True, True, False)
    return _alloy(slab, 0.1)


STRUCTURES = {
    "one atom": bulk("Si", "fcc", a=3.7),  # all that screens are images of i and of j
    "row": Atoms("SiGe", [[1, 8, 8], [2.75, 8.75, 8]], cell=[3.5, 16, 16], pbc=(1, 0, 0)),
    "ordered": bulk("SiGe", "cesiumchloride", a=2.9),  # C = 2, LAMMPS' default C_min
    "triclinic": _triclinic(),
    "alloy": _alloy(bulk("W", "bcc", a=2.9, cubic=True).repeat((2, 2, 3)), 0.15),
    "surface": _surface(),
}


def cluster(n, species, seed, *, size=5.0, shortest=1.3):
    """Displacements of n atoms around one at the origin, and their species."""
    rng = np.random.default_rng([n, seed])
    placed = [np.zeros(3)]
    while len(placed) <= n:
        trial = rng.uniform(-size / 2, size / 2, 3)
        if min(np.linalg.norm(trial - x) for x in placed) > shortest:
            placed.append(trial)
    return np.array(placed[1:]), rng.choice(np.array(species, dtype=np.int32), size=n)
