"""What a measurement ran on, without names of hosts."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path

import trimpot
from trimpot import _native


def describe() -> dict[str, str]:
    """Return processor, cores, instruction set and versions."""
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "instruction set": _native.instruction_set(),
        "load before the run": f"{os.getloadavg()[0]:.1f}",
        "trimpot": trimpot.__version__,
        "python": platform.python_version(),
    }


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        lines = [line.partition(":") for line in facts.read_text().splitlines()]
        found = {key.strip(): value.strip() for key, _, value in lines if value}
        name = found.get("model name", platform.machine())
        return f"{name} (family {found.get('cpu family')}, model {found.get('model')})"
    return platform.machine()


def busy_seconds() -> float | None:
    """Return the seconds that all cores together have worked since boot (Linux)."""
    counters = Path("/proc/stat")
    if not counters.exists():
        return None
    user, nice, system, _, _, interrupt, soft = counters.read_text().split()[1:8]
    ticks = sum(map(int, (user, nice, system, interrupt, soft)))
    return ticks / os.sysconf("SC_CLK_TCK")


class Neighbours:
    """Share of the machine that other work takes within a ``with`` block.

    Attributes
    ----------
    others : float or None
        0 to 1; None where the system does not tell.
    """

    others: float | None = None

    def __enter__(self):
        self._start = time.perf_counter(), busy_seconds(), sum(os.times()[:4])
        return self

    def __exit__(self, *_):
        wall, busy, own = self._start
        now = busy_seconds()
        if busy is not None and now is not None:
            beside = now - busy - (sum(os.times()[:4]) - own)
            cores = os.cpu_count() * (time.perf_counter() - wall)
            self.others = max(0.0, beside / cores)
