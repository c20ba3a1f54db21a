"""From a configuration to training frames, test frames and the model to fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot.config import ModelSettings
from trimpot.data import Frame, read, resolve_E0s, split
from trimpot.elements import SYMBOLS, atomic_number
from trimpot.errors import DataError, InputError
from trimpot.fitting import Model
from trimpot.splines.packing import pack
from trimpot.splines.profile import PairProfile, pair_profile
from trimpot.splines.ranges import bounded_terms
from trimpot.verbs.charges import unused_charges

if TYPE_CHECKING:
    from trimpot.config import Config, DataSettings, NetworkModelSettings
    from trimpot.data import Dataset, E0s
    from trimpot.splines.term import Term
    from trimpot.verbs.watching import Watcher


@dataclass(frozen=True)
class PreparedData:
    """Frames for training and testing.

    Attributes
    ----------
    train, test : tuple of Frame
        All training and test frames.
    fitted : tuple of Frame
        Training frames that enter the fit: without isolated atoms.
    species : tuple of int
        Atomic numbers of the model, ascending.
    e0s : E0s
    facts : dict
        JSON-compatible description for the model's provenance.
    """

    train: tuple[Frame, ...]
    test: tuple[Frame, ...]
    fitted: tuple[Frame, ...]
    species: tuple[int, ...]
    e0s: E0s
    facts: dict[str, object]


def prepare_data(config: Config, watcher: Watcher) -> PreparedData:
    """Return the frames that a configuration asks for; tells what was read."""
    dataset = _read(config.data, config.data.path, watcher)
    division = split(dataset.frames, config.data.effective_split)
    watcher.note(f"split: {division.description}")
    train = tuple(dataset.frames[i] for i in division.train_indices)
    test = tuple(dataset.frames[i] for i in division.test_indices)
    if config.data.test:
        test += _read(config.data, config.data.test, watcher).frames
    if isinstance(config.model, ModelSettings):
        for line in unused_charges((*train, *test)):
            watcher.note(line)
    species = _species(config.model, train)
    e0s = resolve_E0s(config.data.E0s, train, species)
    for line in e0s.lines():
        watcher.note(line)
    isolated = set(e0s.isolated)
    fitted = tuple(f for i, f in enumerate(train) if i not in isolated)
    if not fitted:
        raise DataError(
            "all training frames are isolated atoms, expected structures with neighbours"
        )
    facts: dict[str, object] = {
        "files": [*config.data.path, *config.data.test],
        "sha256": dataset.fingerprint,
        "training_frames": len(train),
        "test_frames": len(test),
        "training_atoms": sum(len(f.structure) for f in train),
        "split": division.description,
        "E0s": e0s.source,
    }
    return PreparedData(train, test, fitted, species, e0s, facts)


def _read(settings: DataSettings, paths: tuple[str, ...], watcher: Watcher) -> Dataset:
    watcher.note(f"reading {', '.join(paths)}")
    dataset = read(
        paths,
        keys=settings.keys,
        rules=settings.rules,
        where=settings.where,
        format=settings.format,
    )
    for line in dataset.report.lines():
        watcher.note(line)
    return dataset


def _species(
    settings: ModelSettings | NetworkModelSettings, frames: tuple[Frame, ...]
) -> tuple[int, ...]:
    found = {z for f in frames for z in f.structure.numbers.tolist()}
    if settings.species is None:
        return tuple(sorted(found))
    wanted = {atomic_number(symbol) for symbol in settings.species}
    missing = sorted(found - wanted)
    if missing:
        raise InputError(
            f"model.species is {', '.join(settings.species)}, but the training frames also "
            f"contain {', '.join(SYMBOLS[z] for z in missing)}; add them, or leave species "
            "out"
        )
    return tuple(sorted(wanted))


def spline_settings(config: Config) -> ModelSettings:
    """Return the settings of a model of splines.

    Raises
    ------
    InputError
        If the model is a network.
    """
    if isinstance(config.model, ModelSettings):
        return config.model
    raise InputError(
        f"found model.kind {config.model.kind}, expected spline: only models of splines "
        "are fitted by linear algebra; networks are trained by `trimpot train`"
    )


def prepare_model(config: Config, data: PreparedData) -> tuple[Model, PairProfile]:
    """Return the model with terms built on the distances of the training frames.

    Raises
    ------
    InputError
        Names the term whose settings are wrong; for a network.
    """
    settings = spline_settings(config)
    structures = [f.structure for f in data.fitted]
    packed = pack(structures, data.species)
    n = len(data.species)
    # Reach of the terms before the data are known; their cutoffs do not depend on it.
    unknown = PairProfile(data.species, np.full((n, n), np.inf), np.zeros((n, n, 1)), 0.0)
    reach = max((t.cutoff for t in _terms(settings, unknown)), default=0.0)
    profile = pair_profile(packed, reach, threads=config.threads)
    e0s = np.array([data.e0s.values[z] for z in data.species])
    terms = _terms(settings, profile)
    model = Model(
        data.species,
        bounded_terms(terms, packed, threads=config.threads),
        e0s,
        refine_e0s=data.e0s.source == "least squares",
    )
    return model, profile


def _terms(settings: ModelSettings, profile: PairProfile) -> tuple[Term, ...]:
    terms: list[Term] = []
    for number, term in enumerate(settings.all_terms):
        try:
            terms.append(term.build(profile.species, profile))
        except InputError as error:
            raise InputError(f"model.terms.{number} ({term.kind}): {error}") from error
    if not terms:
        raise InputError("model.terms is empty; give at least one term such as kind: pair")
    return tuple(terms)
