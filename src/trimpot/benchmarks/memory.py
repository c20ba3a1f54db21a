"""Memory that a piece of work adds to this process at most."""

from __future__ import annotations

import contextlib
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

STATUS = Path("/proc/self/status")
RESET = Path("/proc/self/clear_refs")
FORGET_PEAK = "5"
"""Linux: written to clear_refs, sets the highest resident memory to the present one."""


class PeakMemory:
    """Peak resident memory within a ``with`` block beyond that at its start.

    Linux counts this exactly. Elsewhere the highest memory of the process so far is
    compared, so use a fresh process.

    Attributes
    ----------
    added : int
        Bytes.
    """

    def __init__(self) -> None:
        self.added = 0
        self._before = 0

    def __enter__(self) -> Self:
        """Remember the present memory."""
        with contextlib.suppress(OSError):
            RESET.write_text(FORGET_PEAK)
        self._before = _resident("VmRSS")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Read the peak."""
        self.added = max(0, _resident("VmHWM") - self._before)


def _resident(name: str) -> int:
    """Return VmRSS or VmHWM in bytes; without /proc the highest so far."""
    if STATUS.exists():
        for line in STATUS.read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) * 1024
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return highest if sys.platform == "darwin" else highest * 1024
