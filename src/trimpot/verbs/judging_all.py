"""All parts of a judgement, one after the other."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from trimpot.errors import InputError
from trimpot.reports.judged import JudgedModel
from trimpot.validation.running_suites import RunSettings
from trimpot.verbs.judged_folder import ModelRecord
from trimpot.verbs.judging_costs import Costs, costs_of
from trimpot.verbs.judging_parts import Checked, Compared, checked, compared
from trimpot.verbs.judging_suite import measured

if TYPE_CHECKING:
    from pathlib import Path

    from trimpot.validation.suite_results import SuiteResult
    from trimpot.validation.suites import Suite
    from trimpot.verbs.judged_models import GivenModel
    from trimpot.verbs.judging_parts import CheckRequest, Data
    from trimpot.verbs.kept_parts import KeptParts
    from trimpot.verbs.watching import Watcher


@dataclass(frozen=True)
class Work:
    """What is to be done.

    Attributes
    ----------
    models : tuple of GivenModel
    suite : Suite or None
    request : CheckRequest
    data : Data
        Without frames no errors are measured.
    checks : bool or None
        See ``validate``.
    only : tuple of str
        Properties; empty: all.
    atoms : int or None
        Of the crystal that is timed; None: no times.
    processes, threads : int
        Properties at once; threads of errors.
    """

    models: tuple[GivenModel, ...]
    suite: Suite | None
    request: CheckRequest
    data: Data
    checks: bool | None
    only: tuple[str, ...]
    atoms: int | None
    processes: int
    threads: int

    @property
    def only_checks(self) -> bool:
        """Whether nothing but checks is asked for."""
        return self.suite is None and not self.data.frames and self.atoms is None

    def checks_of(self, model: GivenModel) -> bool:
        """Return whether checks of a model are to be made."""
        return (model.ours or self.only_checks) if self.checks is None else self.checks


@dataclass(frozen=True)
class Found:
    """What was found.

    Attributes
    ----------
    models : tuple of JudgedModel
    suite : SuiteResult or None
    timed_on : str
    notes : tuple of str
    checks, errors : mapping by name
    """

    models: tuple[JudgedModel, ...]
    suite: SuiteResult | None
    timed_on: str
    notes: tuple[str, ...]
    checks: dict[str, Checked]
    errors: dict[str, Compared]


def judged_models(
    work: Work, kept: KeptParts, properties: Path | None, watcher: Watcher
) -> Found:
    """Make checks, measure errors, times, properties; each is kept as soon as it is found.

    Times come before properties, which keep all cores busy.
    """
    if work.checks is False and work.only_checks:
        raise InputError(
            "nothing to judge: neither checks nor a suite, data or times are asked for; "
            "see trimpot validate --help"
        )
    notes: list[str] = []
    checks = _checks(work, kept, watcher, notes)
    errors = _errors(work, kept, watcher, notes)
    costs = Costs("", {})
    if work.atoms is not None:
        costs = costs_of(work.models, work.suite, work.atoms, kept, watcher)
        notes += costs.failures
    suite = None
    if work.suite is not None:
        settings = RunSettings(properties, work.processes, work.only)
        subjects = [model.subject for model in work.models]
        suite = measured(subjects, work.suite, settings, watcher)
    models = tuple(
        _model(model, checks, errors, costs.microseconds.get(model.name))
        for model in work.models
    )
    return Found(models, suite, costs.timed_on, tuple(notes), checks, errors)


def records_of(work: Work, found: Found) -> dict[str, ModelRecord]:
    """Return what is stored of models besides results."""
    settings = asdict(work.request.settings)
    return {
        model.name: ModelRecord(
            None if model.path is None else str(model.path.resolve()),
            model.subject.key,
            model.kind,
            found.checks[model.name].seconds if model.name in found.checks else None,
            settings if model.name in found.checks else {},
            found.errors[model.name].key if model.name in found.errors else "",
            found.errors[model.name].constants if model.name in found.errors else {},
        )
        for model in work.models
    }


def _model(
    model: GivenModel,
    checks: dict[str, Checked],
    errors: dict[str, Compared],
    microseconds: tuple[float, float, float] | None,
) -> JudgedModel:
    name = model.name
    return JudgedModel(
        name,
        model.facts(),
        checks[name].examination if name in checks else None,
        errors[name].tables if name in errors else None,
        errors[name].comparisons if name in errors else (),
        microseconds,
    )


def _checks(
    work: Work, kept: KeptParts, watcher: Watcher, notes: list[str]
) -> dict[str, Checked]:
    found: dict[str, Checked] = {}
    for model in work.models:
        if work.checks_of(model):
            one = checked(model, work.request, kept, watcher)
            if isinstance(one, str):
                notes.append(one)
            else:
                found[model.name] = one
    left = [m.name for m in work.models if not work.checks_of(m)]
    if left and work.checks is None:
        notes.append(
            f"no checks were made of {', '.join(left)}, which take minutes through a "
            "calculator; ask for them (--checks)"
        )
    return found


def _errors(
    work: Work, kept: KeptParts, watcher: Watcher, notes: list[str]
) -> dict[str, Compared]:
    found: dict[str, Compared] = {}
    for model in work.models if work.data.frames else ():
        one = compared(model, work.data, kept, watcher, work.threads)
        if isinstance(one, str):
            notes.append(one)
        else:
            found[model.name] = one
    return found
