"""Structures far from any data set here: short pairs, wrong phases, unseen places."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.spacegroup import crystal

from trimpot.engines.ase import structure_from_atoms
from trimpot.neighbors import neighborhood

EACH = 40
"""Structures of each kind."""

SHORT = (0.6, 0.95)
"""Length of a planted pair over the shortest distance of the training data."""

RATTLE = 0.05
"""Standard deviation of displacements in planted crystals, angstrom."""

PHASES = ("bcc", "fcc", "hcp", "sc", "diamond", "a15")
FEWEST_ATOMS = 16


def short_pairs(frames, shortest, rng):
    """Test frames in which an atom is moved towards its nearest neighbour."""
    solid = [f.structure for f in frames if len(f.structure) >= 8]
    for _ in range(EACH):
        structure = solid[rng.integers(len(solid))]
        near = neighborhood(structure, 5.0)
        i = int(rng.integers(len(structure)))
        mine = near.neighbors[near.first[i] : near.first[i + 1]]
        bonds = near.positions[mine] - near.positions[i]
        lengths = np.linalg.norm(bonds, axis=1)
        j = int(lengths.argmin())
        target = rng.uniform(*SHORT) * shortest(structure.numbers[i], near.numbers[mine[j]])
        positions = structure.positions.copy()
        positions[i] += bonds[j] * (1.0 - target / lengths[j])
        yield replace(structure, positions=positions)


def wrong_phases(ground, nearest, symbols, rng):
    """Rattled crystals other than that of the data, at about the same volume per atom."""
    volume = _crystal(ground, symbols, 1.0)
    volume = nearest**3 * volume.get_volume() / len(volume) / _nearest(volume) ** 3
    phases = [p for p in PHASES if p != ground]
    for number in range(EACH):
        atoms = _crystal(phases[number % len(phases)], symbols, 1.0)
        scale = (rng.uniform(0.92, 1.08) * volume * len(atoms) / atoms.get_volume()) ** (
            1 / 3
        )
        atoms.set_cell(atoms.cell * scale, scale_atoms=True)
        copies = np.maximum(1, np.ceil(6.0 / atoms.cell.lengths())).astype(int)
        atoms = atoms.repeat(copies.tolist())
        atoms.positions += rng.normal(scale=RATTLE, size=atoms.positions.shape)
        yield structure_from_atoms(atoms)


def _crystal(name, symbols, a):
    """Return a crystal; two elements take its places in turn."""
    if name == "a15":
        atoms = crystal(
            ["W", "W"],
            [(0, 0, 0), (0.25, 0, 0.5)],
            spacegroup=223,
            cellpar=[a] * 3 + [90] * 3,
        )
    elif name == "hcp":
        atoms = bulk("X", "hcp", a=a, c=1.633 * a)
    elif name == "sc":
        atoms = bulk("X", "sc", a=a)
    else:
        atoms = bulk("X", name, a=a, cubic=True)
    while len(atoms) < FEWEST_ATOMS / 4 and len(symbols) > 1:
        atoms = atoms.repeat((2, 1, 1))
    atoms.symbols[:] = np.resize(np.array(symbols), len(atoms)).tolist()
    return atoms


def _nearest(atoms):
    distances = atoms.repeat(3).get_all_distances(mic=True)
    return float(distances[distances > 1e-6].min())


def unseen(ground, nearest, symbols, rng):
    """Clusters, gases, and crystals with an atom too many, in turn."""
    for number in range(EACH):
        if number % 3 == 0:
            yield _cluster(int(rng.integers(2, 9)), nearest, symbols, rng)
        elif number % 3 == 1:
            yield _gas(nearest, symbols, rng)
        else:
            yield _interstitial(ground, nearest, symbols, rng)


def _apart(positions, least, cell=None):
    """Push points apart until none are closer than ``least``."""
    for _ in range(500):
        bonds = positions[None] - positions[:, None]
        if cell is not None:
            bonds -= cell * np.round(bonds / cell)
        r = np.linalg.norm(bonds, axis=2) + 10.0 * least * np.eye(len(positions))
        push = np.clip(least - r, 0.0, None)
        if push.max() < 1e-3 * least:
            break
        positions = positions - 0.3 * np.einsum("ij,ijc->ic", push / r, bonds)
    return positions


def _cluster(n, nearest, symbols, rng):
    start = rng.normal(size=(n, 3)) * nearest * n ** (1 / 3) * 0.5
    positions = _apart(start, nearest)
    names = np.resize(np.array(symbols), n).tolist()
    return structure_from_atoms(Atoms(names, positions))


def _gas(nearest, symbols, rng):
    """Return atoms at random, half as dense as a crystal."""
    n = 32
    edge = (2.0 * n) ** (1 / 3) * nearest
    positions = _apart(rng.uniform(size=(n, 3)) * edge, 0.9 * nearest, edge)
    names = np.resize(np.array(symbols), n).tolist()
    return structure_from_atoms(Atoms(names, positions, cell=[edge] * 3, pbc=True))


def _interstitial(ground, nearest, symbols, rng):
    atoms = _crystal(ground, symbols, 1.0)
    atoms.set_cell(atoms.cell * nearest / _nearest(atoms), scale_atoms=True)
    atoms = atoms.repeat(
        np.maximum(1, np.ceil(8.0 / atoms.cell.lengths())).astype(int).tolist()
    )
    atoms.positions += rng.normal(scale=RATTLE, size=atoms.positions.shape)
    places = _apart_from(atoms, 0.55 * nearest, rng)
    atoms.append(symbols[0])
    atoms.positions[-1] = places
    return structure_from_atoms(atoms)


def _apart_from(atoms, least, rng):
    """Return a point that is no closer than this to any atom."""
    while True:
        point = rng.uniform(size=3) @ atoms.cell.array
        trial = atoms.copy()
        trial.append("H")
        trial.positions[-1] = point
        if trial.get_distances(-1, range(len(atoms)), mic=True).min() > least:
            return point
