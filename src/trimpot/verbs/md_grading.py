"""Grades of a run of molecular dynamics: whose, and how often."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trimpot.engines.grading import own_grader
from trimpot.engines.md import precision_of
from trimpot.engines.md_grade_interval import with_grade_interval

if TYPE_CHECKING:
    from ase import Atoms

    from trimpot.contract import Grader, Potential
    from trimpot.engines.md_settings import MdSettings
    from trimpot.verbs.watching import Watcher


def grader_of(
    potential: Potential, settings: MdSettings, given: Grader | None, watcher: Watcher
) -> Grader | None:
    """Return who gives grades: the one given, else the potential's own, if it has any."""
    if settings.grade_interval == 0:
        return None
    grader = given or own_grader(potential, threads=settings.threads)
    if grader is None:
        watcher.note(
            "warning: this potential has no extrapolation grades; the run does not notice "
            "when it leaves the training data"
        )
    return grader


def with_interval(
    settings: MdSettings,
    potential: Potential,
    grader: Grader | None,
    atoms: Atoms,
    watcher: Watcher,
) -> MdSettings:
    """Return settings that say how often grades are looked at."""
    if grader is None:
        return settings
    precision = precision_of(potential, settings)
    known = with_grade_interval(settings, potential, grader, atoms, precision=precision)
    stop = "never" if known.stop_grade is None else f"above {known.stop_grade:g}"
    watcher.note(
        f"extrapolation grades every {known.grade_interval} steps: saved above "
        f"{known.warn_grade:g}, stops {stop}"
    )
    return known
