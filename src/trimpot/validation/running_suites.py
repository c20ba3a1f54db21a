"""Runs suites: in the order of needs, over processes; each result is kept at once."""

from __future__ import annotations

import gc
import multiprocessing
import os
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from trimpot.engines.lammps.running import ended
from trimpot.errors import InputError, MissingPartError
from trimpot.threads import thread_count
from trimpot.validation.kept_results import folder_name, kept_result, key_of, stored
from trimpot.validation.properties.case import Case, silent
from trimpot.validation.properties.outcome import Outcome
from trimpot.validation.suite_results import Measured, SuiteResult
from trimpot.writing.atomic import write_text
from trimpot.writing.folders import make_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from multiprocessing.context import ForkProcess

    from trimpot.validation.subjects import Subject
    from trimpot.validation.suites import Property, Suite

    Report = Callable[["Step"], None]


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
    watch: Callable[[str, str, float], None] = lambda _model, _property, _share: None,
) -> SuiteResult:
    """Return what a suite finds for models.

    What a model cannot do is an outcome with a failure, a process that dies included. A run
    that was killed goes on where it was, if it has a folder. ``report`` is told when a
    property is done, ``watch`` of the share that is done of one that is under way.

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


@dataclass(frozen=True)
class _Task:
    subject: Subject
    asked: Property
    needs: Mapping[str, Outcome]
    path: Path

    @property
    def place(self) -> tuple[str, str]:
        return self.subject.name, self.asked.name


@dataclass
class _Run:
    """A run under way: what is found, and what still waits."""

    subjects: Sequence[Subject]
    suite: Suite
    folder: Path
    report: Report
    watch: Callable[[str, str, float], None]
    found: dict[tuple[str, str], Measured] = field(default_factory=dict)
    started: set[tuple[str, str]] = field(default_factory=set)

    def through(self, processes: int) -> None:
        """Measure all that is not kept already."""
        if processes == 1 or "fork" not in multiprocessing.get_all_start_methods():
            while (task := self._next()) is not None:
                self._keep(task, _done(task))
            return
        running: dict[ForkProcess, _Task] = {}
        try:
            while len(self.found) < self._total:
                while len(running) < processes and (task := self._next()) is not None:
                    running[_begun(task)] = task
                if running:
                    self._collect(running)
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.join()

    @property
    def _total(self) -> int:
        return len(self.subjects) * len(self.suite.properties)

    def _next(self) -> _Task | None:
        """Return a task that can start; note those that need none."""
        for subject in self.subjects:
            for one in self.suite.properties.values():
                if (subject.name, one.name) in self.started:
                    continue
                task = self._task(subject, one)
                if task is not None:
                    return task
        return None

    def _task(self, subject: Subject, one: Property) -> _Task | None:
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
        return _Task(subject, one, needs, path)

    def _collect(self, running: dict[ForkProcess, _Task]) -> None:
        wait([process.sentinel for process in running])
        for process in [p for p in running if not p.is_alive()]:
            task = running.pop(process)
            process.join()
            self._keep(task, _fetched(task, process.exitcode or 0))

    def _keep(self, task: _Task, measured: Measured) -> None:
        failure = measured.outcome.failure or ""
        if failure.startswith(_INPUT):
            raise InputError(failure.removeprefix(_INPUT))
        self._note(task.place, measured)

    def _note(self, place: tuple[str, str], measured: Measured) -> None:
        self.found[place] = measured
        self.report(Step(*place, measured, len(self.found), self._total))


def _hindered(subject: Subject, one: Property, needs: Mapping[str, Outcome]) -> str | None:
    """Return why a property cannot be measured; None: it can."""
    unknown = [e for e in one.phase.elements if e not in subject.elements]
    if unknown:
        return f"the model does not know {', '.join(unknown)}"
    for role, outcome in needs.items():
        if outcome.failure is not None:
            return f"{one.needs[role]}, which it needs, failed: {outcome.failure}"
    return None


def _begun(task: _Task) -> ForkProcess:
    process = multiprocessing.get_context("fork").Process(
        target=_in_process, args=(task,), daemon=True
    )
    process.start()
    return process


def _in_process(task: _Task) -> None:
    Thread(target=_end_with_parent, daemon=True).start()
    measured = _done(task)
    if not task.path.exists():  # one that is not kept: its parent reads it, and removes it
        write_text(_passing(task.path), stored(task.subject, task.asked, measured))
    gc.collect()  # ends LAMMPS and removes its folder


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _passing(path: Path) -> Path:
    return path.with_suffix(".passing")


def _fetched(task: _Task, code: int) -> Measured:
    """Return what a process left."""
    kept = kept_result(task.path)
    if kept is None:
        passing = _passing(task.path)
        kept = kept_result(passing)
        with suppress(OSError):
            passing.unlink()
    if kept is not None:
        return Measured(kept.outcome, kept.seconds)
    return Measured(Outcome(failure=f"its process ended with {ended(code)}"))


_INPUT = "input: "


def _done(task: _Task) -> Measured:
    """Measure, and write what is worth keeping."""
    one, began = task.asked, time.monotonic()
    make_folder(task.path.parent)
    keep = True
    try:
        case = Case(one.phase, task.needs)
        outcome = one.protocol.measure(task.subject, case, one.settings, silent)
    except InputError as error:
        message = f"suite property {one.name}, model {task.subject.name}: {error}"
        outcome, keep = Outcome(failure=f"{_INPUT}{message}"), False
    except MissingPartError as error:
        outcome, keep = Outcome(failure=f"not measured: {error}"), False
    except Exception as error:  # noqa: BLE001 - foreign calculators raise anything
        words = " ".join(str(error).split())[:400]
        outcome, keep = Outcome(failure=f"{type(error).__name__}: {words}"), False
    measured = Measured(outcome, time.monotonic() - began)
    if keep:
        write_text(task.path, stored(task.subject, task.asked, measured))
    return measured
