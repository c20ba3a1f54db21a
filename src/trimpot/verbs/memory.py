"""Memory of this machine, so that a fit that cannot work is refused before it starts."""

from __future__ import annotations

import os
from pathlib import Path

from trimpot.errors import FitError

CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
"""Linux: limit of a container or batch job."""


def total_memory() -> int:
    """Return the bytes that this process may use at most."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        limit = int(CGROUP_LIMIT.read_text())
    except (OSError, ValueError):  # no limit, or another system
        return physical
    return min(physical, limit)


def require_memory(needed: int, n_coefficients: int) -> None:
    """Refuse a fit that needs more memory than there is.

    Raises
    ------
    FitError
        Says how to make the model smaller.
    """
    available = total_memory()
    if needed > available:
        raise FitError(
            f"fitting {n_coefficients} coefficients needs {needed / 1e9:.1f} GB, this "
            f"machine has {available / 1e9:.1f} GB; use fewer intervals, fewer folds, or "
            "tie trios (tie: center)"
        )
