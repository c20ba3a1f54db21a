"""What Trimpot finds on this machine."""

from __future__ import annotations

import platform
from importlib import metadata

from trimpot import _native
from trimpot.files.release import release
from trimpot.threads import thread_count
from trimpot.verbs.memory import total_memory


def machine_facts() -> dict[str, object]:
    """Return version, instruction sets, threads, memory and main libraries."""
    return {
        "trimpot": release(),
        "instruction_set": _native.instruction_set(),
        "instruction_sets": list(_native.instruction_sets()),
        "threads": thread_count(),
        "memory_gb": round(total_memory() / 1e9, 1),
        "processor": platform.machine(),
        "python": platform.python_version(),
        "numpy": metadata.version("numpy"),
        "ase": metadata.version("ase"),
    }
