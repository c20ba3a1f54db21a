"""Memory of repeated calls."""

from __future__ import annotations

import gc
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from trimpot.engines.singlepoint import evaluate
from trimpot.validation.checks.verdict import Family, Measured, NotApplicable, Spec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trimpot.validation.checks.judged import Judged
    from trimpot.validation.checks.verdict import Found

PAGES = Path("/proc/self/statm")
MIB = 2.0**20
LONGEST = 10.0
"""Seconds that the calls may take."""


def measure(judged: Judged) -> Mapping[str, Found]:
    """Call a potential many times, warmed up, and watch the resident memory."""
    if not PAGES.exists():
        return {"memory": NotApplicable("this system does not tell resident memory")}
    _call(judged, max(10, judged.settings.calls // 5))
    grown, done = _grown(judged)
    if grown > SPECS[0].bound:  # what others in this process do comes once, a leak again
        grown, done = min((grown, done), _grown(judged))
    return {"memory": Measured(grown, f"{done} calls")}


def _grown(judged: Judged) -> tuple[float, int]:
    before = _resident()
    done = _call(judged, judged.settings.calls)
    return max(0.0, (_resident() - before) / MIB), done


def _call(judged: Judged, calls: int) -> int:
    end = time.monotonic() + LONGEST
    for done in range(calls):
        evaluate(judged.potential, judged.samples.crystal, threads=1)
        if time.monotonic() > end:
            return done + 1
    return calls


def _resident() -> int:
    gc.collect()
    return int(PAGES.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


SPECS = (
    Spec(
        "memory",
        "growth of memory over repeated calls",
        "MiB",
        1.0,
        "Every call keeps memory: long runs end when it is used up.",
    ),
)

FAMILY = Family("memory", SPECS, measure)
