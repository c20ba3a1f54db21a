"""What a measurement ran on, without names of hosts."""

from __future__ import annotations

import os
import platform
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
