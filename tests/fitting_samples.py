"""Small labelled frames and models, and the rows of the fit written out."""

from __future__ import annotations

import numpy as np

from spline_samples import profile_of, rows_of, scattered
from toy_potentials import Morse
from trimpot.data import Frame
from trimpot.engines.singlepoint import evaluate
from trimpot.fitting import Model
from trimpot.splines.one_body import OneBody
from trimpot.splines.pair_settings import PairSettings
from trimpot.splines.potential import SplinePotential
from trimpot.splines.triplet_settings import TripletSettings

SPECIES = (14, 74)
PAIR = PairSettings(cutoff=4.5, intervals=7, r_min=1.2, repulsive=False)
REPULSIVE = PairSettings(cutoff=4.5, intervals=9)
TRIPLET = TripletSettings(cutoff=3.6, intervals=4, intervals_jk=4, r_min=1.0, tie="all")
VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


def free_terms(*settings):
    """One-body term and the given terms (default: pairs and triplets)."""
    built = [
        s.build(SPECIES, profile_of(SPECIES, 1.9)) for s in settings or (PAIR, TRIPLET)
    ]
    return (OneBody(SPECIES), *built)


def model_of(*settings):
    """A model whose E0s are refined, so that all its columns are those of free_terms."""
    return Model(SPECIES, free_terms(*settings)[1:], np.zeros(2), refine_e0s=True)


def labelled_frames(count, *, first_seed=0, label=None):
    """Frames of 4 to 7 atoms of both species, labelled by a Morse potential."""
    frames = []
    for seed in range(first_seed, first_seed + count):
        structure = scattered(SPECIES, n=4 + seed % 4, shortest=1.9, seed=seed)
        found = evaluate(label or Morse(), structure, threads=1)
        stress = found.stress(structure.volume)
        frames.append(Frame(structure, found.energy, found.forces, stress))
    return frames


def weighted_rows(terms, frames, quantity):
    """Rows and targets of all frames with this label, unit weights, no fixed terms."""
    zeros = tuple(np.zeros(t.n_coefficients) for t in terms)
    potential = SplinePotential(SPECIES, tuple(terms), zeros)
    rows, values = [], []
    for frame in frames:
        energy, forces, stress = rows_of(potential, frame.structure)
        if quantity == "energy":
            rows.append(energy / len(frame))
            values.append([frame.energy / len(frame)])
        elif quantity == "forces":
            rows.append(forces)
            values.append(frame.forces.ravel())
        else:
            rows.append(stress)
            values.append([frame.stress[a, b] for a, b in VOIGT])
    return np.concatenate(rows), np.concatenate(values)
