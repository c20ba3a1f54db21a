"""Optional engines and libraries: versions, or the command that installs them."""

from __future__ import annotations

import re
import subprocess
from importlib import metadata
from pathlib import Path

from trimpot.engines.lammps.finding import INSTALL, facts_of_help, find_lmp

WANTED_PACKAGES = ("ML-UF3", "ML-IAP", "ML-SNAP", "MANYBODY", "OPENMP", "PLUGIN")
"""Of LAMMPS: those that potentials and comparisons use."""

LMP_SECONDS = 5.0
"""An ``lmp`` that takes longer to say what it is, is taken for broken."""

LIBRARIES = {
    "torch": ("networks", "pip install 'trimpot[torch]'"),
    "phonopy": ("phonons", "pip install phonopy"),
    "spglib": ("trimpot relax --symmetry", "pip install spglib"),
}
"""What for, and how to get it."""


class PendingLammps:
    """An ``lmp`` that was asked what it is and may still be thinking."""

    def __init__(self) -> None:
        self.lmp = find_lmp()
        self._run: subprocess.Popen[str] | None = None
        if self.lmp is None:
            return
        quiet = subprocess.DEVNULL
        try:
            self._run = subprocess.Popen(
                [self.lmp, "-h"],
                stdout=subprocess.PIPE,
                stderr=quiet,
                stdin=quiet,
                text=True,
            )
        except OSError:
            self._run = None

    def answer(self) -> tuple[str | None, str]:
        """Return version and details; None if there is no lmp that works."""
        if self._run is None:
            return None, ""
        with self._run as run:
            try:
                text, _ = run.communicate(timeout=LMP_SECONDS)
            except subprocess.TimeoutExpired:
                run.kill()
                return None, ""
        if run.returncode != 0 or not text.strip():
            return None, ""
        facts = facts_of_help(text)
        version, found = facts.version, facts.packages
        there = [name for name in WANTED_PACKAGES if name in found]
        missing = [name for name in WANTED_PACKAGES if name not in found]
        details = (
            f"{self.lmp}; packages {', '.join(there) or 'none of ' + ', '.join(missing)}"
        )
        return version, details + (f", without {', '.join(missing)}" if missing else "")


def extras(lammps: PendingLammps) -> dict[str, dict[str, str | None]]:
    """Return version, details, purpose and command to install of each optional part."""
    found = {}
    for name, (purpose, install) in LIBRARIES.items():
        version = _version(name)
        details = _torch_devices(version) if name == "torch" and version else ""
        found[name] = _entry(version, details, purpose, install)
    version, details = lammps.answer()
    purpose = "pair_style trimpot, md --engine lammps, comparisons of speed"
    found["lammps"] = _entry(version, details, purpose, INSTALL)
    return found


def gpus() -> list[str]:
    """Return the GPUs that drivers show, without loading any library."""
    found = []
    for place in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
        try:
            text = place.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        model = re.search(r"^Model:\s*(.+)$", text, re.MULTILINE)
        found.append(model.group(1) if model else "NVIDIA GPU")
    if not found and Path("/dev/kfd").exists():
        found.append("AMD GPU (/dev/kfd)")
    return found


def _torch_devices(version: str) -> str:
    """Return what a build of torch computes on, as far as its version says."""
    if "+cpu" in version:
        return "built for CPUs only"
    build = "CUDA" if re.search(r"\+cu|cuda", version) else "build of the registry"
    return f"{build}; {len(gpus())} GPUs seen"


def _entry(
    version: str | None, details: str, purpose: str, install: str
) -> dict[str, str | None]:
    return {"version": version, "details": details, "for": purpose, "install": install}


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
