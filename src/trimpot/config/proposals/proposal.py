"""A whole configuration chosen from frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trimpot.config.proposals.choice import Choice
from trimpot.config.proposals.cutoffs import LARGEST
from trimpot.config.proposals.energies import propose_E0s
from trimpot.config.proposals.recipes import RECIPES
from trimpot.config.proposals.shells import shells_of
from trimpot.config.proposals.splitting import propose_split, setting_of
from trimpot.config.proposals.terms import Setting, propose_terms, symbols_of
from trimpot.data import TrainOnAll, duplicate_groups, isolated_frames, split
from trimpot.errors import DataError
from trimpot.fitting import FitSettings
from trimpot.splines.packing import pack
from trimpot.splines.profile import pair_profile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.config.proposals.recipes import Recipe
    from trimpot.config.proposals.shells import Shells
    from trimpot.data import Frame
    from trimpot.splines.profile import PairProfile

MOST_COEFFICIENTS = 3000
"""Limit of a model: a fit then takes minutes and one or two GB."""

LABELS_PER_COEFFICIENT = 3
"""Fewest labels for each coefficient of a model."""

FEWEST_COEFFICIENTS = 30
"""What any data set may ask for."""

BINS_PER_ANGSTROM = 50


@dataclass(frozen=True)
class Proposal:
    """Settings chosen from data.

    Attributes
    ----------
    title : str
        What they were chosen from.
    choices : tuple of Choice
        In the order in which a file gives them.
    """

    title: str
    choices: tuple[Choice, ...]


def propose(
    frames: Sequence[Frame],
    recipe: Recipe,
    *,
    files: Sequence[Choice],
    separate_test: bool,
    threads: int = 0,
) -> Proposal:
    """Return settings that suit the frames of some files.

    Everything but the split is chosen from training frames alone.

    Parameters
    ----------
    frames
        Of the files for training.
    recipe
    files
        Choices about files and keys, which come first.
    separate_test
        Whether there are files of test frames; else the frames are divided.

    Raises
    ------
    DataError
        If there are fewer than two different frames, no frame has neighbours, or isolated
        atoms contradict each other.
    """
    divided = () if separate_test else (propose_split(frames),)
    rule = setting_of(divided[0]) if divided else TrainOnAll()
    train = [frames[i] for i in split(frames, rule).train_indices.tolist()]
    alone = set(isolated_frames(train))
    fitted = [f for i, f in enumerate(train) if i not in alone]
    _require_two(fitted)
    species = tuple(sorted({z for f in train for z in f.structure.numbers.tolist()}))
    profile, shells = _distances(fitted, species, threads)
    periodic = any(f.structure.pbc.any() for f in fitted)
    setting = Setting(profile, shells, periodic, *budget_of(fitted))
    choices = (
        *files,
        propose_E0s(frames, train, species),
        *divided,
        Choice("model.species", symbols_of(profile), shell_text(shells)),
        *propose_terms(recipe, setting),
        *_fit(fitted),
    )
    symbols = ", ".join(symbols_of(profile))
    title = (
        f"{len(fitted)} training frames with {sum(map(len, fitted))} atoms ({symbols}); "
        f"recipe {recipe}: {RECIPES[recipe].about}"
    )
    return Proposal(title, choices)


def _require_two(frames: Sequence[Frame]) -> None:
    """Refuse what no fit can hold anything out of."""
    different = len(np.unique(duplicate_groups(frames))) if frames else 0
    if different < 2:
        raise DataError(
            f"found {different} different training frames besides isolated atoms, expected "
            "at least 2: cross-validation holds some of them out"
        )


def budget_of(frames: Sequence[Frame]) -> tuple[int, str]:
    """Return how many coefficients the labels of these frames allow, and why."""
    labels = sum(_labels(frame) for frame in frames)
    allowed = max(FEWEST_COEFFICIENTS, labels // LABELS_PER_COEFFICIENT)
    if allowed >= MOST_COEFFICIENTS:
        return MOST_COEFFICIENTS, f"at most {MOST_COEFFICIENTS} coefficients are proposed"
    return allowed, f"{labels} labels allow about {allowed} coefficients"


def _labels(frame: Frame) -> int:
    forces = 0 if frame.forces is None else 3 * len(frame)
    return forces + (frame.energy is not None) + 6 * (frame.stress is not None)


def _distances(
    frames: Sequence[Frame], species: tuple[int, ...], threads: int
) -> tuple[PairProfile, Shells]:
    packed = pack([f.structure for f in frames], species)
    bins = round(LARGEST * BINS_PER_ANGSTROM)
    profile = pair_profile(packed, LARGEST, bins=bins, threads=threads)
    if not np.isfinite(profile.smallest).any():
        raise DataError(
            f"no two atoms of the training frames are within {LARGEST:.1f} A, expected "
            "structures with neighbours; check the unit of the positions"
        )
    return profile, shells_of(profile, sum(map(len, frames)))


def shell_text(shells: Shells) -> str:
    """Return where neighbours stand, in words."""
    text = f"Distances begin at {shells.shortest:.2f} A"
    if len(shells.peaks):
        text += f", the first shell stands at {shells.nearest:.2f} A"
    counts = [f"{shells.within(gap):.0f} to {gap:.2f} A" for gap in shells.gaps[:4]]
    return f"{text}; neighbours: {', '.join(counts)}." if counts else f"{text}; no gaps."


def _fit(frames: Sequence[Frame]) -> tuple[Choice, ...]:
    """Return what differs from the defaults of the fit, and whether stresses count."""
    usual = FitSettings()
    with_stress = sum(f.stress is not None for f in frames)
    found: list[Choice] = []
    if with_stress:
        why = (
            f"{with_stress} of {len(frames)} frames have stresses; a small weight, since "
            "they compete with the energies of strained cells."
        )
        found.append(Choice("fit.stress_weight", usual.stress_weight, why))
    different = len(np.unique(duplicate_groups(frames)))
    if 1 < different < usual.folds:
        why = f"Only {different} different frames to hold out."
        found.append(Choice("fit.folds", different, why))
    return tuple(found)
