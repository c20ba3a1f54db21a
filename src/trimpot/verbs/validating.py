"""The verb ``validate``: checks, properties, errors and costs of models, side by side."""

from __future__ import annotations

import time as clock
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from trimpot.data import LabelKeys, ReadRules
from trimpot.data.frames import fingerprint_of
from trimpot.errors import InputError
from trimpot.files import run_folder
from trimpot.files.release import release
from trimpot.reports.judged import Judged
from trimpot.validation.checks import CheckSettings
from trimpot.validation.suites import load_suite
from trimpot.verbs.evaluation import frames_of
from trimpot.verbs.judged_commands import Asked, commands_of, machine_of
from trimpot.verbs.judged_folder import (
    KEPT,
    PROPERTIES,
    start_folder,
    write_folder,
    write_page,
)
from trimpot.verbs.judged_models import given_models
from trimpot.verbs.judging_all import Work, judged_models, records_of
from trimpot.verbs.judging_parts import CheckRequest, Data, given_structures
from trimpot.verbs.judging_suite import chosen
from trimpot.verbs.kept_parts import KeptParts
from trimpot.verbs.watching import Silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ase import Atoms

    from trimpot.data import Frame
    from trimpot.data.frames import Scalar
    from trimpot.validation.checks import Examination, Known
    from trimpot.validation.subjects import Subject
    from trimpot.validation.suites import Suite
    from trimpot.verbs.judged_models import Models
    from trimpot.verbs.watching import Watcher

FEW = 2
"""Models beside the first one that the title of a page names."""

ATOMS = 2000
"""Atoms of the crystal on which models are timed, about."""


@dataclass(frozen=True)
class ValidateResult:
    """What ``validate`` found.

    Attributes
    ----------
    judged : Judged
        All that was found, by model.
    notes : tuple of str
        What was not done, and why.
    seconds : float
        How long it took, with what was kept from before.
    output : Path or None
        Folder of the results, if they were written.
    """

    judged: Judged
    notes: tuple[str, ...]
    seconds: float
    output: Path | None = None

    @property
    def checks(self) -> Examination:
        """Verdicts of the checks of the first model that was checked.

        Raises
        ------
        InputError
            If no checks were made.
        """
        for model in self.judged.models:
            if model.checks is not None:
                return model.checks
        raise InputError("no checks were made of any model; ask for them (checks=True)")

    @property
    def passed(self) -> bool:
        """Whether nothing is bad.

        No mandatory check of any model failed, no property of the first model did (what
        was not measured at all does not count), and none of its quantities is farther than
        twice its tolerance from the reference.
        """
        checks = [m.checks for m in self.judged.models if m.checks is not None]
        if not all(found.passed for found in checks):
            return False
        if self.judged.suite is None:
            return True
        first = self.judged.models[0].name
        outcomes = [m.outcome for m in self.judged.suite.measured[first].values()]
        if any(o.failure is not None and not o.unmeasured for o in outcomes):
            return False
        verdicts = [row.entries[first].verdict for row in self.judged.suite.rows]
        return not {"off", "failed"} & set(verdicts)

    def to_dict(self) -> dict[str, object]:
        """Return plain values: all but curves and facts."""
        suite = self.judged.suite
        found = {} if suite is None else suite.to_dict()
        return {
            "trimpot": release(),
            "passed": self.passed,
            "seconds": round(self.seconds, 2),
            "models": {
                m.name: {
                    "checks": None if m.checks is None else m.checks.to_dict(),
                    "errors": None if m.errors is None else m.errors.to_dict(),
                    "us_per_atom_step": m.microseconds,
                }
                for m in self.judged.models
            },
            "suite": found.get("suite"),
            "rows": found.get("rows", []),
            "failures": [] if suite is None else [list(f) for f in suite.failures],
            "data": self.judged.data or None,
            "timed_on": self.judged.timed_on or None,
            "notes": list(self.notes),
            "output": None if self.output is None else str(self.output),
        }


def validate(
    models: Models,
    structures: str | Path | Atoms | Sequence[Atoms] = (),
    settings: CheckSettings = CheckSettings(),  # noqa: B008 - frozen
    *,
    suite: str | Path | None = None,
    data: str | Path | Sequence[str | Path] | Sequence[Frame] = (),
    keys: LabelKeys = LabelKeys(),  # noqa: B008 - frozen
    rules: ReadRules = ReadRules(),  # noqa: B008 - frozen
    where: Mapping[str, Scalar | Sequence[Scalar]] | None = None,
    fit_e0: bool = False,
    time: bool = False,
    atoms: int = ATOMS,
    checks: bool | None = None,
    only: Sequence[str] = (),
    long: bool = False,
    output: str | Path | None = None,
    processes: int = 0,
    known: Known | None = None,
    watcher: Watcher = Silent(),  # noqa: B008 - has no state
) -> ValidateResult:
    """Judge models: physical checks, properties of a suite, errors on data, costs.

    Parameters
    ----------
    models
        A model or several: paths (.trimpot, .lammps.yaml, .uf3 or .json of uf3),
        potentials, or subjects (``trimpot.validation.subjects``: any ASE calculator); a
        mapping gives them names. The first is judged, the others stand beside it.
    structures
        Atoms, several, or a file of any format that ASE reads, on which checks are made
        besides those structures that are made from the species. Of more than eight, eight
        are taken.
    settings
        How much work the checks are.
    suite
        Name or file of a suite whose properties are measured.
    data
        Files or patterns, or frames, on which errors are measured.
    keys, rules, where
        How data are read, as ``trimpot.read``.
    fit_e0
        Add a constant per element to the energies of each model, fitted to the data,
        before they are compared: for models whose energies have another zero.
    time
        Time dynamics on one core, all models in turn.
    atoms
        Atoms of the crystal for that, about.
    checks
        Of which models physical checks are made. None: of potentials, and of calculators
        only where nothing else is asked for; true: of all; false: of none.
    only
        Names of checks, of families of checks, or of properties of the suite: nothing
        else is checked or measured. All if empty, but for long properties.
    long
        Measure those properties as well that take long, such as melting.
    output
        Folder, made if missing, for all results and report.html. What is in it is not
        measured again.
    processes
        Properties that are measured at once; 0: one per core.
    known
        What is known of the models for the checks; None: what a potential of ours says of
        itself.
    watcher
        Told how far the work is.

    Raises
    ------
    InputError, DataError, FileFormatError
        For models, structures, data, suites or names that cannot be used. Whatever a
        model does wrong is a result.
    MissingPartError
        If LAMMPS is needed and not installed.
    WriteError
        If the results cannot be written.
    """
    begun = clock.monotonic()
    given = given_models(models)
    loaded = None if suite is None else _suite_for(suite, given[0].subject)
    check_names, properties = chosen(only, loaded)
    left_out = () if loaded is None or properties != () or long else loaded.long
    if loaded is not None and left_out:
        loaded = loaded.short()
    frames = frames_of(data, keys, rules, where, watcher) if _any(data) else ()
    asked = Asked(
        given,
        suite=None if suite is None or properties is None else str(suite),
        data=_paths(data),
        keys=keys,
        rules=rules,
        where=where,
        structures=str(structures) if isinstance(structures, str | Path) else "",
        only_checks=check_names or (),
        only_properties=properties or (),
        long=long,
        checks=checks if check_names is not None else False,
        time=time,
        atoms=atoms,
        fit_e0=fit_e0,
        output=None if output is None else Path(output),
    )
    work = Work(
        given,
        loaded if properties is not None else None,
        CheckRequest(settings, given_structures(structures), check_names or (), known),
        Data(frames, fingerprint_of(frames), fit_e0),
        asked.checks,
        properties or (),
        atoms if time else None,
        processes,
        settings.threads,
    )
    with _folder(output) as folder:
        return _judged(work, asked, folder, watcher, begun, _told(left_out))


def _suite_for(which: str | Path, first: Subject) -> Suite:
    """Return a suite, refused where the model to judge knows none of its elements."""
    suite = load_suite(which, first.elements)
    if not set(suite.elements) & set(first.elements):
        raise InputError(
            f"suite {suite.name} is for {', '.join(suite.elements)}, found the model "
            f"{first.name} for {', '.join(first.elements)}; see trimpot suites for others"
        )
    return suite


def _told(left_out: Sequence[str]) -> tuple[str, ...]:
    """Return what to say of long properties that were not asked for."""
    if not left_out:
        return ()
    names = ", ".join(left_out)
    return (f"not measured, because it takes long: {names} (--long, or --only NAME)",)


def _judged(
    work: Work,
    asked: Asked,
    folder: Path | None,
    watcher: Watcher,
    begun: float,
    notes: tuple[str, ...],
) -> ValidateResult:
    """Do all the work, and write it."""
    kept = KeptParts(None if folder is None else folder / KEPT)
    places = None if folder is None else folder / PROPERTIES
    found = judged_models(work, kept, places, watcher)
    notes = (*found.notes, *notes)
    judged = Judged(
        _title(work),
        found.models,
        found.suite,
        _data_in_words(work.data, asked),
        found.timed_on,
        commands_of(asked),
        machine_of(work.models),
        notes,
    )
    if folder is not None:
        write_folder(folder, judged, records_of(work, found))
        watcher.note(f"drawing the page in {folder}")
        judged = replace(
            judged,
            models=tuple(
                replace(model, curves=given.curves())
                for model, given in zip(judged.models, work.models, strict=True)
            ),
        )
        write_page(folder, judged)
    return ValidateResult(judged, notes, clock.monotonic() - begun, folder)


@contextmanager
def _folder(output: str | Path | None) -> Iterator[Path | None]:
    """Yield the folder of results, which no other run may write to."""
    if output is None:
        yield None
        return
    with run_folder(output) as folder:
        start_folder(folder)
        yield folder


def _title(work: Work) -> str:
    first, *others = (model.name for model in work.models)
    beside = f" beside {', '.join(others)}" if others else ""
    if len(others) > FEW:
        beside = f" beside {len(others)} others"
    what = "" if work.suite is None else f": {work.suite.name}"
    return f"Validation of {first}{beside}{what}"


def _any(data: object) -> bool:
    return isinstance(data, str | Path) or (hasattr(data, "__len__") and len(data) > 0)


def _paths(data: object) -> tuple[str, ...]:
    """Return names of files; frames in memory have none."""
    listed = [data] if isinstance(data, str | Path) else data
    if not isinstance(listed, list | tuple):
        return ()
    return tuple(str(path) for path in listed if isinstance(path, str | Path))


def _data_in_words(data: Data, asked: Asked) -> str:
    if not data.frames:
        return ""
    of = f" of {', '.join(Path(p).name for p in asked.data)}" if asked.data else ""
    fields = [f"{name} is {_either(value)}" for name, value in (asked.where or {}).items()]
    where = f" where {' and '.join(fields)}" if fields else ""
    fitted = "; one constant per element fitted for each model" if data.fit_e0 else ""
    return f"{len(data.frames)} frames{of}{where}{fitted}"


def _either(value: object) -> str:
    several = value if isinstance(value, list | tuple) else [value]
    return " or ".join(str(one) for one in several)
