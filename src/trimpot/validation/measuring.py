"""One measurement of a suite: a property of a model, kept when it is done."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trimpot.errors import InputError, MissingPartError
from trimpot.validation.kept_results import stored
from trimpot.validation.properties.case import Case
from trimpot.validation.properties.outcome import NOT_MEASURED, Outcome
from trimpot.validation.suite_results import Measured
from trimpot.writing.atomic import write_text
from trimpot.writing.folders import make_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from trimpot.validation.subjects import Subject
    from trimpot.validation.suites import Property

INPUT = "input: "
"""Begin of failures that are errors of use; they are raised, not kept."""


@dataclass(frozen=True)
class Task:
    """What is measured, and where the result is kept.

    Attributes
    ----------
    subject : Subject
        Of which model.
    asked : Property
        Which property.
    needs : mapping of str to Outcome
        What it takes from others, by role.
    path : Path
        Of the result.
    """

    subject: Subject
    asked: Property
    needs: Mapping[str, Outcome]
    path: Path

    @property
    def place(self) -> tuple[str, str]:
        """Names of model and property."""
        return self.subject.name, self.asked.name

    @property
    def folder(self) -> Path:
        """Where the measurement keeps what it has; it goes when the result is there."""
        return self.path.with_suffix(".work")


def measured(task: Task, report: Callable[[float], None]) -> Measured:
    """Measure, and write what is worth keeping; physics and crashes become failures."""
    one, began = task.asked, time.monotonic()
    make_folder(task.path.parent)
    keep = True
    try:
        case = Case(one.phase, task.needs, task.folder)
        outcome = one.protocol.measure(task.subject, case, one.settings, report)
    except InputError as error:
        message = f"suite property {one.name}, model {task.subject.name}: {error}"
        outcome, keep = Outcome(failure=f"{INPUT}{message}"), False
    except MissingPartError as error:
        outcome, keep = Outcome(failure=f"{NOT_MEASURED}{error}"), False
    except Exception as error:  # noqa: BLE001 - foreign calculators raise anything
        words = " ".join(str(error).split())[:400]
        outcome, keep = Outcome(failure=f"{type(error).__name__}: {words}"), False
    found = Measured(outcome, time.monotonic() - began)
    if keep and not outcome.unmeasured:
        write_text(task.path, stored(task.subject, one, found))
        shutil.rmtree(task.folder, ignore_errors=True)
    return found
