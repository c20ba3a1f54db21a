"""How a verb tells what it is doing, without knowing who listens."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Protocol

from trimpot.errors import WriteError
from trimpot.files import write_text

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
        write_text(path, "")

    def note(self, text: str) -> None:
        """Pass on and append with the seconds since the start."""
        self.watcher.note(text)
        self.record("note", text=text)

    def progress(self, stage: str, done: int, total: int) -> None:
        """Pass on; only the end of a stage is logged."""
        self.watcher.progress(stage, done, total)
        if done == total:
            self.record("stage", name=stage, total=total)

    def record(self, event: str, **facts: object) -> None:
        """Append one event."""
        seconds = round(time.monotonic() - self.started, 3)
        line = json.dumps({"seconds": seconds, "event": event, **facts})
        try:
            with self.path.open("a", encoding="utf-8") as log:
                log.write(line + "\n")
        except OSError as error:
            raise WriteError(
                f"cannot append to {self.path}: {error.strerror or error}; free space or "
                "choose another output folder, then run again"
            ) from error
