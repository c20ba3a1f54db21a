"""The sums of a pass over the frames, stored now and then, so that a killed run goes on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from trimpot.errors import FileFormatError, WriteError
from trimpot.files.unfinished_file import load_unfinished, save_unfinished

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from trimpot.fitting import Sums
    from trimpot.verbs.watching import Watcher

UNFINISHED_FILE = "blocks-unfinished.safetensors"
LARGEST_SHARE = 0.05
"""Of the time of a pass, that writing its sums may take."""

BYTES_PER_SECOND = 200e6
"""Of a slow disk: what the first write is taken to cost."""


class UnfinishedPass:
    """Keeps the sums of one pass in a file.

    They are written every so many seconds, or less often where writing takes longer than
    its share of the time. At the end of the pass they are written once more if that is
    cheap beside what it saves. A file that is damaged or of another pass is never used.
    A disk that is full does not stop the pass.

    Parameters
    ----------
    path
        The file.
    key
        Digest of all that decides the blocks of the pass.
    seconds
        Least time between two writes; 0 means never.
    watcher
        Told what was found, and once if the sums cannot be kept.
    """

    def __init__(self, path: Path, key: str, seconds: float, watcher: Watcher) -> None:
        self.path = path
        self.key = key
        self.seconds = seconds
        self.watcher = watcher
        self._cost: float | None = None
        self._last = time.monotonic()
        self._warned = False

    def earlier(self, ends: Collection[int], total: int) -> Sums | None:
        """Return the sums of a stopped pass with the same key, None without."""
        self._last = time.monotonic()
        if not self.path.is_file():
            return None
        try:
            sums = load_unfinished(self.key, self.path)
        except (FileFormatError, OSError) as error:
            self.watcher.note(f"{self.path} is not used: {error}; all frames are read")
            return None
        if sums is None or sums.frames not in ends:
            self.watcher.note(
                f"{self.path} belongs to other data, terms, weights or another release; it "
                "is not used"
            )
            return None
        self.watcher.note(f"going on after {sums.frames:,} of {total:,} frames")
        return sums

    def keep(self, sums: Sums, total: int) -> None:
        """Write the sums if it is time to."""
        start = time.monotonic()
        if self.seconds == 0.0 or start - self._last < self._pause(sums, total):
            return
        try:
            save_unfinished(sums, self.key, self.path)
        except WriteError as error:
            self._warn(error)
        self._last = time.monotonic()
        self._cost = self._last - start

    def forget(self) -> None:
        """Remove the file: its blocks or what they were made for are stored."""
        self.path.unlink(missing_ok=True)

    def _pause(self, sums: Sums, total: int) -> float:
        """Return the least time between two writes."""
        if self._cost is None:
            size = sum(a.nbytes for a in sums.blocks.arrays().values())
            self._cost = size / BYTES_PER_SECOND
        least = 0.0 if sums.frames == total else self.seconds
        return max(least, self._cost / LARGEST_SHARE)

    def _warn(self, error: WriteError) -> None:
        if self._warned:
            return
        self._warned = True
        reason = str(error).partition(";")[0]
        self.watcher.note(
            f"warning: {reason}; the run goes on, but if it were stopped now the next one "
            "would read more frames again; free space in the output folder"
        )
