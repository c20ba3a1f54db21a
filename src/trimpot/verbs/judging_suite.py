"""Properties of a suite, measured while a watcher looks on."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from trimpot.errors import InputError
from trimpot.validation.checks import FAMILIES, NAMES
from trimpot.validation.checks.catalogue import chosen_names
from trimpot.validation.running_suites import RunSettings, Step, run_suite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.validation.subjects import Subject
    from trimpot.validation.suite_results import SuiteResult
    from trimpot.validation.suites import Suite
    from trimpot.verbs.watching import Watcher

STAGE = "properties"


def chosen(
    only: Sequence[str], suite: Suite | None
) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    """Return names of checks and of properties among those chosen; None: of none.

    A name of both, such as "compression", is that of the property. Nothing chosen is all of
    both, two empty tuples.

    Raises
    ------
    InputError
        For a name that is neither.
    """
    if not only:
        return (), ()
    properties = () if suite is None else tuple(suite.properties)
    known = {*NAMES, *(family.title for family in FAMILIES)}
    wrong = [name for name in only if name not in known and name not in properties]
    if wrong and suite is None:
        chosen_names(wrong)  # says what there is
    if wrong:
        near = get_close_matches(wrong[0], [*properties, *known], 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise InputError(
            f"found neither a check nor a property {wrong[0]!r}{hint}; properties of this "
            f"suite: {', '.join(properties)}; families of checks: "
            f"{', '.join(dict.fromkeys(f.title for f in FAMILIES))}"
        )
    checks = tuple(name for name in only if name in known and name not in properties)
    measured = tuple(name for name in only if name in properties)
    return checks or None, measured or None


def measured(
    subjects: Sequence[Subject], suite: Suite, settings: RunSettings, watcher: Watcher
) -> SuiteResult:
    """Return what a suite finds; tells what runs, and what is done or was kept."""
    shown = _Shown(watcher)
    return run_suite(subjects, suite, settings, shown.done, shown.under_way)


class _Shown:
    """Steps of a run as a watcher takes them."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher
        self.running: dict[tuple[str, str], float] = {}

    def under_way(self, model: str, name: str, share: float) -> None:
        self.running[model, name] = share
        self._live()

    def done(self, step: Step) -> None:
        self.running.pop((step.model, step.property), None)
        failure = step.measured.outcome.failure
        took = "kept" if step.measured.cached else f"{step.measured.seconds:.1f} s"
        reason = "" if failure is None else f", failed: {failure}"
        self.watcher.note(f"{STAGE}: {step.model}, {step.property}: {took}{reason}")
        self.watcher.progress(STAGE, step.done, step.total)
        self._live()

    def _live(self) -> None:
        show = getattr(self.watcher, "live", None)
        if show is not None:
            text = ", ".join(
                f"{model} {name}" + (f" {100.0 * share:.0f} %" if share > 0.0 else "")
                for (model, name), share in self.running.items()
            )
            show(STAGE, f"now {text}", text)
