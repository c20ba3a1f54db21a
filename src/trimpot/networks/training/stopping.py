"""Signals that end a run wait until a step is whole and a checkpoint is written."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    Handler = Callable[[int, FrameType | None], object] | int | None

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """What a run was asked by a signal.

    Attributes
    ----------
    number : int
        The signal; 0: none so far.
    """

    def __init__(self) -> None:
        self.number = 0
        self.before: dict[int, Handler] = {}

    def take(self, number: int, frame: FrameType | None) -> None:
        """Remember a signal; a second one is not held back."""
        if self.number:
            self.deliver(number, frame)
        self.number = number

    def deliver(self, number: int, frame: FrameType | None = None) -> None:
        """Do what the signal would have done before; raises in any case."""
        handler = self.before.get(number)
        if callable(handler):
            handler(number, frame)
        raise SystemExit(128 + number)


@contextmanager
def held_back() -> Iterator[StopRequest]:
    """Hold signals back while the block runs; in a thread, signals belong to the host."""
    request = StopRequest()
    if threading.current_thread() is threading.main_thread():
        request.before = {n: signal.signal(n, request.take) for n in SIGNALS}
    try:
        yield request
    finally:
        for number, handler in request.before.items():
            if handler is not None:  # one that was not set from Python
                signal.signal(number, handler)
