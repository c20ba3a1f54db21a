"""Checks and errors of several models, each kept as soon as it is found."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, cast

import numpy as np

from trimpot.engines.ase import structure_from_atoms
from trimpot.engines.singlepoint import check_structure, symbol
from trimpot.errors import (
    EngineError,
    InputError,
    MissingPartError,
    NonFiniteResultError,
    TrimpotError,
)
from trimpot.validation.checks import Examination, run_checks
from trimpot.validation.comparisons import QUANTITIES, Comparison, compare
from trimpot.validation.energy_constants import fitted_constants, shifted
from trimpot.validation.errors import ErrorTables, error_tables
from trimpot.validation.predictions import predict
from trimpot.validation.subjects import potential_of
from trimpot.verbs.kept_parts import KeptParts, key_of, thinned
from trimpot.verbs.known_facts import known_of
from trimpot.verbs.structures import read_structures

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ase import Atoms

    from trimpot.contract import Potential, Structure
    from trimpot.data import Frame
    from trimpot.validation.checks import CheckSettings, Known
    from trimpot.verbs.judged_models import GivenModel
    from trimpot.verbs.watching import Watcher


@dataclass(frozen=True)
class Checked:
    """Physical checks of a model, and how long they took when they were made."""

    examination: Examination
    seconds: float


@dataclass(frozen=True)
class Compared:
    """A model beside reference data.

    Attributes
    ----------
    tables : ErrorTables
    comparisons : tuple of Comparison
        Not all values, if there are many.
    constants : mapping of str to float
        eV per atom of each element that were added to its energies; empty if none.
    key : str
        Of the kept part.
    """

    tables: ErrorTables
    comparisons: tuple[Comparison, ...]
    constants: Mapping[str, float] = field(default_factory=dict)
    key: str = ""


@dataclass(frozen=True)
class CheckRequest:
    """Which checks are made, and how."""

    settings: CheckSettings
    structures: tuple[Structure, ...] = ()
    only: tuple[str, ...] = ()
    known: Known | None = None

    def key(self, model: GivenModel) -> str:
        """Return a digest of all that verdicts depend on."""
        structures = [
            (s.numbers.tolist(), s.positions.tolist(), s.cell.tolist(), s.pbc.tolist())
            for s in self.structures
        ]
        known = None if self.known is None else repr(self.known)
        settings = asdict(self.settings)
        return key_of(model.subject.key, settings, structures, sorted(self.only), known)


def checked(
    model: GivenModel, request: CheckRequest, kept: KeptParts, watcher: Watcher
) -> Checked | str:
    """Return the checks of a model, made now or before; or why there are none.

    Raises
    ------
    InputError
        For structures that it cannot know, or an unknown name of a check.
    """
    key = request.key(model)
    before = kept.found("checks", key)
    if before is not None:
        watcher.note(f"checks of {model.name}: kept")
        return Checked(
            Examination.from_dict(before), float(cast("float", before["seconds"]))
        )
    potential = _fitting(model, request.structures)
    try:
        _ = potential.cutoff  # a calculator may have none, or not run at all
    except (EngineError, InputError, MissingPartError) as error:
        return f"checks of {model.name}: {_in_one_line(error)}"
    begun = time.monotonic()
    examination = run_checks(
        potential,
        known_of(potential) if request.known is None else request.known,
        request.structures,
        request.settings,
        only=request.only,
        progress=lambda _, done, total: watcher.progress(
            f"checks of {model.name}", done, total
        ),
    )
    seconds = time.monotonic() - begun
    kept.keep("checks", key, {**examination.to_dict(), "seconds": seconds})
    watcher.note(f"checks of {model.name}: {seconds:.1f} s")
    return Checked(examination, seconds)


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def given_structures(
    structures: str | Path | Atoms | Sequence[Atoms],
) -> tuple[Structure, ...]:
    """Return the structures of a file, or those given.

    Raises
    ------
    InputError, DataError
        If a file cannot be read, or a structure has no atoms.
    """
    from ase import Atoms

    if isinstance(structures, Atoms):
        structures = [structures]
    elif not isinstance(structures, list | tuple):
        structures = read_structures(cast("str | Path", structures))
    found = tuple(structure_from_atoms(one) for one in structures)
    for index, structure in enumerate(found):
        if len(structure) == 0:
            raise InputError(f"structure {index} has no atoms, expected at least one")
    return found


def _fitting(model: GivenModel, structures: Sequence[Structure]) -> Potential:
    """Return the potential of a model that knows all elements of structures."""
    potential = potential_of(model.subject)
    for index, structure in enumerate(structures):
        try:
            check_structure(structure, potential.species)
        except InputError as error:
            raise InputError(f"model {model.name}: structure {index}: {error}") from error
    return potential


@dataclass(frozen=True)
class Data:
    """Frames on which errors are measured.

    Attributes
    ----------
    frames : sequence of Frame
    fingerprint : str
        Of structures and labels.
    fit_e0 : bool
        Whether a constant per element is fitted for each model.
    """

    frames: Sequence[Frame]
    fingerprint: str
    fit_e0: bool = False


def compared(
    model: GivenModel, data: Data, kept: KeptParts, watcher: Watcher, threads: int = 0
) -> Compared | str:
    """Return errors of a model, found now or before; or why there are none.

    Raises
    ------
    InputError, DataError
        For elements that it does not know, naming model and frame.
    """
    groups = [f.config_type for f in data.frames]
    key = key_of(model.subject.key, data.fingerprint, groups, data.fit_e0)
    before = kept.found("errors", key)
    comparisons = kept.found_comparisons(key)
    if before is not None and comparisons:
        watcher.note(f"errors of {model.name}: kept")
        constants = cast("dict[str, float]", before["constants"])
        return Compared(ErrorTables.from_dict(before), comparisons, constants, key)
    begun = time.monotonic()
    try:
        found = _compared(model, data, watcher, threads, key)
    except (EngineError, MissingPartError, NonFiniteResultError) as error:
        return f"errors of {model.name}: {_in_one_line(error)}"
    except TrimpotError as error:
        raise type(error)(f"model {model.name}: {error}") from error
    watcher.note(f"errors of {model.name}: {time.monotonic() - begun:.1f} s")
    kept.keep_comparisons(key, found.comparisons)
    kept.keep("errors", key, {**found.tables.to_dict(), "constants": found.constants})
    return found


def _compared(
    model: GivenModel, data: Data, watcher: Watcher, threads: int, key: str
) -> Compared:
    predictions = predict(
        potential_of(model.subject),
        data.frames,
        threads=threads,
        progress=lambda done, total: watcher.progress(
            f"errors of {model.name}", done, total
        ),
    )
    constants: dict[int, float] = {}
    if data.fit_e0:
        constants = fitted_constants(predictions, data.frames)
        predictions = shifted(predictions, data.frames, constants)
    with np.errstate(all="ignore"):
        tables = error_tables(predictions, data.frames)
    return Compared(
        tables,
        tuple(thinned(compare(predictions, data.frames, q)) for q in QUANTITIES),
        {symbol(z): shift for z, shift in constants.items()},
        key,
    )
