"""What a network has to learn: labels less isolated atoms and prior."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trimpot.data import resolve_E0s
from trimpot.data.charge_energies import with_charge_energies
from trimpot.data.duplicates import duplicate_groups
from trimpot.elements import SYMBOLS
from trimpot.errors import InputError
from trimpot.files import load
from trimpot.networks.charges import ChargeStates
from trimpot.networks.training import TrainingData
from trimpot.splines.core import CoreSettings
from trimpot.splines.packing import pack
from trimpot.splines.potential import SplinePotential
from trimpot.splines.profile import pair_profile
from trimpot.verbs.charges import charges_in_words, known_kinds, unused_charges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.config import Config, NetworkModelSettings
    from trimpot.contract import Evaluation
    from trimpot.data import E0s, Frame
    from trimpot.splines.profile import PairProfile
    from trimpot.verbs.preparing import PreparedData
    from trimpot.verbs.watching import Watcher


@dataclass(frozen=True)
class NetworkTask:
    """What a network learns, and what it adds to.

    Attributes
    ----------
    train, valid : TrainingData
        Frames to learn, and frames of the same set to choose the best weights by.
    e0s : E0s
    prior : SplinePotential, optional
    profile : PairProfile
        Distances in the training frames.
    charges : ChargeStates, optional
        Total charges that the network will tell apart.
    """

    train: TrainingData
    valid: TrainingData
    e0s: E0s
    prior: SplinePotential | None
    profile: PairProfile
    charges: ChargeStates | None = None


def network_task(
    config: Config, settings: NetworkModelSettings, data: PreparedData, watcher: Watcher
) -> NetworkTask:
    """Return what a configuration lets a network learn from prepared data.

    Raises
    ------
    InputError, FileFormatError
        For a prior that cannot be used, or charges that only test frames have.
    """
    kinds = known_kinds(settings, data)
    structures = [f.structure for f in data.fitted]
    profile = pair_profile(
        pack(structures, data.species), settings.cutoff, threads=config.threads
    )
    prior = prior_of(settings, profile)
    e0s, frames = data.e0s, data.fitted
    if prior is not None:
        found = prior.evaluate_many(structures, threads=config.threads)
        frames = tuple(
            less(frame, known) for frame, known in zip(frames, found, strict=True)
        )
        if e0s.source == "least squares":
            # of what the prior leaves, as the fit of splines refines them
            e0s = resolve_E0s("least_squares", frames, data.species)
    charges: ChargeStates | None = None
    if kinds:
        e0s, constants = with_charge_energies(e0s, frames, data.species)
        charges = ChargeStates(kinds, constants)
        watcher.note(charges_in_words(charges))
    else:
        for line in unused_charges((*data.train, *data.test)):
            watcher.note(line)
    count = config.training.validation_frames(len(frames))
    places = validation_places(data.fitted, count, config.training.seed)
    places = without_only_ones(data.fitted, places)
    watcher.note(
        f"validation: {places.sum()} of {len(frames)} training frames choose the best "
        "weights and are not learned"
    )
    return NetworkTask(
        labels([f for f, v in zip(frames, places, strict=True) if not v], e0s, charges),
        labels([f for f, v in zip(frames, places, strict=True) if v], e0s, charges),
        e0s,
        prior,
        profile,
        charges,
    )


def without_only_ones(frames: Sequence[Frame], places: np.ndarray) -> np.ndarray:
    """Return validation places less those of frames that must be learned, (n,) bool.

    Each element is to be learned with each total charge that it has in the data: a pair
    that only validation frames have would keep the embedding it began with.
    """
    places = places.copy()
    pairs = [
        {(z, f.structure.charge) for z in np.unique(f.structure.numbers).tolist()}
        for f in frames
    ]
    learned = set().union(*(p for p, held in zip(pairs, places, strict=True) if not held))
    for k in np.flatnonzero(places):
        if not pairs[k] <= learned:
            places[k] = False
            learned |= pairs[k]
    return places


def prior_of(
    settings: NetworkModelSettings, profile: PairProfile
) -> SplinePotential | None:
    """Return what the network adds to, without energies of isolated atoms.

    Raises
    ------
    InputError, FileFormatError
        If a file is no potential of splines for these elements.
    """
    if settings.prior is None:
        return None
    if isinstance(settings.prior, CoreSettings):
        core = settings.prior.build(profile.species, profile)
        return SplinePotential(profile.species, (core,), (np.zeros(0),))
    return _from_file(settings.prior, profile.species)


def _from_file(path: Path, species: tuple[int, ...]) -> SplinePotential | None:
    found = load(path)
    if not isinstance(found, SplinePotential) or found.species != species:
        symbols = ", ".join(SYMBOLS[z] for z in found.species)
        wanted = ", ".join(SYMBOLS[z] for z in species)
        raise InputError(
            f"model.prior: {path} is a {type(found).__name__} of {symbols}, expected a "
            f"potential of splines of {wanted}; train one on these data, or set "
            "model.species to its elements"
        )
    kept = tuple(part for part in found.parts if part != "one_body")
    return found.only(*kept) if kept else None


def less(frame: Frame, known: Evaluation) -> Frame:
    """Return a frame whose labels are less what is known of them."""
    volume = frame.structure.volume
    return replace(
        frame,
        energy=None if frame.energy is None else frame.energy - known.energy,
        forces=None if frame.forces is None else frame.forces - known.forces,
        stress=None if frame.stress is None else frame.stress - known.stress(volume),
    )


def labels(
    frames: Sequence[Frame], e0s: E0s, charges: ChargeStates | None = None
) -> TrainingData:
    """Return labels as a training takes them, less isolated atoms and charges."""
    return TrainingData(
        structures=tuple(f.structure for f in frames),
        energies=np.array([_bound(f, e0s, charges) for f in frames], dtype=np.float64),
        forces=tuple(f.forces for f in frames),
        stresses=tuple(f.stress for f in frames),
        groups=tuple(f.config_type for f in frames),
    )


def _bound(frame: Frame, e0s: E0s, charges: ChargeStates | None) -> float:
    """Return the energy less that of isolated atoms and charge; NaN: no label."""
    if frame.energy is None:
        return float("nan")
    left = frame.energy - e0s.total(frame.structure.numbers)
    return left if charges is None else left - charges.energy(frame.structure.charge)


def validation_places(frames: Sequence[Frame], count: int, seed: int) -> np.ndarray:
    """Return which frames are for validation, (n,) bool: random, duplicates together."""
    groups = duplicate_groups(frames)
    sizes = np.bincount(groups)
    chosen = np.zeros(len(sizes), dtype=bool)
    left = count
    for group in np.random.default_rng(seed).permutation(len(sizes)):
        if sizes[group] <= left:
            chosen[group], left = True, left - int(sizes[group])
    return chosen[groups]
