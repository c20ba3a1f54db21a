"""The configuration of a training run: settings of the rooms, put together.

Defaults stand in the class that uses them and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from trimpot.data import (
    E0Setting,
    FieldSplit,
    LabelKeys,
    ListSplit,
    RandomSplit,
    ReadRules,
    TrainOnAll,
)
from trimpot.data.frames import Scalar
from trimpot.fitting import FitSettings
from trimpot.splines.core import CoreSettings
from trimpot.splines.pair_settings import PairSettings
from trimpot.splines.registry import TermSettings
from trimpot.splines.triplet_settings import TripletSettings

SPLIT_KINDS: dict[type, str] = {
    FieldSplit: "field",
    RandomSplit: "random",
    ListSplit: "list",
    TrainOnAll: "all",
}
"""What ``kind`` means in a split."""

SplitSettings = FieldSplit | RandomSplit | ListSplit | TrainOnAll


@dataclass(frozen=True)
class DataSettings:
    """Reference data.

    Attributes
    ----------
    path : list of str
        Files or patterns, relative to the working directory; one or several.
    test : list of str
        Files with test frames only; empty: the split decides.
    format : str, optional
        ``extxyz`` or an ASE format name; default: from the file.
    where : mapping
        Only frames whose info fields have these values, of all files, for example
        ``{config_type: [bulk, surface]}``.
    keys : LabelKeys
        Keys of the labels; by default the usual dialects are recognised.
    rules : ReadRules
        Units, signs and limits of reading.
    E0s : str or mapping
        Isolated-atom energies: ``auto`` (isolated-atom frames if there are any, else
        least squares), ``isolated``, ``least_squares``, ``zero``, or eV by element.
    split : split settings, optional
        How frames become training and test frames; default: ``kind: random``, or
        ``kind: all`` where ``test`` files are given.
    """

    path: tuple[str, ...]
    test: tuple[str, ...] = ()
    format: str | None = None
    where: Mapping[str, tuple[Scalar, ...]] = field(default_factory=dict)
    keys: LabelKeys = field(default_factory=LabelKeys)
    rules: ReadRules = field(default_factory=ReadRules)
    E0s: E0Setting = "auto"
    split: SplitSettings | None = None

    @property
    def effective_split(self) -> SplitSettings:
        """The split that is used."""
        if self.split is not None:
            return self.split
        return TrainOnAll() if self.test else RandomSplit()


@dataclass(frozen=True)
class EvaluationSettings:
    """How ``trimpot evaluate`` reads its data.

    Attributes
    ----------
    keys : LabelKeys
    rules : ReadRules
    """

    keys: LabelKeys = field(default_factory=LabelKeys)
    rules: ReadRules = field(default_factory=ReadRules)


@dataclass(frozen=True)
class ModelSettings:
    """The potential to be trained.

    Attributes
    ----------
    kind : str
        ``spline``: a sum of spline terms, linear in its coefficients.
    species : list of str, optional
        Element symbols; default: those of the training frames.
    terms : list of term settings
        Each with its ``kind``: pair, triplet, density, zbl. Default: one pair and one
        triplet term (UF2,3).
    core : settings of the repulsive core, or off
        Screened nuclear repulsion below the data; on by default. A ``zbl`` among the
        terms replaces it.
    """

    kind: Literal["spline"] = "spline"
    species: tuple[str, ...] | None = None
    terms: tuple[TermSettings, ...] = (PairSettings(), TripletSettings())
    core: CoreSettings | None = field(default_factory=CoreSettings)

    @property
    def all_terms(self) -> tuple[TermSettings, ...]:
        """The terms with the core."""
        own_core = any(isinstance(t, CoreSettings) for t in self.terms)
        if self.core is None or own_core:
            return self.terms
        return (*self.terms, self.core)


@dataclass(frozen=True)
class Config:
    """A training run.

    Attributes
    ----------
    data : DataSettings
    model : ModelSettings
    fit : FitSettings
    choose : mapping
        Settings of the model to choose by cross-validation on the training frames: a
        dotted key to its candidates, for example
        ``{model.terms.0.cutoff: [5.0, 5.5, 6.0]}``. All combinations are fitted, at most
        32, and the one with the lowest score is trained.
    output : path
        Folder of all results; made if missing.
    threads : int
        Threads; 0 means all available cores.
    seed : int, optional
        Seed of the random split and of the folds, unless they have their own.
    cache_gb : float
        Largest size of the Gram blocks that are kept in the output folder, so that a
        fit with other strengths needs no data; 0 keeps none.
    checkpoint_seconds : float
        Least time between two writes of what the pass over the data has summed, so that a
        killed run goes on there; 0 writes none. Writing takes at most 5 % of the time.
    uncertainty : bool
        Keep in the potential how far it can be trusted: extrapolation grades of atoms,
        and uncertainties calibrated on held-out training frames.
    figures : bool
        Draw figures and write report.html; switch off in loops of many small fits.
    """

    data: DataSettings
    model: ModelSettings = field(default_factory=ModelSettings)
    fit: FitSettings = field(default_factory=FitSettings)
    choose: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    output: Path = Path("output")
    threads: int = 0
    seed: int | None = None
    cache_gb: float = 2.0
    checkpoint_seconds: float = 60.0
    uncertainty: bool = True
    figures: bool = True
