"""What a run that was killed had done, and does again; what two finished runs share."""

from __future__ import annotations

import csv
import json
import math
import re
from itertools import pairwise
from typing import TYPE_CHECKING

from killing import Lost

import trimpot
from trimpot.engines.md_checkpoint import read_checkpoint
from trimpot.verbs.unfinished import LARGEST_SHARE

if TYPE_CHECKING:
    from pathlib import Path

    from interrupted_runs import Attempt

CANDIDATE = re.compile(r"candidate \d+ of \d+: (model\..*?)(?P<done> \(done before\))?")
RESULT = re.compile(r"candidate \d+ of \d+: (score|singular)")
GOING_ON = re.compile(r"going on after ([\d,]+) of")
TIMED = {"log.jsonl"}
"""Files that hold times."""

ROUNDING = 1e-7
"""Relative; sums in another order make 1e-12 of an error, and more of a slope."""

TIMES = {"seconds", "speed"}
"""Entries that are times."""


def seconds_of_pass(interval: float):
    """Return what tells the seconds of a pass over the frames that were done twice.

    Counted in whole batches. One interval allows what goes by between two writes of the
    sums (``interval`` or more, so that writing takes its share at most), and the batch at
    the end of which the next one falls due.
    """

    def lost(before: Attempt, after: Attempt) -> Lost | None:
        label, mine = _last_pass(before)
        rows = _rows(mine)
        if not rows:
            return None
        frames = _went_on_after(label, after)
        if frames is None:
            return None
        begin = next((e["t"] for e in mine if "coefficients, " in e.get("note", "")), 0.0)
        reached = [begin, *(t for t, done in rows if done <= frames)][-1]
        gaps = [b - a for a, b in pairwise([begin, *(t for t, _ in rows)])]
        costs = [e["cost"] for e in before.events if "kept" in e]
        pause = max(interval, max(costs, default=0.0) / LARGEST_SHARE)
        return Lost(max(0.0, rows[-1][0] - reached), pause + max(gaps))

    return lost


def _last_pass(attempt: Attempt) -> tuple[str | None, list[dict]]:
    """Return the candidate of the last pass, if any, and the events since it began."""
    label, start = None, 0
    for number, event in enumerate(attempt.events):
        match = CANDIDATE.fullmatch(event.get("note", ""))
        if match:
            label, start = match[1], number
    return label, attempt.events[start:]


def _rows(events: list[dict]) -> list[tuple[float, int]]:
    return [(e["t"], e["done"]) for e in events if e.get("stage") == "rows"]


def _went_on_after(label: str | None, after: Attempt) -> int | None:
    """Return the frames of a pass that the next attempt had; None if it did not tell."""
    events = after.events
    if label is not None:
        events = []
        for event in after.events:
            match = CANDIDATE.fullmatch(event.get("note", ""))
            if match and match[1] == label:
                if match["done"]:
                    return 10**9
                events = [event]
            elif match:
                label = None if events else label  # the next candidate
            elif events and label is not None:
                events.append(event)
    notes = [e["note"] for e in events if "note" in e]
    for note in notes:
        if match := GOING_ON.match(note):
            return int(match[1].replace(",", ""))
    if any("are reused" in note or RESULT.match(note) for note in notes):
        return 10**9
    rows = _rows(events)
    return 0 if rows else None


def begun_pass(attempt: Attempt) -> bool:
    """Whether an attempt has read frames."""
    return bool(_rows(_last_pass(attempt)[1]))


def beyond_kept(stage: str, interval: float):
    """Return what tells how far a run had come beyond what its files keep.

    ``stage`` is that of its progress, ``interval`` how much may be lost of it.
    """

    def lost(before: Attempt, after: Attempt) -> Lost | None:  # noqa: ARG001
        done = [e["done"] for e in before.events if e.get("stage") == stage]
        if not done or before.kept is None:
            return None
        return Lost(max(0.0, done[-1] - before.kept), interval)

    return lost


def begun(stage: str):
    """Return what tells whether an attempt came to a stage."""
    return lambda attempt: any(e.get("stage") == stage for e in attempt.events)


def fits_kept(output: Path) -> float:
    """Return the number of fits that a learning curve has recorded."""
    path = output / "learning.csv"
    return float(len(_rows_of_table(path))) if path.exists() else 0.0


def step_of_checkpoint(output: Path) -> float | None:
    """Return the step that a run can go on from."""
    path = output / "checkpoint.trimpot-md"
    return float(read_checkpoint(path).state.step) if path.exists() else None


def different_files(expected: Path, found: Path) -> list[str]:
    """Return files that differ in name or content, but for logs with times."""
    names = {_relative(p, expected) for p in expected.rglob("*") if p.is_file()}
    others = {_relative(p, found) for p in found.rglob("*") if p.is_file()}
    if names != others:
        return [f"other files: {sorted(names ^ others)}"]
    return [
        f"{name} differs from that of a run that nothing stopped"
        for name in sorted(names - TIMED)
        if (expected / name).read_bytes() != (found / name).read_bytes()
    ]


def different_but_times(expected: Path, found: Path) -> list[str]:
    """Return differences but for the seconds that parts of a run took."""
    return [
        line
        for line in different_files(expected, found)
        if not _equal_but_times(line.partition(" ")[0], expected, found)
    ]


def different_beyond_rounding(expected: Path, found: Path) -> list[str]:
    """Return differences but for times and for the order of sums."""
    return [
        line
        for line in different_but_times(expected, found)
        if not _equal_but_rounding(expected / line.partition(" ")[0], found)
    ]


def _equal_but_rounding(path: Path, found: Path) -> bool:
    reader = {".csv": _rows_of_table, ".json": _json}.get(path.suffix)
    return reader is not None and _close(reader(path), reader(found / path.name))


def _close(one, other) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(
            _close(v, other[k]) for k, v in one.items()
        )
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_close, one, other))
    try:
        return math.isclose(float(one), float(other), rel_tol=ROUNDING)
    except (TypeError, ValueError):
        return one == other


def _equal_but_times(name: str, expected: Path, found: Path) -> bool:
    """Whether two files say the same, if they are of a kind that may hold times."""
    reader = READERS.get((expected / name).suffix)
    return reader is not None and reader(expected / name) == reader(found / name)


def _rows_of_table(path: Path) -> list[dict]:
    with path.open() as table:
        return [_timeless(row) for row in csv.DictReader(table)]


def _json(path: Path):
    return _timeless(json.loads(path.read_text()))


def _model(path: Path):
    model = trimpot.load(path)
    return [c.tobytes() for c in model.coefficients], _timeless(model.provenance)


def _text(path: Path) -> list[list[str]]:
    """Return the cells of all lines, without those in columns of times."""
    lines, times = [], set()
    for line in path.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == 1:
            times = set()
        times |= {k for k, cell in enumerate(cells) if cell in TIMES}
        lines.append([cell for k, cell in enumerate(cells) if k not in times])
    return lines


def _timeless(value):
    if isinstance(value, dict):
        return {k: _timeless(v) for k, v in value.items() if k not in TIMES}
    return [_timeless(v) for v in value] if isinstance(value, list) else value


def _relative(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder))


READERS = {".csv": _rows_of_table, ".json": _json, ".md": _text, ".trimpot": _model}
"""Of files that may hold times: what they say without them."""
