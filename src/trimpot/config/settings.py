"""The configuration of a training run: settings of the rooms, put together.

Defaults stand in the class that uses them and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
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
from trimpot.errors import InputError
from trimpot.fitting import FitSettings
from trimpot.networks.mlanet.settings import MLANetSettings
from trimpot.networks.training.settings import TrainingSettings
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
    """A potential of spline terms to be trained.

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
class NetworkModelSettings(MLANetSettings):
    """A network (MLANet) to be trained, on top of a physical prior.

    Attributes
    ----------
    kind : str
        ``mlanet``: an equivariant network with attention. Needs PyTorch.
    species : list of str, optional
        Element symbols; default: those of the training frames.
    prior : settings of a repulsive core, path, or off
        What the network adds to: the screened nuclear repulsion below the data, or the
        file of a spline potential, whose interactions are taken, or nothing.
    charges : bool or auto
        Whether the network tells structures apart by their total charge
        (``data.keys.charge``); ``auto``: if the training frames have several.
    """

    kind: Literal["mlanet"] = "mlanet"
    species: tuple[str, ...] | None = None
    prior: CoreSettings | Path | None = field(default_factory=CoreSettings)
    charges: bool | Literal["auto"] = "auto"

    @property
    def network(self) -> MLANetSettings:
        """The settings of the network alone."""
        own = {f.name: getattr(self, f.name) for f in fields(MLANetSettings)}
        return MLANetSettings(**own)


ONLY: dict[str, tuple[str, ...]] = {
    "spline": ("fit", "choose", "cache_gb", "checkpoint_seconds", "uncertainty"),
    "mlanet": ("training",),
}
"""What belongs to models of one kind."""


@dataclass(frozen=True)
class Config:
    """A training run.

    Attributes
    ----------
    data : DataSettings
    model : model settings
        The potential, by its ``kind``: ``spline`` (default) or ``mlanet``.
    fit : FitSettings
        Of splines.
    training : TrainingSettings
        Of networks.
    choose : mapping
        Of splines: settings of the model to choose by cross-validation on the training
        frames: a dotted key to its candidates, for example
        ``{model.terms.0.cutoff: [5.0, 5.5, 6.0]}``. All combinations are fitted, at most
        32, and the one with the lowest score is trained.
    output : path
        Folder of all results; made if missing.
    threads : int
        Threads; 0 means all available cores.
    seed : int, optional
        Seed of the random split, the folds and the training, unless they have their own.
    cache_gb : float
        Of splines: largest size of the Gram blocks that are kept in the output folder, so
        that a fit with other strengths needs no data; 0 keeps none.
    checkpoint_seconds : float
        Of splines: least time between two writes of what the pass over the data has
        summed, so that a killed run goes on there; 0 writes none. Writing takes at most
        5 % of the time.
    uncertainty : bool
        Of splines: keep in the potential how far it can be trusted: extrapolation grades
        of atoms, and uncertainties calibrated on held-out training frames.
    figures : bool
        Draw figures and write report.html; switch off in loops of many small fits.
    """

    data: DataSettings
    model: ModelSettings | NetworkModelSettings = field(default_factory=ModelSettings)
    fit: FitSettings = field(default_factory=FitSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    choose: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    output: Path = Path("output")
    threads: int = 0
    seed: int | None = None
    cache_gb: float = 2.0
    checkpoint_seconds: float = 60.0
    uncertainty: bool = True
    figures: bool = True

    def __post_init__(self) -> None:
        for name in self.foreign:
            if getattr(self, name) != default_of(Config, name):
                owner = next(kind for kind, own in ONLY.items() if name in own)
                raise InputError(
                    f"{name} belongs to models of kind {owner}, found model.kind "
                    f"{self.model.kind}; leave {name} out"
                )

    @property
    def foreign(self) -> tuple[str, ...]:
        """Names of what belongs to models of other kinds and means nothing here."""
        others = [own for kind, own in ONLY.items() if kind != self.model.kind]
        return tuple(name for own in others for name in own)


def default_of(settings: type, name: str) -> object:
    """Return the default of a field, ``dataclasses.MISSING`` if it has none."""
    found = next(f for f in fields(settings) if f.name == name)
    if found.default_factory is not MISSING:
        return found.default_factory()
    return found.default
