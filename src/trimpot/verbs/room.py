"""Room on the disk for what a run will write, told before it is needed."""

from __future__ import annotations

import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from trimpot.verbs.watching import Watcher

RESULT_BYTES = 4_000_000
"""Of model, tables, figures and pages, about."""


def warn_of_little_room(folder: Path, block_bytes: int, watcher: Watcher) -> None:
    """Tell if a folder has no room for results and sums of so many bytes.

    Sums are written beside the ones before, which they replace.
    """
    wanted = 2 * block_bytes + RESULT_BYTES
    with suppress(OSError):
        free = shutil.disk_usage(folder).free
        if free < wanted:
            watcher.note(
                f"warning: {folder} has {free / 1e6:.1f} MB of free space, this run may "
                f"write {wanted / 1e6:.1f} MB; free space now, or what does not fit is lost"
            )
