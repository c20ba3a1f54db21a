"""How many threads to use."""

from __future__ import annotations

import os


def thread_count(requested: int = 0) -> int:
    """Return the requested number of threads; 0 means all cores this process may use."""
    if requested > 0:
        return requested
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
