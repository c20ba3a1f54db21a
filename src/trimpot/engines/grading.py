"""Grades that potentials give themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trimpot.contract import GradedPotential

if TYPE_CHECKING:
    from trimpot.contract import Grader, Potential


def own_grader(potential: Potential, *, threads: int = 0) -> Grader | None:
    """Return the potential's own grader; None if it knows nothing of its data."""
    if not isinstance(potential, GradedPotential):
        return None
    return potential.grader(threads=threads)
