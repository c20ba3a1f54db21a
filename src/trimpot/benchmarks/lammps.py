"""Runs of ``lmp``, and what they took by its own clock."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from ase.data import atomic_masses

from trimpot.benchmarks.running import Timing
from trimpot.elements import SYMBOLS
from trimpot.engines.lammps.running import Launch
from trimpot.errors import InputError
from trimpot.files.lammps_box import Box
from trimpot.files.lammps_data import data_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimpot.benchmarks.running import RunSettings
    from trimpot.benchmarks.states import State

LONGEST_RUN = 5.0
"""Seconds; slower styles make fewer steps."""

ONE_THREAD = {"OMP_NUM_THREADS": "1"}

INPUT = """units metal
atom_style atomic
atom_modify map array
boundary p p p
box tilt large
read_data start.data
{commands}
neighbor {skin} bin
neigh_modify every 1 delay 0 check yes
timestep {timestep_ps}
fix 1 all nve
thermo_style custom step pe temp
thermo_modify format float %20.15g
thermo {steps}
run {warmup}
run {steps}
"""


def run_input(lmp: str, folder: Path, *, ranks: int = 1) -> str:
    """Run ``folder/in.lmp`` there and return what lmp printed.

    Parameters
    ----------
    lmp
        The executable.
    folder
        Working directory of the run.
    ranks
        MPI processes; more than one needs mpiexec.

    Raises
    ------
    InputError
        If lmp fails, with its last words.
    MissingPartError
        If mpiexec is missing.
    """
    launch = Launch.of(ranks, lmp=lmp)
    done = subprocess.run(
        launch.command(["-in", "in.lmp", "-log", "none", "-nocite"]),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **ONE_THREAD},
    )
    if done.returncode != 0:
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        errors = [line for line in said if line.startswith("ERROR")] or said[-3:]
        raise InputError(f"lmp failed: {' '.join(errors)}")
    return done.stdout


@dataclass(frozen=True)
class LammpsStyle:
    """A pair style of LAMMPS on one or several cores (MPI).

    Attributes
    ----------
    name : str
        Shown in tables.
    lmp : str
        The executable.
    species : tuple of int
        Atomic numbers, in the order of the LAMMPS types.
    commands : tuple of str
        ``pair_style`` and ``pair_coeff`` lines.
    files : mapping of bytes
        Files that the commands name.
    ranks : int
        MPI processes.
    missing_energy : float or None
        For the same potential as Trimpot's: what LAMMPS leaves out of the energy of the
        states to be run, eV (isolated atoms). None for any other potential.
    most_steps : int or None
        Fewer steps than the settings ask for, for slow styles.
    """

    name: str
    lmp: str
    species: tuple[int, ...]
    commands: tuple[str, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)
    ranks: int = 1
    missing_energy: float | None = None
    most_steps: int | None = None

    @property
    def same_potential(self) -> bool:
        """Whether this is the potential of Trimpot."""
        return self.missing_energy is not None

    def paced(
        self, state: State, settings: RunSettings, *, seconds: float = LONGEST_RUN
    ) -> LammpsStyle:
        """Return this style with as few steps as keep a run within some seconds.

        Raises
        ------
        InputError
            If lmp fails.
        """
        trial = self.run(state, replace(settings, steps=1, warmup=0))
        return replace(self, most_steps=max(1, int(seconds / max(trial.seconds, 1e-9))))

    def run(self, state: State, settings: RunSettings) -> Timing:
        """Return the Pair and Neigh times of one NVE run from this state.

        LAMMPS computes energies and the virial at its first and last step only.

        Raises
        ------
        InputError
            If lmp fails.
        """
        steps = min(settings.steps, self.most_steps or settings.steps)
        with tempfile.TemporaryDirectory() as folder:
            where = Path(folder)
            for name, content in self.files.items():
                (where / name).write_bytes(content)
            write_data(where / "start.data", state, self.species)
            text = INPUT.format(
                commands="\n".join(self.commands),
                skin=settings.skin,
                timestep_ps=settings.timestep_fs / 1000.0,
                steps=steps,
                warmup=min(steps, settings.warmup),
            )
            (where / "in.lmp").write_text(text, "utf-8")
            try:
                output = run_input(self.lmp, where, ranks=self.ranks)
            except InputError as error:
                raise InputError(f"{self.name}: {error}") from error
        timing = parse_timing(output, steps)
        missing = self.missing_energy or 0.0
        return replace(timing, first_energy=timing.first_energy + missing)


def write_data(path: Path, state: State, species: Sequence[int]) -> None:
    """Write a LAMMPS data file (metal units); vectors are turned with the cell.

    Parameters
    ----------
    species
        Atomic numbers in ascending order, the order of the LAMMPS types.
    """
    s = state.structure
    text = data_text(
        "started by trimpot",
        Box.of(s.cell, s.pbc, s.positions),
        s.positions,
        (1 + np.searchsorted(species, s.numbers)).astype(np.int32),
        [(atomic_masses[z], SYMBOLS[z]) for z in species],
        velocities=1000.0 * state.velocities,  # A/ps
    )
    path.write_text(text, "ascii")


def parse_timing(output: str, steps: int) -> Timing:
    """Return the timing of the last run in what lmp printed.

    Of several ranks the slowest counts. ``memory`` is what LAMMPS says it allocated.

    Raises
    ------
    InputError
        If there is no timing in it.
    """
    begin = output.rfind("Loop time of")
    first = re.search(r"^\s*0\s+(-?[0-9.eE+-]+)\s", output, re.MULTILINE)
    if begin < 0 or first is None:
        raise InputError("lmp printed no 'Loop time' and first energy; is its output cut?")
    last = output[begin:]
    builds = re.search(r"Neighbor list builds = (\d+)", last)
    memory = re.findall(r"Per MPI rank memory allocation .* = (.*) Mbytes", output)
    return Timing(
        list=_slowest(last, "Neigh") / steps,
        kernels=_slowest(last, "Pair") / steps,
        other=0.0,
        builds=int(builds.group(1)) if builds else 0,
        first_energy=float(first.group(1)),
        memory=_bytes(output, memory[-1]) if memory else None,
    )


def _slowest(text: str, part: str) -> float:
    """Return the largest of the min, avg and max columns of a part, seconds."""
    row = re.search(rf"^{part}\s*\|(.*)$", text, re.MULTILINE)
    if row is None:
        return 0.0
    return max(float(cell) for cell in row.group(1).split("|")[:3] if cell.strip())


def _bytes(output: str, allocation: str) -> int:
    """Return the bytes of all ranks from their min | avg | max in MiB."""
    ranks = re.search(r"Loop time of .* on (\d+) procs", output)
    average = float(allocation.split("|")[1])
    return round(average * 2**20 * (int(ranks.group(1)) if ranks else 1))
