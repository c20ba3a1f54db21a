"""What is measured on moving atoms: energies, temperature, pressure."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Self

import numpy as np
from ase.calculators.singlepoint import SinglePointCalculator

from trimpot.engines.ase import has_stress
from trimpot.engines.charges import charge_info
from trimpot.engines.md_velocities import temperature_k, twice_kinetic
from trimpot.units import GPA_PER_EV_PER_A3

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ase import Atoms

    from trimpot.contract import FloatArray


@dataclass(frozen=True)
class Sample:
    """One moment of a run; energies in eV/atom.

    Attributes
    ----------
    step : int
        Steps done.
    time_fs : float
        Time in fs.
    potential, kinetic : float
        Energies in eV/atom.
    temperature_k : float
        Kinetic temperature in K, for zero total momentum.
    pressure_gpa : float or None
        Pressure in GPa with its kinetic part; None where the structure is not periodic in
        three directions.
    conserved : float or None
        Total energy with that of thermostat and barostat, in eV/atom; None where nothing
        is conserved (Langevin).
    volume_a3 : float or None
        Volume in A^3/atom; None where there is no pressure.
    grade : float or None
        Largest extrapolation grade of an atom since the last sample; None if none was
        looked at.
    """

    step: int
    time_fs: float
    potential: float
    kinetic: float
    temperature_k: float
    pressure_gpa: float | None
    conserved: float | None = None
    volume_a3: float | None = None
    grade: float | None = None

    @property
    def total(self) -> float:
        """Total energy in eV/atom."""
        return self.potential + self.kinetic

    @classmethod
    def of(
        cls,
        atoms: Atoms,
        *,
        step: int,
        time_fs: float,
        extended: float | None = None,
        grade: float | None = None,
    ) -> Self:
        """Return what ``atoms`` and their calculator say.

        ``extended`` is the energy in eV of what is conserved besides the atoms.
        """
        n = len(atoms)
        kinetic = 0.5 * twice_kinetic(atoms.arrays["momenta"], atoms.get_masses())
        potential = float(atoms.get_potential_energy())  # type: ignore[no-untyped-call]
        whole = None if extended is None else (potential + kinetic + extended) / n
        pressure = _pressure_gpa(atoms, kinetic)
        return cls(
            step=step,
            time_fs=time_fs,
            potential=potential / n,
            kinetic=kinetic / n,
            temperature_k=temperature_k(kinetic, n),
            pressure_gpa=pressure,
            conserved=whole,
            volume_a3=None if pressure is None else atoms.get_volume() / n,  # type: ignore[no-untyped-call]
            grade=grade,
        )


@dataclass(frozen=True)
class Samples:
    """The samples of a run as columns; units and meaning as in ``Sample``.

    Columns that a run does not have are None; a grade is NaN where none was looked at.
    """

    step: FloatArray
    time_fs: FloatArray
    potential: FloatArray
    kinetic: FloatArray
    temperature_k: FloatArray
    pressure_gpa: FloatArray | None
    conserved: FloatArray | None = None
    volume_a3: FloatArray | None = None
    grade: FloatArray | None = None

    @property
    def total(self) -> FloatArray:
        """Total energies in eV/atom."""
        return self.potential + self.kinetic

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> Self:
        """Return the columns of samples, at least one."""
        columns = {f.name: [getattr(s, f.name) for s in samples] for f in fields(cls)}
        return cls(**{name: _column(values) for name, values in columns.items()})  # type: ignore[arg-type]

    def after(self, start_fs: float) -> Samples:
        """Return the samples from a time on."""
        kept = self.time_fs >= start_fs
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        chosen = {k: None if v is None else v[kept] for k, v in found.items()}
        return Samples(**chosen)  # type: ignore[arg-type]  # required columns exist


def _column(values: list[float | None]) -> FloatArray | None:
    """Return values as an array, NaN where there is none; None if all are missing."""
    if all(value is None for value in values):
        return None
    return np.array([np.nan if value is None else float(value) for value in values])


def snapshot(atoms: Atoms, sample: Sample) -> Atoms:
    """Return a copy that keeps momenta, energy, forces and stress but no calculator."""
    frame: Atoms = atoms.copy()  # type: ignore[no-untyped-call]
    frame.set_constraint()  # type: ignore[no-untyped-call]
    results = {
        "energy": atoms.get_potential_energy(),  # type: ignore[no-untyped-call]
        "forces": atoms.get_forces(apply_constraint=False),  # type: ignore[no-untyped-call]
    }
    if sample.pressure_gpa is not None:
        results["stress"] = atoms.get_stress()  # type: ignore[no-untyped-call]
    frame.calc = SinglePointCalculator(frame, **results)  # type: ignore[no-untyped-call]
    frame.info = {"step": sample.step, "time_fs": sample.time_fs, **charge_info(atoms)}
    return frame


def _pressure_gpa(atoms: Atoms, kinetic: float) -> float | None:
    """Return -tr(stress)/3 + 2 K / (3 V)."""
    if not atoms.pbc.all() or not has_stress(atoms):
        return None
    stress = atoms.get_stress()  # type: ignore[no-untyped-call]
    volume = float(atoms.get_volume())  # type: ignore[no-untyped-call]
    static, moving = -float(stress[:3].sum()) / 3.0, 2.0 * kinetic / (3.0 * volume)
    return (static + moving) * GPA_PER_EV_PER_A3
