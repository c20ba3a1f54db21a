"""Screened potentials of every kind, structures, and paths on which pairs come and go."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from spline_samples import profile_of
from trimpot.contract import Structure
from trimpot.envelopes import EnvelopeSettings
from trimpot.envelopes.reference import screeners, screening
from trimpot.neighbors import neighborhood
from trimpot.splines.density_settings import DensitySettings
from trimpot.splines.pair_settings import PairSettings
from trimpot.splines.potential import SplinePotential
from trimpot.splines.triplet_settings import TripletSettings

CUTOFF, SHORTEST = 4.2, 0.9
SWITCHES = ("smooth", "bump", "quintic", "meam")
COMBINES = ("product", "softmin")
SPECIES = {1: (74,), 2: (14, 74), 3: (14, 32, 74)}


def settings_of(kind, envelope, cutoff=CUTOFF, order=3):
    """Coarse settings of one kind, so that random coefficients give soft functions."""
    if kind == "pair":
        return PairSettings(cutoff=cutoff, intervals=8, envelope=envelope)
    if kind == "triplet":
        return TripletSettings(
            cutoff=cutoff,
            cutoff_jk=1.4 * cutoff,
            r_min=SHORTEST,
            r_min_jk=SHORTEST,
            intervals=6,
            intervals_jk=6,
            tie="none",
            envelope=envelope,
        )
    angular = {"density": {}, "angular": {"l_max": 3, "triples": True}}[kind]
    return DensitySettings(
        cutoff=cutoff,
        functions=2 if angular else 3,
        order=2 if angular else order,
        r_min=SHORTEST,
        angular_cutoff=0.95 * cutoff,
        angular_functions=1,
        envelope=envelope,
        **angular,
    )


KINDS = ("pair", "triplet", "density", "angular")


def potential_of(
    kind, species=(74,), *, cutoff=CUTOFF, order=3, limit=None, scale=1.0, **envelope
):
    """A potential of one screened term with random coefficients of about 1 eV."""
    settings = settings_of(kind, EnvelopeSettings(**envelope), cutoff, order)
    term = settings.build(species, profile_of(species, 1.6))
    if limit is not None and term.n_limits:
        term = term.with_limits(np.full((len(species), term.n_limits), limit))
    c = np.random.default_rng(len(species)).normal(0.0, scale, term.n_coefficients)
    return SplinePotential(species, (term,), (c,))


PRIMITIVE = {
    "fcc": (3.8, np.array([[0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]]), 1),
    "bcc": (3.165, np.array([[-0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.5, 0.5, -0.5]]), 1),
    "diamond": (5.43, np.array([[0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]]), 2),
    "sc": (2.5, np.eye(3), 1),
}
"""Lattice constant, cell and atoms of the primitive cell."""


def lattice(name, repeats=1, *, noise=0.0, species=(74,), scale=1.0, seed=0):
    """A crystal of repeated primitive cells, species in turn, displaced at random."""
    a, cell, n = PRIMITIVE[name]
    cell = scale * a * cell
    basis = scale * a * np.array([[0.0, 0.0, 0.0], [0.25, 0.25, 0.25]])[:n]
    shifts = np.array(list(np.ndindex((repeats,) * 3))) @ cell
    positions = (shifts[:, None] + basis).reshape(-1, 3)
    rng = np.random.default_rng([seed, repeats])
    return Structure(
        np.resize(np.array(species, dtype=np.int32), len(positions)),
        positions + rng.normal(0.0, noise, positions.shape),
        repeats * cell,
        np.ones(3, dtype=bool),
    )


def environment(hood, i):
    """Displacements and species of the neighbours of atom i."""
    j = hood.neighbors[hood.first[i] : hood.first[i + 1]]
    return hood.positions[j] - hood.positions[i], hood.numbers[j]


def weights_of(potential, structure):
    """Weights of all pairs within the cutoff, by the specification."""
    term = potential.terms[0]
    hood = neighborhood(structure, potential.cutoff)
    found = []
    for i in range(hood.n_local):
        d, z = environment(hood, i)
        weight, _ = screening(term.envelope, int(hood.numbers[i]), d, z)
        found.append(weight[np.linalg.norm(d, axis=1) < term.inner.cutoff])
    return np.concatenate(found)


@dataclass(frozen=True)
class Path:
    """One atom of a structure moves along a line."""

    start: Structure
    atom: int
    direction: np.ndarray

    def at(self, x):
        """The structure after x angstrom."""
        positions = self.start.positions.copy()
        positions[self.atom] += x * self.direction
        return replace(self.start, positions=positions)

    def state(self, envelope, x, i):
        """What changes at boundaries around atom i: trios below C_max and C_min, pairs."""
        now = self.at(x)
        others = np.delete(np.arange(len(now)), i)
        d, z = now.positions[others] - now.positions[i], now.numbers[others]
        around = screeners(envelope, int(now.numbers[i]), d, z)
        lost = screening(envelope, int(now.numbers[i]), d, z)[0] == 0.0
        return np.vstack([around.c < around.c_max, around.c <= around.c_min, lost])

    def boundaries(self, envelope, length=1.5, grid=16):
        """Coordinates x at which a state changes, to the last bits, and what changes.

        "begins" to screen, screens "in full", or a pair is "lost".
        """
        n, found = len(self.start), []
        xs = np.linspace(0.0, length, grid)
        for i in range(n):
            states = [self.state(envelope, x, i) for x in xs]
            for a in range(grid - 1):
                for place in zip(*np.nonzero(states[a] != states[a + 1]), strict=True):
                    low, high = xs[a], xs[a + 1]
                    for _ in range(36):
                        middle = 0.5 * (low + high)
                        same = self.state(envelope, middle, i)[place] == states[a][place]
                        low, high = (middle, high) if same else (low, middle)
                    found.append((high, ("begins", "in full", "lost")[place[0] // (n - 1)]))
        return found


def free_path(seed=0, species=(74,), n=7):
    """A free cluster, one of whose atoms moves through the others."""
    rng = np.random.default_rng([seed, n])
    placed = [np.zeros(3)]
    while len(placed) < n:
        trial = rng.uniform(-2.6, 2.6, 3)
        if min(np.linalg.norm(trial - x) for x in placed) > 1.5:
            placed.append(trial)
    direction = rng.normal(size=3)
    start = Structure(
        np.resize(np.array(species, dtype=np.int32), n),
        np.array(placed),
        np.zeros((3, 3)),
        np.zeros(3, dtype=bool),
    )
    return Path(start, 0, direction / np.linalg.norm(direction))


def opening(c_min):
    """Three atoms: the third leaves the line between the others, past C_min at x = 0."""
    far, t = 2.9, 0.45
    height = far * np.sqrt(c_min * t * (1.0 - t))
    aside = np.array([0.0, 0.6, 0.8])
    atoms = np.array([[0.0, 0.0, 0.0], [far, 0.0, 0.0], [t * far, 0.0, 0.0]])
    atoms[2] += height * aside
    numbers = np.full(3, 74, dtype=np.int32)
    start = Structure(numbers, atoms, np.zeros((3, 3)), np.zeros(3, dtype=bool))
    return Path(start, 2, aside)
