"""Tables of kills and full disks."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pages

if TYPE_CHECKING:
    from full_disks import FullDisk
    from killing import Killed, Lost

WRITTEN = re.compile(r"cannot write (?:\S*/)?(\S+):")


def kills_table(found: list[Killed]) -> str:
    """Return one row per job."""
    header = ["job", "kills", "runs", "largest loss", "of one interval", "faults"]
    rows = []
    for one in found:
        worst = max(one.losses, key=lambda loss: loss.amount / loss.allowed)
        cells = [str(one.kills), str(one.runs), _amount(one, worst)]
        share = f"{worst.amount / worst.allowed:.0%}"
        rows.append([one.job.name, *cells, share, str(len(one.faults))])
    total = [str(sum(getattr(f, name) for f in found)) for name in ("kills", "runs")]
    rows.append(["all", *total, "", "", str(sum(len(f.faults) for f in found))])
    return pages.table(header, rows)


def _amount(one: Killed, loss: Lost) -> str:
    if one.job.complete:
        return f"{loss.amount:.0f} steps"
    if one.job.output == "learning":
        return f"{loss.amount:.0f} fits"
    return f"{loss.amount:.2f} s"


def stages_table(found: list[Killed]) -> str:
    """Return how many kills came where."""
    counts = sum((one.stages for one in found), Counter())
    rows = [[stage, str(count)] for stage, count in counts.most_common()]
    return pages.table(["killed while", "kills"], rows)


def disks_table(found: list[FullDisk]) -> str:
    """Return one row per job."""
    rows = []
    for job in dict.fromkeys(one.job for one in found):
        mine = [one for one in found if one.job == job]
        counts = [
            len(mine),
            sum(one.code != 0 for one in mine),
            sum(one.code == 0 and bool(one.said) for one in mine),
            sum(len(one.faults) for one in mine),
        ]
        rows.append([job, *map(str, counts)])
    header = ["job", "disks", "ended with an error", "ended well, with a warning", "faults"]
    return pages.table(header, rows)


def text_of(found: list[Killed], disks: list[FullDisk]) -> str:
    """Return all tables."""
    parts = ["**Kills** (loss: work done twice)\n", kills_table(found), stages_table(found)]
    if not disks:
        return "\n".join(
            [*parts, "Full disks: not tried, this machine lends none to a process.\n"]
        )
    files = sorted({m[1] for d in disks if d.said and (m := WRITTEN.search(d.said))})
    parts += ["**Full disks**\n", disks_table(disks)]
    return "\n".join([*parts, f"Files that found no room first: {', '.join(files)}.\n"])
