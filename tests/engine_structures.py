"""Twenty structures on which engines must agree: small, skewed, open, mixed, molten."""

from __future__ import annotations

import numpy as np
from ase.build import bulk

from spline_samples import SPECIES
from trimpot.contract import Structure


def shaken(numbers, positions, cell, pbc, seed, amplitude=0.12):
    """Move all atoms a little."""
    rng = np.random.default_rng(seed)
    positions = np.asarray(positions, dtype=float)
    return Structure(
        np.asarray(numbers, dtype=np.int32),
        positions + amplitude * rng.normal(size=positions.shape),
        np.asarray(cell, dtype=float),
        np.asarray(pbc, dtype=bool),
    )


def crystal(symbol, lattice, a, repeats, seed, *, cubic=True, pbc=(True, True, True), **kw):
    """A warm crystal."""
    atoms = bulk(symbol, lattice, a=a, cubic=cubic, **kw) * repeats
    return shaken(atoms.numbers, atoms.positions, atoms.cell.array, pbc, seed)


def liquid(species, n, length, seed, *, shortest=1.7, pbc=(True, True, True)):
    """Atoms at random that keep a distance."""
    rng = np.random.default_rng(seed)
    found = []
    while len(found) < n:
        x = rng.uniform(0.0, length, 3)
        apart = np.array(found).reshape(-1, 3) - x
        apart -= length * np.round(apart / length)
        if not found or np.sqrt((apart**2).sum(1)).min() > shortest:
            found.append(x)
    numbers = rng.choice(species, n)
    return shaken(numbers, found, length * np.eye(3), pbc, seed, 0.0)


def alloy(structure, species, seed):
    """Give atoms other elements."""
    numbers = np.random.default_rng(seed).choice(species, len(structure.numbers))
    return Structure(
        numbers.astype(np.int32), structure.positions, structure.cell, structure.pbc
    )


def structures() -> dict[str, tuple[int, Structure]]:
    """Return number of species and structure, by name."""
    w, two, three = (SPECIES[n] for n in (1, 2, 3))
    open_ = (False, False, False)
    bcc = crystal("W", "bcc", 3.165, (3, 3, 3), 1)
    skew = np.array([[4.2, 0.0, 0.0], [1.9, 4.0, 0.0], [-1.7, 1.5, 4.4]])
    rng = np.random.default_rng(11)
    inside = rng.uniform(size=(6, 3))
    turned = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    far = bcc.positions + np.array([1, -2, 3]) * np.diag(bcc.cell)
    flat = np.array([[2.6 * i, 2.6 * j, 0.0] for i in range(3) for j in range(3)])
    vacancy = np.arange(len(bcc.numbers)) != 5
    return {
        "one atom, primitive": (1, crystal("W", "bcc", 3.165, 1, 2, cubic=False)),
        "two atoms, cubic": (1, crystal("W", "bcc", 3.165, 1, 3)),
        "bcc": (1, bcc),
        "fcc, two species": (2, alloy(crystal("Cu", "fcc", 3.9, (2, 2, 2), 4), two, 4)),
        "diamond": (2, alloy(crystal("Si", "diamond", 5.43, (1, 1, 1), 5), two[:1], 5)),
        "triclinic": (1, shaken([w[0]] * 6, inside @ skew, skew, [True] * 3, 6, 0.0)),
        "triclinic, turned": (
            2,
            shaken(
                rng.choice(two, 6),
                inside @ skew @ turned,
                skew @ turned,
                [True] * 3,
                7,
                0.0,
            ),
        ),
        "left-handed": (
            1,
            shaken(
                [w[0]] * 6, inside @ skew[[1, 0, 2]], skew[[1, 0, 2]], [True] * 3, 8, 0.0
            ),
        ),
        "hexagonal": (1, crystal("W", "hcp", 2.8, (2, 2, 1), 9, cubic=False, c=4.5)),
        "surface": (1, crystal("W", "bcc", 3.165, (3, 3, 2), 10, pbc=(True, True, False))),
        "surface, skewed": (
            3,
            shaken(rng.choice(three, 6), inside @ skew, skew, (True, True, False), 11, 0.0),
        ),
        "wire": (1, crystal("W", "bcc", 3.165, (1, 1, 4), 12, pbc=(False, False, True))),
        "cluster": (
            3,
            alloy(crystal("W", "bcc", 3.165, (2, 2, 2), 13, pbc=open_), three, 13),
        ),
        "atom alone": (1, shaken([w[0]], np.zeros((1, 3)), np.zeros((3, 3)), open_, 14)),
        "dimer": (2, shaken(two, [[0, 0, 0], [2.2, 0, 0]], np.zeros((3, 3)), open_, 15)),
        "far apart": (1, shaken([w[0]] * 2, [[0, 0, 0], [40, 0, 0]], np.eye(3), open_, 16)),
        "layer": (1, shaken([w[0]] * 9, flat, 7.8 * np.eye(3), (True, True, False), 17)),
        "vacancy, far from the box": (
            1,
            Structure(bcc.numbers[vacancy], far[vacancy], bcc.cell, bcc.pbc),
        ),
        "molten": (1, liquid(w, 120, 12.5, 18)),
        "molten, three species": (3, liquid(three, 150, 13.5, 19)),
    }
