"""Measurements in processes of their own, which tell how far they are."""

from __future__ import annotations

import gc
import multiprocessing
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe, wait
from threading import Thread
from typing import TYPE_CHECKING, Self

from trimpot.engines.lammps.running import ended
from trimpot.validation.kept_results import kept_result, stored
from trimpot.validation.measuring import measured
from trimpot.validation.properties.outcome import Outcome
from trimpot.validation.suite_results import Measured
from trimpot.writing.atomic import write_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.context import ForkProcess
    from pathlib import Path

    from trimpot.validation.measuring import Task

    Hear = Callable[[Task, float], None]

CAN_FORK = "fork" in multiprocessing.get_all_start_methods()

REPORT_SECONDS = 0.2
"""Shares follow each other at least so long apart."""


@dataclass(frozen=True)
class _Running:
    task: Task
    process: ForkProcess
    shares: Connection


class Processes:
    """Measurements that run; as a context, they end with it.

    Parameters
    ----------
    hear : callable
        Gets a task and its share while ``ended`` waits.
    """

    def __init__(self, hear: Hear) -> None:
        self._hear = hear
        self._running: list[_Running] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for one in self._running:
            one.process.terminate()
        for one in self._running:
            one.process.join()
            one.shares.close()

    def __len__(self) -> int:
        return len(self._running)

    def begin(self, task: Task) -> None:
        """Start a measurement."""
        ours, theirs = Pipe(duplex=False)
        process = multiprocessing.get_context("fork").Process(
            target=_in_process, args=(task, theirs), daemon=True
        )
        process.start()
        theirs.close()
        self._running.append(_Running(task, process, ours))

    def ended(self) -> Iterator[tuple[Task, Measured]]:
        """Wait for a share or an end; yield what is done."""
        if not self._running:
            return
        pipes = [one.shares for one in self._running if not one.shares.closed]
        wait([*(one.process.sentinel for one in self._running), *pipes])
        for one in tuple(self._running):
            self._listen(one)
            if not one.process.is_alive():
                self._running.remove(one)
                one.process.join()
                self._listen(one)
                one.shares.close()
                yield one.task, _fetched(one.task, one.process.exitcode or 0)

    def _listen(self, one: _Running) -> None:
        share = None
        try:
            while not one.shares.closed and one.shares.poll():
                share = one.shares.recv()
        except (EOFError, OSError):
            one.shares.close()
        if share is not None:
            self._hear(one.task, share)


def _in_process(task: Task, shares: Connection) -> None:
    Thread(target=_end_with_parent, daemon=True).start()
    found = measured(task, _told(shares))
    if not task.path.exists():  # one that is not kept: its parent reads it, and removes it
        write_text(_passing(task.path), stored(task.subject, task.asked, found))
    gc.collect()  # ends LAMMPS and removes its folder


def _told(shares: Connection) -> Callable[[float], None]:
    """Return a report that sends shares, not too many."""
    last = [0.0]

    def report(share: float) -> None:
        now = time.monotonic()
        if now - last[0] >= REPORT_SECONDS:
            last[0] = now
            with suppress(OSError):
                shares.send(float(share))

    return report


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _passing(path: Path) -> Path:
    return path.with_suffix(".passing")


def _fetched(task: Task, code: int) -> Measured:
    """Return what a process left."""
    kept = kept_result(task.path)
    if kept is None:
        passing = _passing(task.path)
        kept = kept_result(passing)
        with suppress(OSError):
            passing.unlink()
    if kept is not None:
        return Measured(kept.outcome, kept.seconds)
    return Measured(Outcome(failure=f"its process ended with {ended(code)}"))
