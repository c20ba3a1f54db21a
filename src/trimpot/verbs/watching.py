"""How a verb tells what it is doing, without knowing who listens."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Protocol

from trimpot.errors import WriteError
from trimpot.files import append_line, write_text

if TYPE_CHECKING:
    from pathlib import Path


class Watcher(Protocol):
    """Whoever follows a verb: a terminal, a log, a notebook."""

    def note(self, text: str) -> None:
        """Take one line of text about what was found or decided."""

    def progress(self, stage: str, done: int, total: int) -> None:
        """Take the progress of a stage; ``done == total`` ends it."""


class Silent:
    """A watcher that ignores everything."""

    def note(self, text: str) -> None:
        """Ignore."""

    def progress(self, stage: str, done: int, total: int) -> None:
        """Ignore."""


class Logged:
    """A watcher that also writes every note to a JSON-lines file, as it comes.

    A note that does not fit on the disk is left out, and that is told once: the work goes
    on, and its result may still find room.

    Parameters
    ----------
    watcher
        Gets everything as well.
    path
        The log; an older one is replaced.
    """

    def __init__(self, watcher: Watcher, path: Path) -> None:
        self.watcher = watcher
        self.path = path
        self.started = time.monotonic()
        self._incomplete = False
        write_text(path, "")

    def note(self, text: str) -> None:
        """Pass on and append with the seconds since the start."""
        self.watcher.note(text)
        self._record_if_possible("note", text=text)

    def progress(self, stage: str, done: int, total: int) -> None:
        """Pass on; only the end of a stage is logged."""
        self.watcher.progress(stage, done, total)
        if done == total:
            self._record_if_possible("stage", name=stage, total=total)

    def live(self, stage: str, line: str, short: str) -> None:
        """Pass on how fast a stage is, to a watcher that shows it."""
        show = getattr(self.watcher, "live", None)
        if show is not None:
            show(stage, line, short)

    def record(self, event: str, **facts: object) -> None:
        """Append one event.

        Raises
        ------
        WriteError
            If it cannot be written.
        """
        seconds = round(time.monotonic() - self.started, 3)
        append_line(self.path, json.dumps({"seconds": seconds, "event": event, **facts}))

    def _record_if_possible(self, event: str, **facts: object) -> None:
        try:
            self.record(event, **facts)
        except WriteError as error:
            if not self._incomplete:
                self._incomplete = True
                reason = str(error).partition(";")[0]
                self.watcher.note(f"warning: {reason}; the run goes on")
