"""What a verb does, shown on a terminal: notes and progress bars on stderr."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

if TYPE_CHECKING:
    from types import TracebackType

    from rich.progress import TaskID


LIVE_SECONDS = 60.0
"""Between two lines of what is live, where no bar can show it."""


class Terminal:
    """A watcher that prints; bars appear only on a terminal.

    Use as a context manager, so that bars are closed before anything else is printed.
    """

    def __init__(self) -> None:
        # Long lines of a log stay whole: nothing is wrapped where nobody looks.
        self.console = Console(stderr=True, soft_wrap=True, highlight=False)
        self.bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[live]}"),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self.stages: dict[str, TaskID] = {}
        self.spoke = time.monotonic()

    def __enter__(self) -> Self:
        """Start showing bars."""
        self.bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the bars."""
        self.bars.stop()

    def note(self, text: str) -> None:
        """Print one line."""
        style = "yellow" if text.lstrip().startswith("warning") else None
        self.console.print(text, markup=False, style=style)

    def progress(self, stage: str, done: int, total: int) -> None:
        """Move the bar of a stage; one that is over and begins again starts anew."""
        over = {task.id for task in self.bars.tasks if task.finished}
        if stage not in self.stages:
            self.stages[stage] = self.bars.add_task(stage, total=total, live="")
        elif self.stages[stage] in over:
            self.bars.reset(self.stages[stage], total=total)
        self.bars.update(self.stages[stage], completed=done, total=total)

    def live(self, stage: str, line: str, short: str) -> None:
        """Show the speed beside the bar of a stage; without bars, a line now and then."""
        if self.console.is_terminal:
            if stage in self.stages:
                self.bars.update(self.stages[stage], live=short)
        elif time.monotonic() - self.spoke >= LIVE_SECONDS:
            self.spoke = time.monotonic()
            self.note(f"{stage}: {line}")
