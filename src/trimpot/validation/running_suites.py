"""Runs suites: in the order of needs, over processes; each result is kept at once."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from trimpot.errors import InputError
from trimpot.threads import thread_count
from trimpot.validation.kept_results import folder_name, kept_result, key_of
from trimpot.validation.measuring import INPUT, Task, measured
from trimpot.validation.measuring_processes import CAN_FORK, Processes
from trimpot.validation.properties.outcome import NOT_MEASURED, Outcome
from trimpot.validation.suite_results import Measured, SuiteResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from trimpot.validation.subjects import Subject
    from trimpot.validation.suites import Property, Suite

    Report = Callable[["Step"], None]
    Watch = Callable[[str, str, float], None]


def unwatched(model: str, name: str, share: float) -> None:
    """Watch nothing."""


@dataclass(frozen=True)
class RunSettings:
    """Where results are kept, and how many are measured at once.

    Attributes
    ----------
    folder : path or None
        Results are written there and found again; None: they are not kept.
    processes : int
        Measurements at once; 0: one per core; 1: in this process.
    only : tuple of str
        Properties that are measured, with what they need; empty: all.
    """

    folder: str | Path | None = None
    processes: int = 0
    only: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """Progress: a property of a model is done.

    Attributes
    ----------
    model, property : str
        Which one.
    measured : Measured
        What was found.
    done, total : int
        Measurements.
    """

    model: str
    property: str
    measured: Measured
    done: int
    total: int


def run_suite(
    subjects: Sequence[Subject],
    suite: Suite,
    settings: RunSettings = RunSettings(),
    report: Report = lambda _: None,
    watch: Watch = unwatched,
) -> SuiteResult:
    """Return what a suite finds for models.

    What a model cannot do is an outcome with a failure, a process that dies included. A run
    that was killed goes on where it was, if it has a folder. ``report`` is told when a
    property is done, ``watch`` of the share that is done of one that is under way.

    Parameters
    ----------
    subjects, suite, settings
        What is measured, of which models, and how.
    report
        Gets a ``Step`` for each property that is done.
    watch
        Gets model, property and the share that is done of each that is under way.

    Raises
    ------
    InputError
        If names of models repeat, or the suite asks for what a protocol does not know.
    """
    names = [subject.name for subject in subjects]
    if len(set(names)) < len(names) or not names:
        raise InputError(
            f"models are called {', '.join(names) or 'nothing'}; expected at least one, "
            "and different names"
        )
    if settings.only:
        suite = suite.only(settings.only)
    with _folder(settings.folder) as folder:
        run = _Run(subjects, suite, folder, report, watch)
        run.through(thread_count(settings.processes))
    return SuiteResult(
        suite,
        {name: {p: run.found[name, p] for p in suite.properties} for name in names},
        {subject.name: subject.key for subject in subjects},
    )


@contextmanager
def _folder(given: str | Path | None) -> Iterator[Path]:
    """Yield the folder of results, or one that is gone at the end."""
    if given is not None:
        yield Path(given)
        return
    with tempfile.TemporaryDirectory(prefix="trimpot-suite-") as temporary:
        yield Path(temporary)


@dataclass
class _Run:
    """A run under way: what is found, and what still waits."""

    subjects: Sequence[Subject]
    suite: Suite
    folder: Path
    report: Report
    watch: Watch
    found: dict[tuple[str, str], Measured] = field(default_factory=dict)
    started: set[tuple[str, str]] = field(default_factory=set)

    def through(self, processes: int) -> None:
        """Measure all that is not kept already."""
        if processes == 1 or not CAN_FORK:
            while (task := self._next()) is not None:
                self._keep(task, measured(task, partial(self._hear, task)))
            return
        with Processes(self._hear) as running:
            while len(self.found) < self._total:
                while len(running) < processes and (task := self._next()) is not None:
                    running.begin(task)
                for task, found in running.ended():
                    self._keep(task, found)

    def _hear(self, task: Task, share: float) -> None:
        self.watch(*task.place, share)

    @property
    def _total(self) -> int:
        return len(self.subjects) * len(self.suite.properties)

    def _next(self) -> Task | None:
        """Return a task that can start; note those that need none."""
        for subject in self.subjects:
            for one in self.suite.properties.values():
                if (subject.name, one.name) in self.started:
                    continue
                task = self._task(subject, one)
                if task is not None:
                    return task
        return None

    def _task(self, subject: Subject, one: Property) -> Task | None:
        """Return the task of a property, if it is to be measured, and now."""
        place = subject.name, one.name
        needed = {role: (subject.name, name) for role, name in one.needs.items()}
        if not set(needed.values()) <= set(self.found):
            return None
        self.started.add(place)
        needs = {role: self.found[other].outcome for role, other in needed.items()}
        hindered = _hindered(subject, one, needs)
        if hindered is not None:
            self._note(place, Measured(Outcome(failure=hindered)))
            return None
        path = (
            self.folder
            / folder_name(subject.name)
            / f"{one.name}-{key_of(subject, one, needs)}.json"
        )
        kept = kept_result(path)
        if kept is not None:
            self._note(place, kept)
            return None
        self.watch(*place, 0.0)
        return Task(subject, one, needs, path)

    def _keep(self, task: Task, found: Measured) -> None:
        failure = found.outcome.failure or ""
        if failure.startswith(INPUT):
            raise InputError(failure.removeprefix(INPUT))
        self._note(task.place, found)

    def _note(self, place: tuple[str, str], found: Measured) -> None:
        self.found[place] = found
        self.report(Step(*place, found, len(self.found), self._total))


def _hindered(subject: Subject, one: Property, needs: Mapping[str, Outcome]) -> str | None:
    """Return why a property cannot be measured; None: it can."""
    unknown = [e for e in one.phase.elements if e not in subject.elements]
    if unknown:
        return f"{NOT_MEASURED}the model does not know {', '.join(unknown)}"
    for role, outcome in needs.items():
        if outcome.unmeasured:
            return f"{NOT_MEASURED}{one.needs[role]}, which it needs, was not either"
        if outcome.failure is not None:
            return f"{one.needs[role]}, which it needs, failed: {outcome.failure}"
    return None
