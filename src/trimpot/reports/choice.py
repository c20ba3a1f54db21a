"""Candidates of a choice among settings as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from trimpot.reports.document import TextTable
from trimpot.reports.numbers import significant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ERRORS = ("coefficients", "energy (meV/atom)", "forces (meV/Å)", "score", "seconds")
STRENGTHS = ("kappa", "ridge", "curvature")
TITLE = "candidates, best first: held-out RMSE"


def choice_table(candidates: Sequence[Mapping[str, object]]) -> TextTable:
    """Return one row per candidate, in order: the chosen one is the first.

    Parameters
    ----------
    candidates
        Each with ``settings`` (text), ``coefficients``, ``rmse`` (eV/atom and eV/A by
        quantity), ``score``, ``strengths`` (number by name), ``seconds``; rmse is empty
        and score and strengths are None where the equations are singular.
    """
    rows = tuple((*_errors(c), *_strengths(c)) for c in candidates)
    return TextTable(TITLE, ("settings", *ERRORS, *STRENGTHS), rows)


def choice_summary(candidates: Sequence[Mapping[str, object]]) -> TextTable:
    """Return the table without strengths, which a terminal has no room for."""
    rows = tuple(_errors(c) for c in candidates)
    return TextTable(TITLE, ("settings", *ERRORS), rows)


def _errors(candidate: Mapping[str, object]) -> tuple[str, ...]:
    rmse = cast("Mapping[str, float]", candidate["rmse"])
    score = cast("float | None", candidate["score"])
    errors = (rmse.get("energy"), rmse.get("forces"))
    return (
        str(candidate["settings"]),
        str(candidate["coefficients"]),
        *("" if error is None else significant(1e3 * error, 4) for error in errors),
        "singular" if score is None else significant(score, 4),
        significant(cast("float", candidate["seconds"]), 2),
    )


def _strengths(candidate: Mapping[str, object]) -> tuple[str, ...]:
    found = cast("Mapping[str, float]", candidate["strengths"] or {})
    return tuple(f"{found[name]:g}" if name in found else "" for name in STRENGTHS)
