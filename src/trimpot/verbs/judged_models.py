"""Models as a user gives them, ready to be judged side by side."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from trimpot.contract import Potential
from trimpot.errors import InputError, TrimpotError
from trimpot.networks.potential import NetworkPotential
from trimpot.reports.page import Picture
from trimpot.splines.potential import SplinePotential
from trimpot.validation.strict_yaml import read_yaml
from trimpot.validation.subjects import (
    LAMMPS_SUFFIXES,
    Subject,
    subject_of_file,
    subject_of_potential,
)
from trimpot.verbs.comparing import loaded, names_of
from trimpot.verbs.reporting import CAPTIONS
from trimpot.verbs.showing import facts_and_figures

if TYPE_CHECKING:
    from collections.abc import Iterator

    Model: TypeAlias = str | Path | Potential | Subject
    Models: TypeAlias = Model | Sequence[Model] | Mapping[str, Model]


@dataclass(frozen=True)
class GivenModel:
    """A model that is judged.

    Attributes
    ----------
    subject : Subject
        With a name unlike the others.
    path : Path or None
        Its file, if it is of one.
    """

    subject: Subject
    path: Path | None = None

    @property
    def name(self) -> str:
        """How tables call it."""
        return self.subject.name

    @property
    def ours(self) -> bool:
        """Whether it is a potential, not somebody's calculator."""
        return self.subject.potential is not None

    @property
    def kind(self) -> str:
        """What it is, in a few words."""
        if self.subject.lammps is not None:
            lines = (line.split() for line in self.subject.lammps.lines)
            style = next(words for words in lines if words[:1] == ["pair_style"])
            return f"LAMMPS {' '.join(w for w in style[1:] if w[0].isalpha())}"
        potential = self.subject.potential
        return "ASE calculator" if potential is None else type(potential).__name__

    def facts(self) -> dict[str, object] | None:
        """Return what its model card says; None where it has no card."""
        potential = self.subject.potential
        if not isinstance(potential, SplinePotential | NetworkPotential):
            return None
        return facts_and_figures(potential, self.name, figures=False)[0]

    def curves(self) -> tuple[Picture, ...]:
        """Return figures of what is inside: V2, V3, densities, or its training."""
        potential = self.subject.potential
        if not isinstance(potential, SplinePotential | NetworkPotential):
            return ()
        _, figures = facts_and_figures(potential, self.name, figures=True)
        return tuple(Picture(*CAPTIONS[name], figure) for name, figure in figures.items())


def given_models(models: Models) -> tuple[GivenModel, ...]:
    """Return models of files (.trimpot, .lammps.yaml, .uf3, .json) or objects, named.

    Parameters
    ----------
    models
        Paths, potentials or subjects; a mapping gives them names.

    Raises
    ------
    InputError, FileFormatError
        For files that cannot be used, models given twice, or names that repeat.
    """
    found = tuple(_given(name, model) for name, model in _named(models))
    if not found:
        raise InputError("nothing to judge: give at least one model")
    repeated = [n for n, count in Counter(g.name for g in found).items() if count > 1]
    if repeated:
        raise InputError(
            f"several models are called {', '.join(repeated)}; give other names (name: in "
            "a .lammps.yaml, or a mapping of names to models in Python)"
        )
    return found


def _named(models: Models) -> list[tuple[str, Model]]:
    if isinstance(models, Mapping):
        return list(models.items())
    listed = [models] if isinstance(models, str | Path | Subject | Potential) else models
    paths = [Path(m) for m in listed if isinstance(m, str | Path)]
    repeated = [str(p) for p, n in Counter(p.resolve() for p in paths).items() if n > 1]
    if repeated:
        raise InputError(f"{', '.join(repeated)} is given twice, expected different models")
    names = iter(names_of(paths) if paths else ())
    return [(_name(model, names), model) for model in listed]


def _own_name(path: Path) -> str | None:
    """Return the name that the description of a pair style gives itself."""
    if not path.name.endswith(LAMMPS_SUFFIXES) or not path.is_file():
        return None
    found = read_yaml(path)
    name = found.get("name") if isinstance(found, Mapping) else None
    return None if name is None else str(name)


def _name(model: Model, of_paths: Iterator[str]) -> str:
    if isinstance(model, str | Path):
        of_file = next(of_paths)
        return _own_name(Path(model)) or of_file
    return model.name if isinstance(model, Subject) else type(model).__name__


def _given(name: str, model: Model) -> GivenModel:
    if isinstance(model, Subject):
        return GivenModel(model)
    if isinstance(model, str | Path):
        return GivenModel(_of_file(Path(model), name), Path(model))
    try:
        return GivenModel(subject_of_potential(model, name))
    except TrimpotError:  # no file can hold it: nothing tells it from another one later
        return GivenModel(subject_of_potential(model, name, f"unstored {uuid.uuid4()}"))


def _of_file(path: Path, name: str) -> Subject:
    if path.suffix in (".uf3", ".json"):
        return subject_of_potential(loaded(path), name)
    known = (*LAMMPS_SUFFIXES, ".trimpot")
    if path.is_file() and not path.name.endswith(known):
        raise InputError(
            f"{path} is no model by its name; expected {', '.join(known)}, .uf3 or .json "
            "of uf3 (structures are given with --structures, data with --data)"
        )
    return subject_of_file(path, name)
