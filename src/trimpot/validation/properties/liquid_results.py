"""What the production of a liquid gives: values and curves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from trimpot.engines.md_displacements import Snapshots
from trimpot.engines.md_distances import Distances
from trimpot.engines.md_statistics import average
from trimpot.validation.properties.liquid_structure import (
    Angles,
    deviation,
    first_shell,
    pair_name,
    reference_points,
)
from trimpot.validation.properties.outcome import Curve, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ase import Atoms

    from trimpot.contract import FloatArray
    from trimpot.engines.lammps.stages import Simulation, Stretch
    from trimpot.engines.md_distances import RadialDistribution
    from trimpot.validation.properties.liquid import Settings
    from trimpot.validation.properties.liquid_structure import Shell

GRAM_PER_AMU_A3 = 1.66053906660
"""1 g/mol per cubic angstrom in g/cm^3."""

ANGLE_FRAMES = 20
"""Frames whose angles are counted."""

FLOWS = 0.25
"""Mean squared displacement over that of a liquid: (this times the first peak) squared."""


@dataclass(frozen=True)
class Production:
    """What was run.

    Attributes
    ----------
    simulation : Simulation
        Of which atoms.
    stretches : tuple of Stretch
        One after the other.
    interval : int
        Steps between frames.
    settings : Settings
        Of the protocol.
    """

    simulation: Simulation
    stretches: tuple[Stretch, ...]
    interval: int
    settings: Settings

    def frames(self) -> Iterator[Atoms]:
        """Yield all frames."""
        for stretch in self.stretches:
            yield from self.simulation.frames(stretch)

    @property
    def heaviest(self) -> str:
        """The element whose numbers stand for the liquid, such as O in water."""
        atoms = self.simulation.atoms
        k = int(np.argmax(atoms.get_masses()))
        return str(atoms.symbols[k])

    @cached_property
    def several(self) -> bool:
        """Whether there are several elements."""
        return len(set(self.simulation.atoms.numbers)) > 1


def results(made: Production) -> tuple[dict[str, Value], dict[str, Curve], tuple[str, ...]]:
    """Return values, curves and notes."""
    values = _averages(made)
    radial = Distances(made.simulation.atoms, made.interval, threads=1)
    for atoms in made.frames():
        radial.record(atoms)
    found = radial.result(0)
    curves: dict[str, Curve] = {}
    shell = None
    if found is not None:
        shell = _distances(made, found, values, curves)
    _angles(made, shell, curves)
    moved = _displacements(made, values, curves)
    n, ps = len(made.simulation.atoms), made.settings.production_ps
    notes = [f"{n} atoms, {made.simulation.timestep_fs:g} fs, {ps:g} ps"]
    if shell is not None and moved < (FLOWS * shell.peak_a) ** 2:
        notes.append(
            f"atoms moved {np.sqrt(moved):.2g} A, less than a quarter of their distance: "
            "this is a glass or a crystal"
        )
    return values, curves, tuple(notes)


def _averages(made: Production) -> dict[str, Value]:
    def mean(values: FloatArray, unit: str, factor: float = 1.0) -> Value:
        found = average(values * factor)
        return Value(found.mean, unit, found.error)

    atoms = made.simulation.atoms
    mass = float(atoms.get_masses().sum()) * GRAM_PER_AMU_A3
    edges = np.concatenate([s.lengths_a for s in made.stretches])
    pressure = np.concatenate([s.pressure_gpa for s in made.stretches]).mean(axis=1)
    temperature = np.concatenate([s.temperature_k for s in made.stretches])
    density = mass / edges.prod(axis=1)
    fixed = made.settings.ensemble == "nvt"
    return {
        "density": Value(float(density[0]), "g/cm^3") if fixed else mean(density, "g/cm^3"),
        "pressure": mean(pressure, "GPa"),
        "temperature": mean(temperature, "K"),
    }


def _distances(
    made: Production,
    found: RadialDistribution,
    values: dict[str, Value],
    curves: dict[str, Curve],
) -> Shell | None:
    """Add g(r), its first shells and deviations; return the shell that stands for all."""
    main, chosen = f"{made.heaviest}-{made.heaviest}", None
    atoms, errors = made.simulation.atoms, []
    volume = float(np.mean([s.lengths_a.prod(axis=1).mean() for s in made.stretches]))
    references = {pair_name(p): r for p, r in made.settings.reference.items()}
    for pair, g in found.g.items():
        _, neighbor = pair.split("-")
        density = np.count_nonzero(atoms.symbols == neighbor) / volume
        shell = first_shell(found.r_a, g, density)
        suffixes = [f"_{pair}"] if made.several else []
        if pair == main:
            chosen = shell
            suffixes.append("")
        for suffix in suffixes:
            if shell is not None:
                values[f"first_peak{suffix}"] = Value(shell.peak_a, "A")
                values[f"coordination{suffix}"] = Value(shell.neighbors, "")
        name = f"rdf_{pair}" if made.several else "rdf"
        curves[name] = Curve(found.r_a, g, "distance (A)", "g(r)")
        if pair in references:
            given = reference_points(references[pair])
            names = ("distance (A)", "g(r)")
            curves[f"{name}_reference"] = Curve(given[:, 0], given[:, 1], *names)
            errors.append(deviation(found.r_a, g, references[pair]))
    known = [error for error in errors if error is not None]
    if known:
        values["rdf_error"] = Value(float(np.mean(known)), "")
    return chosen


def _angles(made: Production, shell: Shell | None, curves: dict[str, Curve]) -> None:
    cutoff = made.settings.adf_cutoff or (None if shell is None else shell.end_a)
    if cutoff is None:
        return
    frames = list(made.frames())
    angles = Angles(cutoff, made.settings.adf_elements)
    density = angles.density(frames[:: max(1, len(frames) // ANGLE_FRAMES)])
    names = ("angle (degrees)", "density (1/degree)")
    curves["adf"] = Curve(angles.degrees, density, *names)


def _displacements(
    made: Production, values: dict[str, Value], curves: dict[str, Curve]
) -> float:
    """Add diffusion; return the mean squared displacement after half of the time, A^2."""
    snapshots = Snapshots(
        made.simulation.atoms,
        made.interval,
        timestep_fs=made.simulation.timestep_fs,
        changing_cell=made.settings.ensemble == "npt",
    )
    for atoms in made.frames():
        snapshots.record(atoms)
    found = snapshots.result(0)
    if found is None:
        return 0.0
    for element, moved in found.diffusion.items():
        value = Value(moved.coefficient, "A^2/ps", moved.error)
        if element == made.heaviest:
            values["diffusion"] = value
        if made.several:
            values[f"diffusion_{element}"] = value
    for element, msd in found.msd_a2.items():
        name = f"msd_{element}" if made.several else "msd"
        curves[name] = Curve(found.lag_fs / 1000.0, msd, "time (ps)", "displacement (A^2)")
    msd = found.msd_a2[made.heaviest]
    return float(msd[len(msd) // 2])
