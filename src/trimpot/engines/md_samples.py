"""What is measured on moving atoms: energies, temperature, pressure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from ase.calculators.singlepoint import SinglePointCalculator

from trimpot.engines.md_velocities import temperature_k
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
    """

    step: int
    time_fs: float
    potential: float
    kinetic: float
    temperature_k: float
    pressure_gpa: float | None

    @property
    def total(self) -> float:
        """Total energy in eV/atom."""
        return self.potential + self.kinetic

    @classmethod
    def of(cls, atoms: Atoms, *, step: int, time_fs: float) -> Self:
        """Return what ``atoms`` and their calculator say."""
        n = len(atoms)
        kinetic = float(atoms.get_kinetic_energy())  # type: ignore[no-untyped-call]
        potential = float(atoms.get_potential_energy())  # type: ignore[no-untyped-call]
        return cls(
            step=step,
            time_fs=time_fs,
            potential=potential / n,
            kinetic=kinetic / n,
            temperature_k=temperature_k(kinetic, n),
            pressure_gpa=_pressure_gpa(atoms, kinetic),
        )


@dataclass(frozen=True)
class Samples:
    """The samples of a run as columns; units and meaning as in ``Sample``."""

    step: FloatArray
    time_fs: FloatArray
    potential: FloatArray
    kinetic: FloatArray
    temperature_k: FloatArray
    pressure_gpa: FloatArray | None

    @property
    def total(self) -> FloatArray:
        """Total energies in eV/atom."""
        return self.potential + self.kinetic

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> Self:
        """Return the columns of samples, at least one."""
        pressures = [s.pressure_gpa for s in samples if s.pressure_gpa is not None]
        return cls(
            step=np.array([float(s.step) for s in samples]),
            time_fs=np.array([s.time_fs for s in samples]),
            potential=np.array([s.potential for s in samples]),
            kinetic=np.array([s.kinetic for s in samples]),
            temperature_k=np.array([s.temperature_k for s in samples]),
            pressure_gpa=np.array(pressures) if pressures else None,
        )

    def after(self, start_fs: float) -> Samples:
        """Return the samples from a time on."""
        kept = self.time_fs >= start_fs
        return Samples(
            step=self.step[kept],
            time_fs=self.time_fs[kept],
            potential=self.potential[kept],
            kinetic=self.kinetic[kept],
            temperature_k=self.temperature_k[kept],
            pressure_gpa=None if self.pressure_gpa is None else self.pressure_gpa[kept],
        )


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
    frame.info = {"step": sample.step, "time_fs": sample.time_fs}
    return frame


def _pressure_gpa(atoms: Atoms, kinetic: float) -> float | None:
    """Return -tr(stress)/3 + 2 K / (3 V)."""
    if not atoms.pbc.all():
        return None
    stress = atoms.get_stress()  # type: ignore[no-untyped-call]
    volume = float(atoms.get_volume())  # type: ignore[no-untyped-call]
    static, moving = -float(stress[:3].sum()) / 3.0, 2.0 * kinetic / (3.0 * volume)
    return (static + moving) * GPA_PER_EV_PER_A3
