"""A small potential, fitted in seconds, that says what most frames agree on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from trimpot.errors import TrimpotError
from trimpot.fitting import FitSettings, Model, fit
from trimpot.splines.packing import pack
from trimpot.splines.pair_settings import PairSettings
from trimpot.splines.profile import pair_profile
from trimpot.splines.ranges import bounded_terms
from trimpot.splines.triplet_settings import TripletSettings
from trimpot.validation.predictions import predict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.contract import FloatArray
    from trimpot.data import Frame
    from trimpot.splines.potential import SplinePotential
    from trimpot.splines.profile import PairProfile
    from trimpot.splines.term import Term

FEWEST_FRAMES = 12
_FITTED_FRAMES, _FITTED_ATOMS = 500, 16_000
_JUDGED_FRAMES, _JUDGED_ATOMS = 20_000, 400_000
_TRIPLETS_UP_TO = 4  # species
_MOST_SPECIES = 30
_CUTOFF = 5.5
_PAIR_COEFFICIENTS = 1200
_SETTINGS = FitSettings(
    kappa=(0.5,),
    ridge=(1e-8,),
    curvature=(1e-6,),
    stress_weight=0.0,
    folds=2,
    anchors=False,
)


@dataclass(frozen=True)
class Judged:
    """Frames beside what a potential says about them.

    Attributes
    ----------
    frames : tuple of Frame
        The frames, at most 400,000 atoms.
    energies, given_energies : (k,) float64
        Predicted and given total energies in eV, the latter NaN without label.
    energy_error : (k,) float64
        Given minus predicted energy per atom in eV, without the median.
    force_error : (k,) float64
        Root mean square error of the forces of each frame in eV/A, NaN without label.
    stresses : tuple of (3, 3) float64 or None
        Predicted stresses in eV/A^3.
    """

    frames: tuple[Frame, ...]
    energies: FloatArray
    given_energies: FloatArray
    energy_error: FloatArray
    force_error: FloatArray
    stresses: tuple[FloatArray | None, ...]


def sample_frames(
    frames: Sequence[Frame],
    most_frames: int = _FITTED_FRAMES,
    most_atoms: int = _FITTED_ATOMS,
    *,
    seed: int = 0,
) -> list[int]:
    """Return indices of frames at random, in order, within both limits."""
    order = np.random.default_rng(seed).permutation(len(frames))
    total = np.cumsum([len(frames[i]) for i in order])
    fitting = int(np.searchsorted(total, most_atoms, side="right"))
    return sorted(order[: max(1, min(most_frames, fitting))].tolist())


def judged_by(
    potential: SplinePotential, frames: Sequence[Frame], *, threads: int = 0
) -> Judged:
    """Return predictions for frames whose elements the potential knows."""
    kinds = set(potential.species)
    known = [f for f in frames if set(f.structure.numbers.tolist()) <= kinds]
    chosen = sample_frames(known, _JUDGED_FRAMES, _JUDGED_ATOMS, seed=1)
    judged = tuple(known[i] for i in chosen)
    found = predict(potential, judged, threads=threads)
    sizes = np.array([len(f) for f in judged])
    given = np.array([np.nan if f.energy is None else f.energy for f in judged])
    energy = (given - found.energies) / sizes
    if np.isfinite(energy).any():
        energy -= np.nanmedian(energy)
    force = [
        np.nan if f.forces is None else float(np.sqrt(np.mean((f.forces - own) ** 2)))
        for f, own in zip(judged, found.forces, strict=True)
    ]
    return Judged(judged, found.energies, given, energy, np.array(force), found.stresses)


def quick_fit(
    frames: Sequence[Frame],
    *,
    forces_only: bool = False,
    threads: int = 0,
) -> SplinePotential | None:
    """Return a potential fitted to these frames, or None where that cannot be done.

    Energies count for compositions as least squares have them: E0s are fitted too.
    """
    species = tuple(sorted({z for f in frames for z in f.structure.numbers.tolist()}))
    labelled = [f for f in frames if f.forces is not None or f.energy is not None]
    if len(labelled) < FEWEST_FRAMES or len(species) > _MOST_SPECIES:
        return None
    packed = pack([f.structure for f in labelled], species)
    profile = pair_profile(packed, _CUTOFF, threads=threads)
    terms = _terms(species, profile)
    e0s = np.zeros(len(species)) if forces_only else _baseline(labelled, species)
    model = Model(
        species,
        bounded_terms(terms, packed, threads=threads),
        e0s,
        refine_e0s=not forces_only,
    )
    settings = replace(_SETTINGS, kappa=(0.0,)) if forces_only else _SETTINGS
    used = [replace(f, stress=None, energy=None if forces_only else f.energy)
            for f in labelled if not forces_only or f.forces is not None]  # fmt: skip
    try:
        return fit(model, used, settings, profile=profile, threads=threads).potential
    except TrimpotError:
        return None


def _terms(species: tuple[int, ...], profile: PairProfile) -> tuple[Term, ...]:
    pairs = len(species) * (len(species) + 1) // 2
    intervals = max(5, min(16, _PAIR_COEFFICIENTS // pairs))
    pair = PairSettings(cutoff=_CUTOFF, intervals=intervals, repulsive=False)
    terms: tuple[Term, ...] = (pair.build(species, profile),)
    if len(species) <= _TRIPLETS_UP_TO:
        triplet = TripletSettings(
            cutoff=4.0, intervals=5, intervals_jk=6, max_coefficients=700
        )
        terms += (triplet.build(species, profile),)
    return terms


def _baseline(frames: Sequence[Frame], species: tuple[int, ...]) -> FloatArray:
    """Return least-squares energies of isolated atoms."""
    used = [f for f in frames if f.energy is not None]
    counts = np.array(
        [[np.count_nonzero(f.structure.numbers == z) for z in species] for f in used]
    )
    if not used:
        return np.zeros(len(species))
    energies = np.array([f.energy for f in used])
    n = counts.sum(axis=1)
    return np.asarray(np.linalg.lstsq(counts / n[:, None], energies / n, rcond=1e-8)[0])
