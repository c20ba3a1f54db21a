"""Small spline potentials with random coefficients, and structures to try them on."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np

from trimpot import _native
from trimpot.contract import Structure
from trimpot.envelopes import EnvelopeSettings
from trimpot.splines.core import CoreSettings
from trimpot.splines.density_settings import DensitySettings
from trimpot.splines.one_body import OneBody
from trimpot.splines.packing import pack
from trimpot.splines.pair_settings import PairSettings
from trimpot.splines.potential import SplinePotential
from trimpot.splines.profile import PairProfile
from trimpot.splines.triplet_settings import TripletSettings


def greville(knots):
    """The abscissa that each coefficient stands for (mean of its inner knots)."""
    n = len(knots) - 4
    return (knots[1 : n + 1] + knots[2 : n + 2] + knots[3 : n + 3]) / 3


SPECIES = {1: (74,), 2: (14, 74), 3: (14, 32, 74)}
PAIR_CUTOFF, LEG_CUTOFF, BASE_CUTOFF = 4.6, 4.0, 5.1

UNIFORM = {
    "pair": PairSettings(cutoff=PAIR_CUTOFF, intervals=12),
    "triplet": TripletSettings(
        cutoff=LEG_CUTOFF,
        cutoff_jk=BASE_CUTOFF,
        r_min=1.2,
        r_min_jk=1.4,
        intervals=7,
        intervals_jk=9,
        tie="none",
    ),
    "zbl": CoreSettings(outer=2.4),
    "screened_pair": PairSettings(
        cutoff=PAIR_CUTOFF,
        intervals=12,
        envelope=EnvelopeSettings(c_min=0.2, c_max=1.7, inner=1.5, outer=2.5),
    ),
    "screened_triplet": TripletSettings(
        cutoff=LEG_CUTOFF,
        cutoff_jk=BASE_CUTOFF,
        r_min=1.2,
        r_min_jk=1.4,
        intervals=7,
        intervals_jk=9,
        tie="none",
        envelope=EnvelopeSettings(c_min=0.1, c_max=1.4),
    ),
    "density": DensitySettings(cutoff=LEG_CUTOFF, functions=3, r_min=1.1, order=3),
    "screened_density": DensitySettings(
        cutoff=LEG_CUTOFF,
        functions=2,
        order=2,
        r_min=1.4,
        l_max=3,
        angular_cutoff=3.7,
        angular_functions=2,
        triples=True,
        envelope=EnvelopeSettings(c_min=0.2, c_max=1.6),
    ),
}
OTHER_SPACING = {
    "pair": PairSettings(cutoff=PAIR_CUTOFF, intervals=12, spacing="square"),
    "triplet": TripletSettings(
        cutoff=LEG_CUTOFF,
        cutoff_jk=BASE_CUTOFF,
        r_min=1.2,
        r_min_jk=1.4,
        intervals=7,
        intervals_jk=9,
        spacing="geometric",
        tie="center",
    ),
    "zbl": CoreSettings(outer=2.4, inner_fraction=0.3),
    "screened_pair": PairSettings(
        cutoff=3.4,
        intervals=12,
        spacing="square",
        envelope=EnvelopeSettings(c_min=0.3, c_max=2.9, switch="quintic"),
    ),
    "screened_triplet": TripletSettings(
        cutoff=LEG_CUTOFF,
        cutoff_jk=BASE_CUTOFF,
        r_min=1.2,
        r_min_jk=1.4,
        intervals=7,
        intervals_jk=9,
        spacing="geometric",
        tie="center",
        envelope=EnvelopeSettings(c_min=0.1, c_max=1.9, switch="meam", combine="softmin"),
    ),
    "density": DensitySettings(
        cutoff=LEG_CUTOFF, functions=2, order=4, l_max=2, angular_functions=2
    ),
    "screened_density": DensitySettings(
        cutoff=LEG_CUTOFF,
        functions=2,
        order=3,
        envelope=EnvelopeSettings(c_min=0.2, c_max=1.6, combine="softmin"),
    ),
}
KINDS = (
    "one_body",
    "pair",
    "triplet",
    "zbl",
    "screened_pair",
    "screened_triplet",
    "density",
    "screened_density",
    "sum",
)
UF23 = ("one_body", "pair", "triplet", "zbl")


def profile_of(species, shortest=2.0):
    """A profile in which every pair has the same shortest distance."""
    n = len(species)
    return PairProfile(species, np.full((n, n), shortest), np.zeros((n, n, 10)), 6.0)


def absent(species):
    """A profile of data without any pair."""
    return profile_of(species, np.inf)


def terms_of(kind, species, settings=None):
    """The terms of one kind, or of several for ``uf23`` and ``sum``."""
    settings = settings or UNIFORM
    if kind == "one_body":
        return (OneBody(species),)
    parts = {"sum": KINDS[:-1], "uf23": UF23}.get(kind)
    if parts is not None:
        return tuple(t for k in parts for t in terms_of(k, species, settings))
    term = settings[kind].build(species, profile_of(species))
    if settings is OTHER_SPACING and term.n_limits:  # small, so that structures exceed them
        term = term.with_limits(np.full((len(species), term.n_limits), 0.3))
    return (term,)


def random_potential(kind, n_species, settings=None, seed=0):
    """A potential of this kind with random coefficients of about 1 eV."""
    species = SPECIES[n_species]
    rng = np.random.default_rng([seed, n_species])
    terms = terms_of(kind, species, settings)
    return SplinePotential(
        species, terms, tuple(rng.normal(size=t.n_coefficients) for t in terms)
    )


def scattered(species, n=6, *, shortest=1.6, seed=0, pbc=(True, True, True)):
    """Atoms at random in a triclinic cell smaller than the cutoffs, none too close."""
    rng = np.random.default_rng([seed, n, *species])
    cell = np.array([[4.4, 0.0, 0.0], [1.3, 4.2, 0.0], [-0.7, 0.9, 4.6]])
    pbc = np.array(pbc)
    images = np.array(list(np.ndindex(3, 3, 3))) - 1
    shifts = (images * pbc) @ cell
    placed: list[np.ndarray] = []
    while len(placed) < n:
        trial = rng.uniform(size=3) @ cell
        near = [np.linalg.norm(x + shifts - trial, axis=1).min() for x in placed]
        if min(near, default=9.0) > shortest:
            placed.append(trial)
    numbers = np.resize(np.array(species, dtype=np.int32), n)
    return Structure(numbers, np.array(placed), cell, pbc)


def lone_dimer(a, b, r):
    """Two atoms in empty space."""
    return Structure(
        np.array([a, b], dtype=np.int32),
        np.array([[0.0, 0.0, 0.0], [r, 0.0, 0.0]]),
        np.zeros((3, 3)),
        np.zeros(3, dtype=bool),
    )


def all_pairs(species):
    return list(combinations_with_replacement(species, 2))


def rows_of(potential, structure):
    """Energy, force and stress rows of one structure, unscaled."""
    terms = [t.native(None) for t in potential.terms]
    n = sum(t.n_coefficients for t in potential.terms)
    frames = pack([structure], potential.species)
    atoms = len(structure)
    energy, forces, stress = np.empty((1, n)), np.empty((3 * atoms, n)), np.empty((6, n))
    start, one = np.zeros(1, dtype=np.int64), np.ones(1)
    _native.design_rows(
        terms,
        frames.offsets,
        frames.positions,
        frames.species,
        frames.cells,
        frames.pbc,
        *(start, start, start),
        *(one, one, one),
        *(energy, forces, stress),
        1,
    )
    return energy, forces, stress
