"""What a trained silicon potential says beside the one that labelled its data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from ase import units
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution, Stationary
from ase.md.verlet import VelocityVerlet
from ase.optimize import FIRE
from silicon_data import LATTICE, crystal

from trimpot.units import GPA_PER_EV_PER_A3

if TYPE_CHECKING:
    from ase import Atoms

    import trimpot

STRAIN = 0.002
SETTLING, STEPS, STRIDE = 300, 5000, 10
FEMTOSECONDS = 1.0


@dataclass(frozen=True)
class Properties:
    """Lattice constant (A), elastic constants (GPa), vacancy energy (eV)."""

    lattice: float
    c11: float
    c12: float
    c44: float
    vacancy: float


@dataclass(frozen=True)
class Trajectory:
    """Time (fs), total energy (eV/atom) and temperature (K) at constant energy."""

    time_fs: np.ndarray
    energy: np.ndarray
    temperature_k: np.ndarray
    atoms: int


def lattice_constant(calculator: trimpot.Calculator) -> float:
    """Return the lattice constant at zero pressure, by Newton steps on the stress."""
    spacing = LATTICE
    for _ in range(6):
        pressures = [
            np.trace(stress(calculator, cell_strain(spacing, spacing_strain)))
            for spacing_strain in (-STRAIN, 0.0, STRAIN)
        ]
        slope = (pressures[2] - pressures[0]) / (2.0 * STRAIN)
        spacing *= 1.0 - pressures[1] / slope
    return spacing


def cell_strain(spacing: float, strain: float) -> Atoms:
    """Return a unit cell, scaled by 1 + strain."""
    return crystal(spacing / LATTICE * (1.0 + strain), repeat=1)


def stress(calculator: trimpot.Calculator, atoms: Atoms) -> np.ndarray:
    """Return the stress as a (3, 3) matrix, GPa."""
    atoms.calc = calculator
    return atoms.get_stress(voigt=False) * GPA_PER_EV_PER_A3


def strained_stress(
    calculator: trimpot.Calculator, spacing: float, strain: np.ndarray
) -> np.ndarray:
    """Return the stress of a strained unit cell after its atoms have relaxed."""
    atoms = crystal(spacing / LATTICE, repeat=1)
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + strain), scale_atoms=True)
    atoms.calc = calculator
    FIRE(atoms, logfile=None).run(fmax=1e-4, steps=500)
    return stress(calculator, atoms)


def elastic_constants(
    calculator: trimpot.Calculator, spacing: float
) -> tuple[float, float, float]:
    """Return C11, C12 and C44 in GPa by central differences of the stress."""
    along = np.zeros((3, 3))
    along[0, 0] = STRAIN
    shear = np.zeros((3, 3))
    shear[1, 2] = shear[2, 1] = 0.5 * STRAIN
    pulled, sheared = (
        (strained_stress(calculator, spacing, e) - strained_stress(calculator, spacing, -e))
        / (2.0 * STRAIN)
        for e in (along, shear)
    )
    return float(pulled[0, 0]), float(pulled[1, 1]), float(sheared[1, 2])


def vacancy_energy(calculator: trimpot.Calculator, spacing: float) -> float:
    """Return the energy of a relaxed vacancy in 216 atoms, eV."""
    atoms = crystal(spacing / LATTICE, repeat=3)
    atoms.calc = calculator
    whole = atoms.get_potential_energy()
    count = len(atoms)
    del atoms[0]
    FIRE(atoms, logfile=None).run(fmax=1e-2, steps=200)
    return atoms.get_potential_energy() - whole * (count - 1) / count


def properties(calculator: trimpot.Calculator) -> Properties:
    """Return all properties that one calculator gives."""
    spacing = lattice_constant(calculator)
    elastic = elastic_constants(calculator, spacing)
    return Properties(spacing, *elastic, vacancy_energy(calculator, spacing))


def constant_energy_run(calculator: trimpot.Calculator, *, seed: int) -> Trajectory:
    """Run 216 atoms at about 600 K and constant energy for 5 ps."""
    atoms = crystal(repeat=3)
    rng = np.random.default_rng(seed)
    MaxwellBoltzmannDistribution(
        atoms, temperature_K=1200.0, rng=rng
    )  # half becomes potential
    Stationary(atoms)
    atoms.calc = calculator
    step = FEMTOSECONDS * units.fs
    VelocityVerlet(atoms, step).run(SETTLING)
    dynamics = VelocityVerlet(atoms, step)
    rows: list[tuple[float, float, float]] = []

    def record() -> None:
        time = dynamics.nsteps * FEMTOSECONDS
        rows.append((time, atoms.get_total_energy() / len(atoms), atoms.get_temperature()))

    dynamics.attach(record, interval=STRIDE)
    dynamics.run(STEPS)
    time, energy, temperature = np.array(rows).T
    return Trajectory(time, energy, temperature, len(atoms))
