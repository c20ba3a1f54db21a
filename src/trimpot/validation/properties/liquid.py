"""Liquids: radial and angular distributions, density, pressure, diffusion."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from trimpot.engines.lammps.stages import Simulation, Stage
from trimpot.errors import InputError
from trimpot.validation.properties.case import silent
from trimpot.validation.properties.crystal_order import SlabOrder
from trimpot.validation.properties.in_lammps import (
    DAMP_STEPS,
    PRESSURE_STEPS,
    Progress,
    barostat,
    lammps_model,
    refused_for_time,
    started_at,
    suitable_timestep_fs,
    thermostat,
    work_folder,
)
from trimpot.validation.properties.liquid_results import (
    GRAM_PER_AMU_A3,
    Production,
    results,
)
from trimpot.validation.properties.liquid_structure import Points, check_references
from trimpot.validation.properties.outcome import Outcome, guarded

if TYPE_CHECKING:
    from pathlib import Path

    from ase import Atoms

    from trimpot.engines.lammps.stages import Stretch
    from trimpot.validation.properties.case import Case, Phase, Report
    from trimpot.validation.subjects import Subject

VERSION = 1

HOT = 2.0
"""Temperature at which a crystal is melted, over that of the liquid."""

MOLTEN = 0.25
"""|S| below which nothing is left of the crystal."""

PIECES = 5
"""Of the production; a killed run goes on after the last one that is done."""


@dataclass(frozen=True)
class Settings:
    """Temperature, ensemble, size and length.

    Attributes
    ----------
    temperature : float
        K.
    ensemble : str
        "npt": at zero pressure, the three edges together; "nvt": at a fixed volume.
    density : float or None
        For "nvt", g/cm^3; None: of a file, its own; of a molten crystal, that at zero
        pressure.
    melt : float or None
        Temperature at which a crystal is melted, K; None: twice ``temperature``. The
        structure of a file is taken as it is.
    atoms : int
        At least; a crystal or the cell of a file is repeated to about a cube.
    timestep_fs : float or None
        Time step; None: by mass, as in ``melting``.
    melt_ps : float
        In the heat, and again to cool; only for crystals.
    equilibration_ps, production_ps : float
        At the temperature; the first does not count.
    frames : int
        Looks at the production.
    adf_cutoff : float or None
        Farthest neighbours of angles, A; None: to the first minimum of g(r).
    adf_elements : tuple of str
        Atoms between which angles are taken; empty: all.
    reference : mapping
        By pair of elements ("O-O"): a list of points [distance (A), g(r)], or a file with
        these two columns.
    limit_minutes : float
        Expected wall time beyond which nothing is run.
    ranks : int
        MPI processes.
    seed : int
        Of velocities and thermostats.
    """

    temperature: float = 300.0
    ensemble: Literal["npt", "nvt"] = "npt"
    density: float | None = None
    melt: float | None = None
    atoms: int = 500
    timestep_fs: float | None = None
    melt_ps: float = 5.0
    equilibration_ps: float = 10.0
    production_ps: float = 50.0
    frames: int = 100
    adf_cutoff: float | None = None
    adf_elements: tuple[str, ...] = ()
    reference: dict[str, Points] = field(default_factory=dict)
    limit_minutes: float = 20.0
    ranks: int = 1
    seed: int = 4711


def check(phase: Phase, settings: Settings) -> None:
    """Raise ``InputError`` where phase and settings do not fit."""
    for name in ("temperature", "atoms", "melt_ps", "equilibration_ps", "limit_minutes"):
        if not getattr(settings, name) > 0:
            raise InputError(f"liquid: {name} is {getattr(settings, name)}, expected > 0")
    if settings.density is not None and settings.ensemble == "npt":
        raise InputError(
            f"liquid: density is {settings.density} in the ensemble npt, which finds its "
            "own; leave it out, or take ensemble: nvt"
        )
    if settings.frames < PIECES or not settings.production_ps > 0:
        raise InputError(
            f"liquid: {settings.frames} frames in {settings.production_ps} ps, expected "
            f"at least {PIECES} in more than 0 ps"
        )
    check_references(phase.elements, settings.reference)
    if phase.given is not None and settings.melt is not None:
        raise InputError(
            "liquid: found melt, but the structure of a file is taken as it is; "
            "leave out melt"
        )


@guarded
def measure(
    subject: Subject, case: Case, settings: Settings, report: Report = silent
) -> Outcome:
    """Return ``density``, ``diffusion``, ``pressure``, ``first_peak``, ``coordination``.

    Of several elements, these are of the heaviest one (O in water); others have its name
    behind theirs (``diffusion_H``, ``first_peak_H-O``).

    A crystal is melted in the heat, cooled and equilibrated with a Langevin thermostat; a
    Nose-Hoover thermostat, which hardly disturbs diffusion, holds the temperature in the
    production.
    """
    cell = case.phase.conventional(case.a0)
    timestep_fs = settings.timestep_fs or suitable_timestep_fs(cell.numbers)
    settings = replace(settings, timestep_fs=timestep_fs)
    with work_folder(case) as folder:
        run = _Run(subject, case.phase, cell, settings, folder, report)
        return run.outcome()


class _Run:
    """A liquid on its way."""

    def __init__(
        self,
        subject: Subject,
        phase: Phase,
        cell: Atoms,
        settings: Settings,
        folder: Path,
        report: Report,
    ) -> None:
        self.settings, self.phase, self.cell = settings, phase, cell
        self.progress = Progress(report)
        self.repeat = cube(cell, settings.atoms)
        atoms = cell * self.repeat
        if settings.density is not None:
            atoms = _of_density(atoms, settings.density)
        self.simulation = Simulation(
            lammps_model(subject, atoms, folder, settings.ranks),
            atoms,
            folder,
            settings.timestep_fs or 1.0,
            self.progress,
        )

    def outcome(self) -> Outcome:
        """Return what was found."""
        settings, facts = self.settings, asdict(self.settings)
        of_crystal = self.phase.given is None
        length_ps = settings.equilibration_ps + settings.production_ps
        steps = self.simulation.steps(length_ps + 2.0 * settings.melt_ps * of_crystal)
        limit = settings.limit_minutes
        refusal = refused_for_time(self.simulation, steps, limit, settings.seed)
        if refusal is not None:
            return Outcome(settings=facts, failure=refusal)
        self.progress.begin(steps)
        after = None
        if of_crystal:
            molten = self._melted()
            if molten is None:
                failure = f"the crystal did not melt at {self._hot_k():g} K (melt)"
                return Outcome(settings=facts, failure=failure)
            after = molten.folder.name
        values, curves, notes = results(self._produced(self._equilibrated(after)))
        return Outcome(values, curves, facts, notes)

    def _hot_k(self) -> float:
        return self.settings.melt or HOT * self.settings.temperature

    @property
    def _free(self) -> bool:
        """Whether the volume follows the pressure before the production."""
        given = self.phase.given is not None or self.settings.density is not None
        return self.settings.ensemble == "npt" or not given

    def _moves(self, first_k: float, last_k: float) -> tuple[str, str]:
        dt = self.simulation.timestep_fs
        box = barostat("iso", dt, more="drag 0.5") if self._free else "fix move all nve"
        return box, thermostat((first_k, last_k), dt, self.settings.seed)

    def _melted(self) -> Stretch | None:
        """Return the stage at whose end a crystal is molten and cool; None: it is not."""
        hot_k, steps = self._hot_k(), self.simulation.steps(self.settings.melt_ps)
        begin = started_at(2.0 * hot_k, self.settings.seed)
        commands = (begin, *self._moves(hot_k, hot_k))
        melt = self.simulation.run(Stage("melt", steps, commands, rows=steps, frames=steps))
        (last,) = self.simulation.frames(melt)
        if SlabOrder.of(self.cell, self.repeat)(last).mean() > MOLTEN:
            return None
        moves = self._moves(hot_k, self.settings.temperature)
        return self.simulation.run(Stage("cool", steps, moves, "melt"))

    def _equilibrated(self, after: str | None) -> Stretch:
        temperature_k = self.settings.temperature
        steps = self.simulation.steps(self.settings.equilibration_ps)
        start = started_at(temperature_k, self.settings.seed)
        begin = (start,) if after is None else ()
        commands = (*begin, *self._moves(temperature_k, temperature_k))
        rows = max(1, min(100, steps // 20))
        return self.simulation.run(Stage("equilibrate", steps, commands, after, rows))

    def _produced(self, begun: Stretch) -> Production:
        settings, simulation = self.settings, self.simulation
        apart = simulation.steps(settings.production_ps / settings.frames)
        per_piece = -(-settings.frames // PIECES)
        rows = next(n for n in range(min(10, apart), 0, -1) if apart % n == 0)
        commands, after = self._held(), begun.folder.name
        if self._free and settings.ensemble == "nvt":
            commands = (_mean_box(begun, simulation), *commands)
        stretches: list[Stretch] = []
        for k in range(PIECES):
            name = f"produce-{k}"
            stage = Stage(name, per_piece * apart, commands, after, rows, apart)
            stretches.append(simulation.run(stage))
            commands, after = self._held(), name
        return Production(simulation, tuple(stretches), apart, settings)

    def _held(self) -> tuple[str, ...]:
        """Return the command of the production."""
        ps = self.simulation.timestep_fs / 1000.0
        at = f"{self.settings.temperature:g} {self.settings.temperature:g}"
        words = f"temp {at} {DAMP_STEPS * ps:g}"
        if self.settings.ensemble == "nvt":
            return (f"fix move all nvt {words}",)
        return (f"fix move all npt {words} iso 0.0 0.0 {PRESSURE_STEPS * ps:g}",)


def cube(cell: Atoms, atoms: int) -> tuple[int, int, int]:
    """Return repeats of a cell: at least so many atoms, about as far in each direction."""
    volume = float(cell.cell.volume)
    widths = volume / np.array(
        [np.linalg.norm(np.cross(*np.delete(cell.cell.array, k, 0))) for k in range(3)]
    )
    repeat = np.ones(3, dtype=np.int64)
    while len(cell) * repeat.prod() < atoms:
        repeat[np.argmin(repeat * widths)] += 1
    x, y, z = (int(n) for n in repeat)
    return x, y, z


def _of_density(atoms: Atoms, density: float) -> Atoms:
    """Return atoms in a cell that is scaled to a density in g/cm^3."""
    mass = float(atoms.get_masses().sum()) * GRAM_PER_AMU_A3
    factor = (mass / density / float(atoms.cell.volume)) ** (1.0 / 3.0)
    atoms.set_cell(atoms.cell.array * factor, scale_atoms=True)
    return atoms


def _mean_box(begun: Stretch, simulation: Simulation) -> str:
    """Return the command that gives the box the mean size of the later equilibration."""
    late = begun.lengths_a[len(begun.lengths_a) // 2 :]
    factor = float(np.cbrt((late.prod(axis=1).mean()) / late[-1].prod()))
    words = [f"{axis} scale {factor:.10g}" for axis in "xyz"]
    if simulation.box.is_skewed:
        tilts = ((name, begun.column(name)[-1]) for name in ("xy", "xz", "yz"))
        words += [f"{name} final {factor * tilt:.10g}" for name, tilt in tilts]
    return f"change_box all {' '.join(words)} remap units box"
