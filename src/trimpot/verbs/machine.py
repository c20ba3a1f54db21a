"""What Trimpot finds on this machine."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata
from pathlib import Path

from trimpot import _native
from trimpot.files.release import release
from trimpot.threads import thread_count
from trimpot.verbs.machine_extras import PendingLammps, extras, gpus
from trimpot.verbs.memory import total_memory
from trimpot.verbs.self_test import self_test

LIBRARIES = ("numpy", "scipy", "ase", "matplotlib", "pydantic", "typer", "rich")


def machine_facts() -> dict[str, object]:
    """Return version, instruction sets, threads, memory and main libraries."""
    return {
        "trimpot": release(),
        "instruction_set": _native.instruction_set(),
        "instruction_sets": list(_native.instruction_sets()),
        "threads": thread_count(),
        "memory_gb": round(total_memory() / 1e9, 1),
        "processor": platform.machine(),
        "cpu": cpu_model(),
        "python": platform.python_version(),
        "numpy": metadata.version("numpy"),
        "ase": metadata.version("ase"),
    }


def machine_report() -> dict[str, object]:
    """Return the facts with all else that helps when something does not work.

    Optional engines with versions or the command that installs them, GPUs, and whether the
    compiled core computes what it should.
    """
    facts = machine_facts()
    lammps = PendingLammps()  # lmp starts while the rest is looked at
    return {
        **facts,
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.release()}",
        "installed_in": str(Path(__file__).parents[1]),
        "python_executable": sys.executable,
        "libraries": {name: metadata.version(name) for name in LIBRARIES},
        "self_test": self_test(),
        "gpus": gpus(),
        "extras": extras(lammps),
    }


def report_lines(report: dict[str, object]) -> list[str]:
    """Return the facts in groups, names and values aligned."""
    sets = report["instruction_sets"]
    others = ", ".join(str(s) for s in sets) if isinstance(sets, list) else str(sets)
    groups: dict[str, dict[str, object]] = {
        "trimpot": {
            "version": report["trimpot"],
            "installed in": report["installed_in"],
            "compiled core": report["self_test"],
        },
        "machine": {
            "processor": f"{report['cpu']} ({report['processor']})",
            "instruction set": f"{report['instruction_set']} (of {others})",
            "threads": f"{report['threads']} (cores: {report['cores']})",
            "memory": f"{report['memory_gb']} GB",
            "GPUs": ", ".join(map(str, _listed(report["gpus"]))) or "none found",
            "system": report["system"],
        },
        "libraries": {
            "python": f"{report['python']} ({report['python_executable']})",
            **_mapping(report["libraries"]),
        },
        "optional": _mapping(report["extras"]),
    }
    lines = []
    for title, facts in groups.items():
        lines.append(title)
        lines += [f"  {name:16} {value}" for name, value in facts.items()]
    return lines


def cpu_model() -> str:
    """Return the name of the processor as the system tells it."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor() or platform.machine()
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name" and value.strip():
            return value.strip()
    return platform.processor() or platform.machine()


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _mapping(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        return {}
    return {name: _shown(entry) for name, entry in value.items()}


def _shown(entry: object) -> object:
    """Return an optional part in one line; a library's version as it is."""
    if not isinstance(entry, dict):
        return entry
    if entry["version"] is None:
        return f"not installed; {entry['install']}"
    return f"{entry['version']}{'; ' if entry['details'] else ''}{entry['details']}"
